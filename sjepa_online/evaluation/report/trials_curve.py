"""The score against the number of training trials, and whether it still grows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.base import take
from sjepa_online.decoding.metrics import main_score
from sjepa_online.evaluation.learning_curve import LEAST_TRIALS, first_trials
from sjepa_online.evaluation.significance import judge
from sjepa_online.training.cross_validation import N_FOLDS, held_out_folds
from sjepa_online.typing import FloatArray

#: Shares of the training trials behind the curve.
SHARES = (0.25, 0.5, 0.75, 1.0)
#: The decoder behind it, which is the quickest to fit.
CURVE_DECODER = "riemann"
#: Resamplings behind the standard error of a difference of areas.
N_RESAMPLES = 200


@dataclass(frozen=True)
class CurvePoint:
    """A score after a number of trials.

    Attributes
    ----------
    size : int
        Training trials.
    value : float
    low, high : float
        Ends of its 95 % interval.
    error : float
        Standard error of the difference to the score of all trials, which are the same that are
        decoded; 0 for that score itself.
    """

    size: int
    value: float
    low: float
    high: float
    error: float


def trials_curve(trials: Trials) -> list[CurvePoint]:
    """Return the cross-validated score of a quick decoder on the first trials of each fold.

    Parameters
    ----------
    trials : Trials

    Returns
    -------
    list of CurvePoint
    """
    sizes, predictions = [], []
    for share in SHARES:
        found = _predict(trials, share)
        if found is not None:
            sizes.append(found[0])
            predictions.append(found[1])
    return [
        _point(size, one, predictions[-1], trials)
        for size, one in zip(sizes, predictions, strict=True)
    ]


def _predict(trials: Trials, share: float) -> tuple[int, FloatArray] | None:
    """Return the number of training trials, and the probabilities; None with too few."""
    protocol = trials.protocol
    classifier = DecoderRequest(CURVE_DECODER).make(protocol, trials.ch_names)
    features = classifier.features(trials.X)
    everyone = np.arange(len(trials.y))
    folds = held_out_folds(trials.y, N_FOLDS)
    kept = [
        train[first_trials(trials.y[train], share)]
        for train in (np.setdiff1d(everyone, test) for test in folds)
    ]
    if min(_fewest(trials.y[train]) for train in kept) < LEAST_TRIALS:
        return None
    probabilities = np.empty((len(trials.y), len(protocol.class_names)))
    for train, test in zip(kept, folds, strict=True):
        fitted = classifier.clone().fit_features(
            take(features, train), trials.y[train], channel_dropout=False
        )
        probabilities[test] = fitted.predict_features(take(features, test))
    return round(float(np.mean([len(train) for train in kept]))), probabilities


def _point(size: int, here: FloatArray, last: FloatArray, trials: Trials) -> CurvePoint:
    score = judge(trials.protocol, here, trials.y)
    error = 0.0 if here is last else _error_of_difference(here, last, trials)
    return CurvePoint(size, score.value, score.low, score.high, error)


def _error_of_difference(here: FloatArray, last: FloatArray, trials: Trials) -> float:
    """Return the standard error of the difference of two scores of the same trials."""
    classes, paradigm = trials.protocol.class_names, trials.protocol.paradigm
    rows = [np.flatnonzero(trials.y == name) for name in classes]
    random = np.random.default_rng(0)
    differences = []
    for _ in range(N_RESAMPLES):
        # the classes keep their numbers of trials
        drawn = np.concatenate([random.choice(one, len(one)) for one in rows])
        scores = [
            main_score(paradigm, values[drawn], trials.y[drawn], classes) for values in (last, here)
        ]
        differences.append(scores[0] - scores[1])
    return float(np.std(differences))


def _fewest(y: NDArray[np.str_]) -> int:
    return int(np.unique(y, return_counts=True)[1].min())
