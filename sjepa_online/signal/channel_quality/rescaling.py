"""Is a channel only too large: by how much, and does it agree with the others but for that."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sjepa_online.signal.channel_quality.predictability import Array

#: From this gain on (loud for every channel) a channel may be scaled back.
LEAST_GAIN = 5.0
#: Quarters of a second over which slope and correlation are averaged, and how many are needed.
MEMORY = 16
LEAST_QUARTERS = 8
#: Share of its power that the other channels may leave unexplained: so many times that of the
#: calibration, and never more than this.
UNEXPLAINED_FACTOR = 2.0
UNEXPLAINED_LIMIT = 0.7


class GainWatch:
    """Regress channels that are too large on what the others predict of them.

    A channel behind a wrong amplifier range holds all that it should, times a gain: the slope
    of its regression on the prediction. Noise, however large, does not follow the prediction.
    Each quarter of a second gives a slope and a correlation, and their medians count.
    """

    def __init__(self) -> None:
        self._slopes: deque[Array] = deque(maxlen=MEMORY)
        self._correlations: deque[Array] = deque(maxlen=MEMORY)

    def update(
        self, slope: Array, correlation: Array, log_expected: Array, watched: NDArray[np.bool_]
    ) -> Array:
        """Take in a quarter of a second and return the gains.

        Parameters
        ----------
        slope, correlation : ndarray, shape (channels,)
            Of the regression of each channel on its prediction.
        log_expected : ndarray, shape (channels,)
            Log of the deviation of each residual in calibration.
        watched : ndarray of bool, shape (channels,)
            Channels that are too large now; what is known of the others is forgotten.

        Returns
        -------
        ndarray, shape (channels,)
            NaN where a channel is not watched, does not agree with the others, or has not been
            watched for long enough.
        """
        if not watched.any():
            self._slopes.clear()
            self._correlations.clear()
            return np.full(len(watched), np.nan)
        for memory, seen in ((self._slopes, slope), (self._correlations, correlation)):
            for earlier in memory:
                earlier[~watched] = np.nan
            memory.append(np.where(watched, seen, np.nan))
        known = np.isfinite(self._slopes).sum(axis=0) >= LEAST_QUARTERS
        gains = np.full(len(watched), np.nan)
        if known.any():
            slopes, correlations = np.array(self._slopes), np.array(self._correlations)
            usual = np.nanmedian(correlations[:, known], axis=0)
            expected = np.exp(2 * log_expected[known])
            allowed = np.minimum(UNEXPLAINED_FACTOR * expected, UNEXPLAINED_LIMIT)
            agrees = (usual > 0) & (1 - usual**2 <= allowed)
            gains[known] = np.where(agrees, np.nanmedian(slopes[:, known], axis=0), np.nan)
        return gains
