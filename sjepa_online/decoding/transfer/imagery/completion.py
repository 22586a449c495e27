"""Electrodes that a person lacks, as the population expects them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.transfer.montage_match import Nearby

Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Completion:
    """Fill in the covariances of electrodes that are not there.

    They are estimated from the others by the population's covariance; what cannot be estimated
    is added as expected power, which says nothing of left or right.

    Parameters
    ----------
    covariances : ndarray, shape (kernels, channels, channels)
        Mean covariance of the population behind each kernel.
    nearby : Nearby or None
        Electrodes beside those of the population, which tell of the missing ones too.
    """

    def __init__(self, covariances: NDArray[np.floating], nearby: Nearby | None = None) -> None:
        own = np.asarray(covariances, dtype=np.float64)
        self._expected = own if nearby is None else nearby.extend(own)
        self._n = own.shape[-1]
        wanted = np.eye(self._expected.shape[-1])[: self._n]
        self._filter = DynamicSpatialFilter(wanted, self._expected)

    def __call__(self, covariances: Floats32, there: Mask) -> Floats32:
        """Return covariances of all electrodes of the population.

        Parameters
        ----------
        covariances : ndarray, shape (n, kernels, windows, channels, channels)
            Of the population's electrodes, followed by those beside them. Rows and columns of
            electrodes that are not there may hold anything finite.
        there : ndarray of bool, shape (channels,)
        """
        if there[: self._n].all():
            return covariances[..., : self._n, : self._n]
        estimate, rest = self._filter.without(~there)
        to_all = estimate[:, there].astype(np.float32)
        known = covariances[..., there, :][..., there]
        completed = np.asarray(to_all @ known @ to_all.T, dtype=np.float32)
        power = np.trace(known, axis1=-2, axis2=-1).mean(axis=(1, 2))
        expected = np.trace(self._expected[:, there][:, :, there], axis1=-2, axis2=-1).mean()
        ratio = (power / expected).astype(np.float32)
        completed += ratio[:, None, None, None, None] * rest[:, np.newaxis].astype(np.float32)
        return completed
