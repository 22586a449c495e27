"""Stratified cross-validation that gives every trial one out-of-fold prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from sjepa_online.decoding.classifiers.auto import AutoClassifier
from sjepa_online.decoding.dynamic_stopping import PrefixClassifier
from sjepa_online.decoding.serialization import (
    FloatArray,
    Statistics,
    TrialClassifier,
    fit_on,
    predict_on,
    take,
)
from sjepa_online.errors import InputError

N_FOLDS = 5
#: Names of what cross-validation gives, beside the candidates of ``auto``.
DECISION = "decision"
PREFIXES = "prefixes"


def check_trials_per_class(
    y: NDArray[Any], classes: Sequence[str], least: int, purpose: str = "Cross-validation"
) -> None:
    """Refuse trials of which a class has too few.

    Parameters
    ----------
    y : ndarray of str, shape (n,)
        Labels.
    classes : sequence of str
        Every class that has to be there.
    least : int
        For cross-validation the number of folds.
    purpose : str
        What the trials are for.

    Raises
    ------
    InputError
        A class has fewer trials than ``least``.
    """
    counts = {name: int(np.sum(y == name)) for name in classes}
    if min(counts.values()) < least:
        raise InputError(
            f"{purpose} needs {least} or more trials of each class",
            value=", ".join(f"{name}: {count}" for name, count in counts.items()),
            remedy="Record more trials, add recordings, or take the absent classes out of a "
            "copy of the protocol.",
        )


def cross_validate(
    make_classifier: Callable[[], TrialClassifier],
    statistics: Statistics,
    y: NDArray[Any],
    *,
    n_folds: int = N_FOLDS,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, FloatArray]:
    """Return probabilities for each trial from classifiers that did not see it.

    The folds are not shuffled: trials that follow each other share drifts, and a fold that
    holds neighbours of the training trials would flatter the score.

    Parameters
    ----------
    make_classifier : callable
        Gives a fresh classifier for each fold.
    statistics : dict of str to ndarray
        What :func:`statistics_of` gives for such a classifier and the trials.
    y : ndarray of str, shape (n,)
    n_folds : int
    progress : callable
        Called after each fold.

    Returns
    -------
    probabilities : dict of str to ndarray
        ``decision`` ``(n, classes)``: the classifier's own, columns in the order of its
        ``classes_``; those of each candidate by its name, where it chooses among several; and
        ``prefixes`` ``(n, prefixes, classes)``, where it decides early.
    """
    result: dict[str, FloatArray] = {}
    for test in held_out_folds(y, n_folds):
        train = np.setdiff1d(np.arange(len(y)), test)
        classifier = make_classifier()
        fit_on(classifier, take(statistics, train), y[train], copies=False)
        for name, values in _predictions(classifier, take(statistics, test)).items():
            result.setdefault(name, np.empty((len(y), *values.shape[1:])))[test] = values
        progress()
    return result


def held_out_folds(y: NDArray[Any], n_folds: int = N_FOLDS) -> list[NDArray[np.intp]]:
    """Return the trials that each fold of :func:`cross_validate` holds out."""
    return [test for _, test in StratifiedKFold(n_folds).split(y, y)]


def _predictions(classifier: TrialClassifier, statistics: Statistics) -> dict[str, FloatArray]:
    if isinstance(classifier, PrefixClassifier):
        prefixes = classifier.predict_prefixes(statistics)
        return {PREFIXES: prefixes, DECISION: prefixes[:, -1]}
    if isinstance(classifier, AutoClassifier):
        candidates = classifier.candidate_probabilities(statistics)
        return {DECISION: candidates[classifier.choice_], **candidates}
    return {DECISION: predict_on(classifier, statistics)}
