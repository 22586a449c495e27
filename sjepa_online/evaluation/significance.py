"""Whether a score is above chance, and how well it is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest, norm, rankdata

from sjepa_online.decoding.metrics import accuracy, roc_auc
from sjepa_online.protocol import Protocol
from sjepa_online.typing import FloatArray

#: Probability with which chance alone exceeds the threshold.
ALPHA = 0.05
#: Share of the samplings in which an interval holds the true score.
CONFIDENCE = 0.95
N_RESAMPLES = 1000


@dataclass(frozen=True)
class Score:
    """A score with what is needed to judge it.

    Attributes
    ----------
    name : str
        ``accuracy`` or ``AUC``.
    value : float
    low, high : float
        Ends of the 95 % confidence interval.
    chance : float
        What a decoder without information scores.
    threshold : float
        What chance alone exceeds in 5 % of the cases.
    """

    name: str
    value: float
    low: float
    high: float
    chance: float
    threshold: float

    @property
    def above_chance(self) -> bool:
        """Whether the score is more than chance explains."""
        return self.value > self.threshold


def judge(protocol: Protocol, probabilities: FloatArray, y: NDArray[Any], seed: int = 0) -> Score:
    """Score out-of-fold probabilities by the paradigm's usual measure.

    The trials of a cross-validation count as independent, which is the field's habit and makes
    the interval and the threshold slightly too narrow (Combrisson and Jerbi 2015).

    Parameters
    ----------
    protocol : Protocol
        ``erp`` is scored by the area under the ROC curve of its second class, anything else by
        accuracy.
    probabilities : ndarray, shape (n, classes)
    y : ndarray of str, shape (n,)
    seed : int
        Of the resampling behind the interval of an area.
    """
    classes = protocol.class_names
    area = roc_auc(probabilities, y, classes) if protocol.paradigm == "erp" else None
    if area is not None:
        positive = y == classes[1]
        low, high = auc_interval(probabilities[:, 1], positive, seed)
        return Score("AUC", area, low, high, 0.5, auc_threshold(positive))
    value = accuracy(probabilities, y, classes)
    low, high = wilson_interval(round(value * len(y)), len(y))
    counts = [int(np.sum(y == name)) for name in classes]
    chance = max(counts) / len(y)
    return Score("accuracy", value, low, high, chance, accuracy_threshold(len(y), chance))


def measure_of(protocol: Protocol) -> tuple[str, float]:
    """Return the usual measure of a paradigm, and what balanced guessing scores."""
    return ("AUC", 0.5) if protocol.paradigm == "erp" else ("accuracy", 1 / len(protocol.classes))


def wilson_interval(n_correct: int, n_trials: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy (Wilson 1927)."""
    interval = binomtest(n_correct, n_trials).proportion_ci(CONFIDENCE, method="wilson")
    return float(interval.low), float(interval.high)


def accuracy_threshold(n_trials: int, chance: float) -> float:
    """Return the accuracy that guessing exceeds in at most 5 % of the cases.

    The binomial threshold of Combrisson and Jerbi 2015 (J. Neurosci. Methods 250, 126-136).

    Parameters
    ----------
    n_trials : int
    chance : float
        Share of the most frequent class, which constant guessing reaches.
    """
    return float(binom.isf(ALPHA, n_trials, chance) / n_trials)


def auc_threshold(positive: NDArray[np.bool_]) -> float:
    """Return the area under the ROC curve that chance exceeds in 5 % of the cases.

    The normal approximation of the Mann-Whitney statistic, of which the area is a multiple
    (Mason and Graham 2002, Q. J. R. Meteorol. Soc. 128, 2145-2166).

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
        Which trials are of the positive class.
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    deviation = np.sqrt((len(positive) + 1) / (12 * n_positive * n_negative))
    return float(0.5 + norm.isf(ALPHA) * deviation)


def auc_interval(scores: FloatArray, positive: NDArray[np.bool_], seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the area under the ROC curve.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Probability of the positive class.
    positive : ndarray of bool, shape (n,)
    seed : int
        Of the resampling, which keeps the number of trials of each class.
    """
    rng = np.random.default_rng(seed)
    hits, others = scores[positive], scores[~positive]
    drawn_hits = rng.choice(hits, (N_RESAMPLES, len(hits)))
    drawn_others = rng.choice(others, (N_RESAMPLES, len(others)))
    ranks = rankdata(np.concatenate([drawn_hits, drawn_others], axis=1), axis=1)
    rank_sums = ranks[:, : len(hits)].sum(axis=1)
    areas = (rank_sums - len(hits) * (len(hits) + 1) / 2) / (len(hits) * len(others))
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(areas, [tail, 1 - tail])
    return float(low), float(high)
