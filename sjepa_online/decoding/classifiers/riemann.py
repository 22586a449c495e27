"""The Riemannian baselines that labs use today, in the form that suits each paradigm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from sjepa_online.decoding.bad_channels.channel_dropout import (
    FilterWithoutChannels,
    Mask,
    thin,
    weights_without,
)
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.features.spatial_filters import (
    MAX_RESPONSE,
    MAX_VIRTUAL,
    SHRINKAGE,
    response_filters,
    whitening,
    xdawn,
)
from sjepa_online.decoding.features.spectral import (
    RHYTHM_BANDS,
    band_covariances,
    cross_spectra,
    stimulus_frequencies,
)
from sjepa_online.decoding.features.tangent_space import (
    TangentSpace,
    channel_covariances,
    filter_covariances,
    flatten,
    shrink,
)
from sjepa_online.decoding.serialization import FloatArray, State, Statistics, fit_on
from sjepa_online.protocol import Paradigm

Floats = NDArray[np.float64]

#: The convolution that leaves a signal as it is.
_IDENTITY: Floats = np.ones((1, 1))


class RiemannClassifier:
    """Covariances, tangent space at their Riemannian mean, logistic regression.

    - ``ssvep``: cross-spectra at each stimulus frequency and its second harmonic.
    - ``mi``: covariances in overlapping bands (filter-bank tangent space).
    - ``erp``: covariances of the trial with the classes' xDAWN responses (Barachant 2014).

    Many electrodes are first reduced to 16 (``ssvep``) or 24 (``mi``) virtual channels: the
    tangent space of all has more dimensions than a calibration can estimate.

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
        self._bands = RHYTHM_BANDS
        self._tangent = TangentSpace()
        self._weights: Floats = np.empty((0, 0))
        self._weights_without: Floats = np.empty((0, 0))
        self._filter = FilterWithoutChannels(np.empty((0, 0)), np.empty((0, 0, 0)))
        self._evoked: Floats = np.empty((0, 0))
        self.classes_ = np.array(list(classes))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        fit_on(self, self.statistics(X), y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> Floats:
        """Return probabilities ``(n, classes)`` without the channels of the mask ``bad``."""
        spatial, rest = self._filter.without(bad)
        virtual: Floats = spatial @ np.asarray(X, dtype=np.float64)
        weights = weights_without(self._weights, self._weights_without, bad)
        if self._paradigm != "erp":
            return self._classify(self._power(virtual) + rest, weights)
        matrices = self._with_responses(virtual)
        n_virtual = len(spatial)
        matrices[..., -n_virtual:, -n_virtual:] += rest
        return self._classify(matrices, weights)

    def statistics(self, X: FloatArray) -> Statistics:
        """Return what is read of each epoch ``(n, channels, samples)``."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        covariance = channel_covariances(epochs)
        if self._paradigm == "erp":
            return {"epochs": epochs, "covariance": covariance}
        return {"covariance": covariance, "riemann": self._power(epochs)}

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Fit the spatial filters, the means and the classifier."""
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        self._fit_spatial(statistics, targets)
        matrices = self._regularised(self._matrices(statistics))
        vectors = flatten(self._tangent.fit(matrices).transform(matrices))
        self._weights = LogisticRegression().fit(vectors, targets, len(self.classes_)).weights
        self._weights_without = self._weights
        if copies and self._paradigm != "erp":
            self._fit_without_channels(vectors, statistics, targets)
        return self

    def _fit_without_channels(
        self, vectors: Floats, statistics: Statistics, targets: NDArray[np.intp]
    ) -> None:
        """Fit the weights that decode while channels are bad."""
        thinned = thin(self._filter, statistics["riemann"])
        copies = self._vectors(thinned.matrices)
        regression = LogisticRegression()
        regression.fit_with_copies(vectors, copies, targets, thinned, len(self.classes_))
        self._weights_without = regression.weights

    def predict_statistics(self, statistics: Statistics) -> Floats:
        """Return probabilities ``(n, classes)`` of the epochs behind the statistics."""
        return self._classify(self._matrices(statistics), self._weights)

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
            "weights_without": self._weights_without,
            "spatial": self._filter.spatial,
            "channel_covariances": self._filter.covariances,
            "evoked": self._evoked,
        }
        if self._paradigm == "mi":
            arrays["bands"] = self._bands
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State) -> RiemannClassifier:
        """Build the classifier that :meth:`to_state` describes."""
        config, arrays = state.config, state.arrays
        classifier = cls(config["paradigm"], tuple(config["frequencies"]), config["classes"])
        classifier._tangent = TangentSpace(arrays["references"])
        classifier._weights = arrays["weights"]
        classifier._weights_without = arrays["weights_without"]
        classifier._evoked = arrays["evoked"]
        if classifier._paradigm == "mi":
            classifier._bands = arrays["bands"]
        classifier._filter = FilterWithoutChannels(arrays["spatial"], arrays["channel_covariances"])
        return classifier

    def _fit_spatial(self, statistics: Statistics, targets: NDArray[np.intp]) -> None:
        if self._paradigm == "erp":
            epochs = statistics["epochs"]
            spatial, self._evoked = xdawn(epochs, targets)
            covariances = statistics["covariance"].mean(axis=0)[np.newaxis]
            self._filter = FilterWithoutChannels(spatial, covariances)
            return
        covariance, blocks = (statistics[name].mean(axis=0) for name in ("covariance", "riemann"))
        most = MAX_RESPONSE if self._paradigm == "ssvep" else MAX_VIRTUAL
        if len(covariance) <= most:
            spatial = np.eye(len(covariance))
        elif self._paradigm == "ssvep":
            spatial = response_filters(covariance, blocks.mean(axis=0))
        else:
            spatial = whitening(covariance)
        self._filter = FilterWithoutChannels(spatial, blocks)

    def _matrices(self, statistics: Statistics) -> Floats:
        """Return ``(n, blocks, virtual, virtual)``."""
        if self._paradigm == "erp":
            return self._with_responses(self._filter.spatial @ statistics["epochs"])
        return filter_covariances(self._filter.spatial, statistics["riemann"])

    def _with_responses(self, virtual: Floats) -> Floats:
        """Return the covariance of virtual channels with the classes' mean responses."""
        from pyriemann.geometry.covariance import covariances_EP

        matrices: Floats = covariances_EP(virtual, self._evoked, estimator="lwf")
        return matrices[:, np.newaxis]

    def _regularised(self, matrices: Floats) -> Floats:
        return matrices if self._paradigm == "erp" else shrink(matrices, SHRINKAGE)

    def _classify(self, matrices: Floats, weights: Floats) -> Floats:
        logits = self._vectors(matrices) @ weights[:-1] + weights[-1]
        probabilities: Floats = softmax(logits, axis=1)
        return probabilities

    def _vectors(self, matrices: Floats) -> Floats:
        return flatten(self._tangent.transform(self._regularised(matrices)))

    def _power(self, X: Floats) -> Floats:
        """Return ``(n, blocks, channels, channels)``, quadratic in the channels."""
        if self._paradigm == "ssvep":
            return cross_spectra(X, stimulus_frequencies(self._frequencies))
        return band_covariances(X, self._bands, _IDENTITY)
