"""Features of blocks, a quarter of a second each; a window of the monitor is four blocks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from scipy.fft import rfft, rfftfreq
from scipy.signal.windows import hann

from sjepa_online.typing import Floats

#: Blocks in a window of one second.
BLOCKS_PER_WINDOW = 4

_EEG_BAND = (3.0, 41.0)
_HIGH_BAND_START = 44.0
_MAINS = (50.0, 60.0)
_MAINS_WIDTH = 4.0
# share of the Nyquist frequency up to which amplifiers pass the signal
_PASSBAND = 0.95
# µV² below any amplifier's noise, so that a channel without signal has a logarithm
_NO_POWER = 1e-6


@dataclass(frozen=True)
class BlockFeatures:
    """Features of a block; logarithms are natural, of amplitudes.

    Attributes
    ----------
    missing : ndarray, shape (channels,)
        Share of samples that are not finite.
    level : ndarray, shape (channels,)
        Mean (µV).
    lowest, highest : ndarray, shape (channels,)
        Extremes (µV).
    at_lowest, at_highest : ndarray, shape (channels,)
        Share of samples that equal them.
    amplitude : ndarray, shape (channels,)
        Log of the root mean square from 3 to 41 Hz (µV).
    mains, high : ndarray, shape (channels,)
        Log of the amplitude around 50 or 60 Hz (the larger), and above 44 Hz without the
        mains, over the amplitude of 3 to 41 Hz. NaN where the sampling rate is too low to show it.
    spectrum : ndarray, shape (channels, 2 * bins)
        Real and imaginary parts from 3 to 41 Hz; squares sum up to the power (µV²).
    """

    missing: Floats
    level: Floats
    lowest: Floats
    highest: Floats
    at_lowest: Floats
    at_highest: Floats
    amplitude: Floats
    mains: Floats
    high: Floats
    spectrum: Floats

    def divided(self, scales: Floats) -> BlockFeatures:
        """Return the features of the channels divided by ``scales``.

        Parameters
        ----------
        scales : ndarray, shape (channels,)
            Above 0.

        Returns
        -------
        BlockFeatures
        """
        if np.all(scales == 1):
            return self
        return replace(
            self,
            level=self.level / scales,
            lowest=self.lowest / scales,
            highest=self.highest / scales,
            amplitude=self.amplitude - np.log(scales),
            spectrum=self.spectrum / scales[:, np.newaxis],
        )


class BlockAnalysis:
    """Compute the features of blocks, each by itself.

    No filter runs on from one block to the next, so that the trace of a fault ends with its block.
    In each block a line is subtracted, which removes offset and drift, and a Hann taper is
    applied.

    Parameters
    ----------
    sfreq : float
        Sampling rate (Hz), at least 100.
    """

    def __init__(self, sfreq: float) -> None:
        self.n_samples = round(sfreq / BLOCKS_PER_WINDOW)
        time = np.arange(self.n_samples) - (self.n_samples - 1) / 2
        self._line = time / np.linalg.norm(time)
        taper = hann(self.n_samples + 2)[1:-1]
        # one-sided amplitudes whose squares sum up to the variance
        self._taper = taper * np.sqrt(2 / np.mean(taper**2)) / self.n_samples
        frequencies = rfftfreq(self.n_samples, 1 / sfreq)
        top = _PASSBAND * sfreq / 2
        self._eeg = (frequencies >= _EEG_BAND[0]) & (frequencies <= _EEG_BAND[1])
        around = [np.abs(frequencies - line) <= _MAINS_WIDTH for line in _MAINS]
        self._mains = [
            near for near, line in zip(around, _MAINS, strict=True) if line + _MAINS_WIDTH <= top
        ]
        self._high = (frequencies > _HIGH_BAND_START) & (frequencies <= top) & ~np.any(around, 0)

    def measure(self, samples: Floats) -> BlockFeatures:
        """Compute the features of one block.

        Parameters
        ----------
        samples : ndarray, shape (channels, n_samples)
            In µV; values that are not finite are replaced by the mean of the others.

        Returns
        -------
        BlockFeatures
        """
        finite = np.isfinite(samples)
        missing = 1 - finite.mean(axis=1)
        if missing.any():
            n_finite = np.maximum(finite.sum(axis=1), 1)
            mean = np.where(finite, samples, 0.0).sum(axis=1) / n_finite
            samples = np.where(finite, samples, mean[:, np.newaxis])
        level = samples.mean(axis=1)
        lowest, highest = samples.min(axis=1), samples.max(axis=1)
        detrended = samples - level[:, np.newaxis]
        detrended -= np.outer(detrended @ self._line, self._line)
        spectrum = rfft(detrended * self._taper, axis=1)
        power = spectrum.real**2 + spectrum.imag**2
        eeg = _log_amplitude(power[:, self._eeg])
        unseen = np.full(len(samples), np.nan)
        mains = [_log_amplitude(power[:, near]) for near in self._mains]
        shown = spectrum[:, self._eeg]
        return BlockFeatures(
            missing=missing,
            level=level,
            lowest=lowest,
            highest=highest,
            at_lowest=np.mean(samples == lowest[:, np.newaxis], axis=1),
            at_highest=np.mean(samples == highest[:, np.newaxis], axis=1),
            amplitude=eeg,
            mains=np.max(mains, axis=0) - eeg if mains else unseen,
            high=_log_amplitude(power[:, self._high]) - eeg if self._high.any() else unseen,
            spectrum=np.concatenate([shown.real, shown.imag], axis=1),
        )

    def cut(self, data: Floats) -> list[BlockFeatures]:
        """Compute the features of all whole blocks of a signal.

        Parameters
        ----------
        data : ndarray, shape (channels, samples)
            In µV.

        Returns
        -------
        list of BlockFeatures
        """
        edges = range(0, data.shape[1] + 1, self.n_samples)
        return [self.measure(data[:, start:stop]) for start, stop in pairwise(edges)]


def _log_amplitude(power: Floats) -> Floats:
    result: Floats = 0.5 * np.log(power.sum(axis=1) + _NO_POWER)
    return result
