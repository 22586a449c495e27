"""Scores against the number of calibration trials, to say how many are worth recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.scores import DecoderScores, evaluate_scores
from sjepa_online.training.cross_validation import check_trials_per_class

#: Shares of the calibration trials that are tried.
SHARES = (0.125, 0.25, 0.5, 0.75, 1.0)
#: Fewer trials of a class than this let no decoder hold any out.
LEAST_TRIALS = 4


@dataclass(frozen=True)
class CurvePoint:
    """Scores of every decoder after the first trials of a calibration.

    Attributes
    ----------
    n_trials : int
    scores : dict of str to DecoderScores
    """

    n_trials: int
    scores: dict[str, DecoderScores]


def first_trials(y: NDArray[np.str_], share: float) -> NDArray[np.intp]:
    """Return the indices of the first trials of each class, in their order.

    Parameters
    ----------
    y : ndarray of str, shape (n,)
        Labels in the order of recording.
    share : float
        Share of each class; at least one trial of each stays.

    Returns
    -------
    indices : ndarray of int
    """
    kept = [
        found[: max(1, round(share * len(found)))]
        for found in (np.flatnonzero(y == name) for name in np.unique(y))
    ]
    return np.sort(np.concatenate(kept))


def select_trials(trials: Trials, indices: NDArray[np.intp]) -> Trials:
    """Return some of the trials.

    Parameters
    ----------
    trials : Trials
    indices : ndarray of int
        Trials to take.

    Returns
    -------
    Trials
    """
    return replace(
        trials,
        X=trials.X[indices],
        y=trials.y[indices],
        recording=trials.recording[indices],
        onset=trials.onset[indices],
    )


def usable_shares(y: NDArray[np.str_], classes: Sequence[str]) -> list[float]:
    """Return the shares that leave enough trials of each class.

    Parameters
    ----------
    y : ndarray of str, shape (n,)
        Labels.
    classes : sequence of str

    Returns
    -------
    list of float
        Some of :data:`SHARES`.

    Raises
    ------
    InputError
        Not even all trials are enough.
    """
    check_trials_per_class(y, classes, LEAST_TRIALS, "A learning curve")
    smallest = min(int(np.sum(y == name)) for name in classes)
    return [share for share in SHARES if round(share * smallest) >= LEAST_TRIALS]


def learning_curve(
    train: Trials,
    test: Trials,
    requests: Sequence[DecoderRequest],
    n_seeds: int,
    progress: Callable[[], None] = lambda: None,
) -> list[CurvePoint]:
    """Train on the first trials of a calibration, more and more of them, and test on others.

    Parameters
    ----------
    train, test : Trials
        Epochs of the same protocol and the same channels in the same order.
    requests : sequence of DecoderRequest
        Their ``random_state`` is the first seed.
    n_seeds : int
        Number of seeds.
    progress : callable
        Called after each fit: for each of the :func:`usable_shares`, each request and each seed.

    Returns
    -------
    list of CurvePoint

    Raises
    ------
    InputError
        A class has too few training trials for a curve.
    """
    points = []
    for share in usable_shares(train.y, train.protocol.class_names):
        part = select_trials(train, first_trials(train.y, share))
        scores = evaluate_scores(part, test, requests, n_seeds, progress)
        points.append(CurvePoint(len(part.y), scores))
    return points
