"""Canonical correlations with sines and cosines: the classical decoder of SSVEP."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import orth

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.features.spectral import HARMONICS
from sjepa_online.decoding.serialization import FloatArray, State, Statistics, fit_on
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

#: Regularisation of the channels' covariance, as a share of their mean power.
RIDGE = 1e-6
#: The name of the correlations among the statistics.
CORRELATIONS = "canonical-correlations"


class CanonicalClassifier:
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

    def __init__(self, frequencies: tuple[float, ...], classes: Sequence[Any]) -> None:
        if not frequencies:
            raise InputError(
                "Canonical correlations need the stimulus frequencies of an ssvep protocol",
                value="none",
                remedy="Choose another decoder for this paradigm; riemann suits all.",
            )
        self._frequencies = tuple(frequencies)
        self._centre: Floats = np.empty(0)
        self._scale: Floats = np.empty(0)
        self._regression = LogisticRegression()
        self.classes_ = np.array(list(classes))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        fit_on(self, self.statistics(X), y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> Floats:
        """Return probabilities ``(n, classes)`` without the channels of the mask ``bad``."""
        return self.predict_statistics(self.statistics(X if bad is None else X[:, ~bad]))

    def statistics(self, X: FloatArray) -> Statistics:
        """Return the correlations of each epoch ``(n, channels, samples)``."""
        return {CORRELATIONS: canonical_correlations(X, self._frequencies)}

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Fit the regression; the correlations are those of whatever channels are good."""
        correlations = statistics[CORRELATIONS]
        self._centre, self._scale = correlations.mean(axis=0), correlations.std(axis=0)
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        self._regression.fit(self._features(statistics), targets, len(self.classes_))
        return self

    def predict_statistics(self, statistics: Statistics) -> Floats:
        """Return probabilities ``(n, classes)`` of the epochs behind the statistics."""
        return self._regression.predict_proba(self._features(statistics))

    def to_state(self) -> State:
        """Return the fitted arrays."""
        config = {
            "kind": "cca",
            "frequencies": list(self._frequencies),
            "classes": self.classes_.tolist(),
        }
        weights = self._regression.weights
        return State(config, {"centre": self._centre, "scale": self._scale, "weights": weights})

    @classmethod
    def from_state(cls, state: State) -> CanonicalClassifier:
        """Build the classifier that :meth:`to_state` describes."""
        classifier = cls(tuple(state.config["frequencies"]), state.config["classes"])
        classifier._centre, classifier._scale = state.arrays["centre"], state.arrays["scale"]
        classifier._regression.weights = state.arrays["weights"]
        return classifier

    def _features(self, statistics: Statistics) -> Floats:
        scale = np.maximum(self._scale, np.finfo(np.float64).tiny)
        features: Floats = (statistics[CORRELATIONS] - self._centre) / scale
        return features


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
