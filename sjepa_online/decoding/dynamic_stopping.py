"""Dynamic stopping: a classifier for every prefix of the window, and a rule when to decide.

A decision is made at the first prefix whose most probable class reaches a threshold, at the end
of the window at the latest. The probabilities of every prefix are calibrated by its own
classifier, so one threshold serves all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from sjepa_online.decoding.base import NEVER, EpochClassifier, Features
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.decoding.serialization import State, with_prefix, without_prefix
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ, Protocol
from sjepa_online.typing import AnyArray, BoolMask, FloatArray, Floats, Indices, Integers

#: Seconds of the first prefix, and from each prefix to the next.
FIRST_SECONDS = 1.0
STEP_SECONDS = 0.5
#: A rule may lose this much accuracy for speed.
ACCEPTED_LOSS = 0.02
#: A threshold above this is not asked for, however high the accuracy is.
SURE_ENOUGH = 0.9
THRESHOLDS: tuple[float, ...] = (*np.round(np.arange(0.30, 0.995, 0.01), 2).tolist(), 0.995, NEVER)


class PrefixClassifier(EpochClassifier):
    """A classifier of its own for every prefix of the window.

    Parameters
    ----------
    classifiers : dict of int to EpochClassifier
        Length of the prefix in samples at 128 Hz -> classifier, shortest first; the last is
        that of the whole window.
    threshold : float
        Probability at which a prefix decides.
    """

    kind = "prefixes"

    def __init__(self, classifiers: dict[int, EpochClassifier], threshold: float = NEVER) -> None:
        self.classifiers = classifiers
        self.threshold = threshold
        super().__init__(self._whole.classes)
        self.device = self._whole.device
        self.adapts = any(one.adapts for one in classifiers.values())

    @property
    def handles_bad_channels(self) -> bool:
        """Whether the classifiers of all prefixes do."""
        return all(one.handles_bad_channels for one in self.classifiers.values())

    @property
    def lengths(self) -> tuple[int, ...]:
        """Samples of each prefix, the whole window last."""
        return tuple(self.classifiers)

    @property
    def reason(self) -> str:
        """Why the classifier of the whole window chose what it uses."""
        return self._whole.reason

    @property
    def notes(self) -> tuple[str, ...]:
        """What the classifier of the whole window has to tell."""
        return self._whole.notes

    def adapt(self, X: FloatArray) -> None:
        """Let the classifier of each prefix adapt to its part; see the base class."""
        for length, classifier in self.classifiers.items():
            classifier.adapt(X[..., :length])

    def clone(self) -> Self:
        """Return an unfitted classifier of the same settings."""
        clones = {length: one.clone() for length, one in self.classifiers.items()}
        return type(self)(clones, self.threshold)

    def features(self, X: FloatArray) -> Features:
        """Return the features that every prefix needs of each epoch.

        See :meth:`EpochClassifier.features`.
        """
        merged: Features = {}
        for length, classifier in self.classifiers.items():
            merged |= with_prefix(str(length), classifier.features(X[..., :length]))
        return merged

    def predict_features(self, features: Features) -> Floats:
        """Return the probabilities of the whole window.

        See :meth:`EpochClassifier.predict_features`.
        """
        length = self.lengths[-1]
        return self._whole.predict_features(without_prefix(str(length), features))

    def predict_prefixes(self, features: Features) -> Floats:
        """Return the probabilities of every prefix.

        See :meth:`EpochClassifier.predict_prefixes`.
        """
        predictions = [
            classifier.predict_features(without_prefix(str(length), features))
            for length, classifier in self.classifiers.items()
        ]
        return np.stack(predictions, axis=1)

    def to_state(self) -> State:
        """Return the states of all classifiers, and the threshold.

        See :meth:`EpochClassifier.to_state`.
        """
        states = {str(length): one.to_state() for length, one in self.classifiers.items()}
        config = {
            "kind": self.kind,
            "threshold": self.threshold,
            "prefixes": {length: state.config for length, state in states.items()},
        }
        arrays: dict[str, AnyArray] = {}
        for length, state in states.items():
            arrays |= with_prefix(length, state.arrays)
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        classifiers = {
            int(length): restore(State(config, without_prefix(length, state.arrays)))
            for length, config in sorted(
                state.config["prefixes"].items(), key=lambda item: int(item[0])
            )
        }
        return cls(classifiers, float(state.config["threshold"]))

    @property
    def _whole(self) -> EpochClassifier:
        """The classifier of the whole window."""
        return self.classifiers[max(self.classifiers)]

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        for length, classifier in self.classifiers.items():
            own = without_prefix(str(length), features)
            classifier._fit_targets(own, targets, channel_dropout)

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        """Return the probabilities of epochs as long as one of the prefixes."""
        if X.shape[-1] not in self.classifiers:
            raise InputError(
                "No prefix of the window has the length of these epochs",
                value=f"{X.shape[-1]} samples",
                remedy=f"Cut the epochs to {', '.join(map(str, self.lengths))} samples.",
            )
        return self.classifiers[X.shape[-1]].predict_proba(X, bad)


def for_prefixes(classifier: EpochClassifier, protocol: Protocol) -> PrefixClassifier:
    """Return a classifier for every prefix of a protocol's window.

    Parameters
    ----------
    classifier : EpochClassifier
        Of one length of window; not changed.
    protocol : Protocol

    Returns
    -------
    PrefixClassifier
        Unfitted, with a clone for each prefix that is long enough for the classifier.

    Raises
    ------
    InputError
        The window is too short for a prefix.
    """
    shortest = classifier.shortest_prefix
    lengths = [length for length in prefix_lengths(protocol.n_times) if length >= shortest]
    if len(lengths) < 2:
        raise InputError(
            "The window is too short for dynamic stopping: the decoder reads no part of it",
            value=f"{protocol.window.length} s",
            remedy="Calibrate without dynamic stopping, or make the window longer.",
        )
    return PrefixClassifier({length: classifier.for_prefix(length) for length in lengths})


def prefix_lengths(n_times: int) -> tuple[int, ...]:
    """Return the samples of each prefix of a window, the whole window last.

    Parameters
    ----------
    n_times : int
        Samples of the window at 128 Hz.

    Returns
    -------
    lengths : tuple of int
    """
    first, step = round(FIRST_SECONDS * MODEL_SFREQ), round(STEP_SECONDS * MODEL_SFREQ)
    # a last prefix that is nearly the window gains no time
    return (*range(first, n_times - step // 2, step), n_times)


def stopping_prefixes(probabilities: FloatArray, threshold: float | FloatArray) -> Indices:
    """Return the prefix that decides each trial.

    Parameters
    ----------
    probabilities : ndarray, shape (n, prefixes, classes)
    threshold : float or ndarray, shape (n, 1)
        One for all trials, or one for each.

    Returns
    -------
    prefix : ndarray of int, shape (n,)
        Index of the first that reaches the threshold, or of the last.
    """
    reached = probabilities.max(axis=2) >= threshold
    reached[:, -1] = True
    first: Indices = np.argmax(reached, axis=1)
    return first


def decisions(probabilities: FloatArray, threshold: float | FloatArray) -> tuple[Indices, Indices]:
    """Return the prefix that decides each trial, and its decision.

    Parameters
    ----------
    probabilities, threshold
        As for :func:`stopping_prefixes`.

    Returns
    -------
    prefix : ndarray of int, shape (n,)
    decided : ndarray of int, shape (n,)
        Class indices.
    """
    prefix = stopping_prefixes(probabilities, threshold)
    return prefix, probabilities[np.arange(len(prefix)), prefix].argmax(axis=1)


def stopping_scores(
    probabilities: FloatArray,
    targets: Integers,
    seconds: Sequence[float],
    threshold: float | FloatArray,
) -> dict[str, float]:
    """Return how accurate and how fast decisions by a threshold are.

    Parameters
    ----------
    probabilities : ndarray, shape (n, prefixes, classes)
    targets : ndarray of int, shape (n,)
        Class indices.
    seconds : sequence of float
        Time from the marker to the end of each prefix.
    threshold : float or ndarray, shape (n, 1)
        One for all trials, or one for each.

    Returns
    -------
    scores : dict of str to float
        ``accuracy``, ``decision_s`` and ``itr_bits_per_min``.
    """
    prefix, decided = decisions(probabilities, threshold)
    accuracy = float(np.mean(decided == targets))
    mean_seconds = float(np.mean(np.asarray(seconds)[prefix]))
    rate = information_transfer_rate(accuracy, probabilities.shape[2], mean_seconds)
    return {"accuracy": accuracy, "decision_s": mean_seconds, "itr_bits_per_min": rate}


def choose_threshold(
    probabilities: FloatArray, targets: Integers, seconds: Sequence[float]
) -> float:
    """Return the threshold of the highest information transfer rate.

    Only thresholds count that lose at most 0.02 of the highest accuracy that any reaches; among
    these, if there are some, only those at or above that accuracy, or 0.9. Without this the
    earliest guess would win where accuracy is low, as the rate hardly depends on it there.

    Parameters
    ----------
    probabilities : ndarray, shape (n, prefixes, classes)
        Of trials that the classifiers did not see.
    targets : ndarray of int, shape (n,)
        Class indices.
    seconds : sequence of float
        Time from the marker to the end of each prefix.

    Returns
    -------
    threshold : float
        Above 1 where no rate is above zero: the whole window decides.
    """
    scores = {
        threshold: stopping_scores(probabilities, targets, seconds, threshold)
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


def cross_validated_stopping_scores(
    probabilities: FloatArray,
    targets: Integers,
    seconds: Sequence[float],
    folds: Sequence[Indices],
) -> dict[str, float]:
    """Return the scores of a threshold that is chosen without the fold it is applied to.

    Parameters
    ----------
    probabilities, targets, seconds
        As for :func:`choose_threshold`.
    folds : sequence of ndarray of int
        The trials of each fold.

    Returns
    -------
    scores : dict of str to float
        Those of :func:`stopping_scores`.
    """
    thresholds = np.empty((len(targets), 1))
    for fold in folds:
        others = np.setdiff1d(np.arange(len(targets)), fold)
        thresholds[fold] = choose_threshold(probabilities[others], targets[others], seconds)
    return stopping_scores(probabilities, targets, seconds, thresholds)
