"""The EEG of a simulated participant without any stimulus.

Every generator keeps its state and draws its random numbers in the order of the samples, so the
signal is the same however it is cut into chunks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import sosfilt, sosfreqz, zpk2sos

Floats = NDArray[np.float64]

_LOWEST = 0.1  # Hz from which the 1/f background falls
_SPACING = 4.0  # ratio of the poles of its filter
_GRID = 1 << 16  # frequencies on which filters are scaled
_BLINK_LENGTH = (0.25, 0.4)  # s, shortest and longest
_BLINK_REFRACTORY = 0.3  # s after a blink without another


class FilteredNoise:
    """Independent rows of white noise behind one filter.

    Parameters
    ----------
    sections : array, shape (n_sections, 6)
        Second-order sections, from the functions below.
    n_rows : int
        Number of rows.
    random : numpy.random.Generator
        Used by nobody else.
    """

    def __init__(self, sections: Floats, n_rows: int, random: np.random.Generator) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), n_rows, 2))
        self._random = random

    def generate(self, n: int) -> Floats:
        """Return the next samples.

        Parameters
        ----------
        n : int

        Returns
        -------
        noise : ndarray, shape (n_rows, n)
        """
        white = self._random.standard_normal((n, self._state.shape[1])).T
        noise: Floats
        noise, self._state = sosfilt(self._sections, white, axis=-1, zi=self._state)
        return noise


def pink_filter(sfreq: float, exponent: float, density: float) -> Floats:
    """Design a filter that makes noise whose power falls as ``1 / f**exponent``.

    Poles and zeros alternate at even steps of log frequency (Corsini and Saletti 1988,
    IEEE Trans. Instrum. Meas. 37(4)).

    Parameters
    ----------
    sfreq : float
        Sampling rate (Hz).
    exponent : float
        Between 0 and 2.
    density : float
        Amplitude at 10 Hz (µV per root Hz).

    Returns
    -------
    array, shape (n_sections, 6)
        For white noise of unit variance.
    """
    n_poles = int(np.ceil(np.log(sfreq / 2 / _LOWEST) / np.log(_SPACING)))
    poles = _LOWEST * _SPACING ** np.arange(n_poles)
    zeros = poles * _SPACING ** (exponent / 2)
    sections = zpk2sos(*(np.exp(-2 * np.pi * f / sfreq) for f in (zeros, poles)), 1.0)
    _, response = sosfreqz(sections, [10.0], fs=sfreq)
    return _scaled(sections, density / np.abs(response[0]) * np.sqrt(sfreq / 2))


def rhythm_filter(sfreq: float, frequency: float, bandwidth: float) -> Floats:
    """Design a resonator that makes a rhythm which waxes and wanes, of unit variance.

    Parameters
    ----------
    sfreq, frequency, bandwidth : float
        Sampling rate, centre and width at half power (Hz).

    Returns
    -------
    array, shape (1, 6)
        For white noise of unit variance.
    """
    pole = np.exp((-np.pi * bandwidth + 2j * np.pi * frequency) / sfreq)
    return _of_unit_variance(zpk2sos([1.0, -1.0], [pole, pole.conjugate()], 1.0))


def slow_filter(sfreq: float, seconds: float) -> Floats:
    """Design a filter that makes slow noise of unit variance from white noise.

    Parameters
    ----------
    sfreq : float
        Hz.
    seconds : float
        Time within which the noise changes.

    Returns
    -------
    array, shape (1, 6)
        For white noise of unit variance.
    """
    pole = np.exp(-1.0 / (seconds * sfreq))
    return np.array([[np.sqrt(1.0 - pole**2), 0.0, 0.0, 1.0, -pole, 0.0]])


class Blinks:
    """Eye blinks at random times.

    Parameters
    ----------
    rate : float
        Blinks per second, below 1.
    amplitude : float
        Mean amplitude (µV) where they are largest.
    random : numpy.random.Generator
        Used by nobody else.
    """

    def __init__(self, rate: float, amplitude: float, random: np.random.Generator) -> None:
        self._pause = 1.0 / rate - _BLINK_REFRACTORY - sum(_BLINK_LENGTH) / 2
        self._amplitude = amplitude
        self._random = random
        self._blinks: list[tuple[float, float, float]] = []  # start (s), length (s), amplitude
        self._next = self._interval()

    def generate(self, times: Floats) -> Floats:
        """Return the signal of the blinks at times that follow those of the last call.

        Parameters
        ----------
        times : ndarray, shape (n,)
            s.

        Returns
        -------
        signal : ndarray, shape (n,)
            µV.
        """
        while self._next <= times[-1]:
            length, size = self._random.uniform(*_BLINK_LENGTH), self._random.lognormal(0.0, 0.2)
            self._blinks.append((self._next, length, size * self._amplitude))
            self._next += length + self._interval()
        self._blinks = [blink for blink in self._blinks if blink[0] + blink[1] > times[0]]
        signal = np.zeros(len(times))
        for start, length, amplitude in self._blinks:
            signal += amplitude * bump(times, start + length / 2, length)
        return signal

    def _interval(self) -> float:
        return _BLINK_REFRACTORY + float(self._random.exponential(self._pause))


def bump(times: Floats, centre: float, width: float) -> Floats:
    """Return a smooth bump of height 1 that is 0 beyond ``width / 2`` from its centre.

    Parameters
    ----------
    times : ndarray, shape (n,)
    centre, width : float
        In the unit of ``times``.

    Returns
    -------
    heights : ndarray, shape (n,)
    """
    place = (times - centre) / width
    return np.where(np.abs(place) < 0.5, np.cos(np.pi * place) ** 2, 0.0)


def mains_hum(times: Floats, frequency: float, sfreq: float, harmonics: Sequence[float]) -> Floats:
    """Return the hum of the mains and its harmonics.

    Harmonics beyond half the sampling rate are left out, as an amplifier's filter would.

    Parameters
    ----------
    times : ndarray, shape (n,)
        s.
    frequency : float
        Of the mains (Hz).
    sfreq : float
        Hz.
    harmonics : sequence of float
        Amplitudes of the harmonics as shares of the hum's.

    Returns
    -------
    hum : ndarray, shape (n,)
        µV; the amplitude at ``frequency`` is 1 µV.
    """
    hum = np.zeros(len(times))
    for order, amplitude in enumerate((1.0, *harmonics), start=1):
        if order * frequency < sfreq / 2:
            hum += amplitude * np.cos(2 * np.pi * order * frequency * times + order)
    return hum


def _of_unit_variance(sections: Floats) -> Floats:
    _, response = sosfreqz(sections, _GRID)
    return _scaled(sections, 1.0 / np.sqrt(np.mean(np.abs(response) ** 2)))


def _scaled(sections: Floats, gain: float) -> Floats:
    scaled: Floats = sections.copy()
    scaled[0, :3] *= gain
    return scaled
