"""What a decoder chose in a run with feedback, and how good that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest

from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.protocol import Protocol


@dataclass(frozen=True, slots=True)
class Selection:
    """What a decoder chose in a trial.

    Attributes
    ----------
    target : str
        The class or symbol that was cued; empty where the participant was free to choose.
    selected : str or None
        The class or symbol that was chosen; None where the trial was not decoded.
    seconds : float or None
        From the begin of the stimulus to the last sample that the choice rests on.
    time : float
        When it was shown (s after the begin of the run).
    """

    target: str
    selected: str | None
    seconds: float | None
    time: float = 0.0

    @property
    def correct(self) -> bool:
        """Whether the target was chosen."""
        return self.selected == self.target != ""


@dataclass(frozen=True, slots=True)
class SelectionScore:
    """How good the choices of a run are.

    Attributes
    ----------
    n_trials, n_correct : int
        A trial that was not decoded is not correct. Trials without a target do not count.
    chance : float
        Accuracy of guessing.
    seconds : float
        From the begin of the run to the last choice, feedback and rests included.
    """

    n_trials: int
    n_correct: int
    chance: float
    seconds: float = 0.0

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
        aimed = [one for one in selections if one.target]
        seconds = max((one.time for one in aimed), default=0.0)
        return cls(len(aimed), sum(one.correct for one in aimed), 1 / n_choices, seconds)

    @property
    def accuracy(self) -> float:
        """Share of the trials in which the target was chosen."""
        return self.n_correct / self.n_trials if self.n_trials else 0.0

    @property
    def bits_per_minute(self) -> float:
        """Information transfer rate (Wolpaw et al. 1998), with all pauses between the trials."""
        if not self.n_trials or not self.seconds:
            return 0.0
        per_choice = self.seconds / self.n_trials
        return information_transfer_rate(self.accuracy, round(1 / self.chance), per_choice)

    @property
    def p_value(self) -> float:
        """Probability that guessing is as good (one-sided binomial test)."""
        if not self.n_trials:
            return 1.0
        test = binomtest(self.n_correct, self.n_trials, self.chance, alternative="greater")
        return float(test.pvalue)
