"""Cross-spectra of an epoch around given frequencies: power without phase, coherent in time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft, rfftfreq

from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

#: Hz on either side of the frequency that still count; beyond, the weight is below 1/500.
SKIRT = 6.0
#: The response to a flicker has its largest parts at the frequency and twice of it.
HARMONICS = (1, 2)


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
    n_times = X.shape[-1]
    # padded to twice the length: a grid that is finer than the resolution
    n_padded = next_fast_len(2 * n_times, real=True)
    grid = rfftfreq(n_padded, 1 / MODEL_SFREQ)
    transform = rfft(X - X.mean(axis=-1, keepdims=True), n_padded) / np.sqrt(n_times)
    half_width = MODEL_SFREQ / n_times
    spectra = np.empty((len(X), len(frequencies), X.shape[1], X.shape[1]))
    for index, frequency in enumerate(frequencies):
        near = np.abs(grid - frequency) <= SKIRT
        amplitude = 1 / np.sqrt(1 + ((grid[near] - frequency) / half_width) ** 2)
        weighted = transform[..., near] * amplitude
        # Re(Z Z^H) without the imaginary part that nobody reads
        parts = np.concatenate([weighted.real, weighted.imag], axis=-1)
        spectra[:, index] = parts @ parts.swapaxes(-1, -2)
    return spectra


def stimulus_frequencies(frequencies: tuple[float, ...]) -> list[float]:
    """Return each frequency, then the harmonics of each."""
    return [harmonic * frequency for harmonic in HARMONICS for frequency in frequencies]
