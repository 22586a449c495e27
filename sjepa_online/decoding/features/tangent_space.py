"""Covariances as vectors: the tangent space at their Riemannian mean (Barachant et al. 2012).

The mean is pyRiemann's. What runs for every live decision is written for stacks of matrices
here: the library's checks of each matrix take longer than the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from sjepa_online.typing import Floats, Indices

#: Where the iteration for the mean ends; a reference only has to be near the mean.
TOLERANCE = 1e-2
#: Eigenvalues below this share of the largest count as this share.
SMALLEST_EIGENVALUE = 1e-10
_TINY = float(np.finfo(np.float64).tiny)


class TangentSpace:
    """Several covariances per trial, each mapped to the tangent space at its own mean.

    Attributes
    ----------
    references : ndarray, shape (blocks, d, d)
        The Riemannian mean of each block's covariances.
    """

    def __init__(self, references: Floats | None = None) -> None:
        self._set_references(np.empty((0, 1, 1)) if references is None else references)

    def fit(self, covariances: Floats) -> TangentSpace:
        """Find the Riemannian mean of every block.

        Parameters
        ----------
        covariances : ndarray, shape (n, blocks, d, d)

        Returns
        -------
        TangentSpace
        """
        # only here: pyRiemann imports matplotlib and more, for which no live decoder should wait
        from pyriemann.geometry.mean import mean_riemann

        blocks = np.moveaxis(covariances, 1, 0)
        self._set_references(np.stack([mean_riemann(block, tol=TOLERANCE) for block in blocks]))
        return self

    def transform(self, covariances: Floats) -> Floats:
        """Return tangent vectors; entries off the diagonal times the root of 2 keep the norm.

        Parameters
        ----------
        covariances : ndarray, shape (n, blocks, d, d)

        Returns
        -------
        vectors : ndarray, shape (n, blocks, d (d + 1) / 2)
        """
        logarithms = matrix_function(self._whitening @ covariances @ self._whitening, np.log)
        rows, columns, scale = _upper_triangle(covariances.shape[-1])
        vectors: Floats = logarithms[..., rows, columns] * scale
        return vectors

    def _set_references(self, references: Floats) -> None:
        self.references = references
        self._whitening = matrix_function(references, lambda values: 1 / np.sqrt(values))


@lru_cache(maxsize=32)
def _upper_triangle(d: int) -> tuple[Indices, Indices, Floats]:
    """Return rows and columns of the upper triangle, and the scale that keeps the norm."""
    rows, columns = np.triu_indices(d)
    return rows, columns, np.where(rows == columns, 1.0, np.sqrt(2.0))


def flatten(vectors: Floats) -> Floats:
    """Join the tangent vectors of all blocks, also where there is no trial.

    Parameters
    ----------
    vectors : ndarray, shape (n, blocks, k)

    Returns
    -------
    joined : ndarray, shape (n, blocks * k)
    """
    n, blocks, k = vectors.shape
    return vectors.reshape(n, blocks * k)


def matrix_function(matrices: Floats, function: Callable[[Floats], Floats]) -> Floats:
    """Apply a function to the eigenvalues of symmetric matrices.

    Parameters
    ----------
    matrices : ndarray, shape (..., d, d)
    function : callable
        Gets eigenvalues ``(..., d)``, none below 1e-10 of the largest.

    Returns
    -------
    ndarray, shape (..., d, d)
    """
    values, vectors = np.linalg.eigh(matrices)
    floor = np.maximum(SMALLEST_EIGENVALUE * values[..., -1:], _TINY)
    values = np.maximum(values, floor)
    result: Floats = (vectors * function(values)[..., np.newaxis, :]) @ vectors.swapaxes(-1, -2)
    return result


def shrink(covariances: Floats, share: float | Floats) -> Floats:
    """Move covariances towards a multiple of the identity of the same trace.

    Parameters
    ----------
    covariances : ndarray, shape (..., d, d)
    share : float or ndarray, shape (..., 1, 1)
        0 leaves them as they are, 1 gives the multiple of the identity.

    Returns
    -------
    shrunk : ndarray, shape (..., d, d)
    """
    d = covariances.shape[-1]
    mean_variance = np.trace(covariances, axis1=-2, axis2=-1)[..., np.newaxis, np.newaxis] / d
    shrunk: Floats = (1 - share) * covariances + share * mean_variance * np.eye(d)
    return shrunk


def shrunk_covariances(signals: Floats) -> Floats:
    """Return covariances with oracle approximating shrinkage.

    Parameters
    ----------
    signals : ndarray, shape (..., d, samples)
        Their mean over time is removed.

    Returns
    -------
    covariances : ndarray, shape (..., d, d)
    """
    return oracle_shrink(channel_covariances(signals), signals.shape[-1])


def channel_covariances(signals: Floats) -> Floats:
    """Return sample covariances.

    Parameters
    ----------
    signals : ndarray, shape (..., d, samples)
        Their mean over time is removed.

    Returns
    -------
    covariances : ndarray, shape (..., d, d)
    """
    centred = signals - signals.mean(axis=-1, keepdims=True)
    covariances: Floats = centred @ centred.swapaxes(-1, -2) / signals.shape[-1]
    return covariances


def oracle_shrink(covariances: Floats, n_samples: int) -> Floats:
    """Shrink sample covariances as Chen et al. 2010 (eq. 23) do.

    Parameters
    ----------
    covariances : ndarray, shape (..., d, d)
        Sample covariances.
    n_samples : int
        Number of samples behind each.

    Returns
    -------
    shrunk : ndarray, shape (..., d, d)
    """
    d = covariances.shape[-1]
    # the formula that scikit-learn's OAS uses, for stacks
    mean_variance = np.trace(covariances, axis1=-2, axis2=-1)[..., np.newaxis, np.newaxis] / d
    mean_square = np.mean(covariances**2, axis=(-2, -1), keepdims=True)
    numerator = mean_square + mean_variance**2
    denominator = (n_samples + 1) * (mean_square - mean_variance**2 / d)
    share = np.minimum(1.0, numerator / np.maximum(denominator, _TINY))
    return shrink(covariances, share)


def filter_covariances(spatial: Floats, covariances: Floats) -> Floats:
    """Return the covariances of spatially filtered channels.

    Parameters
    ----------
    spatial : ndarray, shape (virtual, channels)
    covariances : ndarray, shape (..., channels, channels)

    Returns
    -------
    covariances : ndarray, shape (..., virtual, virtual)
    """
    filtered: Floats = spatial @ covariances @ spatial.T
    return filtered
