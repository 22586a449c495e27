"""Covariances of channels behind a convolution, without the convolution.

By Parseval's theorem the products of convolved channels, summed over time, are the channels'
spectra, multiplied by the kernel's gain and each other and summed over frequency. That holds for
all samples that a convolution of zero-padded epochs gives; those at the edges, which a convolution
without padding does not give, are few, and are computed and subtracted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import next_fast_len, rfft
from scipy.linalg import toeplitz

Floats = NDArray[np.float64]


class _Plan(NamedTuple):
    """What depends on the kernels and the length of the epochs only.

    Attributes
    ----------
    n_padded : int
        Length of the Fourier transform.
    amplitudes : ndarray, shape (kernels, 2 * bins)
        Root of each bin's weight, for real and imaginary parts.
    first, last : ndarray, shape (taps - 1, kernels * (taps - 1))
        From the first and the last samples to the edges of the padded convolution.
    sums : ndarray, shape (kernels,)
        Sum of each kernel's taps.
    """

    n_padded: int
    amplitudes: Floats
    first: Floats
    last: Floats
    sums: Floats


def convolved_covariances(X: Floats, kernels: Floats) -> Floats:
    """Return the covariances of the channels behind each kernel.

    They equal those of a convolution as torch's ``conv1d`` without padding gives it.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
    kernels : ndarray, shape (kernels, taps)

    Returns
    -------
    covariances : ndarray, shape (n, kernels, channels, channels)
        The mean over time is removed.
    """
    n_kernels, n_taps = kernels.shape
    n, n_channels, n_times = X.shape
    n_valid = n_times - n_taps + 1
    plan = _plan(kernels.tobytes(), n_taps, n_times)
    transform = rfft(X, plan.n_padded)
    parts = np.concatenate([transform.real, transform.imag], axis=-1)
    shape = (n, n_channels, n_kernels, n_taps - 1)
    first = (X[..., : n_taps - 1] @ plan.first).reshape(shape)
    last = (X[..., n_valid:] @ plan.last).reshape(shape)
    edges = np.concatenate([first, last], axis=-1).swapaxes(1, 2)
    sums = X.sum(axis=-1)[:, np.newaxis] * plan.sums[:, np.newaxis] - edges.sum(axis=-1)
    products = np.empty((n, n_kernels, n_channels, n_channels))
    weighted = np.empty_like(parts)
    for kernel in range(n_kernels):
        np.multiply(parts, plan.amplitudes[kernel], out=weighted)
        np.matmul(weighted, weighted.swapaxes(1, 2), out=products[:, kernel])
    products -= edges @ edges.swapaxes(2, 3)
    products -= sums[..., np.newaxis] * sums[..., np.newaxis, :] / n_valid
    products /= n_valid
    return products


@lru_cache(maxsize=32)
def _plan(content: bytes, n_taps: int, n_times: int) -> _Plan:
    kernels = np.frombuffer(content).reshape(-1, n_taps)
    n_padded = next_fast_len(n_times + n_taps - 1, real=True)
    weight = np.abs(rfft(kernels, n_padded)) ** 2 / n_padded
    # every bin but the first, and the last of an even length, stands for its negative too
    weight[:, 1 : (n_padded + 1) // 2] *= 2
    amplitudes = np.tile(np.sqrt(weight), 2)
    rest = np.zeros(n_taps - 1)
    first = [toeplitz(np.r_[kernel[-1], rest[1:]], kernel[:0:-1]) for kernel in kernels]
    last = [toeplitz(kernel[:-1], np.r_[kernel[0], rest[1:]]) for kernel in kernels]
    return _Plan(n_padded, amplitudes, np.hstack(first), np.hstack(last), kernels.sum(axis=1))
