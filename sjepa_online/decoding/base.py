"""The contract of every classifier of epochs, in scikit-learn's words."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator
from threadpoolctl import threadpool_limits

from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.typing import AnyArray, BoolMask, FloatArray, Floats, Indices, Labels

#: What a classifier reads of each epoch, by name; the first axis is that of the epochs.
Features = dict[str, AnyArray]
#: The epochs themselves, among the features.
EPOCHS = "epochs"
#: A threshold above 1 is never reached: the whole window decides.
NEVER = 1.01


class EpochClassifier(BaseEstimator, ABC):  # type: ignore[misc]
    """A classifier of epochs that were cut around a marker or from a sliding window.

    The costly part, the features, depends neither on the labels nor on other epochs, so
    cross-validation computes it once for all folds. A subclass computes features, fits on them
    and predicts from them; it keeps each argument of its constructor in an attribute of the
    same name, as scikit-learn asks, and ends the names of fitted attributes in ``_``.

    Parameters
    ----------
    classes : sequence
        Classes in the order of the probabilities.

    Attributes
    ----------
    classes_ : ndarray, shape (classes,)
        The same; known before the first fit.
    threshold : float
        Probability at which a prefix of the window decides; above 1 where only the whole window
        does.
    device : str
        Where the classifier computes.
    adapts : bool
        Whether :meth:`adapt` has an effect.
    """

    #: Names the classifier in a decoder file.
    kind: ClassVar[str]

    threshold: float = NEVER
    device: str = "cpu"
    adapts: bool = False

    def __init__(self, classes: Sequence[Any]) -> None:
        self.classes = classes
        self.classes_ = np.array(list(classes))

    @property
    def handles_bad_channels(self) -> bool:
        """Whether it decides from the good channels alone.

        Otherwise it reads estimates in the place of bad channels, which the caller provides.
        """
        return False

    @property
    def shortest_window(self) -> int:
        """Samples of the shortest epochs that the classifier reads."""
        return 1

    @property
    def shortest_prefix(self) -> int:
        """Samples of the shortest part of the window that :meth:`for_prefix` serves."""
        return self.shortest_window

    @property
    def lengths(self) -> tuple[int, ...]:
        """Samples of each prefix that is decided; empty where only the whole window is."""
        return ()

    @property
    def reason(self) -> str:
        """Why the classifier chose what it uses, in a sentence; empty where it has no choice."""
        return ""

    @property
    def notes(self) -> tuple[str, ...]:
        """What whoever decodes with it has to know, in sentences."""
        return ()

    @property
    def contradicted(self) -> bool:
        """Whether the labels of the last fit speak against what was known before it."""
        return False

    def adapt(self, X: FloatArray) -> None:
        """Take in epochs whose classes are not known; nothing where ``adapts`` is False.

        The effect is bounded, and the same however the epochs are grouped.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs of the whole window in µV at 128 Hz, in the order of the recording.
        """

    def clone(self) -> Self:
        """Return an unfitted classifier of the same settings."""
        settings = self.get_params(deep=False)
        return type(self)(**{name: _unfitted(value) for name, value in settings.items()})

    def for_prefix(self, n_times: int) -> EpochClassifier:
        """Return an unfitted classifier of the same settings for the beginning of the window.

        Parameters
        ----------
        n_times : int
            Samples of the epochs; at least :attr:`shortest_prefix`.

        Returns
        -------
        classifier : EpochClassifier
        """
        return self.clone()

    def fit(self, X: FloatArray, y: Labels) -> Self:
        """Fit on labelled epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        y : ndarray, shape (n,)
            Labels, each one of the classes.

        Returns
        -------
        Self

        Raises
        ------
        InputError
            A label is none of the classes.
        """
        return self.fit_features(self.features(X), y)

    def predict_proba(self, X: FloatArray, bad: BoolMask | None = None) -> Floats:
        """Return the probabilities of epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz. Bad channels hold finite values without influence where the
            classifier handles bad channels, and estimates otherwise.
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without; None for none.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)
        """
        return self._predict_epochs(X, bad)

    def predict(self, X: FloatArray) -> Labels:
        """Return the most probable class of each epoch.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Returns
        -------
        labels : ndarray, shape (n,)
        """
        labels: Labels = self.classes_[np.argmax(self.predict_proba(X), axis=1)]
        return labels

    def fit_features(self, features: Features, y: Labels, *, channel_dropout: bool = True) -> Self:
        """Fit as :meth:`fit` does.

        Parameters
        ----------
        features : dict of str to ndarray
            What :meth:`features` returns for the epochs.
        y : ndarray, shape (n,)
            Labels, each one of the classes.
        channel_dropout : bool
            Whether to fit, too, what decodes while channels are bad; a classifier that is only
            scored with all its channels is fitted faster without.

        Returns
        -------
        Self

        Raises
        ------
        InputError
            A label is none of the classes.
        """
        targets = self._targets(np.asarray(y))
        # threads of the linear algebra would wait for each other over many small matrices
        with threadpool_limits(limits=1, user_api="blas"):
            self._fit_targets(features, targets, channel_dropout)
        return self

    @abstractmethod
    def features(self, X: FloatArray) -> Features:
        """Return the features of each epoch.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Returns
        -------
        features : dict of str to ndarray
            Each of ``n`` rows.
        """

    @abstractmethod
    def predict_features(self, features: Features) -> Floats:
        """Return probabilities ``(n, classes)``.

        Parameters
        ----------
        features : dict of str to ndarray
            What :meth:`features` returns for the epochs.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)
        """

    def predict_prefixes(self, features: Features) -> Floats:
        """Return the probabilities of every prefix of the window, the whole window last.

        Parameters
        ----------
        features : dict of str to ndarray
            What :meth:`features` returns for epochs as long as the window.

        Returns
        -------
        probabilities : ndarray, shape (n, prefixes, classes)
        """
        return self.predict_features(features)[:, np.newaxis]

    def predict_candidates(self, features: Features) -> dict[str, Floats]:
        """Return the probabilities of every candidate that the classifier chooses among.

        Parameters
        ----------
        features : dict of str to ndarray
            What :meth:`features` returns for the epochs.

        Returns
        -------
        probabilities : dict of str to ndarray, shape (n, classes)
            Empty where there is no choice.
        """
        return {}

    @abstractmethod
    def to_state(self) -> State:
        """Return the state from which :meth:`from_state` builds an equal classifier.

        Returns
        -------
        state : State
            Settings, arrays and parts.
        """

    @classmethod
    @abstractmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier that :meth:`to_state` describes.

        Parameters
        ----------
        state : State
        restore : callable
            Builds a classifier of any kind from its state, for one that is made of others.
        """

    @abstractmethod
    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Fit on features and class indices ``(n,)``; see :meth:`fit_features`."""

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        """Return probabilities; see :meth:`predict_proba`."""
        return self.predict_features(self.features(X))

    def _targets(self, y: Labels) -> Indices:
        """Return the class index of each label."""
        is_class = y[:, np.newaxis] == self.classes_
        unknown = sorted({str(label) for label in y[~is_class.any(axis=1)]})
        if unknown:
            classes = ", ".join(map(str, self.classes_))
            raise InputError(
                "Some labels are none of this decoder's classes",
                value=", ".join(unknown),
                remedy=f"Leave those trials out; the classes are {classes}.",
            )
        targets: Indices = np.argmax(is_class, axis=1)
        return targets


def take(features: Features, epochs: Indices) -> Features:
    """Return the features of some of the epochs.

    Parameters
    ----------
    features : dict of str to ndarray
    epochs : ndarray of int, shape (k,)

    Returns
    -------
    features : dict of str to ndarray
        Each of ``k`` rows.
    """
    return {name: array[epochs] for name, array in features.items()}


def _unfitted(setting: Any) -> Any:
    """Return a setting as a clone has it: classifiers unfitted, everything else as it is."""
    return setting.clone() if isinstance(setting, EpochClassifier) else setting
