"""The steps of a calibration session: check, practise, record, train."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sjepa_apps.session.checks import ChannelCheck, check_channels, require_room
from sjepa_apps.session.completed_trials import remaining_trials
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session.presenter import Presenter, TrialMonitor
from sjepa_apps.session.stream_monitor import BREAK, StreamMonitor, wait_until_back
from sjepa_online.errors import InputError, OperationError
from sjepa_online.schedule import ScheduledTrial, make_schedule
from sjepa_online.stream import Recorder, StreamDescription, local_clock
from sjepa_online.stream.recording import hung_after
from sjepa_online.stream.stretch import clock_shift

if TYPE_CHECKING:
    from sjepa_online.data import Recording
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.training import Calibration

#: How often trials may be shown that do not arrive in the recording, and how often a recorder may
#: fail to start, one time after the other.
ATTEMPTS = 3
# beyond the last window, for LabRecorder to write what it has received (s)
_TAIL = 1.0


@dataclass(frozen=True)
class TrainedSession:
    """A decoder of a session.

    Attributes
    ----------
    calibration : Calibration
    recordings : tuple of Recording
        What it was trained on.
    note : str
        What was made of earlier sessions; empty without any.
    """

    calibration: Calibration
    recordings: tuple[Recording, ...]
    note: str


class CalibrationSession:
    """A session with a participant, from a stream to a decoder.

    Its steps are called one after another, from one thread. Which trials are done is read from
    the recording each time, so that a session goes on after whatever ended it.

    Parameters
    ----------
    folder : SessionFolder
    stream : StreamDescription
        The EEG to record.
    others : sequence of str
        Uids of the streams to record with it: markers and frames.
    tell : callable
        Takes messages for the experimenter.
    """

    def __init__(
        self,
        folder: SessionFolder,
        stream: StreamDescription,
        others: Sequence[str],
        tell: Callable[[str], None],
    ) -> None:
        folder.check_stream(stream)
        self.folder = folder
        self.stream = stream
        self._others = tuple(others)
        self._tell = tell
        self._failed_starts = 0

    def check_channels(self) -> ChannelCheck:
        """Look at a few seconds of signal; see :func:`check_channels`."""
        return check_channels(self.stream, self.folder.state.described)

    def practise(self, presenter: Presenter) -> None:
        """Show the practice trials; they are not recorded.

        Raises
        ------
        SessionStopped
            The participant ends the session.
        """
        trials = make_schedule(self.folder.protocol, self.folder.state.seed, practice=True)
        if trials:
            presenter.show_message("Practice", wait=True)
        for trial in trials:
            presenter.present(trial)

    def remaining(self) -> list[ScheduledTrial]:
        """Return the trials that are not in the recording."""
        recordings, left_out = self.folder.recordings()
        for reason in left_out:
            self._tell(f"left out: {reason}")
        return remaining_trials(self.folder.schedule(), recordings, self.folder.protocol)

    def record(
        self, presenter: Presenter, progress: Callable[[int, int], None] = lambda done, n: None
    ) -> None:
        """Show and record trials until all are in the recording.

        When the stream or the recorder breaks off, the participant waits, and a new part of
        the recording begins with the trial that was interrupted.

        Parameters
        ----------
        presenter : Presenter
        progress : callable
            Is given the number of trials that are over, and of all.

        Raises
        ------
        SessionStopped
            The participant ends the session; what was recorded is kept.
        InputError
            The disk has no room.
        OperationError
            The disk is full, the stream stays away, or trials do not arrive in the recording.
        """
        remaining = self.remaining()
        fruitless = 0
        while remaining:
            require_room(self.folder.path, self.stream, sum(one.duration for one in remaining))
            n_done = self.folder.state.n_trials - len(remaining)
            presenter.show_message(f"{len(remaining)} trials to go", wait=True)
            interruption = self._record_part(remaining, presenter, n_done, progress)
            before, remaining = len(remaining), self.remaining()
            fruitless = 0 if interruption or len(remaining) < before else fruitless + 1
            if fruitless == ATTEMPTS:
                raise OperationError(
                    f"Trials were shown {ATTEMPTS} times, but the recording does not hold them. "
                    f"Look at {self.folder.path} with a viewer of XDF files"
                )
            if interruption:
                remedy = f"Go on with --resume {self.folder.path}."
                self.stream = wait_until_back(
                    self.stream, interruption, presenter, self._tell, remedy
                )
                self.folder.check_stream(self.stream)

    def recordings(self) -> list[Recording]:
        """Return the parts of the recording that hold trials."""
        return self.folder.recordings()[0]

    def train(
        self,
        request: DecoderRequest,
        *,
        dynamic_stopping: bool = False,
        progress: Callable[[], None] = lambda: None,
        earlier: Sequence[str] = (),
    ) -> TrainedSession:
        """Cross-validate and fit a decoder on all parts; see :func:`sjepa_online.training`.

        Parameters
        ----------
        request : DecoderRequest
        dynamic_stopping : bool
        progress : callable
            Called after each fold, and after the fit.
        earlier : sequence of str
            Recordings of earlier sessions of the same person, as SOURCE. They are used where they
            do not lower the score of today's trials.

        Raises
        ------
        InputError
            There are too few trials.
        """
        # a session is shown and recorded without what learns from it
        from sjepa_online.data import load_sources
        from sjepa_online.signal import PreprocessorConfig
        from sjepa_online.training import calibrate
        from sjepa_online.training.second_day import calibrate_today

        recordings = self.recordings()
        if not recordings:
            raise InputError(
                "This session holds no recorded trials to train on",
                value=self.folder.path,
                remedy=f"Go on with --resume {self.folder.path}.",
            )
        run = partial(
            calibrate,
            protocol=self.folder.protocol,
            preprocessing=PreprocessorConfig(),
            request=request,
            dynamic_stopping=dynamic_stopping,
            progress=progress,
        )
        if not earlier:
            return TrainedSession(run(recordings), tuple(recordings), "")
        before = load_sources(list(earlier), self.folder.state.amplifier)
        today = calibrate_today(before, recordings, run)
        return TrainedSession(today.calibration, today.recordings, today.note)

    def _begin_part(self, stack: ExitStack, presenter: Presenter) -> StreamMonitor:
        """Begin a part of the recording; return what monitors it."""
        part = self.folder.next_part()
        uids = [self.stream.uid, *self._others]
        recorder = Recorder(part, uids, hung_after=hung_after(self.stream))
        stack.enter_context(recorder)
        self._tell(f"Recording to {part}")

        def problem(received: bool) -> str:
            return recorder.status(received).problem if recorder.collecting else ""

        monitor = stack.enter_context(StreamMonitor(self.stream, problem, self._tell))

        def check() -> None:
            presenter.check_stopped()
            if monitor.problem:
                # the recorder would look for the stream for long
                raise OperationError(monitor.problem)

        recorder.start(meanwhile=check)
        if shift := clock_shift(self.stream):
            self._tell(f"{self.stream.name} has another clock, {-shift:+.3f} s off; corrected")
            self.folder.note_clock(part, shift)
        return monitor

    def _record_part(
        self,
        trials: Sequence[ScheduledTrial],
        presenter: Presenter,
        n_done: int,
        progress: Callable[[int, int], None],
    ) -> str:
        """Record until the trials end or the signal breaks off; return the problem, or nothing."""
        n_trials = self.folder.state.n_trials
        with ExitStack() as stack:
            try:
                stream_monitor = self._begin_part(stack, presenter)
            except OperationError as error:
                # as when the source ends at that moment
                self._failed_starts += 1
                if self._failed_starts == ATTEMPTS:
                    raise
                return str(error)
            self._failed_starts = 0
            monitor = TrialMonitor(broken=stream_monitor.broken)
            for number, trial in enumerate(trials, start=n_done):
                progress(number, n_trials)
                completed = False
                while not completed:
                    completed = presenter.present(trial, monitor).completed
                    if stream_monitor.problem:
                        presenter.show_message(BREAK)
                        return stream_monitor.problem
            ended = local_clock()
            presenter.show_message("All trials are done. Thank you!")
            progress(n_trials, n_trials)
            window = self.folder.protocol.window
            rest = trials[-1].phases[-1].duration
            beyond = max(0.0, window.start + window.length - rest) + _TAIL
            time.sleep(max(0.0, ended + beyond - local_clock()))
            problem = stream_monitor.problem
        return problem
