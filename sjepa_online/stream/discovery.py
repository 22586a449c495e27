"""The LSL streams in sight, and the choice of one of them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sjepa_online.errors import InputError
from sjepa_online.foreign_text import clean_text
from sjepa_online.markers import DECISION_SOURCE, MARK_SOURCE, MARKER_FORMATS
from sjepa_online.stream.library import liblsl

Kind = Literal["signal", "markers"]

_SIMULATED = "(simulated)"
_LABEL_SPELLINGS = ("label", "name")
_UNIT_SPELLINGS = ("unit", "units")
_TYPE_SPELLINGS = ("type",)
_FORMATS = ("float32", "double64", *MARKER_FORMATS)
# one round of liblsl's search, in which every stream in reach answers
_ROUND = 1.0


@dataclass(frozen=True)
class StreamDescription:
    """What a stream says about itself; free of control characters.

    Attributes
    ----------
    name, type : str
        As the source calls them; ``type`` is usually ``EEG`` or ``Markers``.
    n_channels : int
        Number of channels.
    sfreq : float
        Declared sampling rate (Hz); 0 for an irregular stream.
    format : str
        ``float32``, ``double64``, ``int8`` to ``int64`` or ``string``.
    host, source_id, uid : str
        The computer, the device or program (may be empty), and this very outlet.
    ch_names, ch_types, units : tuple of str
        One entry a channel, or empty when the stream does not say it for every channel.
    simulated : bool
        True when the stream says that no person is recorded.
    asked : bool
        Whether its source has told all that it says of its channels, which may be nothing.
    info : object
        pylsl's description, from which an inlet is opened.
    """

    name: str
    type: str
    n_channels: int
    sfreq: float
    format: str
    host: str
    source_id: str
    uid: str
    ch_names: tuple[str, ...] = ()
    ch_types: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    simulated: bool = False
    asked: bool = field(default=False, repr=False, compare=False)
    info: Any = field(default=None, repr=False, compare=False)

    @property
    def unit(self) -> str | None:
        """The units of the channels, each once; None when the stream does not say."""
        return ", ".join(dict.fromkeys(self.units)) or None

    @property
    def selectors(self) -> tuple[str, ...]:
        """The texts that pick this stream, the least specific first."""
        texts = (self.name, f"{self.name}@{self.source_id}", f"{self.name}@{self.host}", self.uid)
        return texts if self.source_id == "" else (*texts, self.source_id)

    @property
    def selector(self) -> str:
        """The text that finds it again when its source was restarted: its name, and source id."""
        return f"{self.name}@{self.source_id}" if self.source_id else self.name

    def is_kind(self, kind: Kind) -> bool:
        """Tell whether the stream carries a regular numeric signal, or markers."""
        if kind == "signal":
            return self.sfreq > 0 and self.format != "string"
        return self.sfreq == 0 and self.n_channels == 1 and self.format in MARKER_FORMATS

    def summary(self) -> dict[str, object]:
        """Give what a listing shows, ready for JSON."""
        return {
            "name": self.name,
            "type": self.type,
            "n_channels": self.n_channels,
            "sfreq": self.sfreq,
            "format": self.format,
            "unit": self.unit,
            "host": self.host,
            "source_id": self.source_id,
            "uid": self.uid,
            "ch_names": list(self.ch_names),
            "simulated": self.simulated,
        }


def find_streams(
    wait: float = _ROUND, known: Sequence[StreamDescription] = ()
) -> list[StreamDescription]:
    """List the streams in sight, with their channels.

    Parameters
    ----------
    wait : float
        How long to look (s). Below 0.5 s some streams may not answer in time.
    known : sequence of StreamDescription
        From an earlier look: sources that have told their channels are not asked again.
    """
    described = {stream.uid: stream for stream in known if stream.asked}
    streams = [described.get(stream.uid) or _with_channels(stream) for stream in _search(wait)]
    return sorted(streams, key=lambda stream: (stream.name, stream.source_id, stream.uid))


def resolve_stream(
    selector: str | None, wait: float = 5.0, kind: Kind = "signal"
) -> StreamDescription:
    """Find the one stream that is meant.

    Parameters
    ----------
    selector : str or None
        Name, source id, ``NAME@SOURCE_ID``, ``NAME@HOST`` or uid of the stream. None: the
        only EEG stream in sight, or the only marker stream that is not this program's own.
    wait : float
        How long to wait for it to appear (s).
    kind : {"signal", "markers"}
        Which of several streams of one name is meant, or which to look for without a name.

    Raises
    ------
    InputError
        No stream fits, or more than one; the message lists those in sight.
    """
    deadline = time.monotonic() + wait
    while True:
        seen = _search(min(_ROUND, max(0.5, deadline - time.monotonic())))
        fitting = _fitting(seen, selector, kind)
        if fitting or time.monotonic() >= deadline:
            break
    if not fitting:
        raise InputError(
            f"{_wanted(selector, kind)} must be in sight",
            value="; ".join(_line(stream) for stream in seen) or "no stream at all",
            remedy="Start the source, check its name with 'sjepa-online streams', "
            "or look further with --lsl-scope.",
        )
    if len(fitting) > 1:
        raise InputError(
            f"{_wanted(selector, kind)} must be one stream only",
            value="; ".join(_line(stream) for stream in fitting),
            remedy="Stop all but one, or choose with "
            f"{'--stream' if kind == 'signal' else '--markers'} {_distinctions(fitting)}.",
        )
    return _with_channels(fitting[0])


def _fitting(
    seen: list[StreamDescription], selector: str | None, kind: Kind
) -> list[StreamDescription]:
    of_kind = [stream for stream in seen if stream.is_kind(kind)]
    if selector is not None:
        named = [stream for stream in seen if selector in stream.selectors]
        # a device often gives its signal and its markers one name or one source id
        return [stream for stream in named if stream in of_kind] or named
    if kind == "signal":
        return [stream for stream in of_kind if stream.type.lower() == "eeg"]
    own = (DECISION_SOURCE, MARK_SOURCE)
    return [stream for stream in of_kind if not stream.source_id.startswith(own)]


def _wanted(selector: str | None, kind: Kind) -> str:
    if selector is not None:
        return f"The stream {selector!r}"
    return "The EEG stream" if kind == "signal" else "The marker stream"


def _line(stream: StreamDescription) -> str:
    rate = f"{stream.sfreq:g} Hz" if stream.sfreq else "irregular"
    return (
        f"{stream.name} ({stream.type}, {stream.n_channels} channels, {rate}, host {stream.host}, "
        f"source id {stream.source_id or 'none'})"
    )


def _distinctions(streams: list[StreamDescription]) -> str:
    """For each stream, the first selector that picks no other."""
    chosen = []
    for stream in streams:
        others = {text for other in streams if other is not stream for text in other.selectors}
        chosen.append(next(text for text in stream.selectors if text not in others))
    return " or ".join(chosen)


def _search(wait: float) -> list[StreamDescription]:
    """Look for streams, in rounds, as Ctrl-C waits until liblsl returns."""
    deadline = time.monotonic() + wait
    found: dict[str, StreamDescription] = {}
    while (left := deadline - time.monotonic()) > 0:
        for info in liblsl().resolve_streams(wait_time=min(left, _ROUND)):
            stream = _describe(info)
            found[stream.uid] = stream
    return list(found.values())


def _describe(info: Any) -> StreamDescription:
    """Read the core of a description, which every stream broadcasts."""
    lsl = liblsl()
    formats = {getattr(lsl, f"cf_{name}"): name for name in _FORMATS}
    name = clean_text(info.name())
    return StreamDescription(
        name=name,
        type=clean_text(info.type()),
        n_channels=info.channel_count(),
        sfreq=info.nominal_srate(),
        format=formats.get(info.channel_format(), "undefined"),
        host=clean_text(info.hostname()),
        source_id=clean_text(info.source_id()),
        uid=clean_text(info.uid()),
        simulated=_SIMULATED in name,
        info=info,
    )


def _with_channels(stream: StreamDescription) -> StreamDescription:
    """Ask the source for its channels; unchanged when it does not answer within 2 s."""
    lsl = liblsl()
    try:
        full = lsl.StreamInlet(stream.info, recover=False).info(timeout=2.0)
    except (lsl.util.TimeoutError, lsl.util.LostError):
        return stream
    channels = _channel_nodes(full, stream.n_channels)
    simulated = full.desc().child_value("simulated") == "true"
    return replace(
        stream,
        ch_names=_values(channels, _LABEL_SPELLINGS),
        ch_types=_values(channels, _TYPE_SPELLINGS),
        units=_values(channels, _UNIT_SPELLINGS),
        simulated=stream.simulated or simulated,
        asked=True,
    )


def _channel_nodes(info: Any, n_channels: int) -> list[Any]:
    nodes: list[Any] = []
    node = info.desc().child("channels").child("channel")
    while not node.empty() and len(nodes) <= n_channels:
        nodes.append(node)
        node = node.next_sibling("channel")
    return nodes if len(nodes) == n_channels else []


def _values(nodes: list[Any], spellings: tuple[str, ...]) -> tuple[str, ...]:
    values = []
    for node in nodes:
        texts = (clean_text(node.child_value(spelling)) for spelling in spellings)
        values.append(next((text for text in texts if text), ""))
    return tuple(values) if all(values) else ()
