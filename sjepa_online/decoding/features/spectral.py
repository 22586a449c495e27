"""Power of an epoch without its phase: around given frequencies, or in bands of rhythms."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.fft import next_fast_len, rfftfreq

from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.typing import Floats

#: Hz on either side of the frequency that still count; beyond, the weight is below 1/500.
SKIRT = 6.0
#: The response to a flicker has its largest parts at the frequency and twice of it.
HARMONICS = (1, 2)
#: Bands (Hz) of imagery's rhythms: each overlaps the next, and higher ones are wider.
RHYTHM_BANDS: Floats = np.array(
    [(8, 12), (10, 14), (12, 16), (14, 20), (16, 22), (20, 26), (22, 30)], dtype=np.float64
)
#: Of the Butterworth filters that give the bands their flanks.
BAND_ORDER = 4
#: Bins that pass less than this share of the highest count for nothing.
SMALLEST_SHARE = 1e-3


class _Plan(NamedTuple):
    """Weights of the sums over a Fourier transform; they do not depend on the epochs.

    Attributes
    ----------
    n_padded : int
        Length of the Fourier transform.
    bins : tuple of slice
        Of each sum, real and imaginary parts in turn.
    amplitudes : tuple of ndarray
        Root of the weight of each bin.
    """

    n_padded: int
    bins: tuple[slice, ...]
    amplitudes: tuple[Floats, ...]


def cross_spectra(X: Floats, frequencies: list[float]) -> Floats:
    """Return the real cross-spectrum of the channels around each frequency.

    The weight of a bin is a Lorentzian as wide as the epoch's own resolution, ``1 / T``: the
    response adds up coherently over the whole epoch, whatever its phase, and the skirt mixes in
    a little of the trial's own background, which keeps the matrix well conditioned. The epoch
    is not tapered.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs at 128 Hz.
    frequencies : list of float
        Hz.

    Returns
    -------
    spectra : ndarray, shape (n, frequencies, channels, channels)
        Positive semidefinite, in the square of the epochs' unit.
    """
    return _weighted_spectra(X, _line_plan(tuple(frequencies), X.shape[-1]))


def stimulus_frequencies(frequencies: tuple[float, ...]) -> list[float]:
    """Return the frequencies at which the response to a flicker is read.

    Parameters
    ----------
    frequencies : tuple of float
        Stimulus frequencies (Hz).

    Returns
    -------
    list of float
        Each frequency (Hz), then the second harmonic of each.
    """
    return [harmonic * frequency for harmonic in HARMONICS for frequency in frequencies]


def band_covariances(X: Floats, bands: Floats, kernels: Floats) -> Floats:
    """Return the covariances of the channels in each band, summed over kernels.

    What the kernels pass, and a Butterworth filter that runs forwards and backwards passes of
    it, by Parseval's theorem: one Fourier transform of the epoch serves all of them. The epoch
    is padded with a few zeros to a length that is fast to transform, and filtered as if it came
    again and again; it is not tapered, which would waste its ends.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs at 128 Hz.
    bands : ndarray, shape (bands, 2)
        Lower and upper edges (Hz), at half of the power in one direction; far below 64 Hz.
    kernels : ndarray, shape (kernels, taps)
        A convolution; one kernel of a single 1 leaves the epochs as they are.

    Returns
    -------
    covariances : ndarray, shape (n, bands, channels, channels)
        Positive semidefinite, in the square of the epochs' unit.
    """
    plan = _band_plan(bands.tobytes(), kernels.tobytes(), kernels.shape[1], X.shape[-1])
    return _weighted_spectra(X, plan)


def _weighted_spectra(X: Floats, plan: _Plan) -> Floats:
    centred = np.asarray(X - X.mean(axis=-1, keepdims=True), dtype=np.float64)
    return weighted_products(fourier_parts(centred, plan.n_padded), plan.bins, plan.amplitudes)


def fourier_parts(X: Floats, n_padded: int) -> Floats:
    """Return the Fourier transform of real signals as real and imaginary parts in turn.

    Parameters
    ----------
    X : ndarray, shape (..., samples)
        Of double precision.
    n_padded : int
        Length of the transform, at least that of the signals.

    Returns
    -------
    parts : ndarray, shape (..., 2 * bins)
    """
    # numpy's transform, as scipy's takes longer to begin than to finish on one epoch
    parts: Floats = np.fft.rfft(np.ascontiguousarray(X), n_padded).view(np.float64)
    return parts


def weighted_products(parts: Floats, bins: Sequence[slice], amplitudes: Sequence[Floats]) -> Floats:
    """Return weighted sums over bins of the products of channels.

    They are real: no classifier reads the imaginary part of the cross-spectra.

    Parameters
    ----------
    parts : ndarray, shape (n, channels, 2 * bins)
        See :func:`fourier_parts`.
    bins : sequence of slice
        What each sum takes of the parts.
    amplitudes : sequence of ndarray
        Root of the weight of each part, for each sum.

    Returns
    -------
    products : ndarray, shape (n, sums, channels, channels)
    """
    n, n_channels, _ = parts.shape
    products = np.empty((n, len(bins), n_channels, n_channels))
    for index, (chosen, amplitude) in enumerate(zip(bins, amplitudes, strict=True)):
        weighted = parts[..., chosen] * amplitude
        products[:, index] = weighted @ weighted.swapaxes(-1, -2)
    return products


@lru_cache(maxsize=32)
def _line_plan(frequencies: tuple[float, ...], n_times: int) -> _Plan:
    # padded to twice the length: a grid that is finer than the resolution
    n_padded = next_fast_len(2 * n_times, real=True)
    grid = rfftfreq(n_padded, 1 / MODEL_SFREQ)
    bins, amplitudes = [], []
    for frequency in frequencies:
        first = int(np.searchsorted(grid, frequency - SKIRT))
        last = int(np.searchsorted(grid, frequency + SKIRT, side="right"))
        distance = (grid[first:last] - frequency) / (MODEL_SFREQ / n_times)
        bins.append(slice(2 * first, 2 * last))
        amplitudes.append(np.repeat(1 / np.sqrt(n_times * (1 + distance**2)), 2))
    return _Plan(n_padded, tuple(bins), tuple(amplitudes))


@lru_cache(maxsize=32)
def _band_plan(bands: bytes, kernels: bytes, n_taps: int, n_times: int) -> _Plan:
    n_padded = next_fast_len(max(n_times, n_taps), real=True)
    grid = rfftfreq(n_padded, 1 / MODEL_SFREQ)
    gains = np.abs(np.fft.rfft(np.frombuffer(kernels).reshape(-1, n_taps), n_padded)) ** 2
    # a bin stands for its negative too
    gain = 2 * gains.sum(axis=0) / (n_times * n_padded)
    bins, amplitudes = [], []
    for low, high in np.frombuffer(bands).reshape(-1, 2):
        distance = (grid[1:] ** 2 - low * high) / (grid[1:] * (high - low))
        passed = np.r_[0.0, 1 / (1 + distance ** (2 * BAND_ORDER)) ** 2]
        near = np.flatnonzero(passed > SMALLEST_SHARE * passed.max())
        first, last = int(near[0]), int(near[-1]) + 1
        bins.append(slice(2 * first, 2 * last))
        amplitudes.append(np.repeat(np.sqrt((gain * passed)[first:last]), 2))
    return _Plan(n_padded, tuple(bins), tuple(amplitudes))
