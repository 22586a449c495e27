"""What the eye sees of the signal: causal filters for the display only."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt, sosfilt_zi

Floats = NDArray[np.float64]

FilterName = Literal["0.5-40 Hz", "1-30 Hz", "above 0.5 Hz", "raw"]
FILTERS: dict[FilterName, tuple[float, float | None] | None] = {
    "0.5-40 Hz": (0.5, 40.0),
    "1-30 Hz": (1.0, 30.0),
    "above 0.5 Hz": (0.5, None),
    "raw": None,
}
_ORDER = 2


class DisplayFilter:
    """A Butterworth filter that goes on where the last chunk ended.

    A missing value holds the last good one within the filter, and stays missing in the output.

    Parameters
    ----------
    name : str
        One of ``FILTERS``; ``raw`` changes nothing.
    n_channels : int
    sfreq : float
        Rate of the stream (Hz).
    """

    def __init__(self, name: FilterName, n_channels: int, sfreq: float) -> None:
        band = FILTERS[name]
        self._sections: Floats | None = None
        if band is not None:
            low, high = band
            if high is None or high >= 0.45 * sfreq:
                self._sections = butter(_ORDER, low, "highpass", fs=sfreq, output="sos")
            else:
                self._sections = butter(_ORDER, (low, high), "bandpass", fs=sfreq, output="sos")
        self._state: Floats | None = None
        self._last = np.full(n_channels, np.nan)

    def update(self, data: Floats) -> Floats:
        """Filter the next samples ``(channels, n)``."""
        if self._sections is None or data.shape[1] == 0:
            return data
        missing = ~np.isfinite(data)
        filled = self._hold(data, missing) if missing.any() else data
        self._last = filled[:, -1]
        if self._state is None:
            # as if the first value had always been there
            self._state = sosfilt_zi(self._sections)[:, np.newaxis, :] * filled[:, :1]
        filtered, self._state = sosfilt(self._sections, filled, axis=1, zi=self._state)
        if missing.any():
            filtered[missing] = np.nan
        return np.asarray(filtered)

    def _hold(self, data: Floats, missing: NDArray[np.bool_]) -> Floats:
        start = np.nan_to_num(self._last)[:, np.newaxis]
        padded = np.concatenate([start, data], axis=1)
        gone = np.concatenate([np.zeros((len(data), 1), dtype=bool), missing], axis=1)
        places = np.maximum.accumulate(np.where(gone, 0, np.arange(padded.shape[1])), axis=1)
        return np.take_along_axis(padded, places, axis=1)[:, 1:]
