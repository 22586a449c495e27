"""How good each channel of a calibration is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import welch

from sjepa_online.data import Recording, Trials

#: Frequencies (Hz) of the mains.
MAINS = (50.0, 60.0)
#: Hz on either side of it that count as mains, and what the mains' share is taken of.
MAINS_WIDTH = 1.0
PASSBAND = (1.0, 70.0)
#: Amplitudes beyond these multiples of the median, and shares of mains, are pointed out.
LOUD, QUIET = 3.0, 1 / 3
MUCH_MAINS = 0.5
# the median absolute deviation of a normal distribution of unit variance
_NORMAL_MAD = 0.6745


@dataclass(frozen=True)
class ChannelReport:
    """Quality of one channel.

    Attributes
    ----------
    name : str
    amplitude : float
        Robust standard deviation within the trials (µV, 0.5 to 40 Hz).
    ratio : float
        Amplitude over the median of the channels; infinite where that is 0.
    mains : float or None
        Share of the mains in the power of the recordings from 1 to 70 Hz; None where their
        sampling rate shows none of it.
    """

    name: str
    amplitude: float
    ratio: float
    mains: float | None

    @property
    def complaint(self) -> str:
        """The problem of the channel, in words; empty for a good channel."""
        if self.amplitude == 0:
            return f"{self.name} is flat"
        if self.ratio > LOUD:
            return f"{self.name} has {self.ratio:.1f} times the median amplitude"
        if self.ratio < QUIET:
            return f"{self.name} has only {self.ratio:.2f} times the median amplitude"
        if self.mains is not None and self.mains > MUCH_MAINS:
            return f"{100 * self.mains:.0f} % of the power of {self.name} is mains"
        return ""


def report_channels(trials: Trials, recordings: Sequence[Recording]) -> list[ChannelReport]:
    """Measure every channel of a calibration.

    Parameters
    ----------
    trials : Trials
    recordings : sequence of Recording
        What they were cut from.

    Returns
    -------
    list of ChannelReport
    """
    return measure_channels(trials.X, trials.ch_names, recordings)


def measure_channels(
    X: NDArray[np.float32], ch_names: Sequence[str], recordings: Sequence[Recording]
) -> list[ChannelReport]:
    """Measure channels.

    Parameters
    ----------
    X : array, shape (n_windows, n_channels, n_times)
        Preprocessed signal (µV), whose amplitude counts.
    ch_names : sequence of str
    recordings : sequence of Recording
        Unfiltered signal of these channels, whose mains count.

    Returns
    -------
    list of ChannelReport
    """
    amplitudes = np.median(np.abs(X), axis=(0, 2)) / _NORMAL_MAD
    median = float(np.median(amplitudes[amplitudes > 0])) if amplitudes.any() else 0.0
    ratios = amplitudes / median if median else np.full(len(amplitudes), np.inf)
    mains = mains_shares(recordings, ch_names)
    return [
        ChannelReport(name, float(amplitude), float(ratio), share)
        for name, amplitude, ratio, share in zip(ch_names, amplitudes, ratios, mains, strict=True)
    ]


def mains_shares(recordings: Sequence[Recording], ch_names: Sequence[str]) -> list[float | None]:
    """Return the share of the mains in each channel's power.

    The mains frequency is the one of 50 and 60 Hz that has the larger share of all channels: a
    single channel that hums tells it, too.

    Parameters
    ----------
    recordings : sequence of Recording
    ch_names : sequence of str
        Their channels to measure.

    Returns
    -------
    list of float or None
        None where the sampling rate is too low to show the mains.
    """
    usable = [one for one in recordings if one.sfreq / 2 > max(MAINS) + MAINS_WIDTH]
    if not usable:
        return [None] * len(ch_names)
    shares = np.array([_mains_shares(one, ch_names) for one in usable])
    return [float(share) for share in shares.mean(axis=0)]


def _mains_shares(recording: Recording, ch_names: Sequence[str]) -> NDArray[np.float64]:
    data = np.nan_to_num(recording.channels(ch_names))
    frequencies, power = welch(data, recording.sfreq, nperseg=round(2 * recording.sfreq), axis=-1)
    # a channel without signal has no mains either
    total = power[:, _between(frequencies, *PASSBAND)].sum(axis=1) + np.finfo(np.float64).tiny
    shares = np.array(
        [
            power[:, _between(frequencies, mains - MAINS_WIDTH, mains + MAINS_WIDTH)].sum(axis=1)
            / total
            for mains in MAINS
        ]
    )
    chosen: NDArray[np.float64] = shares[np.argmax(np.mean(shares, axis=1))]
    return chosen


def _between(frequencies: NDArray[np.float64], low: float, high: float) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = (frequencies >= low) & (frequencies <= high)
    return inside
