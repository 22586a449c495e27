"""What is read from virtual channels behind the local encoder's first convolution.

A readout maps epochs to virtual channels, filters those with the first convolution of the local
encoder at every sample, and reads one aspect of the result with a convex classifier: the phase
(ERP), the shape against the classes' mean responses (ERP), power and its spatial pattern (motor
imagery), or the power at the stimulus frequencies (SSVEP). The convolution is read before its
GroupNorm, which would remove the power.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from pyriemann.spatialfilters import Xdawn
from scipy.special import log_softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sjepa_online.decoding.logistic import LogisticRegression
from sjepa_online.decoding.spectral import cross_spectra, stimulus_frequencies
from sjepa_online.decoding.tangent import TangentSpace, shrink, shrunk_covariances

Floats = NDArray[np.float64]
Targets = NDArray[np.integer[Any]]

#: xDAWN filters for each class.
N_XDAWN = 4
#: Virtual channels of second-order readouts, where there are more electrodes.
MAX_VIRTUAL = 16
#: The paper's stride of the first convolution, for readouts that keep the time course.
STRIDE = 8
#: Shrinkage of covariances towards a multiple of the identity.
SHRINKAGE = 0.02
#: Virtual channels are filtered in batches of so many epochs, which bounds memory.
BATCH = 64


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
        self.spatial: Floats = np.empty((0, 0))
        self.weights: Floats = np.empty((0, 0))

    @abstractmethod
    def fit(self, X: Floats, targets: Targets, n_classes: int) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and class indices ``(n,)``."""

    @abstractmethod
    def features(self, X: Floats) -> Floats:
        """Return what the classifier reads, ``(n, d)``."""

    def log_proba(self, X: Floats) -> Floats:
        """Return log probabilities ``(n, classes)``."""
        logits = self.features(X) @ self.weights[:-1] + self.weights[-1]
        result: Floats = log_softmax(logits, axis=1)
        return result

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name."""
        return {"kernels": self.kernels, "spatial": self.spatial, "weights": self.weights}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
        self.kernels, self.spatial, self.weights = (
            arrays[name] for name in ("kernels", "spatial", "weights")
        )
        return self

    def _convolve(self, X: Floats, stride: int = 1) -> Floats:
        """Return the filtered virtual channels ``(n, kernels, virtual, time)``."""
        virtual = torch.from_numpy(np.ascontiguousarray(self.spatial @ X))
        n, n_virtual, n_times = virtual.shape
        kernels = torch.from_numpy(self.kernels[:, np.newaxis])
        filtered = torch.nn.functional.conv1d(
            virtual.reshape(n * n_virtual, 1, n_times), kernels, stride=stride
        )
        filtered = filtered.reshape(n, n_virtual, len(self.kernels), -1)
        result: Floats = filtered.transpose(1, 2).numpy()
        return result


class PhaseLocked(Readout):
    """xDAWN virtual channels (Rivet et al. 2009), time course, shrinkage LDA."""

    kind = "phase-locked"

    def fit(self, X: Floats, targets: Targets, n_classes: int) -> Self:
        """Fit the filters and the classifier."""
        self.spatial = _xdawn(X, targets)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        lda.fit(self.features(X), targets)
        self.weights = _two_sided(lda.coef_, lda.intercept_)
        return self

    def features(self, X: Floats) -> Floats:
        """Return the filtered virtual channels at the paper's stride, flattened."""
        return self._convolve(X, STRIDE).reshape(len(X), -1)


class TemplateCovariance(Readout):
    """Covariance of the trial with the classes' mean responses (Barachant and Congedo 2014)."""

    kind = "template-covariance"

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.templates: Floats = np.empty((0, 0, 0))
        self.tangent = TangentSpace()

    def fit(self, X: Floats, targets: Targets, n_classes: int) -> Self:
        """Fit the filters, the templates and the classifier."""
        self.spatial = _xdawn(X, targets)
        filtered = self._convolve(X)
        share = len(self.spatial) // n_classes
        self.templates = np.concatenate(
            [
                filtered[targets == index].mean(axis=0)[:, index * share : (index + 1) * share]
                for index in range(n_classes)
            ],
            axis=1,
        )
        covariance = self._covariances(filtered)
        vectors = self.tangent.fit(covariance).transform(covariance).reshape(len(X), -1)
        self.weights = LogisticRegression().fit(vectors, targets, n_classes).weights
        return self

    def features(self, X: Floats) -> Floats:
        """Return tangent vectors of the covariances."""
        return self.tangent.transform(self._covariances(self._convolve(X))).reshape(len(X), -1)

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name."""
        references = self.tangent.references
        return {**super().arrays(), "templates": self.templates, "references": references}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
        self.templates = arrays["templates"]
        self.tangent = TangentSpace(arrays["references"])
        return super().restore(arrays)

    def _covariances(self, filtered: Floats) -> Floats:
        templates = np.broadcast_to(self.templates, (len(filtered), *self.templates.shape))
        return shrunk_covariances(np.concatenate([templates, filtered], axis=2))


class SecondOrder(Readout):
    """Whitened virtual channels, their covariance behind each kernel, tangent space."""

    kind = "second-order"

    def __init__(self, kernels: Floats) -> None:
        super().__init__(kernels)
        self.tangent = TangentSpace()

    def fit(self, X: Floats, targets: Targets, n_classes: int) -> Self:
        """Fit the whitening, the means and the classifier."""
        self.spatial = whitening(X, MAX_VIRTUAL)
        matrices = self._matrices(X)
        vectors = self.tangent.fit(matrices).transform(matrices).reshape(len(X), -1)
        self.weights = self._classifier().fit(vectors, targets, n_classes).weights
        return self

    def features(self, X: Floats) -> Floats:
        """Return tangent vectors of the matrices."""
        return self.tangent.transform(self._matrices(X)).reshape(len(X), -1)

    def arrays(self) -> dict[str, Floats]:
        """Return the fitted arrays by name."""
        return {**super().arrays(), "references": self.tangent.references}

    def restore(self, arrays: dict[str, Floats]) -> Self:
        """Take the arrays of :meth:`arrays`."""
        self.tangent = TangentSpace(arrays["references"])
        return super().restore(arrays)

    def _classifier(self) -> LogisticRegression:
        return LogisticRegression()

    def _matrices(self, X: Floats) -> Floats:
        batches = [X[start : start + BATCH] for start in range(0, len(X), BATCH)]
        return np.concatenate([self._matrices_of(self._convolve(batch)) for batch in batches])

    def _matrices_of(self, filtered: Floats) -> Floats:
        """Return ``(n, kernels, virtual, virtual)``."""
        return shrunk_covariances(filtered)


class StimulusPower(SecondOrder):
    """Cross-spectra at the stimulus frequencies and their second harmonics, summed over kernels.

    Parameters
    ----------
    kernels : ndarray, shape (kernels, 32)
    frequencies : tuple of float
        Stimulus frequencies (Hz) of the classes that have one.
    """

    kind = "stimulus-power"

    def __init__(self, kernels: Floats, frequencies: tuple[float, ...]) -> None:
        super().__init__(kernels)
        self.frequencies = frequencies

    def _matrices_of(self, filtered: Floats) -> Floats:
        """Return ``(n, frequencies, virtual, virtual)``."""
        n, n_kernels, n_virtual, n_times = filtered.shape
        spectra = cross_spectra(
            filtered.reshape(n * n_kernels, n_virtual, n_times),
            stimulus_frequencies(self.frequencies),
        )
        summed = spectra.reshape(n, n_kernels, *spectra.shape[1:]).sum(axis=1)
        return shrink(summed, SHRINKAGE)


def whitening(X: Floats, n_virtual: int) -> Floats:
    """Return a spatial filter ``(virtual, channels)`` that decorrelates the channels.

    The inverse square root of the mean covariance, which stays closest to the electrodes; or
    its leading principal components, where there are more electrodes than virtual channels.
    """
    centred = X - X.mean(axis=-1, keepdims=True)
    covariance = np.einsum("nct,ndt->cd", centred, centred) / (len(X) * X.shape[-1])
    values, vectors = np.linalg.eigh(shrink(covariance, SHRINKAGE))
    if n_virtual >= len(values):
        return np.asarray((vectors / np.sqrt(values)) @ vectors.T)
    return np.asarray((vectors[:, -n_virtual:] / np.sqrt(values[-n_virtual:])).T)


def _xdawn(X: Floats, targets: Targets) -> Floats:
    filters: Floats = Xdawn(min(N_XDAWN, X.shape[1]), estimator="lwf").fit(X, targets).filters_
    return filters


def _two_sided(slopes: Floats, intercepts: Floats) -> Floats:
    """Return linear weights with one column a class; scikit-learn has one for two classes."""
    weights: Floats = np.vstack([slopes.T, intercepts[np.newaxis]])
    if weights.shape[1] == 1:
        weights = np.hstack([np.zeros_like(weights), weights])
    return weights
