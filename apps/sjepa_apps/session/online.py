"""Trials while a decoder runs: the participant sees what it chose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Event
from types import TracebackType
from typing import Self

from scipy.stats import binomtest

from sjepa_apps.session.presenter import PresentedTrial, Presenter, SessionStopped
from sjepa_online.errors import OperationError
from sjepa_online.markers import SELECTED, StimulusMarker
from sjepa_online.online.events import SymbolDecision
from sjepa_online.online.live import LiveDecision, LiveDecoder, LiveResult
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
    """Runs a decoder in a thread of its own while trials are shown; a context manager.

    Parameters
    ----------
    live : LiveDecoder
        Locked to the markers of ``stimulus``.
    stimulus : StimulusOutlet
        Also gets a marker ``selected/...`` when a choice is shown.
    tell : callable
        Takes what happens to the stream.
    """

    def __init__(
        self, live: LiveDecoder, stimulus: StimulusOutlet, tell: Callable[[str], None]
    ) -> None:
        self._live = live
        self._stimulus = stimulus
        self._tell = tell
        self._stop = Event()
        self._results: SimpleQueue[LiveResult] = SimpleQueue()

    def run(self, presenter: Presenter, trials: Iterable[ScheduledTrial]) -> list[Selection]:
        """Show trials, and after each what was chosen, until the participant ends the run.

        Raises
        ------
        OperationError
            The stream or the marker stream is lost for good, or no trial was shown.
        """
        selections: list[Selection] = []
        with suppress(SessionStopped):
            presenter.show_message("The decoder is running", wait=True)
            time.sleep(READY)
            for trial in trials:
                presented = presenter.present(trial)
                while not presented.completed:
                    presented = presenter.present(trial)
                selections.append(self._selection(presented))
                self._show(selections[-1], presenter)
                time.sleep(FEEDBACK)
        if not selections:
            raise OperationError("No trial was shown to its end, so there is nothing to tell")
        return selections

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
        window = self._live.engine.decoder.protocol.window
        deadline = presented.onsets[-1] + window.start + window.length + _PATIENCE
        begin = _begin(presented)
        while (left := deadline - local_clock()) > 0:
            if self._future.done():
                self._future.result()
            try:
                result = self._results.get(timeout=min(left, 0.1))
            except Empty:
                continue
            if (chosen := _choice(result, begin)) is not None:
                return Selection(target, *chosen)
        return Selection(target, None, None)

    def _decode(self) -> None:
        while not self._stop.is_set():
            for result in self._live.poll():
                if isinstance(result, LiveDecision | SymbolDecision):
                    self._results.put(result)
                else:
                    self._tell(result.detail)

    def __enter__(self) -> Self:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="decoder")
        self._future = self._executor.submit(self._decode)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._executor.shutdown()
        if error is None:
            self._future.result()


def _begin(presented: PresentedTrial) -> float:
    """Return when the first stimulus of a trial began (s, LSL clock)."""
    stimuli = ("stimulation", "imagery", "flash")
    phases = zip(presented.trial.phases, presented.onsets, strict=True)
    return next(onset for phase, onset in phases if phase.kind in stimuli)


def _choice(result: LiveResult, begin: float) -> tuple[str, float] | None:
    """Return what was chosen in the trial that began then, and after how long."""
    # markers come back over LSL with a clock correction of some microseconds
    if isinstance(result, SymbolDecision) and result.time > begin:
        return result.symbol, result.time - begin
    if isinstance(result, LiveDecision):
        decision = result.decision
        if not decision.lit and decision.onset is not None and decision.onset > begin - 0.01:
            return decision.label, decision.time - begin
    return None


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
