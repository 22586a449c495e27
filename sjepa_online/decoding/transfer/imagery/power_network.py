"""The network of a population of imagery, ready to decode.

It is the pre-local network of S-JEPA with a readout for rhythms: a spatial filter, the first
convolution of the local encoder, the power of its output in windows of 0.5 s without phase, and
a linear layer. Several networks of other seeds are averaged. Every trial is read as it is and as
its mirror image; left and right exchange their parts in it, and half the difference of the two
decides.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    SMALLEST_POWER,
    upper_triangles,
)

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class PowerNetwork:
    """Networks that read the power of virtual channels.

    Attributes
    ----------
    spatial : ndarray, shape (seeds, virtual, channels)
        Spatial filters, on aligned signals.
    scale : ndarray, shape (seeds, windows, kernels, virtual)
        What the logarithms of the power are multiplied by.
    weights : ndarray, shape (seeds, windows, kernels, virtual)
        Of the scaled logarithms, for the class right.
    """

    spatial: Floats32
    scale: Floats32
    weights: Floats32

    @property
    def n_windows(self) -> int:
        """How many windows it reads."""
        return int(self.scale.shape[1])

    def part(self, first: int, stop: int) -> PowerNetwork:
        """Return the network of some of the windows.

        Parameters
        ----------
        first, stop : int
            The first window, and the one behind the last.

        Returns
        -------
        network : PowerNetwork
        """
        shown = slice(first, stop)
        return PowerNetwork(self.spatial, self.scale[:, shown], self.weights[:, shown])

    def quadratic(self, alignment: Floats, mirror: NDArray[np.intp]) -> Floats32:
        """Return the form that gives the power of virtual channels from covariances.

        Parameters
        ----------
        alignment : ndarray, shape (channels, measured)
            Map from the channels that a person has to the aligned ones.
        mirror : ndarray of int, shape (channels,)
            Each channel's counterpart on the other side.

        Returns
        -------
        ndarray, shape (measured * (measured + 1) / 2, 2 * seeds * virtual)
            For the upper triangle of measured covariances; first as the signal is, then as its
            mirror image.
        """
        filters = self.spatial.reshape(-1, self.spatial.shape[-1])
        both = np.concatenate([filters, filters[:, mirror]]) @ alignment
        rows, columns = np.triu_indices(both.shape[1])
        form = both[:, rows] * both[:, columns] * np.where(rows == columns, 1.0, 2.0)
        return np.asarray(form.T, dtype=np.float32, order="C")

    def features(
        self, covariances: Floats32, quadratic: Floats32, rest: Floats32 | None = None
    ) -> Floats32:
        """Return half the scaled log ratio of a trial's power to that of its mirror image.

        Parameters
        ----------
        covariances : ndarray, shape (n, kernels, windows, measured, measured)
        quadratic : ndarray
            Of :meth:`quadratic`.
        rest : ndarray, shape (n, kernels, 2 * seeds * virtual), or None
            Power that is added in every window.

        Returns
        -------
        ndarray, shape (n, features)
            Their sum after multiplication with :attr:`flat_weights` decides.
        """
        n, n_kernels = covariances.shape[:2]
        chosen = upper_triangles(covariances[:, :, : self.n_windows])
        power = chosen.reshape(-1, chosen.shape[-1]) @ quadratic
        power = power.reshape(n, n_kernels, self.n_windows, quadratic.shape[1])
        if rest is not None:
            power += rest[:, :, np.newaxis]
        logarithm = np.log(np.maximum(power, SMALLEST_POWER))
        both = logarithm.reshape(n, n_kernels, self.n_windows, 2, *self.spatial.shape[:2])
        ratios = (both[:, :, :, 0] - both[:, :, :, 1]) / 2
        ordered = ratios.transpose(0, 3, 2, 1, 4) * self.scale
        return np.asarray(ordered.reshape(n, self.weights.size), dtype=np.float32)

    @property
    def flat_weights(self) -> Floats32:
        """Weights ``(features,)`` of the mean over the seeds."""
        return np.asarray(self.weights.ravel() / len(self.spatial), dtype=np.float32)
