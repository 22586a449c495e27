"""What every readout of the first convolution does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol, Self

import numpy as np
import torch

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.base import Features
from sjepa_online.typing import BoolMask, Floats, Integers

#: Epochs are convolved in batches of so many numbers, which bounds memory.
BATCH_VALUES = 2**21


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
