"""The state of a fitted classifier as plain values and arrays, ready for a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

FloatArray = NDArray[np.floating[Any]]
#: What classifiers read of each epoch, by name; the first axis is that of the epochs.
Statistics = dict[str, NDArray[Any]]
#: The epochs themselves, among the statistics.
EPOCHS = "epochs"


@dataclass(frozen=True)
class State:
    """What a fitted classifier needs to predict: JSON values and named arrays.

    Attributes
    ----------
    config : dict
        JSON values; ``kind`` names the classifier.
    arrays : dict of str to ndarray
        The fitted arrays.
    """

    config: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


class TrialClassifier(Protocol):
    """What every decoder's core offers, whatever it is made of."""

    classes_: NDArray[Any]

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""

    def predict_proba(self, X: FloatArray, bad: NDArray[np.bool_] | None = None) -> FloatArray:
        """Return probabilities ``(n, classes)`` without the channels of the mask ``bad``."""

    def to_state(self) -> State:
        """Return what :func:`from_state` needs to predict as this object does."""


@runtime_checkable
class StatisticsClassifier(TrialClassifier, Protocol):
    """A classifier whose costly part does not depend on the labels, nor on other epochs.

    Cross-validation computes it once for all folds.
    """

    def statistics(self, X: FloatArray) -> Statistics:
        """Return what is read of each epoch ``(n, channels, samples)``."""

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Fit as :meth:`fit` does.

        Parameters
        ----------
        statistics : dict of str to ndarray
        y : ndarray, shape (n,)
            Labels.
        copies : bool
            Fit what decodes while channels are bad, too: on copies without some of them.
        """

    def predict_statistics(self, statistics: Statistics) -> FloatArray:
        """Return probabilities as :meth:`predict_proba` does."""


def statistics_of(classifier: TrialClassifier, X: FloatArray) -> Statistics:
    """Return a classifier's statistics of epochs; the epochs where it has none."""
    if isinstance(classifier, StatisticsClassifier):
        return classifier.statistics(X)
    return {EPOCHS: np.asarray(X)}


def fit_on(
    classifier: TrialClassifier, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
) -> None:
    """Fit a classifier on what :func:`statistics_of` gave.

    Without ``copies``, one that is only to be scored is fitted faster; see
    :class:`StatisticsClassifier`.
    """
    if isinstance(classifier, StatisticsClassifier):
        # threads of the linear algebra would wait for each other over many small matrices
        with threadpool_limits(limits=1, user_api="blas"):
            classifier.fit_statistics(statistics, y, copies=copies)
    else:
        classifier.fit(statistics[EPOCHS], y)


def predict_on(classifier: TrialClassifier, statistics: Statistics) -> FloatArray:
    """Return probabilities ``(n, classes)`` for what :func:`statistics_of` gave."""
    if isinstance(classifier, StatisticsClassifier):
        return classifier.predict_statistics(statistics)
    return classifier.predict_proba(statistics[EPOCHS])


def take(statistics: Statistics, epochs: NDArray[np.intp]) -> Statistics:
    """Return the statistics of some of the epochs."""
    return {name: array[epochs] for name, array in statistics.items()}


def with_prefix(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Name arrays ``prefix/name``, so that several states fit into one file."""
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def without_prefix(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the arrays that :func:`with_prefix` named, under their own names again."""
    start = f"{prefix}/"
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}
