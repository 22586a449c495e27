"""Estimate the scale of a channel that is too large but otherwise agrees with its neighbours."""

from __future__ import annotations

from collections import deque

import numpy as np

from sjepa_online.typing import BoolMask, Floats

#: Least scale, which is loud for every channel, from which on a channel may be rescaled.
LEAST_SCALE = 5.0
#: Blocks over which slope and correlation are averaged, and how many are needed.
MEMORY = 16
LEAST_BLOCKS = 8
#: Largest share of its power that the other channels leave unexplained in a channel that agrees:
#: a multiple of the share in calibration, and an upper bound.
UNEXPLAINED_FACTOR = 2.0
UNEXPLAINED_LIMIT = 0.7


class ScaleEstimator:
    """Regress channels that are too large on their prediction from the other channels.

    Behind a wrong amplifier range a channel is its own signal times a scale: the slope of its
    regression on the prediction. Noise, however large, does not follow the prediction. Each
    block (a quarter of a second) gives a slope and a correlation, and their medians count.
    """

    def __init__(self) -> None:
        self._slopes: deque[Floats] = deque(maxlen=MEMORY)
        self._correlations: deque[Floats] = deque(maxlen=MEMORY)

    def update(
        self, slope: Floats, correlation: Floats, log_expected: Floats, too_large: BoolMask
    ) -> Floats:
        """Take in a block and return the scales.

        Parameters
        ----------
        slope, correlation : ndarray, shape (channels,)
            Of the regression of each channel on its prediction.
        log_expected : ndarray, shape (channels,)
            Log of the standard deviation of each residual in calibration.
        too_large : ndarray of bool, shape (channels,)
            Channels that are too large now; the blocks of all others are forgotten.

        Returns
        -------
        ndarray, shape (channels,)
            Divisors; NaN where a channel is not too large, does not agree with the others, or
            has been too large for less than ``LEAST_BLOCKS`` blocks.
        """
        if not too_large.any():
            self._slopes.clear()
            self._correlations.clear()
            return np.full(len(too_large), np.nan)
        for memory, new in ((self._slopes, slope), (self._correlations, correlation)):
            for earlier in memory:
                earlier[~too_large] = np.nan
            memory.append(np.where(too_large, new, np.nan))
        known = np.isfinite(self._slopes).sum(axis=0) >= LEAST_BLOCKS
        scales = np.full(len(too_large), np.nan)
        if known.any():
            slopes, correlations = np.array(self._slopes), np.array(self._correlations)
            usual = np.nanmedian(correlations[:, known], axis=0)
            expected = np.exp(2 * log_expected[known])
            allowed = np.minimum(UNEXPLAINED_FACTOR * expected, UNEXPLAINED_LIMIT)
            agrees = (usual > 0) & (1 - usual**2 <= allowed)
            scales[known] = np.where(agrees, np.nanmedian(slopes[:, known], axis=0), np.nan)
        return scales
