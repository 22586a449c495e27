"""Trials while a decoder runs: the participant sees what it chose."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from scipy.stats import binomtest

from sjepa_apps.session.decoder_process import Choice, DecoderProcess
from sjepa_apps.session.presenter import PresentedTrial, Presenter, SessionStopped, TrialMonitor
from sjepa_online.errors import OperationError
from sjepa_online.markers import SELECTED, StimulusMarker
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import StimulusOutlet, local_clock

#: How long the participant sees what was chosen (s).
FEEDBACK = 1.5
#: Before the first trial (s).
READY = 4.0
# beyond the end of a trial's window, for its decision to be made (s)
_PATIENCE = 2.0


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


class FeedbackRun:
    """Shows trials, and what a decoder chose in each.

    Parameters
    ----------
    decoder : DecoderProcess
        Locked to the markers of ``stimulus``.
    stimulus : StimulusOutlet
        Also gets a marker ``selected/...`` when a choice is shown. A trial ends as soon as the
        decoder has chosen.
    protocol : Protocol
        Of the trials.
    """

    def __init__(
        self, decoder: DecoderProcess, stimulus: StimulusOutlet, protocol: Protocol
    ) -> None:
        self._decoder = decoder
        self._stimulus = stimulus
        self._window = protocol.window

    def run(self, presenter: Presenter, trials: Iterable[ScheduledTrial]) -> list[Selection]:
        """Show trials, and after each what was chosen, until the participant ends the run.

        Raises
        ------
        OperationError
            The decoder has ended, or no trial was shown.
        """
        selections: list[Selection] = []
        with suppress(SessionStopped):
            presenter.show_message("The decoder is running", wait=True)
            time.sleep(READY)
            for trial in trials:
                presented = self._present(presenter, trial)
                while not presented.completed:
                    presented = self._present(presenter, trial)
                selections.append(self._selection(presented))
                self._show(selections[-1], presenter)
                time.sleep(FEEDBACK)
        if not selections:
            raise OperationError("No trial was shown to its end, so there is nothing to tell")
        return selections

    def _present(self, presenter: Presenter, trial: ScheduledTrial) -> PresentedTrial:
        """Show a trial until it is over, or the decoder has chosen."""
        started = local_clock()
        self._choices: list[Choice] = []

        def decided() -> bool:
            self._choices += self._decoder.poll()
            return any(_belongs(choice, started) for choice in self._choices)

        def probabilities() -> dict[str, float]:
            estimate = self._decoder.estimate
            return estimate.probabilities if estimate and estimate.time > started else {}

        return presenter.present(trial, TrialMonitor(decided, probabilities=probabilities))

    def _show(self, selection: Selection, presenter: Presenter) -> None:
        if selection.selected is None:
            presenter.show_message("Not decoded")
            return
        marker = StimulusMarker(SELECTED, selection.selected)
        self._stimulus.push(str(marker), local_clock())
        presenter.show_feedback(selection.selected, selection.correct)

    def _selection(self, presented: PresentedTrial) -> Selection:
        """Wait for the choice in a trial that is over."""
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
            if left <= 0:
                break
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
        """Count the choices of a run with this protocol."""
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
