"""The window's own inlets: threads that take what arrives, so that painting loses nothing."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sjepa_apps.ui.worker import Worker
from sjepa_online.amplifier import (
    AS_DECLARED,
    IMPEDANCE_TYPES,
    AmplifierProfile,
    pick_channels,
)
from sjepa_online.errors import InputError, OperationError
from sjepa_online.markers import REPLAY_SOURCE
from sjepa_online.signal.units import microvolt_factor
from sjepa_online.stream import (
    Chunk,
    Marker,
    MarkerInlet,
    SignalInlet,
    StreamDescription,
    StreamLost,
    resolve_stream,
)
from sjepa_online.stream.discovery import Kind

#: Pause (s) between two looks at the inlet: a source that sends every sample by itself must not
#: keep this thread busy.
PAUSE = 0.015
#: Seconds for which one look at the markers waits for one.
MARKERS_WITHIN = 0.1
_KEPT = 4000
MASTOIDS = ("M1", "M2", "A1", "A2")


@dataclass(frozen=True)
class ShownChannels:
    """Which channels of a stream are shown, and how they become µV.

    Attributes
    ----------
    names : tuple of str
    picks : ndarray of int, shape (channels,)
        Their rows in the stream.
    factors : ndarray, shape (channels, 1)
        From the stream's unit to µV; 1 where the stream tells no unit of voltage.
    unit : str
        ``µV``, or ``units`` where the stream tells none.
    mastoids : ndarray of int
        Rows of mastoids and ears, which are not shown but may be the reference.
    """

    names: tuple[str, ...]
    picks: NDArray[np.intp]
    factors: NDArray[np.float64]
    unit: str
    mastoids: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))


def shown_channels(
    stream: StreamDescription, amplifier: AmplifierProfile = AS_DECLARED
) -> ShownChannels:
    """Choose the electrodes of a stream; all channels if nothing tells which they are."""
    try:
        picked = pick_channels(stream.declaration, amplifier)
    except InputError:
        return _every_channel(stream, amplifier.unit)
    factors = picked.microvolts[:, np.newaxis]
    return ShownChannels(
        picked.ch_names, picked.rows, factors, "µV", _mastoid_rows(stream, picked.rows)
    )


def _mastoid_rows(stream: StreamDescription, shown: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows of mastoids and ears that are not shown themselves."""
    names = usable_names(stream)
    rows = [row for row, name in enumerate(names) if name.upper() in MASTOIDS]
    return np.array([row for row in rows if row not in shown], dtype=np.intp)


def _every_channel(stream: StreamDescription, unit: str | None) -> ShownChannels:
    names = usable_names(stream)
    types = stream.ch_types or ("",) * len(names)
    picks = np.array(
        [row for row, kind in enumerate(types) if kind.lower() not in IMPEDANCE_TYPES],
        dtype=np.intp,
    )
    wanted = tuple(names[pick] for pick in picks)
    units = (unit,) * len(names) if unit else stream.units
    try:
        factors = np.array([microvolt_factor(units[pick]) for pick in picks])
    except (InputError, IndexError):
        return ShownChannels(wanted, picks, np.ones((len(picks), 1)), "units")
    return ShownChannels(wanted, picks, factors[:, np.newaxis], "µV")


def usable_names(stream: StreamDescription) -> tuple[str, ...]:
    """Return the channels' names; numbers where the stream gives none, or one of them twice."""
    names = stream.ch_names
    if len(names) == stream.n_channels and len(set(names)) == len(names):
        return names
    return tuple(str(number) for number in range(1, stream.n_channels + 1))


def waits_for_consumer(stream: StreamDescription) -> bool:
    """Return whether a stream begins with its first consumer, as replays of this program do."""
    return stream.source_id.startswith(f"{REPLAY_SOURCE}:")


def lasting_selector(stream: StreamDescription) -> str:
    """Return what picks a stream again after its source was restarted."""
    return stream.selector if stream.source_id else f"{stream.name}@{stream.host}"


class _Reader(Worker):
    """Read a stream until :meth:`stop`; when it ends for good, wait until it is in sight again."""

    def __init__(self, stream: StreamDescription, kind: Kind) -> None:
        super().__init__(f"reader of {stream.name}")
        self.stream = stream
        self._kind = kind

    def work(self) -> None:
        """Read, and look for the stream, in turn."""
        stream: StreamDescription | None = self.stream
        while not self._ended.is_set():
            if stream is None:
                stream = self._find_again()
                continue
            try:
                self._read(stream)
            except (InputError, OperationError) as error:
                self.problems.append(str(error))
            stream = None

    def _find_again(self) -> StreamDescription | None:
        """Return the stream that is to be read; None while it is not in sight."""
        return _find(lasting_selector(self.stream), self._kind)

    @abstractmethod
    def _read(self, stream: StreamDescription) -> None:
        """Read until the thread is to end, or the stream has ended."""


class StreamReader(_Reader):
    """Read a signal; what arrives waits in ``chunks``, which any thread may empty.

    Parameters
    ----------
    stream : StreamDescription

    Attributes
    ----------
    changed : StreamDescription or None
        The stream that is back and declares other channels than ``stream``; it is not read.
    """

    def __init__(self, stream: StreamDescription) -> None:
        super().__init__(stream, "signal")
        self.chunks: deque[Chunk] = deque(maxlen=_KEPT)
        self.changed: StreamDescription | None = None

    def _find_again(self) -> StreamDescription | None:
        found = super()._find_again()
        # what a silent source declares is not known yet
        if found is None or not found.asked:
            return None
        if found.declaration == self.stream.declaration:
            return found
        # rows of other channels must not be taken for those that are shown
        self.changed = found
        self._ended.wait()
        return None

    def _read(self, stream: StreamDescription) -> None:
        with SignalInlet(stream, ch_names=usable_names(stream)) as signal:
            while not self._ended.is_set():
                chunk = signal.pull()
                if len(chunk.timestamps) or chunk.events:
                    self.chunks.append(chunk)
                if any(isinstance(one, StreamLost) and not one.recoverable for one in chunk.events):
                    return
                time.sleep(PAUSE)


class MarkerReader(_Reader):
    """Read markers; they wait in ``markers``, which any thread may empty.

    Parameters
    ----------
    stream : StreamDescription
    """

    def __init__(self, stream: StreamDescription) -> None:
        super().__init__(stream, "markers")
        self.markers: deque[Marker] = deque(maxlen=_KEPT)

    def _read(self, stream: StreamDescription) -> None:
        with MarkerInlet(stream) as inlet:
            while not self._ended.is_set():
                self.markers.extend(inlet.pull(MARKERS_WITHIN))


def _find(selector: str, kind: Kind) -> StreamDescription | None:
    try:
        return resolve_stream(selector, 1.0, kind, exact=True)
    except InputError:
        return None
