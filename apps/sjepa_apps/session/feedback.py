"""Trials while a decoder runs: the participant sees what it chose."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from sjepa_apps.session.decoder_process import Choice, DecoderProcess
from sjepa_apps.session.feedback_folder import FeedbackFolder
from sjepa_apps.session.free_spelling import FreeText
from sjepa_apps.session.presenter import PresentedTrial, Presenter, SessionStopped, TrialMonitor
from sjepa_apps.session.selections import Selection
from sjepa_apps.session.stream_monitor import LOST_AFTER, StreamMonitor, wait_until_back
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.errors import OperationError
from sjepa_online.markers import SELECTED, StimulusMarker
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import Recorder, StimulusOutlet, StreamDescription, local_clock
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.recording import hung_after

#: How long the participant sees what was chosen (s).
FEEDBACK = 1.5
#: Before the first trial, and the first one after a break (s).
READY = 4.0
#: How long a stimulus goes on beyond the window of the decoder, for the choice to come (s).
HOLD = 1.5
#: How long the participant sees that the run is over (s).
END_SCREEN = 4.0
# beyond the end of a trial's window, for its decision to be made or a loss to be noticed (s)
_PATIENCE = LOST_AFTER + 1.0
_LOOK = 0.1


class FeedbackRun(Closing):
    """Shows trials, and what a decoder chose in each.

    The decoder runs from the begin. When the stream or the decoder breaks off, the participant
    waits, and a new decoder goes on with the trial that was interrupted.

    Parameters
    ----------
    decoder : Path
        File of the decoder.
    stream : StreamDescription
        The EEG to decode.
    stimulus : StimulusOutlet
        The markers that the decoder is locked to. Also gets a marker ``selected/...`` when a
        choice is shown.
    protocol : Protocol
        Of the trials.
    tell : callable
        Takes messages for the experimenter.
    amplifier : AmplifierProfile
        What is known of the EEG beside what its stream declares.
    adapt : bool
        Let a decoder that adapts take in each trial, without its class.
    folder : FeedbackFolder, optional
        Where the signal is recorded; nowhere by default.
    others : sequence of str
        Uids of streams to record with it, as that of the frames.
    free : FreeText, optional
        What is spelled freely.

    Attributes
    ----------
    selections : list of Selection
        Of the trials so far.

    Raises
    ------
    InputError, OperationError
        As for :class:`DecoderProcess`.
    """

    def __init__(
        self,
        decoder: Path,
        stream: StreamDescription,
        stimulus: StimulusOutlet,
        protocol: Protocol,
        tell: Callable[[str], None],
        amplifier: AmplifierProfile = AS_DECLARED,
        *,
        adapt: bool = True,
        folder: FeedbackFolder | None = None,
        others: Sequence[str] = (),
        free: FreeText | None = None,
    ) -> None:
        self.selections: list[Selection] = []
        self.free = free
        self._folder = folder
        self._others = tuple(others)
        self._protocol = protocol
        self._began = 0.0
        self._stream = stream
        self._stimulus = stimulus
        self._window = protocol.window
        self._tell = tell
        self._decode = partial(
            DecoderProcess,
            decoder,
            markers=stimulus.uid,
            tell=tell,
            amplifier=amplifier,
            adapt=adapt,
        )
        self._decoder = self._decode(stream.uid)

    def run(
        self,
        presenter: Presenter,
        trials: Sequence[ScheduledTrial],
        progress: Callable[[int, int], None] = lambda done, n: None,
    ) -> None:
        """Show trials, and after each what was chosen, until the participant ends the run.

        A trial ends as soon as the decoder has chosen.

        Parameters
        ----------
        presenter : Presenter
        trials : sequence of ScheduledTrial
        progress : callable
            Is given the number of trials that are over, and of all, before each trial and at the
            end.

        Raises
        ------
        InputError
            The signal's amplitude contradicts its declared unit.
        OperationError
            The stream stays away, or no trial was shown.
        """
        self._began = local_clock()
        with suppress(SessionStopped):
            while interruption := self._run_part(presenter, trials, progress):
                self._decoder.close()
                self._stream = wait_until_back(
                    self._stream,
                    interruption,
                    presenter,
                    self._tell,
                    "Begin again when it is back.",
                )
                self._decoder = self._decode(self._stream.uid, meanwhile=presenter.check_stopped)
        if not self.selections:
            raise OperationError("No trial was shown to its end, so there is nothing to tell")

    def close(self) -> None:
        """End the decoder."""
        self._decoder.close()

    def _run_part(
        self,
        presenter: Presenter,
        trials: Sequence[ScheduledTrial],
        progress: Callable[[int, int], None],
    ) -> str:
        """Show trials until they are over or something breaks off; return what did."""
        decoder = self._decoder
        with ExitStack() as stack:
            recorder = self._record(stack, presenter)

            def problem(received: bool) -> str:
                return decoder.problem or (recorder.status(received).problem if recorder else "")

            watch = stack.enter_context(StreamMonitor(self._stream, problem, self._tell))
            presenter.show_message("The decoder is running", wait=True)
            self._wait(presenter, READY)
            for number in range(len(self.selections), len(trials)):
                progress(number, len(trials))
                trial = hold_until_decided(trials[number], self._protocol)
                if self.free is not None:
                    presenter.show_text(self.free.text, self.free.keys)
                selection = None
                while selection is None:
                    presented = self._present(presenter, trial, watch)
                    if presented.completed:
                        selection = self._selection(presented, watch)
                    if selection is None and watch.broken():
                        return watch.problem
                self._show(selection, presenter)
                self._wait(presenter, FEEDBACK)
                self._rest(trial, presenter)
            progress(len(trials), len(trials))
            # the recorder receives the last markers meanwhile
            presenter.show_message(self._thanks())
            self._wait(presenter, END_SCREEN)
        return ""

    def _record(self, stack: ExitStack, presenter: Presenter) -> Recorder | None:
        """Begin to record; the recording ends with the stack."""
        if self._folder is None:
            return None
        part = self._folder.next_part()
        uids = [self._stream.uid, self._stimulus.uid, *self._others]
        recorder = Recorder(part, uids, hung_after=hung_after(self._stream))
        stack.enter_context(recorder)
        self._tell(f"Recording to {part}")
        recorder.start(meanwhile=presenter.check_stopped)
        return recorder

    def _rest(self, trial: ScheduledTrial, presenter: Presenter) -> None:
        """Let the participant rest for as long as the protocol says; the feedback is part of it."""
        seconds = trial.phases[-1].duration - FEEDBACK
        if seconds > 0:
            presenter.show_message("Rest")
            self._wait(presenter, seconds)

    def _wait(self, presenter: Presenter, seconds: float) -> None:
        end = local_clock() + seconds
        while (left := end - local_clock()) > 0:
            presenter.check_stopped()
            time.sleep(min(left, _LOOK))

    def _thanks(self) -> str:
        if self.free is not None:
            return f"{self.free.text}\n\nThe run is over. Thank you!"
        n_correct = sum(one.correct for one in self.selections)
        return f"{n_correct} of {len(self.selections)} right\n\nThe run is over. Thank you!"

    def _present(
        self, presenter: Presenter, trial: ScheduledTrial, watch: StreamMonitor
    ) -> PresentedTrial:
        """Show a trial until it is over, interrupted, or the decoder has chosen."""
        started = local_clock()
        self._choices: list[Choice] = []

        def decided() -> bool:
            self._choices += self._decoder.poll()
            return any(_belongs(choice, started) for choice in self._choices)

        def probabilities() -> dict[str, float]:
            estimate = self._decoder.estimate
            return estimate.probabilities if estimate and estimate.time > started else {}

        return presenter.present(trial, TrialMonitor(decided, watch.broken, probabilities))

    def _show(self, selection: Selection, presenter: Presenter) -> None:
        """Show what was chosen, and keep it."""
        selection = replace(selection, time=local_clock() - self._began)
        self.selections.append(selection)
        if self.free is not None and selection.selected is not None:
            self.free.take(selection.selected)
        if self._folder is not None:
            self._folder.write(self.selections, self.free)
        if selection.selected is None:
            presenter.show_message("Not decoded")
            return
        marker = StimulusMarker(SELECTED, selection.selected)
        self._stimulus.push(str(marker), local_clock())
        presenter.show_feedback(selection.selected, selection.correct if selection.target else None)

    def _selection(self, presented: PresentedTrial, watch: StreamMonitor) -> Selection | None:
        """Wait for the choice in a trial that is over; None when its signal has broken off."""
        target = presented.trial.target
        deadline = presented.onsets[-1] + self._window.start + self._window.length + _PATIENCE
        begin = _begin(presented)
        while True:
            left = deadline - local_clock()
            # what came during a long rest waits to be taken, even if the time is up
            self._choices += self._decoder.poll(min(max(left, 0.0), 0.1))
            for choice in self._choices:
                if _belongs(choice, begin):
                    return Selection(target, choice.selected, choice.time - begin)
            if watch.broken():
                return None
            if left <= 0:
                return Selection(target, None, None)


def hold_until_decided(trial: ScheduledTrial, protocol: Protocol) -> ScheduledTrial:
    """Let flicker and imagery go on until the decoder has seen its whole window and has chosen.

    Parameters
    ----------
    trial : ScheduledTrial
    protocol : Protocol

    Returns
    -------
    ScheduledTrial
    """
    window = protocol.window
    enough = window.start + window.length + HOLD
    phases = tuple(
        replace(phase, duration=max(phase.duration, enough))
        if phase.kind in ("stimulation", "imagery")
        else phase
        for phase in trial.phases
    )
    return replace(trial, phases=phases)


def _begin(presented: PresentedTrial) -> float:
    """Return when the first stimulus of a trial began (s, LSL clock)."""
    stimuli = ("stimulation", "imagery", "flash")
    # a decision may have ended the trial before its last phase
    phases = zip(presented.trial.phases, presented.onsets, strict=False)
    return next(onset for phase, onset in phases if phase.kind in stimuli)


def _belongs(choice: Choice, begin: float) -> bool:
    """Tell whether a choice was made in the trial whose stimulus began then, not in one before."""
    # markers come back over LSL with a clock correction of some microseconds
    return choice.time > begin if choice.onset is None else choice.onset > begin - 0.01
