"""The LSL streams in sight, and the choice of one of them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from sjepa_online.amplifier import Declaration, advise_preferring, fitting_profile
from sjepa_online.errors import InputError
from sjepa_online.foreign_text import clean_text
from sjepa_online.markers import DECISION_SOURCE, MARK_SOURCE, MARKER_FORMATS, is_marker_stream
from sjepa_online.stream.library import liblsl
from sjepa_online.validation import LIMIT_SFREQ

Kind = Literal["signal", "markers"]

_SIMULATED = "(simulated)"
_LABEL_SPELLINGS = ("label", "name")
_UNIT_SPELLINGS = ("unit", "units")
_TYPE_SPELLINGS = ("type",)
_FORMATS = ("float32", "double64", *MARKER_FORMATS)
#: Channels beyond which a stream is none of an amplifier.
MOST_CHANNELS = 10_000
_UNWRITABLE = "its description holds control characters, which no XDF file can"
# as they are, and as references, which XML forbids just as well
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]|&#(?:[0-8]|1[124-9]|2\d|3[01]);")
_ASKED_AT_ONCE = 16
_ASKED_IN_VAIN = 3
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
        One entry a channel, empty text where the stream does not say it; an empty tuple when it
        says it for none.
    simulated : bool
        True when the stream says that no person is recorded.
    problem : str
        What is impossible about what it declares, for people; such a stream is neither a signal nor
        markers, and is never opened.
    asked : bool
        Whether its source has told all that it says of its channels, which may be nothing.
    unanswered : int
        How often its source was asked in vain.
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
    problem: str = ""
    asked: bool = field(default=False, repr=False, compare=False)
    unanswered: int = field(default=0, repr=False, compare=False)
    info: Any = field(default=None, repr=False, compare=False)

    @property
    def unit(self) -> str | None:
        """The units of the channels, each once; None when the stream does not say."""
        return ", ".join(unit for unit in dict.fromkeys(self.units) if unit) or None

    @property
    def declaration(self) -> Declaration:
        """What it says of itself, as the amplifier's profiles and the choice of channels need."""
        return Declaration.of(
            self.name,
            self.n_channels,
            self.ch_names,
            self.units,
            self.ch_types,
            type=self.type,
            source_id=self.source_id,
            format=self.format,
            sfreq=self.sfreq,
        )

    @property
    def selectors(self) -> tuple[str, ...]:
        """The texts that pick this stream, the least specific first."""
        places = [self.host, self.uid] if self.source_id == "" else [self.source_id, self.host]
        texts = [self.name, *(f"{self.name}@{place}" for place in places)]
        typed = [f"{self.name}@{place}/{self.type}" for place in places]
        return (*texts, *typed, self.uid, *([self.source_id] if self.source_id else []))

    @property
    def selector(self) -> str:
        """The text that finds it again when its source was restarted: its name, and source id.

        A signal of another type than EEG needs its type, too: devices give all of their streams one
        name and one source id, and without it the EEG is meant.
        """
        if not self.source_id:
            return self.name
        text = f"{self.name}@{self.source_id}"
        is_other = self.type.lower() != "eeg" and not self.is_kind("markers")
        return f"{text}/{self.type}" if is_other else text

    @property
    def identity(self) -> tuple[object, ...]:
        """What a stream keeps when its source is restarted, and no other of that source has."""
        return self.name, self.type, self.source_id, self.n_channels, self.format

    def is_kind(self, kind: Kind) -> bool:
        """Tell whether the stream carries a numeric signal, or markers.

        A signal without a declared rate is one of EEG, by its type.

        Parameters
        ----------
        kind : {"signal", "markers"}
            What is asked for.

        Returns
        -------
        bool
            False for both where the number of channels or the rate is impossible.
        """
        if self.problem and self.problem != _UNWRITABLE:
            return False
        is_marker = is_marker_stream(self.type, self.format, self.sfreq, self.n_channels)
        if kind == "markers":
            return is_marker
        return not is_marker and (self.sfreq > 0 or self.type.lower() == "eeg")

    def summary(self) -> dict[str, object]:
        """Give what a listing shows, ready for JSON.

        Returns
        -------
        dict of str to object
            Text, numbers and lists. The rate ``sfreq`` (Hz) is None where it is not finite.
        """
        return {
            "name": self.name,
            "type": self.type,
            "n_channels": self.n_channels,
            "sfreq": self.sfreq if math.isfinite(self.sfreq) else None,
            "format": self.format,
            "unit": self.unit,
            "host": self.host,
            "source_id": self.source_id,
            "uid": self.uid,
            "channels": list(self.ch_names),
            "profile": fitting_profile(self.declaration) if self.is_kind("signal") else None,
            "simulated": self.simulated,
            "problem": self.problem,
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

    Returns
    -------
    list of StreamDescription
        Ordered by name, source id and uid; empty where none is in sight.
    """
    described = {stream.uid: stream for stream in known if stream.asked or stream.unanswered}
    streams = _all_with_channels([described.get(one.uid, one) for one in _search(wait)])
    return sorted(streams, key=lambda stream: (stream.name, stream.source_id, stream.uid))


def resolve_stream(
    selector: str | None,
    wait: float = 5.0,
    kind: Kind = "signal",
    prefers: str | None = None,
    *,
    exact: bool = False,
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
    prefers : str or None
        Name of the stream that is meant where none is named and several are in sight; see
        :class:`~sjepa_online.amplifier.AmplifierProfile`.
    exact : bool
        Whether only a stream of this very name will do, as for an amplifier that is lost, which no
        replay replaces. Otherwise ``NAME`` finds a replay ``NAME (simulated)``, too.

    Returns
    -------
    StreamDescription

    Raises
    ------
    InputError
        No stream fits, or more than one; the message lists those in sight.
    """
    deadline = time.monotonic() + wait
    while True:
        seen = _search(min(_ROUND, max(0.5, deadline - time.monotonic())))
        fitting = _fitting(seen, selector, kind, exact)
        if fitting or time.monotonic() >= deadline:
            break
    if not fitting:
        raise InputError(
            f"{_wanted(selector, kind)} is not in sight",
            value="; ".join(_line(stream) for stream in seen) or "no stream at all",
            remedy="Start the source, check its name with 'sjepa-online streams', "
            "or look further with --lsl-scope.",
        )
    if selector is None and len(fitting) > 1:
        fitting = [one for one in fitting if one.name == prefers] or fitting
    if len(fitting) > 1:
        option, preferred = "--markers", ""
        if kind == "signal":
            option = "--stream"
            declarations = [one.declaration for one in _all_with_channels(fitting)]
            preferred = advise_preferring(declarations) if selector is None else ""
        raise InputError(
            f"{_wanted(selector, kind)} may be any of several",
            value="; ".join(_line(stream) for stream in fitting),
            remedy=preferred
            + f"Stop all but one, or choose with {option} {_distinctions(fitting)}.",
        )
    return _with_channels(fitting[0])


def find_again(stream: StreamDescription, wait: float = 1.0) -> StreamDescription | None:
    """Find a stream again whose source may have been restarted, with its channels.

    Parameters
    ----------
    stream : StreamDescription
        As it was.
    wait : float
        How long to look (s).

    Returns
    -------
    StreamDescription or None
        The same outlet, or the only one that is as it was in name, type, source id, number of
        channels and format; None where there is none, or several.
    """
    seen = [one for one in _search(wait) if one.identity == stream.identity]
    same = [one for one in seen if one.uid == stream.uid]
    if same:
        return stream
    return _with_channels(seen[0]) if len(seen) == 1 else None


def _fitting(
    seen: list[StreamDescription], selector: str | None, kind: Kind, exact: bool
) -> list[StreamDescription]:
    of_kind = [stream for stream in seen if stream.is_kind(kind)]
    if selector is not None:
        named = [stream for stream in seen if _is_named(stream, selector)]
        if not named and not exact:
            # who names a replay need not know that what it sends is simulated
            simulated = f"{selector} {_SIMULATED}"
            named = [stream for stream in seen if _is_named(stream, simulated)]
        # a device often gives all of its streams one name or one source id
        found = [stream for stream in named if stream in of_kind] or named
        eeg = [stream for stream in found if stream.type.lower() == "eeg"]
        return eeg if kind == "signal" and len(eeg) == 1 else found
    if kind == "signal":
        return [stream for stream in of_kind if stream.type.lower() == "eeg"]
    own = (DECISION_SOURCE, MARK_SOURCE)
    return [stream for stream in of_kind if not stream.source_id.startswith(own)]


def _is_named(stream: StreamDescription, selector: str) -> bool:
    """Tell whether a text picks a stream; ``*`` in it stands for anything."""
    return any(text == selector or fnmatchcase(text, selector) for text in stream.selectors)


def _wanted(selector: str | None, kind: Kind) -> str:
    if selector is not None:
        return f"The stream {selector!r}"
    return "The EEG stream" if kind == "signal" else "The marker stream"


def _all_with_channels(streams: list[StreamDescription]) -> list[StreamDescription]:
    """Ask those that have not told their channels, all at once: a mute one delays no other."""
    with ThreadPoolExecutor(max_workers=_ASKED_AT_ONCE) as executor:
        return list(executor.map(_with_channels, streams))


def _line(stream: StreamDescription) -> str:
    rate = f"{stream.sfreq:g} Hz" if stream.sfreq else "irregular"
    wrong = f", {stream.problem}" if stream.problem else ""
    return (
        f"{stream.name} ({stream.type}, {stream.n_channels} channels, {rate}, host {stream.host}, "
        f"source id {stream.source_id or 'none'}{wrong})"
    )


def _distinctions(streams: list[StreamDescription]) -> str:
    """For each stream, the first selector that picks no other, as one types it."""
    chosen = []
    for stream in streams:
        others = {text for other in streams if other is not stream for text in other.selectors}
        chosen.append(next(text for text in stream.selectors if text not in others))
    # in quotes for the shell, as the name of a simulated participant has brackets
    return " or ".join(one if re.fullmatch(r"[\w.@:/-]+", one) else f'"{one}"' for one in chosen)


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
        problem=_impossible(info.channel_count(), info.nominal_srate()),
        info=info,
    )


def _impossible(n_channels: int, sfreq: float) -> str:
    """Say what no stream can be; empty where nothing is."""
    if not 0 < n_channels <= MOST_CHANNELS:
        return f"{n_channels} channels are none that a stream can have"
    if not 0 <= sfreq <= LIMIT_SFREQ:
        return f"{sfreq:g} Hz is no sampling rate"
    return ""


def _with_channels(stream: StreamDescription) -> StreamDescription:
    """Ask the source for its channels; without them when it does not answer within 2 s."""
    lsl = liblsl()
    if stream.asked or stream.problem or stream.unanswered >= _ASKED_IN_VAIN:
        return stream
    try:
        full = lsl.StreamInlet(stream.info, max_buflen=1, recover=False).info(timeout=2.0)
    # pylsl has bare errors of its own for descriptions that it cannot read
    except Exception:  # noqa: BLE001
        return replace(stream, unanswered=stream.unanswered + 1)
    return _described(stream, full)


def _described(stream: StreamDescription, full: Any) -> StreamDescription:
    """Add what the whole description of a stream says of its channels."""
    channels = _channel_nodes(full, stream.n_channels)
    simulated = full.desc().child_value("simulated") == "true"
    return replace(
        stream,
        ch_names=_values(channels, _LABEL_SPELLINGS),
        ch_types=_values(channels, _TYPE_SPELLINGS),
        units=_values(channels, _UNIT_SPELLINGS),
        simulated=stream.simulated or simulated,
        problem=_UNWRITABLE if _CONTROL.search(full.as_xml()) else "",
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
    return tuple(values) if any(values) else ()
