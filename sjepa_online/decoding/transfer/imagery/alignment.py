"""Euclidean alignment: every person's signal is whitened by the person's own mean covariance.

It needs no labels (He and Wu 2020), so that it starts before the first labelled trial and goes
on while decoding.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: Shrinkage of the mean covariance towards a multiple of the identity.
SHRINKAGE = 0.02
#: So many trials' worth is the mean covariance of the population before the person's first trial.
PRIOR_TRIALS = 1.0
#: Trials after which an old one has lost its influence: the alignment follows slow changes.
MEMORY = 60.0


def mean_covariance(covariances: NDArray[np.floating]) -> Floats:
    """Return each trial's mean over kernels and windows, scaled to a mean variance of 1.

    Parameters
    ----------
    covariances : ndarray, shape (n, kernels, windows, channels, channels)

    Returns
    -------
    ndarray, shape (n, channels, channels)
        A trial with an artefact counts no more than any other.
    """
    means = covariances.mean(axis=(1, 2), dtype=np.float64)
    variance = np.trace(means, axis1=1, axis2=2) / means.shape[-1]
    scaled: Floats = means / np.maximum(variance, np.finfo(float).tiny)[:, np.newaxis, np.newaxis]
    return scaled


def inverse_root(covariance: Floats) -> Floats:
    """Return the inverse square root of a covariance after shrinkage.

    Parameters
    ----------
    covariance : ndarray, shape (channels, channels)
        Symmetric; the shrinkage makes it invertible.

    Returns
    -------
    ndarray, shape (channels, channels)
        Symmetric.
    """
    n_channels = len(covariance)
    identity = np.eye(n_channels) * np.trace(covariance) / n_channels
    values, vectors = np.linalg.eigh((1 - SHRINKAGE) * covariance + SHRINKAGE * identity)
    root: Floats = (vectors / np.sqrt(values)) @ vectors.T
    return root


class Alignment:
    """The running mean covariance of one person.

    One trial after the other enters it, so that chunking makes no difference.

    Parameters
    ----------
    mean : ndarray, shape (channels, channels)
        The population's mean covariance at the start.
    weight : float
        How many trials it is worth.
    """

    def __init__(self, mean: Floats, weight: float = PRIOR_TRIALS) -> None:
        self.mean = np.array(mean, dtype=np.float64)
        self.weight = weight

    def update(self, trials: Iterable[Floats]) -> None:
        """Take in the covariances ``(channels, channels)`` of further trials, in their order.

        Parameters
        ----------
        trials : iterable of ndarray, shape (channels, channels)
            One covariance for each trial, as :func:`mean_covariance` returns them.
        """
        for covariance in trials:
            self.weight = min(self.weight + 1, MEMORY)
            self.mean += (covariance - self.mean) / self.weight

    @property
    def whitening(self) -> Floats:
        """The map ``(channels, channels)`` that aligns the person's signal."""
        return inverse_root(self.mean)
