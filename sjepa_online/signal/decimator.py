"""Decimation by a whole factor, for rates above those of the preprocessor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt

from sjepa_online.errors import InputError
from sjepa_online.validation import LIMIT_SFREQ

#: Highest rate (Hz) that is left as it is.
HIGHEST_SFREQ = 4000.0
_ORDER = 8
# of the new rate: far above any passband of EEG, far below the frequency of aliases
_CUTOFF = 0.2


def decimation_factor(sfreq: float) -> int:
    """Return the smallest factor that divides a rate to a whole rate below 4 kHz.

    Parameters
    ----------
    sfreq : float
        Hz.

    Returns
    -------
    factor : int

    Raises
    ------
    InputError
        The rate is no rate of an amplifier.
    """
    if not 0 < sfreq <= LIMIT_SFREQ:
        raise InputError(
            f"{sfreq:g} Hz is no sampling rate of an amplifier",
            value=f"{sfreq:g} Hz",
            remedy=f"Correct the rate at the source: more than 0, at most {LIMIT_SFREQ:g} Hz.",
        )
    least = int(np.ceil(sfreq / HIGHEST_SFREQ))
    whole = [factor for factor in range(least, 4 * least) if (sfreq / factor).is_integer()]
    return whole[0] if whole else least


class Decimator:
    """Filter and decimate a signal chunk by chunk; how it is cut into chunks does not matter.

    The filter is causal, a Butterworth of order 8 with its edge at a fifth of the new rate,
    which delays EEG by about 1 ms.

    Parameters
    ----------
    n_channels : int
    sfreq : float
        Rate of the input (Hz).
    """

    def __init__(self, n_channels: int, sfreq: float) -> None:
        self.factor = decimation_factor(sfreq)
        self.sfreq = sfreq / self.factor
        self._sos = butter(_ORDER, _CUTOFF * self.sfreq, fs=sfreq, output="sos")
        self._state: NDArray[np.float64] | None = None
        self._offset = np.zeros((n_channels, 1))
        self._n = 0

    def update(self, data: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """Take in samples.

        Parameters
        ----------
        data : ndarray, shape (n_channels, n)
            What is not finite becomes the first value of its channel.

        Returns
        -------
        decimated : ndarray, shape (n_channels, n_kept)
        kept : ndarray of int, shape (n_kept,)
            Their places in the chunk.
        """
        kept = np.arange(-self._n % self.factor, data.shape[1], self.factor)
        if not data.shape[1]:
            return data, kept
        if self._state is None:
            self._offset = np.nan_to_num(data[:, :1], posinf=0.0, neginf=0.0)
            self._state = np.zeros((len(self._sos), len(data), 2))
        centred = np.where(np.isfinite(data), data - self._offset, 0.0)
        filtered, self._state = sosfilt(self._sos, centred, axis=1, zi=self._state)
        self._n += data.shape[1]
        decimated: NDArray[np.float64] = filtered[:, kept] + self._offset
        return decimated, kept

    def reset(self) -> None:
        """Begin anew after a gap."""
        self._state, self._n = None, 0
