"""Bad channels are replaced by what the good ones say of them, before anything sums them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.serialization import FloatArray
from sjepa_online.model import compensation

#: λ of the dynamic spatial filter, as a share of the good channels' mean variance.
REGULARISATION = 0.01


class ChannelCompensation:
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

    def __init__(self, ch_names: Sequence[str], kernel: NDArray[np.float64]) -> None:
        self.ch_names = tuple(ch_names)
        self.kernel = kernel
        self._bad: frozenset[str] = frozenset()
        self._matrix: NDArray[np.float64] = np.empty((0, 0))

    def restore(self, X: FloatArray, bad: Sequence[str]) -> FloatArray:
        """Return a copy of the epochs whose bad channels are estimates.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz; bad channels may hold anything.
        bad : sequence of str
            At least one of the channels, and not all.

        Raises
        ------
        InputError
            No channel is good.
        """
        is_bad = np.isin(self.ch_names, list(bad))
        if frozenset(bad) != self._bad:
            self._matrix = compensation(self.kernel, is_bad, REGULARISATION)[is_bad]
            self._bad = frozenset(bad)
        restored = X.copy()
        restored[:, is_bad] = self._matrix @ X[:, ~is_bad]
        return restored
