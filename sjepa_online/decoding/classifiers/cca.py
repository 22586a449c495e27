"""Canonical correlation analysis with sines and cosines: the classical decoder of SSVEP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np
from scipy.linalg import orth

from sjepa_online.decoding.base import EpochClassifier, Features
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.features.spectral import HARMONICS
from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: Regularisation of the channels' covariance, as a share of their mean power.
RIDGE = 1e-6
#: The name of the correlations among the features.
CORRELATIONS = "canonical-correlations"


class CCAClassifier(EpochClassifier):
    """The largest canonical correlation with each stimulus frequency, logistic regression.

    Lin et al. 2006 (IEEE Trans. Biomed. Eng. 53, 2610-2614) choose the frequency of the largest
    correlation. The regression also weighs a class without a stimulus, and gives probabilities.

    Parameters
    ----------
    frequencies : tuple of float
        Stimulus frequencies (Hz).
    classes : sequence
        Classes in the order of the probabilities.

    Raises
    ------
    InputError
        There is no frequency.
    """

    kind = "cca"

    def __init__(self, frequencies: tuple[float, ...], classes: Sequence[Any]) -> None:
        if not frequencies:
            raise InputError(
                "The decoder cca reads stimulus frequencies, and this protocol has none",
                value="no frequency",
                remedy="Choose another decoder for this paradigm; riemann suits all.",
            )
        super().__init__(classes)
        self.frequencies = frequencies
        self.centre_: Floats = np.empty(0)
        self.scale_: Floats = np.empty(0)
        self.regression_ = LogisticRegression()

    @property
    def handles_bad_channels(self) -> bool:
        """True: the correlations are those of the good channels."""
        return True

    def features(self, X: FloatArray) -> Features:
        """Return the correlations of each epoch. See :meth:`EpochClassifier.features`."""
        return {CORRELATIONS: canonical_correlations(X, tuple(self.frequencies))}

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return self.regression_.predict_proba(self._standardised(features))

    def to_state(self) -> State:
        """Return the fitted arrays. See :meth:`EpochClassifier.to_state`."""
        config = {
            "kind": self.kind,
            "frequencies": list(self.frequencies),
            "classes": self.classes_.tolist(),
        }
        weights = self.regression_.weights
        return State(config, {"centre": self.centre_, "scale": self.scale_, "weights": weights})

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        classifier = cls(tuple(state.config["frequencies"]), state.config["classes"])
        classifier.centre_, classifier.scale_ = state.arrays["centre"], state.arrays["scale"]
        classifier.regression_.weights = state.arrays["weights"]
        return classifier

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        correlations = features[CORRELATIONS]
        self.centre_, self.scale_ = correlations.mean(axis=0), correlations.std(axis=0)
        self.regression_.fit(self._standardised(features), targets, len(self.classes_))

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        return self.predict_features(self.features(X if bad is None else X[:, ~bad]))

    def _standardised(self, features: Features) -> Floats:
        scale = np.maximum(self.scale_, np.finfo(np.float64).tiny)
        standardised: Floats = (features[CORRELATIONS] - self.centre_) / scale
        return standardised


def canonical_correlations(X: FloatArray, frequencies: tuple[float, ...]) -> Floats:
    """Return the largest canonical correlation of each epoch with each frequency.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs at 128 Hz.
    frequencies : tuple of float
        Hz; sines and cosines at each and at its second harmonic are the references.

    Returns
    -------
    correlations : ndarray, shape (n, frequencies)
    """
    epochs = np.asarray(X, dtype=np.float64)
    epochs = epochs - epochs.mean(axis=-1, keepdims=True)
    power = epochs @ epochs.swapaxes(1, 2)
    mean_power = np.trace(power, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] / X.shape[1]
    power += (RIDGE * mean_power + np.finfo(np.float64).tiny) * np.eye(X.shape[1])
    correlations = np.empty((len(X), len(frequencies)))
    for index, frequency in enumerate(frequencies):
        shared = epochs @ _references(frequency, X.shape[-1])
        explained = shared.swapaxes(1, 2) @ np.linalg.solve(power, shared)
        largest = np.linalg.eigvalsh(explained)[:, -1]
        correlations[:, index] = np.sqrt(np.clip(largest, 0.0, 1.0))
    return correlations


@lru_cache(maxsize=64)
def _references(frequency: float, n_times: int) -> Floats:
    """Return orthonormal references ``(samples, 4)``, without their mean."""
    seconds = np.arange(n_times) / MODEL_SFREQ
    phases = [2 * np.pi * harmonic * frequency * seconds for harmonic in HARMONICS]
    waves = np.array([wave(phase) for phase in phases for wave in (np.sin, np.cos)])
    references: Floats = orth((waves - waves.mean(axis=1, keepdims=True)).T)
    return references
