"""Design of the causal filters between an amplifier's rate and 128 Hz."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, log, pi, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import signal

from sjepa_online.protocol import MODEL_SFREQ

#: Lowest rate (Hz) at which the low-pass runs; slower signals are stuffed with zeros first,
#: so that one low-pass also removes their images and the delay is alike at every rate.
FILTER_SFREQ = 800

_HIGH_PASS_ORDER = 2
_LOW_PASS_ORDER = 10
_STOP_RATIO = 1.25  # start of the stopband over h_freq
_STOP_ATTENUATION = 52.0  # dB; the images of low rates add up and keep 45 dB
_INTERPOLATOR_ATTENUATION = 60.0  # dB


@dataclass(frozen=True)
class FilterChain:
    """High-pass, zero-stuffing, low-pass, polyphase interpolator, in this order.

    Attributes
    ----------
    sfreq : Fraction
        Input rate in Hz.
    stuffing : int
        Samples at the low-pass for each input sample, all but the first of them zero.
    up, down : int
        The output rate is ``up / down`` times the rate of the low-pass.
    high_pass : ndarray, shape (n_sections, 6)
        Second-order sections at the input rate.
    low_pass : ndarray, shape (n_sections, 6)
        Second-order sections at ``stuffing`` times the input rate, with a gain of
        ``stuffing``.
    phases : ndarray, shape (up, n_taps)
        Interpolating filter, one row for each place between two samples of the low-pass; the
        first tap belongs to the newest sample.
    """

    sfreq: Fraction
    stuffing: int
    up: int
    down: int
    high_pass: NDArray[np.float64]
    low_pass: NDArray[np.float64]
    phases: NDArray[np.float64]

    @property
    def stages(self) -> tuple[NDArray[np.float64], ...]:
        """Second-order sections to run one after another, stuffing before the second stage.

        Without stuffing there is one stage.
        """
        if self.stuffing == 1:
            return (np.concatenate([self.high_pass, self.low_pass]),)
        return (self.high_pass, self.low_pass)

    def group_delay(self, frequency: ArrayLike) -> NDArray[np.float64]:
        """Return the group delay in seconds at each frequency in Hz.

        It is computed from the transfer functions: the sum over the sections of both
        recursive filters, and half the length of the interpolator, which has linear phase.

        Parameters
        ----------
        frequency : array_like of float
            In Hz.

        Returns
        -------
        ndarray of float64
            In seconds, one for each frequency.
        """
        w = np.atleast_1d(np.asarray(frequency, dtype=np.float64))
        rate = float(self.sfreq)
        low_pass_rate = rate * self.stuffing
        n_taps = self.phases.size
        recursive = _sections_delay(self.high_pass, w, rate) + _sections_delay(
            self.low_pass, w, low_pass_rate
        )
        return recursive + (n_taps - 1) / 2 / (low_pass_rate * self.up)


def design_filters(sfreq: Fraction, l_freq: float, h_freq: float) -> FilterChain:
    """Design the filters for one input rate.

    A Butterworth high-pass of order 2, and a Chebyshev low-pass of the second kind and
    order 10, with about 2 dB at ``h_freq`` and 52 dB from 1.25 times ``h_freq`` on (50 Hz
    for 40 Hz, so it removes the mains too). Its passband has no ripple.

    Parameters
    ----------
    sfreq : Fraction
        Input rate in Hz, at least 2.5 times ``h_freq``.
    l_freq, h_freq : float
        Edges of the passband in Hz.

    Returns
    -------
    FilterChain
    """
    stuffing = max(ceil(FILTER_SFREQ / sfreq), 1)
    rate = float(sfreq * stuffing)
    ratio = Fraction(MODEL_SFREQ) / (sfreq * stuffing)
    high_pass = signal.butter(_HIGH_PASS_ORDER, l_freq, "highpass", fs=float(sfreq), output="sos")
    low_pass = signal.cheby2(
        _LOW_PASS_ORDER, _STOP_ATTENUATION, _STOP_RATIO * h_freq, fs=rate, output="sos"
    )
    # the zeros between the samples take their share of the amplitude
    low_pass[0, :3] *= stuffing
    phases = _interpolator(ratio.numerator, rate, h_freq)
    return FilterChain(
        sfreq, stuffing, ratio.numerator, ratio.denominator, high_pass, low_pass, phases
    )


def settling_time(l_freq: float) -> float:
    """Return the time (s) in which the high-pass's step response decays to 1 %.

    Parameters
    ----------
    l_freq : float
        Lower edge of the passband in Hz.

    Returns
    -------
    float
        In seconds.
    """
    # the poles of a Butterworth filter of order 2 decay with 2 pi f / sqrt(2)
    return log(100) / (2 * pi * l_freq / sqrt(2))


def _interpolator(up: int, rate: float, h_freq: float) -> NDArray[np.float64]:
    """Kaiser-windowed sinc at ``up`` times the rate, as rows of phases."""
    if up == 1:
        return np.ones((1, 1))
    width = (rate - 2 * h_freq) / (up * rate / 2)
    n_taps, beta = signal.kaiserord(_INTERPOLATOR_ATTENUATION, width)
    n_taps = up * ceil(n_taps / up)
    taps = up * signal.firwin(n_taps, rate / 2, window=("kaiser", beta), fs=up * rate)
    phases: NDArray[np.float64] = np.ascontiguousarray(taps.reshape(-1, up).T)
    return phases


def _sections_delay(
    sections: NDArray[np.float64], w: NDArray[np.float64], rate: float
) -> NDArray[np.float64]:
    delays = [signal.group_delay((row[:3], row[3:]), w=w, fs=rate)[1] for row in sections]
    total: NDArray[np.float64] = np.sum(delays, axis=0) / rate
    return total
