"""Scores against the number of calibration trials, to say how many are worth recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.scores import DecoderScores, evaluate_scores

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
    """Return some of the trials."""
    return replace(
        trials,
        X=trials.X[indices],
        y=trials.y[indices],
        recording=trials.recording[indices],
        onset=trials.onset[indices],
    )


def usable_shares(y: NDArray[np.str_]) -> list[float]:
    """Return the shares that leave enough trials of each class.

    Raises
    ------
    InputError
        Not even all trials are enough.
    """
    smallest = int(np.unique(y, return_counts=True)[1].min())
    shares = [share for share in SHARES if round(share * smallest) >= LEAST_TRIALS]
    if not shares:
        raise InputError(
            f"A learning curve needs at least {LEAST_TRIALS} trials of each class",
            value=f"{smallest} of the rarest class",
            remedy="Record more trials, or add recordings.",
        )
    return shares


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
        Called after each fit: ``len(usable_shares(train.y)) * len(requests) * n_seeds`` times.

    Raises
    ------
    InputError
        A class has no training trial, or too few for a curve.
    """
    points = []
    for share in usable_shares(train.y):
        part = select_trials(train, first_trials(train.y, share))
        scores = evaluate_scores(part, test, requests, n_seeds, progress)
        points.append(CurvePoint(len(part.y), scores))
    return points
