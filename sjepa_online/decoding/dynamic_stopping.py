"""Deciding early: a classifier for every prefix of the window, and a rule that says when to stop.

A decision is made at the first prefix whose most probable class reaches a threshold, at the end
of the window at the latest. The probabilities of every prefix are calibrated by its own
classifier, so one threshold serves all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.decoding.serialization import (
    FloatArray,
    State,
    Statistics,
    TrialClassifier,
    fit_on,
    predict_on,
    statistics_of,
    with_prefix,
    without_prefix,
)
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

#: Seconds of the first prefix, and from each prefix to the next.
FIRST_SECONDS = 1.0
STEP_SECONDS = 0.5
#: A rule may lose this much accuracy for speed.
ACCEPTED_LOSS = 0.02
#: Who is right more often than this need not be surer to decide early.
SURE_ENOUGH = 0.9
#: A threshold above 1 is never reached: the whole window decides.
NEVER = 1.01
THRESHOLDS: tuple[float, ...] = (*np.round(np.arange(0.30, 0.995, 0.01), 2).tolist(), 0.995, NEVER)


class PrefixClassifier:
    """A classifier of its own for every prefix of the window.

    Parameters
    ----------
    classifiers : dict of int to TrialClassifier
        Length of the prefix in samples at 128 Hz -> classifier, shortest first; the last is
        that of the whole window.
    threshold : float
        Probability at which a prefix decides.

    Attributes
    ----------
    lengths : tuple of int
        Samples of each prefix, the whole window last.
    """

    def __init__(self, classifiers: dict[int, TrialClassifier], threshold: float = NEVER) -> None:
        self._classifiers = classifiers
        self.lengths = tuple(classifiers)
        self.threshold = threshold
        self.classes_ = self.whole.classes_

    @property
    def whole(self) -> TrialClassifier:
        """The classifier of the whole window."""
        return self._classifiers[self.lengths[-1]]

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit every prefix on epochs ``(n, channels, samples)`` and labels ``(n,)``."""
        fit_on(self, self.statistics(X), y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> FloatArray:
        """Return probabilities ``(n, classes)`` of epochs as long as one of the prefixes.

        Raises
        ------
        InputError
            No prefix has this length.
        """
        if X.shape[-1] not in self._classifiers:
            raise InputError(
                f"A prefix has one of the lengths {', '.join(map(str, self.lengths))} samples",
                value=X.shape[-1],
                remedy="Cut the epochs to one of them.",
            )
        return self._classifiers[X.shape[-1]].predict_proba(X, bad)

    def statistics(self, X: FloatArray) -> Statistics:
        """Return what every prefix reads of each epoch ``(n, channels, samples)``."""
        merged: Statistics = {}
        for length, classifier in self._classifiers.items():
            merged |= with_prefix(str(length), statistics_of(classifier, X[..., :length]))
        return merged

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Fit as :meth:`fit` does."""
        for length, classifier in self._classifiers.items():
            fit_on(classifier, without_prefix(str(length), statistics), y, copies=copies)
        return self

    def predict_statistics(self, statistics: Statistics) -> FloatArray:
        """Return the probabilities ``(n, classes)`` of the whole window."""
        return self.predict_prefixes(statistics)[:, -1]

    def predict_prefixes(self, statistics: Statistics) -> FloatArray:
        """Return the probabilities of every prefix, ``(n, prefixes, classes)``."""
        return np.stack(
            [
                predict_on(classifier, without_prefix(str(length), statistics))
                for length, classifier in self._classifiers.items()
            ],
            axis=1,
        )

    def to_state(self) -> State:
        """Return the states of all classifiers, and the threshold."""
        states = {str(length): one.to_state() for length, one in self._classifiers.items()}
        config = {
            "kind": "prefixes",
            "threshold": self.threshold,
            "prefixes": {length: state.config for length, state in states.items()},
        }
        arrays: dict[str, NDArray[Any]] = {}
        for length, state in states.items():
            arrays |= with_prefix(length, state.arrays)
        return State(config, arrays)

    @classmethod
    def from_state(
        cls, state: State, restore: Callable[[State], TrialClassifier]
    ) -> PrefixClassifier:
        """Build the classifier that :meth:`to_state` describes.

        Parameters
        ----------
        state : State
        restore : callable
            Builds the classifier of one prefix from its state.
        """
        classifiers = {
            int(length): restore(State(config, without_prefix(length, state.arrays)))
            for length, config in sorted(
                state.config["prefixes"].items(), key=lambda item: int(item[0])
            )
        }
        return cls(classifiers, float(state.config["threshold"]))


def prefix_lengths(n_times: int) -> tuple[int, ...]:
    """Return the samples of each prefix of a window, the whole window last.

    Parameters
    ----------
    n_times : int
        Samples of the window at 128 Hz.
    """
    first, step = round(FIRST_SECONDS * MODEL_SFREQ), round(STEP_SECONDS * MODEL_SFREQ)
    # a last prefix that is nearly the window gains no time
    return (*range(first, n_times - step // 2, step), n_times)


def stopping_prefixes(probabilities: FloatArray, threshold: float | FloatArray) -> NDArray[np.intp]:
    """Return the index of the prefix that decides each trial.

    Parameters
    ----------
    probabilities : ndarray, shape (n, prefixes, classes)
    threshold : float or ndarray, shape (n, 1)
        One for all trials, or one for each.
    """
    reached = probabilities.max(axis=2) >= threshold
    reached[:, -1] = True
    first: NDArray[np.intp] = np.argmax(reached, axis=1)
    return first


def decisions(
    probabilities: FloatArray, threshold: float | FloatArray
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the prefix that decides each trial, and the index of the class that it decides for.

    The parameters are those of :func:`stopping_prefixes`.
    """
    prefix = stopping_prefixes(probabilities, threshold)
    return prefix, probabilities[np.arange(len(prefix)), prefix].argmax(axis=1)


def early_scores(
    probabilities: FloatArray,
    targets: NDArray[np.integer[Any]],
    seconds: Sequence[float],
    threshold: float | FloatArray,
) -> dict[str, float]:
    """Return what a threshold gives: ``accuracy``, ``decision_s`` and ``itr_bits_per_min``.

    Parameters
    ----------
    probabilities : ndarray, shape (n, prefixes, classes)
    targets : ndarray of int, shape (n,)
        Class indices.
    seconds : sequence of float
        Time from the marker to the end of each prefix.
    threshold : float or ndarray, shape (n, 1)
        One for all trials, or one for each.
    """
    prefix, decided = decisions(probabilities, threshold)
    accuracy = float(np.mean(decided == targets))
    mean_seconds = float(np.mean(np.asarray(seconds)[prefix]))
    rate = information_transfer_rate(accuracy, probabilities.shape[2], mean_seconds)
    return {"accuracy": accuracy, "decision_s": mean_seconds, "itr_bits_per_min": rate}


def choose_threshold(
    probabilities: FloatArray, targets: NDArray[np.integer[Any]], seconds: Sequence[float]
) -> float:
    """Return the threshold of the highest information transfer rate.

    It may lose at most 0.02 of the highest accuracy that any threshold reaches, and decides early
    what is at least as sure as that, if it can: where accuracy is low the rate is nearly free of
    it and would favour the earliest guess.

    Parameters
    ----------
    probabilities : ndarray, shape (n, prefixes, classes)
        Of trials that the classifiers did not see.
    targets : ndarray of int, shape (n,)
        Class indices.
    seconds : sequence of float
        Time from the marker to the end of each prefix.
    """
    scores = {
        threshold: early_scores(probabilities, targets, seconds, threshold)
        for threshold in THRESHOLDS
    }
    highest = max(one["accuracy"] for one in scores.values())
    accepted = {
        threshold: one["itr_bits_per_min"]
        for threshold, one in scores.items()
        if one["accuracy"] >= highest - ACCEPTED_LOSS
    }
    surer = [threshold for threshold in accepted if threshold >= min(highest, SURE_ENOUGH)]
    # where no rate is above zero, the whole window decides
    return max(surer or accepted, key=lambda threshold: (accepted[threshold], threshold))


def cross_validated_early_scores(
    probabilities: FloatArray,
    targets: NDArray[np.integer[Any]],
    seconds: Sequence[float],
    folds: Sequence[NDArray[np.intp]],
) -> dict[str, float]:
    """Return the scores of a threshold that is chosen without the fold it is applied to.

    Parameters
    ----------
    probabilities, targets, seconds
        As for :func:`choose_threshold`.
    folds : sequence of ndarray of int
        The trials of each fold.
    """
    thresholds = np.empty((len(targets), 1))
    for fold in folds:
        others = np.setdiff1d(np.arange(len(targets)), fold)
        thresholds[fold] = choose_threshold(probabilities[others], targets[others], seconds)
    return early_scores(probabilities, targets, seconds, thresholds)
