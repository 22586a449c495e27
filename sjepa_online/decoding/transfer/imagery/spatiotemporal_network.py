"""Networks of filters over electrodes and time at once, beside those of spatial filters.

A filter of the power network is a spatial filter behind a kernel: every electrode sees the same
rhythm at the same moment. A filter over electrodes and time follows a rhythm that travels, and is
read for its power like the others (the first layers of ShallowConvNet, Schirrmeister et al. 2017,
as one). It errs on other trials, so that the mean of both is better than each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    SMALLEST_POWER,
    STRIDE,
    frames,
    n_samples,
    n_windows,
)

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

#: Samples of a block; a window is two neighbouring blocks, 0.25 s.
BLOCK = 16


@dataclass(frozen=True, eq=False)
class SpatioTemporalNetwork:
    """Networks that read the power behind filters over electrodes and time.

    Attributes
    ----------
    filters : ndarray, shape (seeds, filters, channels, taps)
        On aligned signals at 128 Hz.
    scale : ndarray, shape (seeds, windows, filters)
        What the logarithms of the power are multiplied by.
    weights : ndarray, shape (seeds, windows, filters)
        Of the scaled logarithms, for the class right.
    """

    filters: Floats32
    scale: Floats32
    weights: Floats32

    @property
    def n_windows(self) -> int:
        """How many windows it reads."""
        return int(self.scale.shape[1])

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What a file keeps; see :meth:`read`."""
        return {
            "filters": self.filters,
            "filter_scale": self.scale,
            "filter_weights": self.weights,
        }

    @classmethod
    def read(cls, arrays: Mapping[str, NDArray[Any]]) -> SpatioTemporalNetwork | None:
        """Take the arrays of a file.

        Parameters
        ----------
        arrays : mapping of str to ndarray

        Returns
        -------
        network : SpatioTemporalNetwork or None
            None where the file has none.
        """
        if "filters" not in arrays:
            return None
        return cls(arrays["filters"], arrays["filter_scale"], arrays["filter_weights"])

    @property
    def n_samples(self) -> int:
        """Samples of the shortest epoch that holds every window."""
        return n_samples(self.n_windows, self.filters.shape[-1], BLOCK)

    def part(self, start: int, n_times: int) -> SpatioTemporalNetwork:
        """Return the network of the windows that lie within other epochs.

        Parameters
        ----------
        start : int
            First sample of the epochs, of those that the network reads.
        n_times : int
            Their samples.

        Returns
        -------
        network : SpatioTemporalNetwork
        """
        first = start // BLOCK
        shown = slice(first, first + n_windows(n_times, self.filters.shape[-1], BLOCK))
        return SpatioTemporalNetwork(self.filters, self.scale[:, shown], self.weights[:, shown])

    def aligned(self, alignment: Floats, mirror: NDArray[np.intp]) -> Floats32:
        """Return the filters for a person's own signals.

        Parameters
        ----------
        alignment : ndarray, shape (channels, measured)
            Map from the channels that a person has to the aligned ones.
        mirror : ndarray of int, shape (channels,)
            Each channel's counterpart on the other side.

        Returns
        -------
        ndarray, shape (2 * seeds * filters, measured * taps)
            First for the signal as it is, then for its mirror image.
        """
        n_channels, n_taps = self.filters.shape[2:]
        filters = self.filters.reshape(-1, n_channels, n_taps)
        both = np.concatenate([filters, filters[:, mirror]])
        own = alignment.T @ both
        return np.asarray(own.reshape(len(both), -1), dtype=np.float32)

    def features(self, signals: Floats32, aligned: Floats32) -> Floats32:
        """Return half the scaled log ratio of a trial's power to that of its mirror image.

        Parameters
        ----------
        signals : ndarray, shape (n, measured, samples)
        aligned : ndarray
            Of :meth:`aligned`.

        Returns
        -------
        ndarray, shape (n, features)
            Their sum after multiplication with :attr:`flat_weights` decides.
        """
        n_seeds, n_filters, _, _ = self.filters.shape
        power = np.empty((len(signals), len(aligned), self.n_windows), dtype=np.float32)
        for trial, signal in enumerate(signals):
            power[trial] = self._power(aligned, signal)
        logarithm = np.log(np.maximum(power, SMALLEST_POWER))
        shape = (len(signals), 2, n_seeds, n_filters, self.n_windows)
        as_it_is, mirrored = logarithm.reshape(shape).swapaxes(0, 1)
        ratios = (as_it_is - mirrored).swapaxes(2, 3) / 2 * self.scale
        return np.asarray(ratios.reshape(len(signals), self.weights.size), dtype=np.float32)

    @property
    def flat_weights(self) -> Floats32:
        """Weights ``(features,)`` of the mean over the seeds."""
        return np.asarray(self.weights.ravel() / len(self.filters), dtype=np.float32)

    def _power(self, aligned: Floats32, signal: Floats32) -> Floats32:
        """Return the power of one signal behind each filter ``(filters, windows)``."""
        n_taps, per_block = self.filters.shape[-1], BLOCK // STRIDE
        n_outputs = (self.n_windows + 1) * per_block
        taps = frames(signal, n_taps, STRIDE, n_outputs).swapaxes(1, 2)
        outputs = aligned @ np.ascontiguousarray(taps).reshape(-1, n_outputs)
        in_blocks = outputs.reshape(len(aligned), -1, per_block)
        blocks = np.einsum("fbo,fbo->fb", in_blocks, in_blocks) / per_block
        return np.asarray((blocks[:, :-1] + blocks[:, 1:]) / 2, dtype=np.float32)
