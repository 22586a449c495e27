"""Recording the streams of a session while everything else goes on."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from enum import Enum
from pathlib import Path

import platformdirs
from PyQt6.QtCore import QObject, pyqtSignal

from sjepa_apps.live.signals.reader import lasting_selector
from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import Recorder, StreamDescription, find_streams
from sjepa_online.stream.recording import hung_after
from sjepa_online.stream.stretch import clock_shift

#: Seconds between two looks at the recorder.
LOOK_EVERY = 0.5
#: Parts in a row that may end by themselves, and seconds after which a part counts as good.
ATTEMPTS, GOOD_AFTER = 3, 30.0


class RecordingState(Enum):
    """What the recorder is doing."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


class Recording(QObject):
    """One recording after the other, each in a process of its own that outlives this one.

    Where a recorder hangs or is killed, a new part of the recording begins.

    Signals
    -------
    changed
        The state is another one.
    problem
        What went wrong, in words.
    recovered
        The problem that was told is over.
    finished
        Path of a complete file.
    """

    changed = pyqtSignal()
    problem = pyqtSignal(str)
    recovered = pyqtSignal()
    finished = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = RecordingState.IDLE
        self.path: Path | None = None
        self.n_bytes = 0
        self._recorder: Recorder | None = None
        self._job: Future[None] | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recording")
        self._since = self._next_look = 0.0
        self._told = ""
        self._n_received = 0
        #: The first part, and how many have ended by themselves, in all and in a row.
        self._first: Path | None = None
        self._connected: StreamDescription | None = None
        self._n_ended = self._n_in_a_row = 0

    @property
    def seconds(self) -> float:
        """How long the recording has been running (s)."""
        return time.monotonic() - self._since if self.state is RecordingState.RUNNING else 0.0

    def start(self, folder: Path, connected: StreamDescription) -> None:
        """Begin to record a signal and what is said about it; the streams are looked for first.

        Parameters
        ----------
        folder : Path
            Where the file goes.
        connected : StreamDescription
            The signal.
        """
        if self.state is not RecordingState.IDLE:
            return
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            self.problem.emit(str(error))
            return
        self._first = folder / f"sjepa-online_{datetime.now():%Y%m%d_%H%M%S}.xdf"
        self._connected = connected
        self._n_ended = self._n_in_a_row = 0
        self._begin_part(self._first)

    def _begin_part(self, path: Path) -> None:
        assert self._connected is not None
        self.path, self.n_bytes, self._told = path, 0, ""
        self._job = self._worker.submit(self._begin, path, self._connected)
        self._enter(RecordingState.STARTING)

    def _begin(self, path: Path, connected: StreamDescription) -> None:
        """Record what is in sight now; the recorder would wait for a stream that has gone."""
        streams = worth_recording(connected, find_streams())
        # a source that was restarted has another uid
        signal = streams[0]
        shift = clock_shift(signal)
        shifts = {signal.uid: shift} if shift else None
        self._recorder = Recorder(
            path, [stream.uid for stream in streams], shifts, hung_after(signal)
        )
        self._recorder.start()

    def stop(self) -> None:
        """End the recording; the recorder needs a moment to close its file."""
        if self.state is RecordingState.RUNNING and self._recorder is not None:
            self._job = self._worker.submit(self._recorder.stop)
            self._enter(RecordingState.STOPPING)

    def poll(self, n_received: int) -> None:
        """See what has become of what was begun, and whether the file grows.

        Parameters
        ----------
        n_received : int
            Samples of the signal that have arrived here so far.
        """
        if self._job is not None and self._job.done():
            self._take_outcome(self._job)
        if self.state is RecordingState.RUNNING and time.monotonic() >= self._next_look:
            self._look(n_received)

    def close(self) -> None:
        """End the recording, however far it is, and wait for it."""
        if self._job is not None:
            self._job.exception()
            self._take_outcome(self._job)
        self.stop()
        if self._job is not None:
            self._job.exception()
            self._take_outcome(self._job)
        self._worker.shutdown()

    def _take_outcome(self, job: Future[None]) -> None:
        self._job = None
        error = job.exception()
        if isinstance(error, InputError | OperationError | OSError):
            self.problem.emit(str(error))
            self._recorder = None
            self._told = str(error)
            # the first part is the operator's to begin again
            if self.state is RecordingState.STARTING and self._n_ended:
                self._go_on()
            else:
                self._enter(RecordingState.IDLE)
        elif error is not None:
            raise error
        elif self.state is RecordingState.STARTING:
            self._since = time.monotonic()
            self._enter(RecordingState.RUNNING)
        else:
            self._recorder = None
            self._enter(RecordingState.IDLE)
            self.finished.emit(self.path)

    def _look(self, n_received: int) -> None:
        assert self._recorder is not None
        self._next_look = time.monotonic() + LOOK_EVERY
        status = self._recorder.status(received=n_received > self._n_received)
        self._n_received = n_received
        self.n_bytes = status.n_bytes
        if status.problem and status.problem != self._told:
            self.problem.emit(status.problem)
        if self._told and not status.problem:
            self.recovered.emit()
        self._told = status.problem
        if not status.running:
            # one that hangs is still there
            self._worker.submit(self._recorder.stop)
            self._recorder = None
            self._go_on()

    def _go_on(self) -> None:
        """Begin a new part after one that has ended by itself; end where that helps nothing."""
        assert self._first is not None
        self._n_ended += 1
        # the time of a part that has not begun is 0
        self._n_in_a_row = 1 if self.seconds > GOOD_AFTER else self._n_in_a_row + 1
        if self._n_in_a_row > ATTEMPTS:
            self.problem.emit(f"{self._told} The recording has ended: {ATTEMPTS} parts in a row.")
            self._enter(RecordingState.IDLE)
            return
        self._begin_part(self._first.with_stem(f"{self._first.stem}_part-{self._n_ended + 1}"))

    def _enter(self, state: RecordingState) -> None:
        self.state = state
        self.changed.emit()


def default_folder() -> Path:
    """Return where recordings go unless another folder is chosen.

    Returns
    -------
    Path
    """
    return Path(platformdirs.user_documents_dir()) / "sjepa-online"


def worth_recording(
    connected: StreamDescription, streams: list[StreamDescription]
) -> list[StreamDescription]:
    """Return the connected signal as it is in sight, and what is said about it.

    These are markers and decisions, but for those whose source does not answer, or declares what
    an XDF file cannot hold. A source that was restarted since it was connected has
    another uid.

    Parameters
    ----------
    connected : StreamDescription
        The signal.
    streams : list of StreamDescription
        All that are in sight.

    Returns
    -------
    list of StreamDescription
        The signal first.

    Raises
    ------
    InputError
        The signal is not in sight, or more than one stream may be it.
    """
    signals = [one for one in streams if one.uid == connected.uid] or [
        one for one in streams if lasting_selector(one) == lasting_selector(connected)
    ]
    if len(signals) != 1:
        raise InputError(
            "The connected stream is not in sight, so it cannot be recorded"
            if not signals
            else "Several streams in sight may be the connected one",
            value=lasting_selector(connected),
            remedy="Record once it sends again."
            if not signals
            else "Stop the other sources of that name, and record again.",
        )
    about = [
        stream
        for stream in streams
        if stream is not signals[0]
        # a source that does not answer, or that would spoil the file, was chosen by nobody
        and stream.asked
        and not stream.problem
        and (not stream.is_kind("signal") or stream.type == "Probability")
    ]
    return [*signals, *about]
