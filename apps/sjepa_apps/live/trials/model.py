"""Trials whose true class the markers give, and the share of right decisions."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from sjepa_online.online.events import LiveDecision, Mode, SymbolDecision
from sjepa_online.protocol import Protocol

#: Trials that are kept.
MOST_TRIALS = 5000
#: Sliding decisions that may still belong to a trial.
_RECENT = 400
#: Quantile of the normal distribution for an interval of 95 %.
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Trial:
    """One decided trial.

    Attributes
    ----------
    onset : float
        Time of its marker (s, the stream's clock).
    truth, decided : str
    confidence : float
        Probability of the class that was decided.
    duration : float
        Seconds of the stream from the marker to the decision, and what computing took.
    bad_channels : tuple of str
    """

    onset: float
    truth: str
    decided: str
    confidence: float
    duration: float
    bad_channels: tuple[str, ...]

    @property
    def correct(self) -> bool:
        """Whether the decision is the truth."""
        return self.decided == self.truth


@dataclass(frozen=True, slots=True)
class SymbolTrial:
    """One symbol of a speller that the participant was asked for.

    Attributes
    ----------
    time : float
        When it was chosen (s, the stream's clock).
    truth, decided : str
    confidence : float
        Probability of the symbol that was chosen.
    n_flashes : int
        After how many flashes it was chosen.
    """

    time: float
    truth: str
    decided: str
    confidence: float
    n_flashes: int

    @property
    def correct(self) -> bool:
        """Whether the choice is the truth."""
        return self.decided == self.truth


class TrialLog:
    """Put markers and decisions together.

    Decoding locked to markers gives a decision a trial. In a sliding window the decision counts
    whose window is that of the trial, give or take half a step.

    Parameters
    ----------
    protocol : Protocol
    mode : {"sliding", "markers"}
    step : float
        Seconds between sliding decisions.
    delay : float
        Seconds by which preprocessing delays the signal.

    Attributes
    ----------
    trials : deque of Trial
        The newest; those of a speller are its flashes.
    symbols : deque of SymbolTrial
        The newest; empty where there is no speller.
    n_trials, n_symbols : int
        How many there have been.
    """

    def __init__(self, protocol: Protocol, mode: Mode, step: float, delay: float) -> None:
        self.protocol = protocol
        self.trials: deque[Trial] = deque(maxlen=MOST_TRIALS)
        self.symbols: deque[SymbolTrial] = deque(maxlen=MOST_TRIALS)
        self.n_trials = self.n_symbols = 0
        self._mode = mode
        self._step = step
        self._length = protocol.window.start + protocol.window.length + delay
        self._waiting: list[tuple[float, str]] = []
        self._recent: deque[LiveDecision] = deque(maxlen=_RECENT)

    def add_marker(self, label: str, time: float) -> list[Trial]:
        """Add a marker.

        Parameters
        ----------
        label : str
        time : float
            s.

        Returns
        -------
        trials : list of Trial
            Those that the marker completes.
        """
        truth = self.protocol.class_of(label)
        if self._mode == "markers" or truth is None:
            return []
        self._waiting.append((time, truth))
        return self._match()

    def add_decision(self, decision: LiveDecision) -> list[Trial]:
        """Add a decision.

        Parameters
        ----------
        decision : LiveDecision

        Returns
        -------
        trials : list of Trial
            Those that the decision completes.
        """
        if self._mode == "sliding":
            self._recent.append(decision)
            return self._match()
        if decision.truth is None or decision.onset is None:
            return []
        return [self._complete(decision.onset, decision.truth, decision)]

    def add_symbol(self, decided: SymbolDecision) -> bool:
        """Add the decision on a symbol.

        Parameters
        ----------
        decided : SymbolDecision

        Returns
        -------
        is_known : bool
            Whether the true symbol is known.
        """
        if decided.truth is None:
            return False
        self.symbols.append(
            SymbolTrial(
                decided.time, decided.truth, decided.symbol, decided.probability, decided.n_flashes
            )
        )
        self.n_symbols += 1
        return True

    def confusion(self) -> NDArray[np.int64]:
        """Return how often each class (rows) was decided as each (columns).

        Returns
        -------
        counts : ndarray of int, shape (classes, classes)
            Rows: true classes.
        """
        names = self.protocol.class_names
        counts = np.zeros((len(names), len(names)), dtype=np.int64)
        for trial in self.trials:
            counts[names.index(trial.truth), names.index(trial.decided)] += 1
        return counts

    def _match(self) -> list[Trial]:
        """Complete the trials whose decision is there; give up those that have none."""
        completed, waiting = [], []
        newest = self._recent[-1].time if self._recent else -np.inf
        for onset, truth in self._waiting:
            wanted = onset + self._length
            if newest < wanted - self._step / 2:
                waiting.append((onset, truth))
                continue
            nearest = min(self._recent, key=lambda one: abs(one.time - wanted))
            # where samples were missing, no decision has this window
            if abs(nearest.time - wanted) <= self._step:
                completed.append(self._complete(onset, truth, nearest))
        self._waiting = waiting
        return completed

    def _complete(self, onset: float, truth: str, decision: LiveDecision) -> Trial:
        trial = Trial(
            onset=onset,
            truth=truth,
            decided=decision.label,
            confidence=decision.probabilities[decision.label],
            duration=decision.time + decision.latency - onset,
            bad_channels=decision.bad_channels,
        )
        self.trials.append(trial)
        self.n_trials += 1
        return trial


def wilson_interval(n_correct: int, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927).

    Parameters
    ----------
    n_correct, n : int

    Returns
    -------
    low, high : float
        0 and 1 without trials.
    """
    if n == 0:
        return 0.0, 1.0
    share = n_correct / n
    spread = _Z * sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    centre = share + _Z**2 / (2 * n)
    scale = 1 + _Z**2 / n
    return max((centre - spread) / scale, 0.0), min((centre + spread) / scale, 1.0)
