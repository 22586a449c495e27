"""The noise of epochs as covariances over lags: structured, so that few epochs suffice.

The covariance of a spatio-temporal epoch is taken as block-Toeplitz (Sosulski and Tangermann 2022,
J. Neural Eng. 19, 066034): stationary noise has the same covariance of channels wherever in the
epoch two samples with the same lag stand. From those lagged covariances come one spectrum for all
channels and one covariance of the channels, whose Kronecker product is inverted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.linalg import toeplitz

from sjepa_online.decoding.features.spatial_filters import SHRINKAGE, whitening
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.typing import FloatArray, Floats

#: Samples of an epoch (128 Hz) that become one: what an ERP says lies below 12 Hz.
DECIMATION = 4
#: Longest lag (s) whose correlation is estimated; shorter ones are tapered towards it.
LONGEST_LAG = 1.0
#: Share of the variance that is white, so that the inverse exists.
WHITE = 0.02


@lru_cache(maxsize=8)
def decimation(n_times: int, step: int = DECIMATION) -> Floats:
    """Return the matrix that smooths an epoch and keeps every 4th sample.

    Parameters
    ----------
    n_times : int
        Samples of an epoch at 128 Hz.
    step : int
        How many samples become one, where they are not 4.

    Returns
    -------
    matrix : ndarray, shape (samples, n_times)
    """
    kernel = np.hanning(2 * step + 1)[1:-1]
    centres = np.arange(step // 2, n_times, step)
    offsets = np.arange(n_times) - centres[:, np.newaxis] + len(kernel) // 2
    inside = (offsets >= 0) & (offsets < len(kernel))
    matrix: Floats = np.where(inside, kernel[np.clip(offsets, 0, len(kernel) - 1)], 0.0)
    matrix /= kernel.sum()
    return matrix


def decimated_times(n_samples: int, start: float) -> Floats:
    """Return the times of decimated samples.

    Parameters
    ----------
    n_samples : int
    start : float
        Seconds from the marker to the epoch's first sample.

    Returns
    -------
    times : ndarray, shape (n_samples,)
        Seconds after the marker.
    """
    return start + (DECIMATION // 2 + DECIMATION * np.arange(n_samples)) / MODEL_SFREQ


@dataclass(frozen=True, eq=False)
class LaggedNoise:
    """Covariances of the channels at every lag, of epochs without their common mean.

    Attributes
    ----------
    covariances : ndarray, shape (lags, channels, channels)
        In µV², at 32 Hz; divided by the samples of an epoch whatever the lag, which keeps the
        Toeplitz matrix positive.
    n_epochs : float
    n_samples : int
        Of an epoch.
    """

    covariances: Floats
    n_epochs: float
    n_samples: int

    @classmethod
    def fit(cls, epochs: FloatArray) -> LaggedNoise:
        """Estimate the noise.

        Parameters
        ----------
        epochs : ndarray, shape (n, channels, samples)
            Decimated, without their common mean.

        Returns
        -------
        LaggedNoise
        """
        n, n_channels, n_samples = epochs.shape
        n_lags = min(round(LONGEST_LAG * MODEL_SFREQ / DECIMATION), n_samples)
        by_channel = np.ascontiguousarray(epochs.transpose(1, 0, 2))
        covariances = np.empty((n_lags, n_channels, n_channels))
        for lag in range(n_lags):
            early = by_channel[:, :, : n_samples - lag].reshape(n_channels, -1)
            late = by_channel[:, :, lag:].reshape(n_channels, -1)
            covariances[lag] = early @ late.T / (n * n_samples)
        return cls(covariances, float(n), n_samples)

    @property
    def amplitude(self) -> float:
        """Root mean square over channels and samples (µV)."""
        return float(np.sqrt(np.trace(self.covariances[0]) / self.covariances.shape[1]))

    def joined(self, other: LaggedNoise | None) -> LaggedNoise:
        """Return the noise of both sets of epochs.

        Parameters
        ----------
        other : LaggedNoise or None
            None for no others.

        Returns
        -------
        LaggedNoise
        """
        if other is None:
            return self
        total = self.n_epochs + other.n_epochs
        weighted = self.covariances * self.n_epochs + other.covariances * other.n_epochs
        return LaggedNoise(weighted / total, total, self.n_samples)

    def precision_in_time(self) -> Floats:
        """Return the inverse of the correlation in time of all channels.

        Returns
        -------
        precision : ndarray, shape (samples, samples)
        """
        n_lags, n_samples = len(self.covariances), self.n_samples
        power = np.maximum(np.diagonal(self.covariances[0]), np.finfo(np.float64).tiny)
        by_lag = np.diagonal(self.covariances, axis1=1, axis2=2)
        correlation = (by_lag / power).mean(axis=1) * (1 - np.arange(n_lags) / n_lags)
        correlation[0] += WHITE
        inverse: Floats = np.linalg.inv(
            toeplitz(np.pad(correlation, (0, max(n_samples - n_lags, 0)))[:n_samples])
        )
        return inverse

    def whitening(self, precision: Floats) -> Floats:
        """Return the spatial filter ``(channels, channels)`` that whitens what is white in time.

        Parameters
        ----------
        precision : ndarray, shape (samples, samples)
            Of :meth:`precision_in_time`.

        Returns
        -------
        spatial : ndarray, shape (channels, channels)
        """
        n_samples = len(precision)
        weights = np.array([np.trace(precision, lag) for lag in range(len(self.covariances))])
        # pairs of samples at a lag stand in a Toeplitz matrix as often as its diagonal is long
        weights *= n_samples / np.maximum(n_samples - np.arange(len(weights)), 1) / n_samples
        total = np.tensordot(weights, self.covariances, axes=1)
        symmetric = total + total.T - weights[0] * self.covariances[0]
        return whitening(_positive(symmetric), len(symmetric))


def _positive(matrix: Floats) -> Floats:
    """Return a symmetric matrix without eigenvalues that shrinkage could not make positive."""
    values, vectors = np.linalg.eigh(matrix)
    least = SHRINKAGE * max(float(values.mean()), np.finfo(np.float64).tiny)
    result: Floats = (vectors * np.maximum(values, least)) @ vectors.T
    return result
