"""Recordings as an LSL stream in real time, with their events as a marker stream.

mne-lsl's PlayerLSL is not used: it stamps every marker one sample early, those after the
end of a looped file early by the whole file, shifts the last chunk, and closes its streams
before consumers have read it (measured with mne-lsl 1.14).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.errors import InputError, OperationError
from sjepa_online.markers import REPLAY_SOURCE
from sjepa_online.signal.units import normalise_unit
from sjepa_online.stream.background import Background
from sjepa_online.stream.library import liblsl, local_clock

if TYPE_CHECKING:
    from sjepa_online.data.recording import Recording

#: Takes a chunk (n_channels, n_samples) and the index of its first sample in the replay;
#: returns the chunk to send, of the same shape.
Transform = Callable[[NDArray[np.float32], int], NDArray[np.float32]]

#: Pause (s, in the time of the stream) where samples do not follow each other: between
#: recordings, at a break within one, and before a repetition. Long enough for every consumer
#: to see a gap, too short to be taken for the end of the stream.
PAUSE = 0.25

_UNIT_NAMES = {"V": "volts", "mV": "millivolts", "uV": "microvolts", "nV": "nanovolts"}
# how often a wait looks whether the replay is to stop (s)
_POLL = 0.1


@dataclass(frozen=True)
class _Segment:
    """Samples that follow each other, with the events among them."""

    recording: Recording
    start: int
    stop: int

    @property
    def duration(self) -> float:
        return (self.stop - self.start) / self.recording.sfreq


@dataclass(frozen=True)
class _Block:
    """A chunk to send: its place in the recording, and its time since the replay's start."""

    recording: Recording
    start: int
    stop: int
    time: float


class Replay(Background):
    """Replay recordings over LSL.

    Samples and their timestamps are exact: sample i of a segment is stamped ``i / sfreq``
    after its start, and an event by its own onset. A chunk is sent when its last sample
    would have been taken, and then the markers within it. With ``speed`` other than 1 the
    stream keeps its declared rate and its timestamps, and only runs faster or slower than
    the clock, so windows and decisions stay the same.

    Use :meth:`run` to replay in the calling thread, or the object as a context manager to
    replay in a thread of its own.

    Parameters
    ----------
    recordings : sequence of Recording
        Replayed one after another with a pause of 0.25 s; of one montage, rate and unit.
    name : str
        Name of the stream; " (simulated)" is added when a recording is simulated. The
        markers' stream adds "-markers".
    speed : float
        How many seconds of recording pass in a second.
    loop : bool
        Start again at the end, until stopped.
    chunk : float
        Length of a chunk (s of the clock).
    wait_for_consumers : float, optional
        Start when a consumer of the signal has connected, and fail when there is none
        after so many seconds. By default the replay starts at once.
    linger : float
        How long (s) the streams stay open after the last sample for consumers to read it.
    transform : callable, optional
        Changes chunks before they are sent.

    Raises
    ------
    InputError
        There is no recording, the recordings differ in montage, rate or unit, or ``speed`` is
        not positive.
    """

    def __init__(
        self,
        recordings: Sequence[Recording],
        *,
        name: str = "sjepa-online-replay",
        speed: float = 1.0,
        loop: bool = False,
        chunk: float = 0.02,
        wait_for_consumers: float | None = None,
        linger: float = 2.0,
        transform: Transform | None = None,
    ) -> None:
        _check(recordings, speed)
        simulated = any(recording.simulated for recording in recordings)
        self.name = f"{name} (simulated)" if simulated else name
        self.marker_name = f"{self.name}-markers"
        self.sfreq = recordings[0].sfreq
        self.ch_names = recordings[0].ch_names
        self.simulated = simulated
        #: Samples sent so far, and LSL time (s) of the first one, once it is sent.
        self.sent = 0
        self.started_at: float | None = None
        self._unit = normalise_unit(recordings[0].unit)
        self._segments = [part for recording in recordings for part in _segments(recording)]
        self._speed = speed
        self._loop = loop
        self._chunk = max(1, round(chunk * speed * self.sfreq))
        self._wait_for_consumers = wait_for_consumers
        self._linger = linger
        self._transform = transform
        self._stop = threading.Event()

    @property
    def duration(self) -> float:
        """Length (s of the recording) of one repetition, pauses included."""
        return sum(part.duration for part in self._segments) + PAUSE * (len(self._segments) - 1)

    def run(self) -> None:
        """Replay in this thread until the end, :meth:`stop` or Ctrl-C.

        Raises
        ------
        OperationError
            No consumer has connected in time.
        """
        signal, markers = self._open()
        if not self._consumer_connected(signal):
            return
        origin = local_clock()
        self.started_at = origin
        for block in self._blocks():
            last_sample = block.time + (block.stop - block.start - 1) / self.sfreq
            if self._stop.wait(max(0.0, origin + last_sample / self._speed - local_clock())):
                return
            self._send(signal, markers, block, origin)
        self._let_consumers_read(signal)

    def stop(self) -> None:
        """Ask the replay to end; it does so within 0.2 s and closes its streams."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the end of the replay in its thread; False when the time is up before.

        Parameters
        ----------
        timeout : float, optional
            How long to wait (s); without limit by default.

        Returns
        -------
        bool
            Whether the replay has ended.

        Raises
        ------
        OperationError
            No consumer has connected in time.
        """
        done, _ = wait([self._future], timeout)
        for future in done:
            future.result()
        return bool(done)

    def _open(self) -> tuple[Any, Any]:
        """Create the outlets; their source ids let consumers pick up a restarted replay."""
        lsl = liblsl()
        source_id = f"{REPLAY_SOURCE}:{self.name}@{socket.gethostname()}"
        signal = lsl.StreamInfo(
            self.name, "EEG", len(self.ch_names), self.sfreq, lsl.cf_float32, source_id
        )
        signal.set_channel_labels(list(self.ch_names))
        signal.set_channel_types("EEG")
        signal.set_channel_units(_UNIT_NAMES[self._unit])
        markers = lsl.StreamInfo(
            self.marker_name, "Markers", 1, 0.0, lsl.cf_string, f"{source_id}:markers"
        )
        markers.set_channel_labels(["label"])
        markers.set_channel_types("marker")
        for info in (signal, markers):
            info.desc().append_child_value("simulated", str(self.simulated).lower())
        return lsl.StreamOutlet(signal), lsl.StreamOutlet(markers)

    def _consumer_connected(self, signal: Any) -> bool:
        if self._wait_for_consumers is None:
            return True
        deadline = local_clock() + self._wait_for_consumers
        while not self._stop.is_set():
            if signal.wait_for_consumers(_POLL):
                return True
            if local_clock() >= deadline:
                raise OperationError(
                    f"No consumer has connected to {self.name} within "
                    f"{self._wait_for_consumers:g} s"
                )
        return False

    def _blocks(self) -> Iterator[_Block]:
        time = 0.0
        while True:
            for part in self._segments:
                for start in range(part.start, part.stop, self._chunk):
                    stop = min(start + self._chunk, part.stop)
                    since = time + (start - part.start) / self.sfreq
                    yield _Block(part.recording, start, stop, since)
                time += part.duration + PAUSE
            if not self._loop:
                return

    def _send(self, signal: Any, markers: Any, block: _Block, origin: float) -> None:
        recording = block.recording
        data = recording.data[:, block.start : block.stop]
        if self._transform is not None:
            data = self._transform(data.copy(), self.sent)
        n = block.stop - block.start
        times = origin + block.time + np.arange(n) / self.sfreq
        signal.push_chunk(np.ascontiguousarray(data.T, dtype=np.float32), times.tolist())
        self.sent += n
        # an event after the last sample goes with the last chunk
        places = np.floor(recording.onsets * self.sfreq + 1e-6)
        places = places.clip(0, recording.data.shape[1] - 1)
        for event in np.flatnonzero((places >= block.start) & (places < block.stop)):
            onset = float(recording.onsets[event]) - block.start / self.sfreq
            markers.push_sample([recording.labels[event]], origin + block.time + onset)

    def _let_consumers_read(self, signal: Any) -> None:
        """Keep the streams open: liblsl drops what is not yet read when an outlet closes."""
        end = local_clock() + self._linger
        while signal.have_consumers() and local_clock() < end and not self._stop.wait(_POLL):
            pass


def _segments(recording: Recording) -> list[_Segment]:
    """Cut a recording at its breaks."""
    return [_Segment(recording, start, stop) for start, stop in recording.segments]


def _check(recordings: Sequence[Recording], speed: float) -> None:
    if not recordings:
        raise InputError(
            "There is no recording to replay", value="none", remedy="Name at least one SOURCE."
        )
    if not (np.isfinite(speed) and speed > 0):
        raise InputError(
            "The speed of the replay is not positive", value=speed, remedy="Give 1 for real time."
        )
    first = recordings[0]
    for recording in recordings:
        shape = (recording.ch_names, recording.sfreq, normalise_unit(recording.unit))
        if shape != (first.ch_names, first.sfreq, normalise_unit(first.unit)):
            raise InputError(
                "The recordings of the replay differ in channels, rate or unit",
                value=f"{recording.name} has {len(recording.ch_names)} channels at "
                f"{recording.sfreq:g} Hz in {recording.unit}, {first.name} has "
                f"{len(first.ch_names)} at {first.sfreq:g} Hz in {first.unit}",
                remedy="Replay them one by one.",
            )
