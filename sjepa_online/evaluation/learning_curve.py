"""Scores against the number of calibration trials, to say how many are worth recording."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Recording, Trials
from sjepa_online.decoding import DecoderRequest, EpochClassifier
from sjepa_online.errors import InputError
from sjepa_online.evaluation.in_turn import Decide, each_alone
from sjepa_online.evaluation.scores import DecoderScores, evaluate_scores, score_fitted
from sjepa_online.training.cross_validation import check_trials_per_class

#: Shares of the calibration trials that are tried.
SHARES = (0.125, 0.25, 0.5, 0.75, 1.0)
#: Fewer trials of a class than this let no decoder hold any out.
LEAST_TRIALS = 4
#: Fewer labelled trials of a class than this fit no decoder.
LEAST_LABELS = 2

#: Gives a classifier that was aligned on the training signal, with the labels of so many of its
#: first trials only, and the seconds of its fit; None where a request needs more labels.
Align = Callable[[DecoderRequest, int], tuple[EpochClassifier, float] | None]


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
    decide: Decide = each_alone,
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
    decide : callable
        How the test trials are decoded: :func:`each_alone` or :func:`in_turn`.

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
        scores = evaluate_scores(part, test, requests, n_seeds, progress, decide)
        points.append(CurvePoint(len(part.y), scores))
    return points


def usable_counts(
    counts: Sequence[int], train: Trials, recordings: Sequence[Recording]
) -> list[int]:
    """Return how many labelled trials can be used where so many are asked for.

    A trial that was recorded, but not whole, is missing from the last of them.

    Parameters
    ----------
    counts : sequence of int
        Numbers of labelled trials.
    train : Trials
        What can be used of the recordings.
    recordings : sequence of Recording

    Returns
    -------
    usable : list of int
        One for each count.

    Raises
    ------
    InputError
        One of the counts is above the number of trials that were recorded.
    """
    classes = [train.protocol.class_of(label) for one in recordings for label in one.labels]
    if max(counts) > sum(name is not None for name in classes):
        raise InputError(
            f"The recordings to train on have {len(train.y)} trials that can be used",
            value=f"--trials {','.join(map(str, counts))}",
            remedy="Ask for fewer trials, or add recordings to --train.",
        )
    return [min(count, len(train.y)) for count in counts]


def learning_curve_by_counts(
    train: Trials,
    test: Trials,
    requests: Sequence[DecoderRequest],
    counts: Sequence[int],
    n_seeds: int,
    align: Align,
    progress: Callable[[], None] = lambda: None,
    decide: Decide = each_alone,
) -> dict[str, list[DecoderScores | None]]:
    """Train on the first trials of a calibration in the order of recording; 0 uses no label.

    Parameters
    ----------
    train, test : Trials
        Epochs of the same protocol and the same channels in the same order.
    requests : sequence of DecoderRequest
        Their ``random_state`` is the first seed.
    counts : sequence of int
        Numbers of labelled trials, those of :func:`usable_counts`.
    n_seeds : int
    align : callable
        Used before a request is fitted on labelled trials alone.
    progress : callable
        Called after each count of each request.
    decide : callable
        How the test trials are decoded: :func:`each_alone` or :func:`in_turn`.

    Returns
    -------
    scores : dict of str to list of DecoderScores or None
        For each count; None where a class has too few trials for a decoder that needs labels.
    """
    results: dict[str, list[DecoderScores | None]] = {}
    for request in requests:
        points: list[DecoderScores | None] = []
        for count in counts:
            points.append(_point(train, test, request, count, n_seeds, align, decide))
            progress()
        results[request.name] = points
    return results


def _point(
    train: Trials,
    test: Trials,
    request: DecoderRequest,
    count: int,
    n_seeds: int,
    align: Align,
    decide: Decide,
) -> DecoderScores | None:
    aligned = align(request, count)
    if aligned is not None:
        seeds = range(request.random_state, request.random_state + n_seeds)
        return score_fitted(aligned[0], test, aligned[1], seeds, decide)
    part = select_trials(train, np.arange(count))
    if min(int(np.sum(part.y == name)) for name in train.protocol.class_names) < LEAST_LABELS:
        return None
    return evaluate_scores(part, test, [request], n_seeds, decide=decide)[request.name]
