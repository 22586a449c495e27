"""Everything that live decoding reports, as typed events, and the JSON of each.

The engine gives :class:`Decision`, :class:`SymbolDecision` and :class:`EngineEvent`. A live
decoder gives :class:`LiveDecision` in place of the first, and events of the stream as
:class:`EngineEvent`. The live service adds what its user has to know of decoder, stream,
channels and process.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sjepa_online.protocol import Protocol
from sjepa_online.signal.channel_quality.monitor import Choice
from sjepa_online.stream.events import StreamEvent

#: When a window is decoded: every step, or once after each marker of a trial.
Mode = Literal["sliding", "markers"]

_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Decision:
    """One decoded window.

    Attributes
    ----------
    time : float
        Timestamp (s, the stream's clock) of the last sample that the window needed.
    label : str
        The class of the highest probability.
    probabilities : dict of str to float
        Probability of each class.
    bad_channels : tuple of str
        Channels that were left out.
    onset : float or None
        Timestamp of the marker that the window is locked to; None in sliding mode.
    truth : str or None
        The class that the marker stands for, where it stands for one.
    window : float
        Seconds of signal that decided.
    lit : str
        The symbols that lit up, where the marker is a flash of a speller.
    """

    time: float
    label: str
    probabilities: dict[str, float]
    bad_channels: tuple[str, ...] = ()
    onset: float | None = None
    truth: str | None = None
    window: float = 0.0
    lit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDecision(Decision):
    """A decision on a live stream, and how late it is.

    Attributes
    ----------
    latency : float
        Seconds from the arrival of the last needed sample in this process to the published
        decision.
    end_to_end : float
        Seconds from the timestamp of that sample to the published decision.
    symbols : dict of str to float
        Probability of each symbol after the flashes so far; empty without a speller.
    """

    __pydantic_config__ = _CONFIG

    latency: float
    end_to_end: float
    symbols: dict[str, float] = field(default_factory=dict)
    kind: Literal["decision"] = "decision"


@dataclass(frozen=True, slots=True)
class SymbolDecision:
    """A symbol of a speller, decided from many flashes.

    Attributes
    ----------
    time : float
        Timestamp (s, the stream's clock) of the last sample that was needed.
    symbol : str
        The most probable symbol.
    probability : float
        Its probability.
    probabilities : dict of str to float
        Probability of each symbol.
    n_flashes : int
        Flashes that decided.
    truth : str or None
        The symbol that was cued, where one was.
    """

    __pydantic_config__ = _CONFIG

    time: float
    symbol: str
    probability: float
    probabilities: dict[str, float]
    n_flashes: int
    truth: str | None = None
    kind: Literal["symbol"] = "symbol"


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """Something that the operator must know of.

    Of the stream: ``stream-lost``, ``stream-recovered``, ``stream-closed``, ``gap``,
    ``clock-jump``, ``rate-mismatch``, ``frozen-timestamps``, ``no-signal``, ``not-decoded`` (a
    wrong rate). Of the channels: ``channels-differ``, ``channel-bad``, ``channel-good``,
    ``channel-scaled``, ``channels-disturbed``, ``channels-settled``, ``no-good-channel``. Of
    trials and markers: ``window-skipped``, ``marker-ignored``, ``markers-dropped``,
    ``unknown-symbols``, ``whole-windows``. Of the decoder: ``decoder-note``, ``adapting``. Of
    what is published: ``name-taken``. Of a service that waits: ``waiting-for-stream``,
    ``waiting-for-markers``.

    Attributes
    ----------
    time : float
        Timestamp (s, the stream's clock).
    event : str
        What happened: one of these names.
    detail : str
        What it means, in a sentence.
    """

    __pydantic_config__ = _CONFIG

    time: float
    event: str
    detail: str
    kind: Literal["event"] = "event"


class ServiceEvent(BaseModel):
    """Messages of a live service beside decisions and events."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


class EngineReady(ServiceEvent):
    """The service has started and carries out commands."""

    kind: Literal["ready"] = "ready"


class Pattern(ServiceEvent):
    """The spatial pattern of a source.

    Attributes
    ----------
    title : str
    values : tuple of float
        One a channel of the decoder; the largest is 1 in absolute value.
    """

    title: str
    values: tuple[float, ...]


class DecoderReady(ServiceEvent):
    """A decoder is loaded.

    Attributes
    ----------
    path, name : str
        Its file, and the name of the method.
    protocol : Protocol
    ch_names : tuple of str
    sfreq : float
        Rate (Hz) of the signal that calibrated it.
    device : str
    accuracy : float or None
        In cross-validation; None where there was none.
    patterns : tuple of Pattern
    """

    kind: Literal["decoder"] = "decoder"
    path: str
    name: str
    protocol: Protocol
    ch_names: tuple[str, ...]
    sfreq: float
    device: str
    accuracy: float | None
    patterns: tuple[Pattern, ...]


class Decoding(ServiceEvent):
    """Decoding of a stream begins.

    Attributes
    ----------
    stream : str
        Its name.
    mode : {"sliding", "markers"}
    step : float
        Seconds between sliding decisions.
    delay : float
        Seconds by which preprocessing delays the signal.
    """

    kind: Literal["decoding"] = "decoding"
    stream: str
    mode: Mode
    step: float
    delay: float


class Refused(ServiceEvent):
    """A command could not be carried out; nothing else is affected.

    Attributes
    ----------
    command : str
        The kind of the command.
    reason : str
    """

    kind: Literal["refused"] = "refused"
    command: str
    reason: str


class ChannelReport(ServiceEvent):
    """The state of a channel; see :class:`sjepa_online.signal.ChannelState`."""

    channel: str
    bad: bool
    reasons: tuple[str, ...]
    choice: Choice
    amplitude: float | None


class Channels(ServiceEvent):
    """State of every channel of the decoder."""

    kind: Literal["channels"] = "channels"
    channels: tuple[ChannelReport, ...]


class Health(ServiceEvent):
    """How the service is doing, once a second.

    Attributes
    ----------
    sfreq : float
        Rate (Hz) at which samples really come.
    received : int
        Samples that arrived.
    lost : bool
        True while nothing arrives.
    clock_offset : float or None
        Seconds from the source's clock to this machine's; None while the source is silent.
    cpu : float
        Share of one core.
    memory : float
        Resident memory (MB).
    gpu : float or None
        Memory (MB) that is allocated on a GPU; None where none is used.
    """

    kind: Literal["health"] = "health"
    sfreq: float
    received: int
    lost: bool
    clock_offset: float | None
    cpu: float
    memory: float
    gpu: float | None


#: What the engine gives, live or offline.
EngineResult = Decision | SymbolDecision | EngineEvent
#: What a live decoder gives.
LiveEvent = LiveDecision | SymbolDecision | EngineEvent
#: What a live service gives.
Event = LiveEvent | EngineReady | DecoderReady | Decoding | Refused | Channels | Health

_EVENTS: TypeAdapter[Event] = TypeAdapter(
    Annotated[Event, Field(discriminator="kind")], config=ConfigDict(ser_json_inf_nan="constants")
)


def event_to_line(event: Event) -> bytes:
    """Return an event as a line of JSON, with everything that it holds.

    Parameters
    ----------
    event : Event

    Returns
    -------
    bytes
    """
    return _EVENTS.dump_json(event) + b"\n"


def read_event(line: str | bytes) -> Event:
    """Read the line of an event.

    Parameters
    ----------
    line : str or bytes

    Returns
    -------
    Event

    Raises
    ------
    pydantic.ValidationError
        The line is none of an event.
    """
    return _EVENTS.validate_json(line)


def summary(event: LiveEvent) -> dict[str, Any]:
    """Return the document of an event that ``decode --json`` prints.

    Parameters
    ----------
    event : LiveDecision, SymbolDecision or EngineEvent

    Returns
    -------
    dict
        Of a decision: ``time``, ``label``, ``probabilities``, ``bad_channels``, ``latency_ms``. Of
        a symbol: ``time``, ``symbol``, ``probability``, ``flashes``, ``truth``. Of anything else:
        ``time``, ``event``, ``detail``.
    """
    match event:
        case LiveDecision():
            return {
                "time": event.time,
                "label": event.label,
                "probabilities": event.probabilities,
                "bad_channels": list(event.bad_channels),
                "latency_ms": 1e3 * event.latency,
            }
        case SymbolDecision():
            return {
                "time": event.time,
                "symbol": event.symbol,
                "probability": event.probability,
                "flashes": event.n_flashes,
                "truth": event.truth,
            }
    return {"time": event.time, "event": event.event, "detail": event.detail}


def from_stream(event: StreamEvent) -> EngineEvent:
    """Return an event of a stream under its name in lower case: ``stream-lost``, ``gap``, ...

    Parameters
    ----------
    event : StreamEvent

    Returns
    -------
    EngineEvent
    """
    return EngineEvent(event.time, _name_of(type(event)), event.detail)


def _name_of(kind: type[StreamEvent]) -> str:
    return re.sub(r"(?<=.)([A-Z])", r"-\1", kind.__name__).lower()


#: Names of the events that every reader of a stream notices, not only one that decodes it.
STREAM_EVENTS = frozenset(map(_name_of, StreamEvent.__subclasses__()))
