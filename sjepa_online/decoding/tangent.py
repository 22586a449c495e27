"""Covariances as vectors: the tangent space at their Riemannian mean (Barachant et al. 2012)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pyriemann.geometry.mean import mean_riemann
from pyriemann.geometry.tangentspace import tangent_space

Floats = NDArray[np.float64]


class TangentSpace:
    """Several covariances per trial, each mapped to the tangent space at its own mean.

    Attributes
    ----------
    references : ndarray, shape (blocks, d, d)
        The Riemannian mean of each block's covariances.
    """

    def __init__(self, references: Floats | None = None) -> None:
        self.references: Floats = np.empty((0, 0, 0)) if references is None else references

    def fit(self, covariances: Floats) -> TangentSpace:
        """Find the means of ``covariances (n, blocks, d, d)``."""
        self.references = np.stack(
            [mean_riemann(block, tol=1e-6) for block in np.moveaxis(covariances, 1, 0)]
        )
        return self

    def transform(self, covariances: Floats) -> Floats:
        """Return tangent vectors ``(n, blocks, d (d + 1) / 2)``."""
        vectors: Floats = np.stack(
            [
                tangent_space(block, reference)
                for block, reference in zip(
                    np.moveaxis(covariances, 1, 0), self.references, strict=True
                )
            ],
            axis=1,
        )
        return vectors


def shrink(covariances: Floats, share: float) -> Floats:
    """Move covariances ``(..., d, d)`` towards a multiple of the identity of the same trace."""
    d = covariances.shape[-1]
    mean_variance = np.trace(covariances, axis1=-2, axis2=-1)[..., np.newaxis, np.newaxis] / d
    shrunk: Floats = (1 - share) * covariances + share * mean_variance * np.eye(d)
    return shrunk
