"""What the window and the engine process tell each other: JSON lines, checked on arrival."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sjepa_online.protocol import Protocol
from sjepa_online.signal.channel_quality.monitor import Choice

Mode = Literal["sliding", "markers"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")


# from the window to the engine


class LoadDecoder(_Part):
    """Read a decoder file, and decode with it from then on."""

    kind: Literal["load-decoder"] = "load-decoder"
    path: str


class OpenStream(_Part):
    """Decode this stream; another one that is open is closed.

    Attributes
    ----------
    selector : str
        As for :func:`sjepa_online.stream.resolve_stream`.
    markers : str or None
        Selector of the marker stream; None for none, or none yet.
    mode : {"sliding", "markers"} or None
        None: locked to markers for ERP, sliding for everything else.
    unit : str or None
        Unit of a stream that declares none.
    """

    kind: Literal["open-stream"] = "open-stream"
    selector: str
    markers: str | None = None
    mode: Mode | None = None
    unit: str | None = None


class UseMarkers(_Part):
    """Take the markers of this stream, which has come since the signal was opened."""

    kind: Literal["use-markers"] = "use-markers"
    selector: str


class CloseStream(_Part):
    """Stop decoding."""

    kind: Literal["close-stream"] = "close-stream"


class ChooseChannel(_Part):
    """Force a channel bad or good, or leave it to what is found."""

    kind: Literal["choose-channel"] = "choose-channel"
    channel: str
    choice: Choice


Command = LoadDecoder | OpenStream | UseMarkers | CloseStream | ChooseChannel


# from the engine to the window


class EngineReady(_Part):
    """The engine has started, and carries out commands."""

    kind: Literal["ready"] = "ready"


class Pattern(_Part):
    """A source as the electrodes see it; the largest value is 1 in absolute value."""

    title: str
    values: tuple[float, ...]


class DecoderReady(_Part):
    """A decoder is loaded."""

    kind: Literal["decoder"] = "decoder"
    path: str
    name: str
    protocol: Protocol
    ch_names: tuple[str, ...]
    sfreq: float
    device: str
    accuracy: float | None
    patterns: tuple[Pattern, ...]


class Decoding(_Part):
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


class Decided(_Part):
    """A decision; times on the stream's clock, durations in seconds.

    Attributes
    ----------
    lit : str
        The symbols of a speller that lit up; empty for anything else.
    symbols : dict of str to float
        What the flashes say of each symbol so far; empty but for a speller.
    """

    kind: Literal["decision"] = "decision"
    time: float
    label: str
    probabilities: dict[str, float]
    bad_channels: tuple[str, ...]
    onset: float | None
    truth: str | None
    window: float
    latency: float
    end_to_end: float
    lit: str
    symbols: dict[str, float]


class SymbolDecided(_Part):
    """A symbol of a speller, see :class:`sjepa_online.online.SymbolDecision`."""

    kind: Literal["symbol"] = "symbol"
    time: float
    symbol: str
    probability: float
    probabilities: dict[str, float]
    flashes: int
    truth: str | None


class Happened(_Part):
    """Something that the log keeps; ``event`` as in the JSON lines of ``decode``."""

    kind: Literal["event"] = "event"
    time: float
    event: str
    detail: str


class Refused(_Part):
    """A command could not be carried out; everything else goes on."""

    kind: Literal["refused"] = "refused"
    command: str
    reason: str


class ChannelReport(_Part):
    """The state of a channel; see :class:`sjepa_online.signal.ChannelState`."""

    channel: str
    bad: bool
    reasons: tuple[str, ...]
    choice: Choice
    amplitude: float | None


class Channels(_Part):
    """State of every channel of the decoder."""

    kind: Literal["channels"] = "channels"
    channels: tuple[ChannelReport, ...]


class Health(_Part):
    """How the engine is doing, once a second.

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


Message = (
    EngineReady
    | DecoderReady
    | Decoding
    | Decided
    | SymbolDecided
    | Happened
    | Refused
    | Channels
    | Health
)

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def read_command(line: str | bytes) -> Command:
    """Read a command; pydantic's ``ValidationError`` when the line is none."""
    return _COMMANDS.validate_json(line)


def read_message(line: str | bytes) -> Message:
    """Read a message; pydantic's ``ValidationError`` when the line is none."""
    return _MESSAGES.validate_json(line)


def to_line(part: Command | Message) -> bytes:
    """Return a command or message as a line."""
    return part.model_dump_json().encode() + b"\n"
