"""Spectra of the last seconds: density, power in bands, and stimulus responses over their noise."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft, rfftfreq
from scipy.signal.windows import hann

Floats = NDArray[np.float64]

#: Segments (s) of Welch's method; they overlap by half.
SEGMENT = 2.0
#: The highest frequency (Hz) that is of interest.
TOP = 60.0
BANDS: dict[str, tuple[float, float]] = {
    "delta": (1.0, 4.0),
    "theta": (4.0, 8.0),
    "alpha": (8.0, 13.0),
    "beta": (13.0, 30.0),
    "gamma": (30.0, 45.0),
}
#: Neighbours of a stimulus frequency, in multiples of the resolution, that its noise is taken from.
_NEIGHBOURS = (-6, -5, -4, -3, 3, 4, 5, 6)


def power_spectra(samples: NDArray[np.floating], sfreq: float) -> tuple[Floats, Floats]:
    """Return power spectral densities by Welch's method.

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        In µV; segments with missing values are left out, channel by channel.
    sfreq : float
        Sampling rate (Hz).

    Returns
    -------
    frequencies : ndarray, shape (bins,)
        Up to 60 Hz.
    densities : ndarray, shape (channels, bins)
        µV²/Hz; NaN for a channel without a whole segment.
    """
    n = round(SEGMENT * sfreq)
    taper = hann(n, sym=False)
    frequencies = rfftfreq(n, 1 / sfreq)
    kept = frequencies <= TOP
    starts = range(0, samples.shape[1] - n + 1, n // 2)
    total = np.zeros((len(samples), int(kept.sum())))
    counts = np.zeros((len(samples), 1))
    for start in starts:
        segment = samples[:, start : start + n]
        whole = np.isfinite(segment).all(axis=1, keepdims=True)
        segment = np.where(whole, segment, 0.0)
        level = segment.mean(axis=1, keepdims=True, dtype=np.float64)
        # single precision is enough for the eye, and takes half the time
        centred = ((segment - level) * taper).astype(np.float32)
        spectrum = rfft(centred, axis=1)[:, kept]
        total += spectrum.real**2 + spectrum.imag**2
        counts += whole
    with np.errstate(invalid="ignore", divide="ignore"):
        densities = np.where(counts > 0, 2 * total / counts, np.nan)
    return frequencies[kept], densities / (sfreq * np.sum(taper**2))


def band_powers(frequencies: Floats, densities: Floats) -> Floats:
    """Return the power (µV²) in each of ``BANDS``, shape (channels, bands)."""
    width = frequencies[1] - frequencies[0]
    inside = [(frequencies >= low) & (frequencies < high) for low, high in BANDS.values()]
    return np.column_stack([densities[:, one].sum(axis=1) * width for one in inside])


def stimulus_snr(
    samples: NDArray[np.floating], sfreq: float, frequencies: Sequence[float]
) -> Floats:
    """Return the power at frequencies over the mean power beside them (Meigen and Bach 1999).

    Parameters
    ----------
    samples : ndarray, shape (channels, n)
        In µV, without missing values in the channels of interest.
    sfreq : float
        Sampling rate (Hz).
    frequencies : sequence of float
        In Hz.

    Returns
    -------
    ndarray, shape (channels, frequencies)
        1 where nothing stands out; NaN where values are missing, and above half the rate.
    """
    n = samples.shape[1]
    resolution = sfreq / n
    level = samples.mean(axis=1, keepdims=True, dtype=np.float64)
    values = ((samples - level) * hann(n, sym=False)).astype(np.float32)
    wanted = np.array(frequencies)[:, np.newaxis] + np.array([0, *_NEIGHBOURS]) * resolution
    cosines, sines = _waves(n, sfreq, tuple(wanted.ravel().tolist()))
    power = (values @ cosines) ** 2 + (values @ sines) ** 2
    power = power.reshape(len(values), *wanted.shape)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: Floats = power[..., 0] / power[..., 1:].mean(axis=-1)
    return np.where(wanted.max(axis=1) < sfreq / 2, ratio, np.nan)


@lru_cache(maxsize=2)
def _waves(
    n: int, sfreq: float, frequencies: tuple[float, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return cosines and sines, each of shape (n, frequencies)."""
    phase = 2 * np.pi * np.outer(np.arange(n) / sfreq, np.array(frequencies))
    return np.cos(phase).astype(np.float32), np.sin(phase).astype(np.float32)
