"""Stratified cross-validation that gives every trial one out-of-fold prediction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.model_selection import StratifiedKFold

from sjepa_online.decoding.base import EpochClassifier, Features, take
from sjepa_online.errors import InputError
from sjepa_online.typing import Floats, Indices, Labels

N_FOLDS = 5
#: Names of what cross-validation gives, beside the candidates of ``auto``.
DECISION = "decision"
PREFIXES = "prefixes"


def check_trials_per_class(
    y: Labels, classes: Sequence[str], least: int, purpose: str = "Cross-validation"
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
            "A class has too few trials",
            value=", ".join(f"{name}: {count}" for name, count in counts.items()),
            remedy=f"{purpose} needs {least} or more trials of each class: record more, add "
            "recordings, or take absent classes out of a copy of the protocol.",
        )


def cross_validate(
    classifier: EpochClassifier,
    features: Features,
    y: Labels,
    *,
    n_folds: int = N_FOLDS,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Floats]:
    """Return probabilities for each trial from classifiers that did not see it.

    The folds are not shuffled: trials that follow each other share drifts, and a fold that
    holds neighbours of the training trials would flatter the score.

    Parameters
    ----------
    classifier : EpochClassifier
        A clone of it is fitted in each fold.
    features : dict of str to ndarray
        The classifier's features of the trials.
    y : ndarray of str, shape (n,)
    n_folds : int
    progress : callable
        Called after each fold.

    Returns
    -------
    probabilities : dict of str to ndarray
        ``decision`` ``(n, classes)``: the classifier's own, columns in the order of its
        ``classes_``; ``prefixes`` ``(n, prefixes, classes)``: of every prefix of the window, the
        whole window last; and those of each candidate by its name, where the classifier
        chooses among several.
    """
    result: dict[str, Floats] = {}
    for test in held_out_folds(y, n_folds):
        train = np.setdiff1d(np.arange(len(y)), test)
        fold = classifier.clone()
        fold.fit_features(take(features, train), y[train], channel_dropout=False)
        for name, values in _predictions(fold, take(features, test)).items():
            result.setdefault(name, np.empty((len(y), *values.shape[1:])))[test] = values
        progress()
    return result


def held_out_folds(y: Labels, n_folds: int = N_FOLDS) -> list[Indices]:
    """Return the trials that each fold of :func:`cross_validate` holds out.

    Parameters
    ----------
    y : ndarray of str, shape (n,)
    n_folds : int

    Returns
    -------
    folds : list of ndarray of int
    """
    return [test for _, test in StratifiedKFold(n_folds).split(y, y)]


def _predictions(classifier: EpochClassifier, features: Features) -> dict[str, Floats]:
    prefixes = classifier.predict_prefixes(features)
    candidates = classifier.predict_candidates(features)
    return {PREFIXES: prefixes, DECISION: prefixes[:, -1], **candidates}
