"""Chance level, confidence interval and significance of a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom, binomtest, norm, rankdata

from sjepa_online.decoding.metrics import accuracy, roc_auc
from sjepa_online.protocol import Protocol
from sjepa_online.typing import BoolMask, FloatArray

Measure = Literal["accuracy", "AUC"]

#: Probability with which chance alone exceeds the threshold.
ALPHA = 0.05
#: Share of the repetitions of a study in which the interval contains the true score.
CONFIDENCE = 0.95
N_RESAMPLES = 1000
#: Keys of the measures in JSON documents.
JSON_NAMES: Mapping[Measure, str] = {"accuracy": "accuracy", "AUC": "roc_auc"}
#: With fewer trials, guessing reaches what many usable decoders score.
FEW_TRIALS = 40
#: What to look at when a decoder scores at chance.
CAUSES_OF_CHANCE = (
    "Check that all recordings are of the same task and that an event means the same class in "
    "each of them (in EEGMMIDB, T1 and T2 mean fists in some runs and feet in others), that the "
    "markers are in time with the stimuli, that the reference and the electrodes sit well, and "
    "that the participant did the task; then calibrate again."
)


@dataclass(frozen=True)
class Score:
    """A score with its chance level, its interval and its number of trials.

    Attributes
    ----------
    name : {"accuracy", "AUC"}
        The measure.
    value : float
        The score, 0 to 1.
    low, high : float
        Ends of the 95 % confidence interval.
    chance : float
        Score of a decoder without information.
    threshold : float
        Score that chance alone exceeds in 5 % of the cases.
    n_trials : int
        Trials behind the score.
    """

    name: Measure
    value: float
    low: float
    high: float
    chance: float
    threshold: float
    n_trials: int

    @property
    def above_chance(self) -> bool:
        """Whether the score exceeds the threshold of chance."""
        return self.value > self.threshold

    def to_json(self) -> dict[str, Any]:
        """Return the entries of a JSON document that stand beside a score.

        Returns
        -------
        dict
            ``measure`` ("accuracy" or "roc_auc", the one that is judged), ``chance``,
            ``interval`` [low, high], ``threshold``, ``n_trials`` and ``above_chance``.
        """
        return {
            "measure": JSON_NAMES[self.name],
            "chance": self.chance,
            "interval": [self.low, self.high],
            "threshold": self.threshold,
            "n_trials": self.n_trials,
            "above_chance": self.above_chance,
        }

    def __str__(self) -> str:
        """Return the score as text: "accuracy 0.85 (chance 0.50, 95 % interval ...)"."""
        return (
            f"{self.name} {self.value:.3f} (chance {self.chance:.2f}, 95 % interval {self.low:.2f} "
            f"to {self.high:.2f}, {self.n_trials} trials)"
        )

    def warning(self) -> str:
        """Return a warning for a decoder at chance; empty for a score above chance.

        Returns
        -------
        text : str
        """
        if self.above_chance:
            return ""
        told = (
            f"at chance: {self.name} {self.value:.3f} in {self.n_trials} trials, and guessing "
            f"reaches up to {self.threshold:.2f} in 95 % of the cases. Do not use this decoder"
        )
        if self.value > self.chance and self.n_trials < FEW_TRIALS:
            return (
                f"{told} yet: so few trials hardly tell a decoder from guessing. Record more. If "
                f"it stays at chance, {CAUSES_OF_CHANCE[0].lower()}{CAUSES_OF_CHANCE[1:]}"
            )
        return f"{told}. {CAUSES_OF_CHANCE}"


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

    Returns
    -------
    Score
    """
    classes = protocol.class_names
    area = roc_auc(probabilities, y, classes) if protocol.paradigm == "erp" else None
    if area is not None:
        positive = y == classes[1]
        low, high = auc_interval(probabilities[:, 1], positive, seed)
        return Score("AUC", area, low, high, 0.5, auc_threshold(positive), len(y))
    return judge_value(accuracy(probabilities, y, classes), "accuracy", y, classes)


def judge_value(value: float, measure: Measure, y: NDArray[Any], classes: Sequence[str]) -> Score:
    """Judge a score of which the probabilities are not at hand.

    Parameters
    ----------
    value : float
        The score, 0 to 1; of several seeds, the mean.
    measure : {"accuracy", "AUC"}
    y : ndarray of str, shape (n,)
        True classes of the trials.
    classes : sequence of str
        For an area, of the second of two classes.

    Returns
    -------
    Score
        With Wilson's interval of an accuracy, and that of Hanley and McNeil of an area.
    """
    chance = chance_level(y, measure)
    if measure == "AUC":
        positive = y == classes[1]
        low, high = hanley_interval(value, int(positive.sum()), int((~positive).sum()))
        return Score(measure, value, low, high, chance, auc_threshold(positive), len(y))
    low, high = wilson_interval(round(value * len(y)), len(y))
    threshold = accuracy_threshold(len(y), chance)
    return Score(measure, value, low, high, chance, threshold, len(y))


def judge_summary(
    summary: Mapping[str, float], protocol: Protocol, y: NDArray[Any], classes: Sequence[str]
) -> Score:
    """Judge the paradigm's usual measure in a summary of scores.

    Parameters
    ----------
    summary : mapping of str to float
        ``accuracy`` and, for two classes, ``roc_auc``.
    protocol : Protocol
    y : ndarray of str, shape (n,)
        True classes of the trials.
    classes : sequence of str

    Returns
    -------
    Score
    """
    measure: Measure = "AUC" if protocol.paradigm == "erp" and "roc_auc" in summary else "accuracy"
    return judge_value(summary[JSON_NAMES[measure]], measure, y, classes)


def chance_level(y: NDArray[Any], measure: Measure = "accuracy") -> float:
    """Return the score of a decoder without information.

    Parameters
    ----------
    y : ndarray of str, shape (n,)
        True classes of the trials.
    measure : {"accuracy", "AUC"}

    Returns
    -------
    float
        Share of the most frequent class, which constant guessing reaches; 0.5 for an area.
    """
    if measure == "AUC":
        return 0.5
    return float(np.unique(y, return_counts=True)[1].max() / len(y))


def measure_of(protocol: Protocol) -> tuple[Measure, float]:
    """Return the usual measure of a paradigm, and its chance level for balanced classes.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    measure : {"accuracy", "AUC"}
    chance : float
    """
    return ("AUC", 0.5) if protocol.paradigm == "erp" else ("accuracy", 1 / len(protocol.classes))


def wilson_interval(n_correct: int, n_trials: int) -> tuple[float, float]:
    """Return the 95 % interval of an accuracy (Wilson 1927).

    Parameters
    ----------
    n_correct, n_trials : int

    Returns
    -------
    low, high : float
    """
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

    Returns
    -------
    float
    """
    return float(binom.isf(ALPHA, n_trials, chance) / n_trials)


def hanley_interval(area: float, n_positive: int, n_negative: int) -> tuple[float, float]:
    """Return the 95 % interval of an area under the ROC curve from the area alone.

    The standard error of Hanley and McNeil 1982 (Radiology 143, 29-36).

    Parameters
    ----------
    area : float
    n_positive, n_negative : int
        Trials of either class, at least one.

    Returns
    -------
    low, high : float
        Within 0 to 1.
    """
    both_positive, both_negative = area / (2 - area), 2 * area**2 / (1 + area)
    variance = (
        area * (1 - area)
        + (n_positive - 1) * (both_positive - area**2)
        + (n_negative - 1) * (both_negative - area**2)
    ) / (n_positive * n_negative)
    half = float(norm.isf((1 - CONFIDENCE) / 2) * np.sqrt(max(variance, 0.0)))
    return max(area - half, 0.0), min(area + half, 1.0)


def auc_threshold(positive: BoolMask) -> float:
    """Return the area under the ROC curve that chance exceeds in 5 % of the cases.

    The normal approximation of the Mann-Whitney statistic, of which the area is a multiple
    (Mason and Graham 2002, Q. J. R. Meteorol. Soc. 128, 2145-2166).

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
        Trials of the positive class.

    Returns
    -------
    float
    """
    n_positive = int(positive.sum())
    n_negative = len(positive) - n_positive
    deviation = np.sqrt((len(positive) + 1) / (12 * n_positive * n_negative))
    return float(0.5 + norm.isf(ALPHA) * deviation)


def auc_interval(scores: FloatArray, positive: BoolMask, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of the area under the ROC curve.

    Parameters
    ----------
    scores : ndarray, shape (n,)
        Probability of the positive class.
    positive : ndarray of bool, shape (n,)
    seed : int
        Of the resampling, which keeps the number of trials of each class.

    Returns
    -------
    low, high : float
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
