"""Electrodes that a person lacks, as the population expects them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.montage_match import Nearby

Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


class Completion:
    """Fill in the electrodes that are not there.

    They are estimated from the others by the population's covariance. What cannot be estimated
    is added to the covariances as expected power, which says nothing of left or right.

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

    def __call__(self, trials: RhythmTrials, there: Mask) -> RhythmTrials:
        """Return trials on all electrodes of the population.

        Parameters
        ----------
        trials : RhythmTrials
            On the population's electrodes, followed by those beside them. Electrodes that are
            not there may hold anything finite.
        there : ndarray of bool, shape (channels,)

        Returns
        -------
        completed : RhythmTrials
        """
        if there[: self._n].all():
            own = slice(self._n)
            return RhythmTrials(trials.signals[:, own], trials.covariances[..., own, own])
        estimate, rest = self._filter.without(~there)
        to_all = estimate[:, there].astype(np.float32)
        known = trials.covariances[..., there, :][..., there]
        completed = np.asarray(to_all @ known @ to_all.T, dtype=np.float32)
        power = np.trace(known, axis1=-2, axis2=-1).mean(axis=(1, 2))
        expected = np.trace(self._expected[:, there][:, :, there], axis1=-2, axis2=-1).mean()
        ratio = (power / expected).astype(np.float32)
        completed += ratio[:, None, None, None, None] * rest[:, np.newaxis].astype(np.float32)
        return RhythmTrials(to_all @ trials.signals[:, there], completed)
