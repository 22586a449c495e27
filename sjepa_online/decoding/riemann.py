"""The Riemannian baselines that labs use today, in the form that suits each paradigm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from pyriemann.geometry.covariance import covariances, covariances_EP
from pyriemann.spatialfilters import Xdawn
from scipy.signal import butter, sosfiltfilt
from scipy.special import softmax

from sjepa_online.decoding.logistic import LogisticRegression
from sjepa_online.decoding.spectral import cross_spectra, stimulus_frequencies
from sjepa_online.decoding.state import FloatArray, State
from sjepa_online.decoding.tangent import TangentSpace, shrink
from sjepa_online.protocol import MODEL_SFREQ, Paradigm

Floats = NDArray[np.float64]

#: Bands (Hz) of the filter bank for motor imagery.
BANDS = ((8.0, 12.0), (12.0, 16.0), (16.0, 22.0), (22.0, 30.0))
BAND_ORDER = 4
#: xDAWN filters for each class.
N_XDAWN = 4
SHRINKAGE = 0.02


class RiemannClassifier:
    """Covariances, tangent space at their Riemannian mean, logistic regression.

    - ``ssvep``: cross-spectra at each stimulus frequency and its second harmonic.
    - ``mi``: covariances in four bands (filter-bank tangent space).
    - ``erp``: covariances of the trial with the classes' xDAWN responses (Barachant 2014).

    Parameters
    ----------
    paradigm : {"ssvep", "erp", "mi"}
    frequencies : tuple of float
        Stimulus frequencies (Hz), for ``ssvep``.
    classes : sequence
        Classes in the order of the probabilities.
    """

    def __init__(
        self, paradigm: Paradigm, frequencies: tuple[float, ...], classes: Sequence[Any]
    ) -> None:
        self._paradigm: Paradigm = paradigm
        self._frequencies = tuple(frequencies)
        self._tangent = TangentSpace()
        self._weights: Floats = np.empty((0, 0))
        self._xdawn: Floats = np.empty((0, 0))
        self._evoked: Floats = np.empty((0, 0))
        self.classes_ = np.array(list(classes))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        if self._paradigm == "erp":
            xdawn = Xdawn(min(N_XDAWN, X.shape[1]), estimator="lwf").fit(epochs, targets)
            self._xdawn, self._evoked = xdawn.filters_, xdawn.evokeds_
        matrices = self._covariances(epochs)
        vectors = self._tangent.fit(matrices).transform(matrices).reshape(len(X), -1)
        self._weights = LogisticRegression().fit(vectors, targets, len(self.classes_)).weights
        return self

    def predict_proba(self, X: FloatArray, bad: Sequence[str] | None = None) -> Floats:
        """Return probabilities ``(n, classes)``; ``bad`` channels were replaced before."""
        matrices = self._covariances(np.asarray(X, dtype=np.float64))
        vectors = self._tangent.transform(matrices).reshape(len(X), -1)
        probabilities: Floats = softmax(vectors @ self._weights[:-1] + self._weights[-1], axis=1)
        return probabilities

    def to_state(self) -> State:
        """Return the fitted arrays."""
        config = {
            "kind": "riemann",
            "paradigm": self._paradigm,
            "frequencies": list(self._frequencies),
            "classes": self.classes_.tolist(),
        }
        arrays = {
            "references": self._tangent.references,
            "weights": self._weights,
            "xdawn": self._xdawn,
            "evoked": self._evoked,
        }
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State) -> RiemannClassifier:
        """Build the classifier that :meth:`to_state` describes."""
        config, arrays = state.config, state.arrays
        classifier = cls(config["paradigm"], tuple(config["frequencies"]), config["classes"])
        classifier._tangent = TangentSpace(arrays["references"])
        classifier._weights = arrays["weights"]
        classifier._xdawn, classifier._evoked = arrays["xdawn"], arrays["evoked"]
        return classifier

    def _covariances(self, X: Floats) -> Floats:
        """Return ``(n, blocks, d, d)``."""
        if self._paradigm == "ssvep":
            spectra = cross_spectra(X, stimulus_frequencies(self._frequencies))
            return shrink(spectra, SHRINKAGE)
        if self._paradigm == "mi":
            return np.stack(
                [covariances(_band(X, band), estimator="oas") for band in BANDS], axis=1
            )
        sources = self._xdawn @ X
        matrices: Floats = covariances_EP(sources, self._evoked, estimator="lwf")
        return matrices[:, np.newaxis]


def _band(X: Floats, band: tuple[float, float]) -> Floats:
    """Band-pass whole epochs; the epoch is complete, so no phase needs to be lost."""
    sections = butter(BAND_ORDER, band, "bandpass", fs=MODEL_SFREQ, output="sos")
    filtered: Floats = sosfiltfilt(sections, X, axis=-1)
    return filtered
