"""What is read from virtual channels behind the local encoder's first convolution.

A readout maps epochs to virtual channels, filters those with the first convolution of the local
encoder, and reads one aspect of the result with a convex classifier: the phase (ERP), the shape
against the classes' mean responses (ERP), power in bands and its spatial pattern (motor imagery),
or the power at the stimulus frequencies (SSVEP). The convolution is read before its GroupNorm,
which would remove the power; where only power is read, its kernels' gain says all of it.

What a readout needs of an epoch without knowing any other is its ``statistics``: computed once,
they serve every fold of a cross-validation. Covariances are linear in the channels' products, so
a spatial filter applied to them gives what filtering the channels first would give.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.channel_dropout import (
    FilterWithoutChannels,
    Mask,
    thin,
    weights_without,
)
from sjepa_online.decoding.classifiers.logistic import LogisticRegression, row_space
from sjepa_online.decoding.features.filterbank_covariances import convolved_covariances
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
from sjepa_online.decoding.serialization import Statistics

Floats = NDArray[np.float64]
Targets = NDArray[np.integer[Any]]

#: The paper's stride of the first convolution, for readouts that keep the time course.
STRIDE = 8
#: Epochs are convolved in batches of so many numbers, which bounds memory.
BATCH_VALUES = 2**21
#: The covariance of the channels behind the slow kernels, among the statistics.
SLOW_POWER = "slow-power"


class Prior(Protocol):
    """What other people's recordings say of a readout's weights."""

    def weights(self, spatial: Floats, covariance: Floats) -> Floats:
        """Return weights ``(d + 1, classes)`` to shrink towards.

        Parameters
        ----------
        spatial : ndarray, shape (virtual, channels)
            The readout's spatial filter.
        covariance : ndarray, shape (channels, channels)
            Mean covariance of the epochs.
        """


class Readout(ABC):
    """One aspect of the first convolution's output, read by a convex classifier.

    Parameters
    ----------
    kernels : ndarray, shape (kernels, 32)
        The first convolution's kernels that this readout uses.
    """

    kind: ClassVar[str]

    def __init__(self, kernels: Floats) -> None:
        self.kernels = kernels
        self.filter = FilterWithoutChannels(np.empty((0, 0)), np.empty((0, 0, 0)))
        self.weights: Floats = np.empty((0, 0))

    @abstractmethod
    def statistics(self, X: Floats) -> Statistics:
        """Return what is read of epochs ``(n, channels, samples)`` in µV at 128 Hz."""

    @abstractmethod
    def fit(self, statistics: Statistics, targets: Targets, n_classes: int) -> Self:
        """Fit on the epochs' statistics and class indices ``(n,)``."""

    @abstractmethod
    def features(self, statistics: Statistics) -> Floats:
        """Return what the classifier reads, ``(n, d)``."""

    def log_proba(self, statistics: Statistics) -> Floats:
        """Return log probabilities ``(n, classes)``."""
        return self._classify(self.features(statistics))

    @abstractmethod
    def log_proba_of(self, X: Floats, bad: Mask | None = None) -> Floats:
        """Return log probabilities ``(n, classes)`` of epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz; finite in bad channels, where they have no influence.
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without.
        """

    def _classify(self, features: Floats, weights: Floats | None = None) -> Floats:
        weights = self.weights if weights is None else weights
        logits = features @ weights[:-1] + weights[-1]
        result: Floats = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return result

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name."""
        return {
            "kernels": self.kernels,
            "spatial": self.filter.spatial,
            "channel_covariances": self.filter.covariances,
            "weights": self.weights,
        }

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
        self.kernels, self.weights = arrays["kernels"], arrays["weights"]
        self.filter = FilterWithoutChannels(arrays["spatial"], arrays["channel_covariances"])
        return self

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

    def statistics(self, X: Floats) -> Statistics:
        """Return the epochs, as xDAWN filters depend on the labels, and the channels' power."""
        return {"epochs": X, SLOW_POWER: self._in_batches(X)}

    def _raw_matrices(self, X: Floats) -> Floats:
        """Return ``(n, kernels, channels, channels)``, quadratic in the channels."""
        return convolved_covariances(X, self.kernels)

    def _fit_filters(self, statistics: Statistics, targets: Targets) -> Floats:
        """Fit the filters, and return the virtual channels ``(n, virtual, samples)``."""
        spatial, _ = xdawn(statistics["epochs"], targets)
        self.filter = FilterWithoutChannels(spatial, statistics[SLOW_POWER].mean(axis=0))
        virtual: Floats = spatial @ statistics["epochs"]
        return virtual


class PhaseLocked(ResponseReadout):
    """xDAWN virtual channels, time course, shrinkage LDA."""

    kind = "phase-locked"

    def fit(self, statistics: Statistics, targets: Targets, n_classes: int) -> Self:
        """Fit the filters and the classifier."""
        features = self._time_courses(self._fit_filters(statistics, targets))
        self.weights = discriminant(features, targets)
        return self

    def features(self, statistics: Statistics) -> Floats:
        """Return the filtered virtual channels at the paper's stride, flattened."""
        return self._time_courses(self.filter.spatial @ statistics["epochs"])

    def log_proba_of(self, X: Floats, bad: Mask | None = None) -> Floats:
        """Return log probabilities of epochs; see :meth:`Readout.log_proba_of`."""
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

    def fit(self, statistics: Statistics, targets: Targets, n_classes: int) -> Self:
        """Fit the filters, the templates and the classifier."""
        filtered = self._convolve(self._fit_filters(statistics, targets))
        share = len(self.filter.spatial) // n_classes
        self.templates = np.concatenate(
            [
                filtered[targets == index].mean(axis=0)[:, index * share : (index + 1) * share]
                for index in range(n_classes)
            ],
            axis=1,
        )
        covariance = self._covariances(filtered)
        vectors = self.tangent.fit(covariance).transform(covariance).reshape(len(filtered), -1)
        self.weights = LogisticRegression().fit(vectors, targets, n_classes).weights
        return self

    def features(self, statistics: Statistics) -> Floats:
        """Return tangent vectors of the covariances."""
        return self._vectors(self._convolve(self.filter.spatial @ statistics["epochs"]))

    def log_proba_of(self, X: Floats, bad: Mask | None = None) -> Floats:
        """Return log probabilities of epochs; see :meth:`Readout.log_proba_of`."""
        spatial, rest = self.filter.without(bad)
        return self._classify(self._vectors(self._convolve(spatial @ X), rest))

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name."""
        references = self.tangent.references
        return {**super().arrays(), "templates": self.templates, "references": references}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
        self.templates = arrays["templates"]
        self.tangent = TangentSpace(arrays["references"])
        return super().restore(arrays)

    def _vectors(self, filtered: Floats, rest: Floats | None = None) -> Floats:
        covariance = self._covariances(filtered)
        if rest is not None:
            n_virtual = rest.shape[-1]
            covariance[..., -n_virtual:, -n_virtual:] += rest
        return flatten(self.tangent.transform(covariance))

    def _covariances(self, filtered: Floats) -> Floats:
        templates = np.broadcast_to(self.templates, (len(filtered), *self.templates.shape))
        return shrunk_covariances(np.concatenate([templates, filtered], axis=2))


class SecondOrder(Readout):
    """Whitened virtual channels, matrices quadratic in them, tangent space."""

    #: Share by which whitened matrices move towards a multiple of the identity.
    shrinkage: ClassVar[float] = SHRINKAGE

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.tangent = TangentSpace()
        self.weights_without: Floats = np.empty((0, 0))

    def statistics(self, X: Floats) -> Statistics:
        """Return the covariance of the channels, and what is read behind the kernels."""
        return {"covariance": channel_covariances(X), self.kind: self._in_batches(X)}

    def fit(self, statistics: Statistics, targets: Targets, n_classes: int) -> Self:
        """Fit the spatial filter, the means and the classifier."""
        self._fit_filter(statistics)
        channels, learned = self._examples(statistics[self.kind], targets)
        matrices = filter_covariances(self.filter.spatial, channels)
        self.tangent.fit(self._regularised(matrices))
        regression = self._regression(statistics)
        self.weights = regression.fit(self._vectors(matrices), learned, n_classes).weights
        self.weights_without = self.weights
        return self

    def fit_without_channels(
        self, statistics: Statistics, targets: Targets, n_classes: int
    ) -> None:
        """Fit weights that see copies of the trials without some of the channels."""
        channels, learned = self._examples(statistics[self.kind], targets)
        thinned = thin(self.filter, channels)
        copies = self._vectors(thinned.matrices)
        vectors = self._vectors(filter_covariances(self.filter.spatial, channels))
        regression = self._regression(statistics)
        regression.fit_with_copies(vectors, copies, learned, thinned, n_classes)
        self.weights_without = regression.weights

    def features(self, statistics: Statistics) -> Floats:
        """Return what the classifier reads of the matrices."""
        return self._vectors(filter_covariances(self.filter.spatial, statistics[self.kind]))

    def log_proba_of(self, X: Floats, bad: Mask | None = None) -> Floats:
        """Return log probabilities of epochs; see :meth:`Readout.log_proba_of`."""
        spatial, rest = self.filter.without(bad)
        # few virtual channels are faster than many electrodes
        matrices: Floats = self._in_batches(spatial @ X) + rest
        weights = weights_without(self.weights, self.weights_without, bad)
        return self._classify(self._vectors(matrices), weights)

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name."""
        references, without = self.tangent.references, self.weights_without
        return {**super().arrays(), "references": references, "weights_without": without}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
        self.tangent = TangentSpace(arrays["references"])
        self.weights_without = arrays["weights_without"]
        return super().restore(arrays)

    def _fit_filter(self, statistics: Statistics) -> None:
        spatial = self._spatial_filter(statistics["covariance"].mean(axis=0), statistics[self.kind])
        self.filter = FilterWithoutChannels(spatial, statistics[self.kind].mean(axis=0))

    def _spatial_filter(self, covariance: Floats, matrices: Floats) -> Floats:
        return whitening(covariance)

    def _examples(self, matrices: Floats, targets: Targets) -> tuple[Floats, Targets]:
        """Return matrices of channels to learn from, and their class indices."""
        return matrices, targets

    def _regression(self, statistics: Statistics) -> LogisticRegression:
        return LogisticRegression()

    def _vectors(self, matrices: Floats) -> Floats:
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
        """Return the fitted arrays by name."""
        return {**super().arrays(), "bands": self.bands}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
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

    def _regression(self, statistics: Statistics) -> LogisticRegression:
        if self._prior is None:
            return LogisticRegression()
        covariance = statistics["covariance"].mean(axis=0)
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


def discriminant(features: Floats, targets: Targets) -> Floats:
    """Fit shrinkage LDA; where there are more features than trials, in the space they span."""
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
