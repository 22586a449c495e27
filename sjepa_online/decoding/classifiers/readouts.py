"""Readouts of virtual channels behind the local encoder's first convolution.

A readout maps epochs to virtual channels, filters those with the first convolution of the local
encoder, and reads one aspect of the result with a convex classifier: the phase (ERP), the shape
against the classes' mean responses (ERP), power in bands and its spatial pattern (motor imagery),
or the power at the stimulus frequencies (SSVEP). The convolution is read before its GroupNorm,
which would remove the power; where only power is read, the gain of its kernels suffices. With a
kernel of a single 1 a readout is the Riemannian classifier that labs use today.

Covariances are linear in the channels' products, so a spatial filter that is applied to them gives
what filtering the channels first would give.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, Self

import numpy as np
import torch

from sjepa_online.decoding.bad_channels.channel_dropout import blend_weights, drop_channels
from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.base import EPOCHS, Features
from sjepa_online.decoding.classifiers.logistic import LogisticRegression, row_space
from sjepa_online.decoding.features.filterbank_covariances import filterbank_covariances
from sjepa_online.decoding.features.spatial_filters import (
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
    shrunk_covariances,
)
from sjepa_online.typing import BoolMask, Floats, Integers

#: The paper's stride of the first convolution, for readouts that keep the time course.
STRIDE = 8
#: Epochs are convolved in batches of so many numbers, which bounds memory.
BATCH_VALUES = 2**21
#: The mean covariance of the channels, among the features.
COVARIANCE = "covariance"


class Prior(Protocol):
    """A prior of a readout's weights from other people's recordings."""

    def weights(self, spatial: Floats, covariance: Floats) -> Floats:
        """Return weights to shrink towards.

        Parameters
        ----------
        spatial : ndarray, shape (virtual, channels)
            The readout's spatial filter.
        covariance : ndarray, shape (channels, channels)
            Mean covariance of the epochs.

        Returns
        -------
        weights : ndarray, shape (d + 1, classes)
            The intercepts in the last row.
        """


class Readout(ABC):
    """One aspect of the first convolution's output, read by a convex classifier.

    Parameters
    ----------
    kernels : ndarray, shape (kernels, taps)
        The first convolution's kernels that this readout uses.

    Attributes
    ----------
    kind : str
        Names the readout, its own features and its arrays in a file.
    filter : DynamicSpatialFilter
        From channels to virtual channels.
    weights : ndarray, shape (d + 1, classes)
        Of the convex classifier, the intercepts in the last row.
    """

    kind: ClassVar[str]

    def __init__(self, kernels: Floats) -> None:
        self.kernels = kernels
        self.filter = DynamicSpatialFilter.unfitted()
        self.weights: Floats = np.empty((0, 0))

    @abstractmethod
    def features(self, X: Floats) -> Features:
        """Return the features of each epoch, which depend on no other epoch.

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
    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the spatial filter and the convex classifier.

        Parameters
        ----------
        features : dict of str to ndarray
            Of :meth:`features`.
        targets : ndarray of int, shape (n,)
            Class indices.
        n_classes : int
        channel_dropout : bool
            Whether to fit, too, weights that decode while channels are bad, where the readout
            has such weights.

        Returns
        -------
        Self
        """

    @abstractmethod
    def vectors(self, features: Features) -> Floats:
        """Return the vectors that the convex classifier reads.

        Parameters
        ----------
        features : dict of str to ndarray
            Of :meth:`features`.

        Returns
        -------
        vectors : ndarray, shape (n, d)
        """

    def log_proba(self, features: Features) -> Floats:
        """Return log probabilities.

        Parameters
        ----------
        features : dict of str to ndarray
            Of :meth:`features`.

        Returns
        -------
        log_probabilities : ndarray, shape (n, classes)
        """
        return self._classify(self.vectors(features))

    @abstractmethod
    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs, faster than by their features.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz; finite in bad channels, where they have no influence.
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without.

        Returns
        -------
        log_probabilities : ndarray, shape (n, classes)
        """

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name.

        Returns
        -------
        arrays : dict of str to ndarray
        """
        return {
            "kernels": self.kernels,
            "spatial": self.filter.spatial,
            "channel_covariances": self.filter.covariances,
            "weights": self.weights,
        }

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Set the fitted arrays.

        Parameters
        ----------
        arrays : dict of str to ndarray
            Those of :meth:`arrays`.

        Returns
        -------
        Self
        """
        self.kernels, self.weights = arrays["kernels"], arrays["weights"]
        self.filter = DynamicSpatialFilter(arrays["spatial"], arrays["channel_covariances"])
        return self

    def _classify(self, vectors: Floats, weights: Floats | None = None) -> Floats:
        weights = self.weights if weights is None else weights
        logits = vectors @ weights[:-1] + weights[-1]
        result: Floats = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return result

    def _in_batches(self, X: Floats) -> Floats:
        size = max(1, BATCH_VALUES // (len(self.kernels) * X.shape[1] * X.shape[2]))
        starts = range(0, max(1, len(X)), size)
        return np.concatenate([self._raw_matrices(X[start : start + size]) for start in starts])

    @abstractmethod
    def _raw_matrices(self, X: Floats) -> Floats:
        """Return ``(n, blocks, channels, channels)``, quadratic in the channels."""

    def _convolve(self, X: Floats, stride: int = 1) -> Floats:
        """Return the filtered channels ``(n, kernels, channels, time)``."""
        # single precision, as the network's own: half the time of a decision
        signal = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32))
        n, n_channels, n_times = signal.shape
        kernels = torch.from_numpy(self.kernels[:, np.newaxis].astype(np.float32))
        filtered = torch.nn.functional.conv1d(
            signal.reshape(n * n_channels, 1, n_times), kernels, stride=stride
        )
        filtered = filtered.reshape(n, n_channels, len(self.kernels), -1)
        result: Floats = filtered.transpose(1, 2).double().numpy()
        return result


class ResponseReadout(Readout):
    """Reads responses that follow an event: through xDAWN filters (Rivet et al. 2009)."""

    #: The covariance of the channels behind the kernels, among the features.
    power: ClassVar[str] = "slow-power"

    def features(self, X: Floats) -> Features:
        """Return the epochs and the channels' power. See :meth:`Readout.features`."""
        return {EPOCHS: X, self.power: self._in_batches(X)}

    def _raw_matrices(self, X: Floats) -> Floats:
        """Return ``(n, kernels, channels, channels)``, quadratic in the channels."""
        return filterbank_covariances(X, self.kernels)

    def _fit_filters(self, features: Features, targets: Integers) -> Floats:
        """Fit the filters, and return the virtual channels ``(n, virtual, samples)``."""
        spatial = xdawn(features[EPOCHS], targets)
        self.filter = DynamicSpatialFilter(spatial, features[self.power].mean(axis=0))
        return self._virtual(features)

    def _virtual(self, features: Features) -> Floats:
        virtual: Floats = self.filter.spatial @ features[EPOCHS]
        return virtual


class PhaseLocked(ResponseReadout):
    """xDAWN virtual channels, time course, shrinkage LDA."""

    kind = "phase-locked"

    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the filters and the classifier. See :meth:`Readout.fit`."""
        vectors = self._time_courses(self._fit_filters(features, targets))
        self.weights = discriminant(vectors, targets)
        return self

    def vectors(self, features: Features) -> Floats:
        """Return the filtered virtual channels at the paper's stride.

        See :meth:`Readout.vectors`.
        """
        return self._time_courses(self._virtual(features))

    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs. See :meth:`Readout.log_proba_of`."""
        spatial, _ = self.filter.without(bad)
        return self._classify(self._time_courses(spatial @ X))

    def _time_courses(self, virtual: Floats) -> Floats:
        return self._convolve(virtual, STRIDE).reshape(len(virtual), -1)


class TemplateCovariance(ResponseReadout):
    """Covariance of the trial with the classes' mean responses (Barachant and Congedo 2014)."""

    kind = "template-covariance"

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.templates: Floats = np.empty((0, 0, 0))
        self.tangent = TangentSpace()

    def fit(
        self,
        features: Features,
        targets: Integers,
        n_classes: int,
        *,
        channel_dropout: bool = False,
    ) -> Self:
        """Fit the filters, the templates and the classifier. See :meth:`Readout.fit`."""
        filtered = self._convolve(self._fit_filters(features, targets))
        share = len(self.filter.spatial) // n_classes
        self.templates = np.concatenate(
            [
                filtered[targets == index].mean(axis=0)[:, index * share : (index + 1) * share]
                for index in range(n_classes)
            ],
            axis=1,
        )
        covariances = self._covariances(filtered)
        vectors = flatten(self.tangent.fit(covariances).transform(covariances))
        self.weights = LogisticRegression().fit(vectors, targets, n_classes).weights
        return self

    def vectors(self, features: Features) -> Floats:
        """Return tangent vectors of the covariances. See :meth:`Readout.vectors`."""
        covariances = self._covariances(self._convolve(self._virtual(features)))
        return flatten(self.tangent.transform(covariances))

    def log_proba_of(self, X: Floats, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of epochs. See :meth:`Readout.log_proba_of`."""
        spatial, residual = self.filter.without(bad)
        covariances = self._covariances(self._convolve(spatial @ X))
        n_virtual = len(spatial)
        covariances[..., -n_virtual:, -n_virtual:] += residual
        return self._classify(flatten(self.tangent.transform(covariances)))

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name. See :meth:`Readout.arrays`."""
        references = self.tangent.references
        return {**super().arrays(), "templates": self.templates, "references": references}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Set the fitted arrays. See :meth:`Readout.restore`."""
        self.templates = arrays["templates"]
        self.tangent = TangentSpace(arrays["references"])
        return super().restore(arrays)

    def _covariances(self, filtered: Floats) -> Floats:
        """Return the covariances of templates and trial, ``(n, kernels, d, d)``."""
        templates = np.broadcast_to(self.templates, (len(filtered), *self.templates.shape))
        return shrunk_covariances(np.concatenate([templates, filtered], axis=2))


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


def discriminant(features: Floats, targets: Integers) -> Floats:
    """Fit shrinkage LDA; where there are more features than trials, in the space they span.

    Parameters
    ----------
    features : ndarray, shape (n, d)
    targets : ndarray of int, shape (n,)
        Class indices.

    Returns
    -------
    weights : ndarray, shape (d + 1, classes)
        The intercepts in the last row.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    basis = row_space(features) if features.shape[1] > len(features) else None
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    lda.fit(features if basis is None else features @ basis, targets)
    slopes = lda.coef_ if basis is None else lda.coef_ @ basis.T
    return _two_sided(slopes, lda.intercept_)


def _two_sided(slopes: Floats, intercepts: Floats) -> Floats:
    """Return linear weights with one column a class; scikit-learn has one for two classes."""
    weights: Floats = np.vstack([slopes.T, intercepts[np.newaxis]])
    if weights.shape[1] == 1:
        weights = np.hstack([np.zeros_like(weights), weights])
    return weights
