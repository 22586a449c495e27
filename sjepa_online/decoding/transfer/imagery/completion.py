"""Electrodes that a person lacks, as the population expects them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.montage_match import Nearby

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Estimate:
    """All electrodes of a population from those that a person has.

    Attributes
    ----------
    to_all : ndarray, shape (channels, measured)
        Map from the electrodes that are there to those of the population.
    rest : ndarray, shape (kernels, channels, channels), or None
        Covariance of what cannot be estimated; None where every electrode is there.
    expected : float
        Power that the population expects of the electrodes that are there.
    """

    to_all: Floats
    rest: Floats | None
    expected: float

    def amount_of_rest(self, covariances: Floats32) -> Floats32:
        """Return how much of the rest belongs to each trial.

        Parameters
        ----------
        covariances : ndarray, shape (n, kernels, windows, measured, measured)

        Returns
        -------
        ndarray, shape (n,)
            The power of the trial over what the population expects.
        """
        _, n_kernels, n_windows, _, _ = covariances.shape
        power = np.einsum("nkwcc->n", covariances) / (n_kernels * n_windows)
        return np.asarray(power / self.expected, dtype=np.float32)

    def complete(self, measured: RhythmTrials) -> RhythmTrials:
        """Return trials on all electrodes of the population.

        Parameters
        ----------
        measured : RhythmTrials
            On the electrodes that are there, in the population's order.

        Returns
        -------
        completed : RhythmTrials
        """
        if self.rest is None and self.to_all.shape[1] == len(self.to_all):
            # nothing is missing and nothing lies beside
            return measured
        to_all = self.to_all.astype(np.float32)
        covariances = np.asarray(to_all @ measured.covariances @ to_all.T, dtype=np.float32)
        if self.rest is not None:
            amount = self.amount_of_rest(measured.covariances)[:, None, None, None, None]
            covariances += amount * self.rest[:, np.newaxis].astype(np.float32)
        return RhythmTrials(to_all @ measured.signals, covariances)


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

    def estimate(self, there: Mask) -> Estimate:
        """Return how the electrodes of the population follow from those that are there.

        Parameters
        ----------
        there : ndarray of bool, shape (channels,)
            Of the population's electrodes, followed by those beside them.

        Returns
        -------
        estimate : Estimate
        """
        known = self._expected[:, there][:, :, there]
        expected = float(np.trace(known, axis1=-2, axis2=-1).mean())
        if there[: self._n].all():
            return Estimate(np.eye(len(there))[: self._n, there], None, expected)
        to_all, rest = self._filter.without(~there)
        return Estimate(to_all[:, there], rest, expected)
