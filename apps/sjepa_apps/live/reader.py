"""The window's own inlet: a thread that takes what arrives, so that painting loses nothing."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.errors import InputError, OperationError
from sjepa_online.signal import pick_eeg_channels
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

#: Pause (s) between two looks at the inlet: a source that sends every sample by itself must not
#: keep this thread busy.
PAUSE = 0.015
_CHUNKS_KEPT = 4000


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
    """

    names: tuple[str, ...]
    picks: NDArray[np.intp]
    factors: NDArray[np.float64]
    unit: str


def shown_channels(stream: StreamDescription, unit: str | None = None) -> ShownChannels:
    """Choose the EEG channels of a stream; all of them where their names do not tell."""
    names = usable_names(stream)
    try:
        wanted = pick_eeg_channels(names).eeg
    except InputError:
        wanted = names
    picks = np.array([names.index(name) for name in wanted], dtype=np.intp)
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


def lasting_selector(stream: StreamDescription) -> str:
    """Return what picks a stream again after its source was restarted."""
    return f"{stream.name}@{stream.source_id or stream.host}"


class StreamReader(threading.Thread):
    """Read a signal and its markers until :meth:`stop`, through losses of either.

    What arrives waits in ``chunks``, ``markers`` and ``problems``, which any thread may empty.

    Parameters
    ----------
    stream : StreamDescription
    markers : StreamDescription or None
    """

    def __init__(self, stream: StreamDescription, markers: StreamDescription | None) -> None:
        super().__init__(name="stream-reader", daemon=True)
        self.stream = stream
        self.chunks: deque[Chunk] = deque(maxlen=_CHUNKS_KEPT)
        self.markers: deque[Marker] = deque(maxlen=_CHUNKS_KEPT)
        self.problems: deque[str] = deque(maxlen=100)
        self._marker_stream = markers
        self._ended = threading.Event()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._ended.set()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Read; when a stream ends for good, wait until it is in sight again."""
        stream: StreamDescription | None = self.stream
        while not self._ended.is_set():
            if stream is None:
                stream = _find(lasting_selector(self.stream))
                continue
            try:
                self._read(stream)
            except (InputError, OperationError) as error:
                self.problems.append(str(error))
            stream = None

    def _read(self, stream: StreamDescription) -> None:
        with SignalInlet(stream, ch_names=usable_names(stream)) as signal:
            markers = self._open_markers()
            while not self._ended.is_set():
                chunk = signal.pull()
                if len(chunk.timestamps) or chunk.events:
                    self.chunks.append(chunk)
                if any(isinstance(one, StreamLost) and not one.recoverable for one in chunk.events):
                    return
                if markers is not None:
                    self.markers.extend(markers.pull())
                time.sleep(PAUSE)

    def _open_markers(self) -> MarkerInlet | None:
        if self._marker_stream is None:
            return None
        try:
            return MarkerInlet(self._marker_stream)
        except (InputError, OperationError) as error:
            self.problems.append(str(error))
            return None


def _find(selector: str) -> StreamDescription | None:
    try:
        return resolve_stream(selector, 1.0)
    except InputError:
        return None
