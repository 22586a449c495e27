"""Bad channels are estimated from the good ones, before anything sums them.

With W a trained spatial filter, B the bad and G the good channels, the filter in force is
W_G + W_B A with A = C_BG (C_GG + λI)^-1 (the dynamic spatial filter). What A cannot predict of the
bad channels is lacking in the power of the filtered signal, and a matrix without it is singular:
second-order features get the residual covariance, that of B given G, in its place (the
completion step of the EM algorithm for Gaussian data, Dempster et al. 1977).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sjepa_online.decoding.features.tangent_space import filter_covariances
from sjepa_online.model import interpolation_matrix
from sjepa_online.typing import BoolMask, FloatArray, Floats

#: λ of the dynamic spatial filter, as a share of the good channels' mean variance.
REGULARISATION = 0.01


class ChannelInterpolation:
    """Estimate bad channels from good ones by a kernel between channels.

    For a decoder whose first step is a spatial filter W this equals the dynamic spatial filter
    W_G + W_B K_BG (K_GG + λI)^-1.

    Parameters
    ----------
    ch_names : sequence of str
        Channels of the epochs.
    kernel : ndarray, shape (channels, channels)
        The covariance of the calibration, or a blend with a kernel of the positions.
    """

    def __init__(self, ch_names: Sequence[str], kernel: Floats) -> None:
        self.ch_names = tuple(ch_names)
        self.kernel = kernel
        self._bad: frozenset[str] = frozenset()
        self._matrix: Floats = np.empty((0, 0))

    def restore(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return a copy of the epochs whose bad channels are estimates.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz; bad channels may hold anything.
        bad : sequence of str
            At least one of the channels, and not all.

        Returns
        -------
        restored : ndarray, shape (n, channels, samples)

        Raises
        ------
        InputError
            No channel is good.
        """
        is_bad = np.isin(self.ch_names, list(bad))
        if frozenset(bad) != self._bad:
            self._matrix = interpolation_matrix(self.kernel, is_bad, REGULARISATION)[is_bad]
            self._bad = frozenset(bad)
        restored = X.copy()
        restored[:, is_bad] = self._matrix @ X[:, ~is_bad]
        return restored


class DynamicSpatialFilter:
    """A spatial filter, and the filter that replaces it while channels are bad.

    Parameters
    ----------
    spatial : ndarray, shape (virtual, channels)
        The trained filter W.
    covariances : ndarray, shape (blocks, channels, channels)
        Mean covariance of the channels in the calibration, for each second-order feature.
    """

    def __init__(self, spatial: Floats, covariances: Floats) -> None:
        self.spatial = spatial
        self.covariances = covariances
        scale = np.trace(covariances, axis1=-2, axis2=-1)[:, np.newaxis, np.newaxis]
        scaled = covariances / np.maximum(scale, np.finfo(float).tiny)
        self._kernel: Floats = scaled.mean(axis=0) if len(scaled) else np.empty((0, 0))
        self._mask: BoolMask | None = None
        self._in_force = (spatial, np.zeros((len(covariances), len(spatial), len(spatial))))

    @classmethod
    def unfitted(cls) -> DynamicSpatialFilter:
        """Return a filter of no channels, which stands where none is fitted yet.

        Returns
        -------
        filter : DynamicSpatialFilter
        """
        return cls(np.empty((0, 0)), np.empty((0, 0, 0)))

    def without(self, bad: BoolMask | None) -> tuple[Floats, Floats]:
        """Return the filter in force and the residual covariance.

        Parameters
        ----------
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without; None for none.

        Returns
        -------
        spatial : ndarray, shape (virtual, channels)
            Zero in the columns of bad channels.
        residual : ndarray, shape (blocks, virtual, virtual)
            What to add to covariances of the filtered signal; zero while all are good.
        """
        if bad is None:
            return self.spatial, np.zeros_like(self._in_force[1])
        if self._mask is None or not np.array_equal(bad, self._mask):
            self._in_force = self._complete(bad)
            self._mask = bad.copy()
        return self._in_force

    def correlations(self) -> Floats:
        """Return how channels correlate in the calibration.

        Returns
        -------
        correlations : ndarray, shape (channels, channels)
            From -1 to 1.
        """
        amplitude = np.sqrt(np.maximum(np.diag(self._kernel), np.finfo(float).tiny))
        correlations: Floats = self._kernel / np.outer(amplitude, amplitude)
        return correlations

    def _complete(self, bad: BoolMask) -> tuple[Floats, Floats]:
        in_force = np.zeros_like(self.spatial)
        in_force[:, ~bad] = self.spatial @ interpolation_matrix(self._kernel, bad, REGULARISATION)
        # W - W_G - W_B A reads the residual of B
        return in_force, filter_covariances(self.spatial - in_force, self.covariances)
