"""Readouts of power and its spatial pattern: rhythms, and responses to flicker."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np

from sjepa_online.decoding.bad_channels.channel_dropout import blend_weights, drop_channels
from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.base import Features
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.classifiers.readouts.base import Prior, Readout
from sjepa_online.decoding.features.spatial_filters import (
    SHRINKAGE,
    response_filters,
    whitening,
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
from sjepa_online.typing import BoolMask, Floats, Integers

#: The mean covariance of the channels, among the features.
COVARIANCE = "covariance"


class SecondOrder(Readout):
    """Whitened virtual channels, matrices quadratic in them, tangent space."""

    #: Share by which whitened matrices move towards a multiple of the identity.
    shrinkage: ClassVar[float] = SHRINKAGE

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.tangent = TangentSpace()
        self.augmented_weights: Floats = np.empty((0, 0))

    def features(self, X: Floats) -> Features:
        """Return covariances before and behind the kernels. See :meth:`Readout.features`."""
        return {COVARIANCE: channel_covariances(X), self.kind: self._in_batches(X)}

    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the spatial filter, the means and the classifier. See :meth:`Readout.fit`."""
        self._fit_filter(features)
        channels, learned = self._examples(features[self.kind], targets)
        matrices = filter_covariances(self.filter.spatial, channels)
        self.tangent.fit(self._regularised(matrices))
        vectors = self._tangent_vectors(matrices)
        regression = self._regression(features)
        self.weights = regression.fit(vectors, learned, n_classes).weights
        if channel_dropout:
            augmented = drop_channels(self.filter, channels)
            dropped = self._tangent_vectors(augmented.matrices)
            regression.fit_augmented(vectors, dropped, learned, augmented, n_classes)
        self.augmented_weights = regression.weights
        return self

    def vectors(self, features: Features) -> Floats:
        """Return tangent vectors of the matrices. See :meth:`Readout.vectors`."""
        return self._tangent_vectors(filter_covariances(self.filter.spatial, features[self.kind]))

    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs. See :meth:`Readout.log_proba_of`."""
        spatial, residual = self.filter.without(bad)
        # few virtual channels are faster than many electrodes
        matrices: Floats = self._in_batches(spatial @ X) + residual
        weights = blend_weights(self.weights, self.augmented_weights, bad)
        return self._classify(self._tangent_vectors(matrices), weights)

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name. See :meth:`Readout.arrays`."""
        references, augmented = self.tangent.references, self.augmented_weights
        return {**super().arrays(), "references": references, "weights_without": augmented}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Set the fitted arrays. See :meth:`Readout.restore`."""
        self.tangent = TangentSpace(arrays["references"])
        self.augmented_weights = arrays["weights_without"]
        return super().restore(arrays)

    def _fit_filter(self, features: Features) -> None:
        spatial = self._spatial_filter(features[COVARIANCE].mean(axis=0), features[self.kind])
        self.filter = DynamicSpatialFilter(spatial, features[self.kind].mean(axis=0))

    def _spatial_filter(self, covariance: Floats, matrices: Floats) -> Floats:
        """Return the filter ``(virtual, channels)`` of a mean covariance and the matrices."""
        return whitening(covariance)

    def _examples(self, matrices: Floats, targets: Integers) -> tuple[Floats, Integers]:
        """Return matrices of channels to learn from, and their class indices."""
        return matrices, targets

    def _regression(self, features: Features) -> LogisticRegression:
        return LogisticRegression()

    def _tangent_vectors(self, matrices: Floats) -> Floats:
        """Return ``(n, d)`` of matrices ``(n, blocks, virtual, virtual)``."""
        return flatten(self.tangent.transform(self._regularised(matrices)))

    def _regularised(self, matrices: Floats) -> Floats:
        return shrink(matrices, self.shrinkage)


class BandPower(SecondOrder):
    """Covariances in the bands of rhythms, summed over the kernels."""

    kind = "band-power"

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.bands = RHYTHM_BANDS

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name. See :meth:`Readout.arrays`."""
        return {**super().arrays(), "bands": self.bands}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Set the fitted arrays. See :meth:`Readout.restore`."""
        self.bands = arrays["bands"]
        return super().restore(arrays)

    def _raw_matrices(self, X: Floats) -> Floats:
        """Return ``(n, bands, channels, channels)``, quadratic in the channels."""
        return band_covariances(X, self.bands, self.kernels)


class StimulusPower(SecondOrder):
    """Cross-spectra at the stimulus frequencies and their second harmonics, summed over kernels.

    Parameters
    ----------
    kernels : ndarray, shape (kernels, 32)
    frequencies : tuple of float
        Stimulus frequencies (Hz) of the classes that have one.
    prior : Prior or None
        Weights to shrink towards instead of zero.
    """

    kind = "stimulus-power"
    shrinkage = 0.2

    def __init__(
        self, kernels: Floats, frequencies: tuple[float, ...], prior: Prior | None = None
    ) -> None:
        super().__init__(_with_identity(kernels))
        self.frequencies = frequencies
        self._prior = prior

    def align(self, features: Features) -> None:
        """Take over the prior's weights, aligned by the signal of epochs without labels.

        Parameters
        ----------
        features : dict of str to ndarray
            Of :meth:`features`.
        """
        assert self._prior is not None
        self._fit_filter(features)
        matrices = filter_covariances(self.filter.spatial, features[self.kind])
        self.tangent.fit(self._regularised(matrices))
        covariance = features[COVARIANCE].mean(axis=0)
        self.weights = self._prior.weights(self.filter.spatial, covariance)
        self.augmented_weights = self.weights

    def _regression(self, features: Features) -> LogisticRegression:
        if self._prior is None:
            return LogisticRegression()
        covariance = features[COVARIANCE].mean(axis=0)
        return LogisticRegression(self._prior.weights(self.filter.spatial, covariance))

    def _spatial_filter(self, covariance: Floats, matrices: Floats) -> Floats:
        return response_filters(covariance, matrices.mean(axis=(0, 1)))

    def _raw_matrices(self, X: Floats) -> Floats:
        """Return ``(n, frequencies, channels, channels)``, quadratic in the channels."""
        filtered = self._convolve(X)
        n, n_kernels = filtered.shape[:2]
        spectra = cross_spectra(
            filtered.reshape(n * n_kernels, *filtered.shape[2:]),
            stimulus_frequencies(self.frequencies),
        )
        summed: Floats = spectra.reshape(n, n_kernels, *spectra.shape[1:]).sum(axis=1)
        return summed


def _with_identity(kernels: Floats) -> Floats:
    """Append a kernel that passes everything: others end below some second harmonics."""
    identity = np.zeros((1, kernels.shape[1]))
    identity[0, kernels.shape[1] // 2] = 1.0
    return np.concatenate([kernels, identity])
