"""Stratified cross-validation that gives every trial one out-of-fold prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from sjepa_online.decoding.state import FloatArray, TrialClassifier
from sjepa_online.errors import InputError

N_FOLDS = 5


def check_trials_per_class(y: NDArray[Any], classes: Sequence[str], n_folds: int) -> None:
    """Refuse a calibration with too few trials of a class.

    Raises
    ------
    InputError
        Fewer than two classes have trials, or one has fewer trials than there are folds.
    """
    counts = {name: int(np.sum(y == name)) for name in classes}
    if min(counts.values()) < n_folds:
        raise InputError(
            f"{n_folds}-fold cross-validation needs at least {n_folds} trials of each class",
            value=", ".join(f"{name}: {count}" for name, count in counts.items()),
            remedy="Record more trials, add recordings, or take the absent classes out of a "
            "copy of the protocol.",
        )


def out_of_fold_probabilities(
    make_classifier: Callable[[], TrialClassifier],
    X: FloatArray,
    y: NDArray[Any],
    *,
    n_folds: int = N_FOLDS,
    progress: Callable[[], None] = lambda: None,
) -> FloatArray:
    """Return probabilities for each trial from a classifier that did not see it.

    The folds are not shuffled: trials that follow each other share drifts, and a fold that
    holds neighbours of the training trials would flatter the score.

    Parameters
    ----------
    make_classifier : callable
        Gives a fresh classifier for each fold.
    X : ndarray, shape (n, channels, samples)
    y : ndarray of str, shape (n,)
    n_folds : int
    progress : callable
        Called after each fold.

    Returns
    -------
    probabilities : ndarray, shape (n, classes)
        Columns in the order of the classifier's ``classes_``.
    """
    folds = StratifiedKFold(n_folds)
    result: FloatArray = np.empty((0, 0))
    for train, test in folds.split(X, y):
        classifier = make_classifier().fit(X[train], y[train])
        probabilities = classifier.predict_proba(X[test])
        if result.size == 0:
            result = np.empty((len(y), probabilities.shape[1]))
        result[test] = probabilities
        progress()
    return result
