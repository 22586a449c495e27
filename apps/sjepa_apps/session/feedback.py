"""Trials while a decoder runs: the participant sees what it chose."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scipy.stats import binomtest

from sjepa_apps.session.decoder_process import Choice, DecoderProcess
from sjepa_apps.session.presenter import PresentedTrial, Presenter, SessionStopped, TrialMonitor
from sjepa_apps.session.stream_monitor import LOST_AFTER, StreamMonitor, wait_until_back
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.errors import OperationError
from sjepa_online.markers import SELECTED, StimulusMarker
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import StimulusOutlet, StreamDescription, local_clock
from sjepa_online.stream.closing import Closing

#: How long the participant sees what was chosen (s).
FEEDBACK = 1.5
#: Before the first trial, and the first one after a break (s).
READY = 4.0
# beyond the end of a trial's window, for its decision to be made or a loss to be noticed (s)
_PATIENCE = LOST_AFTER + 1.0


@dataclass(frozen=True, slots=True)
class Selection:
    """What a decoder chose in a trial.

    Attributes
    ----------
    target : str
        The class or symbol that was cued.
    selected : str or None
        The class or symbol that was chosen; None where the trial was not decoded.
    seconds : float or None
        From the begin of the stimulus to the last sample that the choice rests on.
    """

    target: str
    selected: str | None
    seconds: float | None

    @property
    def correct(self) -> bool:
        """Whether the target was chosen."""
        return self.selected == self.target


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
        adapt: bool = True,
    ) -> None:
        self.selections: list[Selection] = []
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

    def run(self, presenter: Presenter, trials: Sequence[ScheduledTrial]) -> None:
        """Show trials, and after each what was chosen, until the participant ends the run.

        A trial ends as soon as the decoder has chosen.

        Parameters
        ----------
        presenter : Presenter
        trials : sequence of ScheduledTrial

        Raises
        ------
        InputError
            The signal's amplitude contradicts its declared unit.
        OperationError
            The stream stays away, or no trial was shown.
        """
        with suppress(SessionStopped):
            while interruption := self._run_part(presenter, trials[len(self.selections) :]):
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

    def _run_part(self, presenter: Presenter, trials: Sequence[ScheduledTrial]) -> str:
        """Show trials until they are over or something breaks off; return what did."""
        decoder = self._decoder
        with StreamMonitor(self._stream, lambda: decoder.problem, self._tell) as watch:
            presenter.show_message("The decoder is running", wait=True)
            time.sleep(READY)
            for trial in trials:
                selection = None
                while selection is None:
                    presented = self._present(presenter, trial, watch)
                    if presented.completed:
                        selection = self._selection(presented, watch)
                    if selection is None and watch.broken():
                        return watch.problem
                self.selections.append(selection)
                self._show(selection, presenter)
                time.sleep(FEEDBACK)
        return ""

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
        if selection.selected is None:
            presenter.show_message("Not decoded")
            return
        marker = StimulusMarker(SELECTED, selection.selected)
        self._stimulus.push(str(marker), local_clock())
        presenter.show_feedback(selection.selected, selection.correct)

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


@dataclass(frozen=True, slots=True)
class SelectionScore:
    """How good the choices of a run are.

    Attributes
    ----------
    n_trials, n_correct : int
        A trial that was not decoded is not correct.
    chance : float
        Accuracy of guessing.
    """

    n_trials: int
    n_correct: int
    chance: float

    @classmethod
    def of(cls, selections: Sequence[Selection], protocol: Protocol) -> SelectionScore:
        """Count the choices of a run with this protocol.

        Parameters
        ----------
        selections : sequence of Selection
        protocol : Protocol

        Returns
        -------
        SelectionScore
        """
        speller = protocol.speller
        n_choices = len(protocol.classes) if speller is None else len(speller.symbols)
        return cls(len(selections), sum(one.correct for one in selections), 1 / n_choices)

    @property
    def accuracy(self) -> float:
        """Share of the trials in which the target was chosen."""
        return self.n_correct / self.n_trials

    @property
    def p_value(self) -> float:
        """Probability that guessing is as good (one-sided binomial test)."""
        test = binomtest(self.n_correct, self.n_trials, self.chance, alternative="greater")
        return float(test.pvalue)
