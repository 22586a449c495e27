"""How well probabilities agree with the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sjepa_online.typing import FloatArray, Floats, Labels

#: The score from which on a person is usually said to control an interface.
CONTROLS_FROM = 0.70
#: By how much means of scores may be off.
TOLERANCE = 1e-9
_N_RESAMPLES = 2000


def accuracy(probabilities: FloatArray, y: Labels, classes: Sequence[str]) -> float:
    """Return the share of trials whose most probable class is the true one.

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes)
    y : ndarray of str, shape (n,)
    classes : sequence of str
        Class of each column.

    Returns
    -------
    float
    """
    return float(np.mean(np.asarray(classes)[np.argmax(probabilities, axis=1)] == y))


def roc_auc(probabilities: FloatArray, y: Labels, classes: Sequence[str]) -> float | None:
    """Return the area under the ROC curve of the second class.

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes)
    y : ndarray of str, shape (n,)
    classes : sequence of str
        Class of each column.

    Returns
    -------
    float or None
        None unless there are two classes and both occur in ``y``.
    """
    from sklearn.metrics import roc_auc_score

    positive = y == classes[1]
    if len(classes) != 2 or positive.all() or not positive.any():
        return None
    return float(roc_auc_score(positive, probabilities[:, 1]))


def information_transfer_rate(score: float, n_classes: int, seconds: float) -> float:
    """Return bits per minute after Wolpaw et al. 1998 (IEEE Trans. Rehabil. Eng. 6, 326-333).

    Parameters
    ----------
    score : float
        Accuracy; at or below chance the rate is 0.
    n_classes : int
        Number of equally probable classes.
    seconds : float
        Time that a decision takes.

    Returns
    -------
    float
    """
    if score <= 1 / n_classes:
        return 0.0
    bits = np.log2(n_classes)
    if score < 1:
        bits += score * np.log2(score) + (1 - score) * np.log2((1 - score) / (n_classes - 1))
    return float(60 * bits / seconds)


def main_score(
    paradigm: str, probabilities: FloatArray, y: Labels, classes: Sequence[str]
) -> float:
    """Return the field's usual score of a paradigm.

    Parameters
    ----------
    paradigm : {"ssvep", "erp", "mi"}
    probabilities : ndarray, shape (n, classes)
    y : ndarray of str, shape (n,)
    classes : sequence of str
        Class of each column.

    Returns
    -------
    float
        The area under the ROC curve for ``erp``, whose classes are uneven, otherwise accuracy.
    """
    area = roc_auc(probabilities, y, classes) if paradigm == "erp" else None
    return accuracy(probabilities, y, classes) if area is None else area


def score_summary(probabilities: FloatArray, y: Labels, classes: Sequence[str]) -> dict[str, float]:
    """Return the scores that a calibration keeps.

    Parameters
    ----------
    probabilities : ndarray, shape (n, classes)
    y : ndarray of str, shape (n,)
    classes : sequence of str
        Class of each column.

    Returns
    -------
    scores : dict of str to float
        ``accuracy``, and ``roc_auc`` where there are two classes.
    """
    summary = {"accuracy": accuracy(probabilities, y, classes)}
    area = roc_auc(probabilities, y, classes)
    if area is not None:
        summary["roc_auc"] = area
    return summary


def interval_over_people(scores: Floats) -> tuple[float, float]:
    """Return the 95 % interval of a mean over people, by bootstrap.

    Parameters
    ----------
    scores : ndarray, shape (people,)

    Returns
    -------
    low, high : float
    """
    means = np.random.default_rng(0).choice(scores, (_N_RESAMPLES, len(scores))).mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


@dataclass(frozen=True)
class OverPeople:
    """What a decoder reaches in several people.

    Attributes
    ----------
    mean : float
    low, high : float
        95 % interval of the mean over people.
    share : float
        Of the people who reach ``CONTROLS_FROM`` or more.
    n : int
        People.
    """

    mean: float
    low: float
    high: float
    share: float
    n: int

    def __str__(self) -> str:
        share = f"{100 * self.share:.0f} % of {self.n} people at {CONTROLS_FROM:.2f} or more"
        return f"{self.mean:.3f} [{self.low:.3f} {self.high:.3f}] ({share})"


def over_people(scores: Floats) -> OverPeople:
    """Summarise the scores of several people.

    Parameters
    ----------
    scores : ndarray, shape (people,)
        One for each person.

    Returns
    -------
    OverPeople
    """
    low, high = interval_over_people(scores)
    # the mean of three scores of 0.7 is a little less than 0.7
    share = float(np.mean(scores > CONTROLS_FROM - TOLERANCE))
    return OverPeople(float(scores.mean()), low, high, share, len(scores))
