"""Covariances of channels behind each kernel of a filter bank, without the convolution.

By Parseval's theorem the products of convolved channels, summed over time, are the channels'
spectra, multiplied by the kernel's gain and each other and summed over frequency. That holds for
a circular convolution. A convolution without padding lacks the few samples at which the epoch's
end meets its start; these are computed and subtracted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy.fft import next_fast_len

from sjepa_online.decoding.features.spectral import fourier_parts, weighted_products
from sjepa_online.typing import Floats, Indices


class _Plan(NamedTuple):
    """Arrays that depend on the kernels and the length of the epochs only.

    Attributes
    ----------
    n_circle : int
        Length of the Fourier transform.
    amplitudes : ndarray, shape (kernels, 2 * bins)
        Root of each bin's weight, for its real and its imaginary part.
    ends : ndarray of int, shape (samples,)
        The epoch's first and last samples.
    seam : ndarray, shape (samples, kernels * outputs)
        From these to the outputs that mix the epoch's end with its start.
    sums : ndarray, shape (kernels, 1)
        Sum of each kernel's taps.
    """

    n_circle: int
    amplitudes: Floats
    ends: Indices
    seam: Floats
    sums: Floats


def filterbank_covariances(X: Floats, kernels: Floats) -> Floats:
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
    parts = fourier_parts(X, plan.n_circle)
    shape = (n, n_channels, n_kernels, plan.seam.shape[1] // n_kernels)
    seam = (X[..., plan.ends] @ plan.seam).reshape(shape).swapaxes(1, 2)
    sums = parts[:, np.newaxis, :, 0] * plan.sums - seam.sum(axis=-1)
    products = weighted_products(parts, [slice(None)] * n_kernels, list(plan.amplitudes))
    products -= seam @ seam.swapaxes(2, 3)
    products -= sums[..., np.newaxis] * sums[..., np.newaxis, :] / n_valid
    products /= n_valid
    return products


@lru_cache(maxsize=32)
def _plan(content: bytes, n_taps: int, n_times: int) -> _Plan:
    kernels = np.frombuffer(content).reshape(-1, n_taps)
    n_circle = next_fast_len(n_times, real=True)
    weight = np.abs(np.fft.rfft(kernels, n_circle)) ** 2 / n_circle
    # every bin but the first, and the last of an even length, stands for its negative too
    weight[:, 1 : (n_circle + 1) // 2] *= 2
    amplitudes = np.repeat(np.sqrt(weight), 2, axis=1)
    ends = np.union1d(np.arange(n_taps - 1), np.arange(n_times - n_taps + 1, n_times))
    outputs = np.r_[: n_taps - 1, n_times:n_circle]
    around = np.zeros((len(kernels), n_circle))
    around[:, :n_taps] = kernels[:, ::-1]
    seam = around[:, (outputs - ends[:, np.newaxis]) % n_circle]
    return _Plan(
        n_circle,
        amplitudes,
        ends,
        np.ascontiguousarray(seam.swapaxes(0, 1)).reshape(len(ends), len(kernels) * len(outputs)),
        kernels.sum(axis=1, keepdims=True),
    )
