"""Averages over trials that build up by class: responses in time, rhythms in time and frequency."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.signal.windows import hann

Floats = NDArray[np.float64]

#: A channel of an epoch that spans more (µV) is left out of the average.
LARGEST_SPAN = 300.0
#: Responses: seconds before and after the marker, and samples a second that are kept at least.
RESPONSE_WINDOW = (-0.2, 0.8)
RESPONSE_SFREQ = 100.0
#: Rhythms: seconds around the cue, frequencies (Hz), windows of a second in such steps (s), and
#: the times of the windows that are rest.
RHYTHM_WINDOW = (-2.0, 4.0)
RHYTHM_BAND = (4.0, 32.0)
RHYTHM_STEP = 0.25
REST = (-1.5, -0.5)


@dataclass
class Average:
    """A mean over epochs, channel by channel: faulty channels of an epoch are left out.

    Attributes
    ----------
    total : ndarray, shape (channels, ...)
    counts : ndarray, shape (channels,)
        Epochs of each channel.
    n : int
        Epochs that were added.
    """

    total: Floats
    counts: Floats
    n: int = 0

    def add(self, values: Floats, good: NDArray[np.bool_]) -> None:
        """Add an epoch ``(channels, ...)``, of which some channels are good."""
        self.total[good] += values[good]
        self.counts += good
        self.n += 1

    @property
    def mean(self) -> Floats:
        """The mean; NaN for a channel without an epoch."""
        shape = (-1,) + (1,) * (self.total.ndim - 1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.total / self.counts.reshape(shape))


@dataclass
class ClassAverages:
    """Averages by class.

    Parameters
    ----------
    sfreq : float
        Rate of the epochs (Hz).
    window : tuple of float
        Seconds around the marker.
    """

    sfreq: float
    window: tuple[float, float]
    by_class: dict[str, Average] = field(default_factory=dict)

    @property
    def n_samples(self) -> int:
        """Samples of an epoch."""
        return round((self.window[1] - self.window[0]) * self.sfreq)

    def add(self, label: str, epoch: NDArray[np.floating]) -> None:
        """Add an epoch.

        Parameters
        ----------
        label : str
        epoch : ndarray, shape (channels, n_samples)
            In µV, as recorded: NaN where a sample is missing.
        """
        span = epoch.max(axis=1) - epoch.min(axis=1)
        good = np.isfinite(span) & (span <= LARGEST_SPAN)
        values = self.measure(np.where(good[:, np.newaxis], epoch, 0.0).astype(np.float64))
        if label not in self.by_class:
            self.by_class[label] = Average(np.zeros_like(values), np.zeros(len(values)))
        self.by_class[label].add(values, good)

    def measure(self, epoch: Floats) -> Floats:
        """Return what is averaged of an epoch ``(channels, n_samples)``."""
        raise NotImplementedError


class ResponseAverages(ClassAverages):
    """Event-related potentials: the mean signal after the marker, less its level before.

    Parameters
    ----------
    sfreq : float
        Rate of the epochs (Hz).
    """

    def __init__(self, sfreq: float) -> None:
        super().__init__(sfreq, RESPONSE_WINDOW)
        self._step = max(int(sfreq // RESPONSE_SFREQ), 1)
        n = self.n_samples // self._step
        #: Seconds after the marker.
        self.times = RESPONSE_WINDOW[0] + (np.arange(n) + 0.5) * self._step / sfreq

    def measure(self, epoch: Floats) -> Floats:
        """Average neighbouring samples, and subtract the level before the marker."""
        n = len(self.times)
        means = epoch[:, : n * self._step].reshape(len(epoch), n, self._step).mean(axis=2)
        level: Floats = means - means[:, self.times < 0].mean(axis=1, keepdims=True)
        return level


class RhythmAverages(ClassAverages):
    """Event-related desynchronisation: power against rest, by time and frequency.

    Power is that of windows of a second (Pfurtscheller and Lopes da Silva 1999 average squared
    band-passed signals, which is the same in each band).

    Parameters
    ----------
    sfreq : float
        Rate of the epochs (Hz).
    """

    def __init__(self, sfreq: float) -> None:
        super().__init__(sfreq, RHYTHM_WINDOW)
        self._n = round(sfreq)
        self._taper = hann(self._n, sym=False)
        low, high = RHYTHM_BAND
        self.frequencies = np.arange(low, min(high, sfreq / 2 - 1) + 1)
        step = RHYTHM_STEP * sfreq
        n_windows = int((self.n_samples - self._n) / step) + 1
        self._starts = [round(index * step) for index in range(n_windows)]
        #: Seconds from the cue to the middle of each window.
        self.times = RHYTHM_WINDOW[0] + (np.array(self._starts) + self._n / 2) / sfreq

    def measure(self, epoch: Floats) -> Floats:
        """Return the power, shape (channels, frequencies, times)."""
        bins = self.frequencies.astype(int)
        parts = []
        for start in self._starts:
            window = epoch[:, start : start + self._n]
            window = (window - window.mean(axis=1, keepdims=True)) * self._taper
            spectrum = rfft(window, axis=1)[:, bins]
            parts.append(spectrum.real**2 + spectrum.imag**2)
        return np.stack(parts, axis=2)

    def change(self, label: str) -> Floats:
        """Return the change of power against rest (%), shape (channels, frequencies, times)."""
        mean = self.by_class[label].mean
        resting = (self.times >= REST[0]) & (self.times <= REST[1])
        rest = mean[:, :, resting].mean(axis=2, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(100 * (mean / rest - 1))
