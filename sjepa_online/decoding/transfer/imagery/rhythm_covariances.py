"""Covariances of electrodes behind the first convolution of the local encoder.

The power of a virtual channel behind a kernel is quadratic in the electrodes: ``w' C_k w`` with
``C_k`` the covariance of the electrodes behind that kernel. A network that reads the power of the
first convolution therefore needs these covariances of a trial only, whatever its spatial filters
are, and alignment, mirror images and missing electrodes act on them directly.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ

Floats32 = NDArray[np.float32]

#: Hz, the rhythms of the sensorimotor cortex; eye movements lie below, muscles mostly above.
BAND = (7.0, 32.0)
#: Centres (Hz) of the first and the last kernel.
CENTRES = (8.0, 30.0)
N_KERNELS = 12
#: Samples from one output of the convolution to the next.
STRIDE = 2
#: Samples of a block; a window is two neighbouring blocks, 0.5 s.
BLOCK = 32
#: Powers below this count as this, so that silence has a logarithm.
SMALLEST_POWER = 1e-6
_ORDER = 4
#: Samples after which the band-pass answers no more, to the precision of single floats.
_RESPONSE = 134
#: Samples that are filtered at once.
_PART = 67


def rhythm_kernels(n_kernels: int = N_KERNELS, n_taps: int = 32) -> Floats32:
    """Return Hann-windowed cosines ``(n_kernels, n_taps)`` over the band of the rhythms.

    They have the length of the local encoder's first convolution.

    Parameters
    ----------
    n_kernels : int
        Number of centre frequencies, evenly spaced from the lowest to the highest.
    n_taps : int
        Length in samples at 128 Hz.

    Returns
    -------
    ndarray of float32, shape (n_kernels, n_taps)
        Each row has the norm 1.
    """
    centres = np.linspace(*CENTRES, n_kernels)[:, np.newaxis]
    time = (np.arange(n_taps) - (n_taps - 1) / 2) / MODEL_SFREQ
    kernels = np.hanning(n_taps + 2)[1:-1] * np.cos(2 * np.pi * centres * time)
    normed = kernels / np.linalg.norm(kernels, axis=1, keepdims=True)
    return np.asarray(normed, dtype=np.float32)


def n_windows(n_times: int, n_taps: int, block: int = BLOCK) -> int:
    """Return how many windows of two blocks, each a block after the last, an epoch holds.

    Parameters
    ----------
    n_times : int
        Samples of the epoch at 128 Hz.
    n_taps : int
        Length of a kernel in samples.
    block : int
        Samples of a block.

    Returns
    -------
    int
        Below 1 where the epoch is too short for one window.
    """
    return ((n_times - n_taps) // STRIDE + 1) // (block // STRIDE) - 1


def n_samples(n_windows: int, n_taps: int, block: int = BLOCK) -> int:
    """Return the samples of the shortest epoch that holds so many windows.

    Parameters
    ----------
    n_windows : int
    n_taps : int
        Length of a kernel in samples.
    block : int
        Samples of a block.

    Returns
    -------
    int
    """
    return (n_windows + 1) * block + n_taps - STRIDE


def seconds_of(n_times: int) -> float:
    """Return how long a window has to be for so many samples, for messages.

    Parameters
    ----------
    n_times : int
        Samples at 128 Hz.

    Returns
    -------
    float
        Seconds, rounded up to hundredths: a window of this length holds the samples.
    """
    return math.ceil(100 * n_times / MODEL_SFREQ) / 100


def rhythm_covariances(signals: Floats32, kernels: Floats32, block: int = BLOCK) -> Floats32:
    """Return the covariances of the electrodes behind each kernel in each window.

    Parameters
    ----------
    signals : ndarray, shape (n, channels, samples)
        Epochs at 128 Hz as :func:`in_band` returns them.
    kernels : ndarray, shape (kernels, taps)
    block : int
        Samples of a block.

    Returns
    -------
    covariances : ndarray, shape (n, kernels, windows, channels, channels)

    Raises
    ------
    InputError
        The epochs are shorter than one window.
    """
    n, n_channels, n_times = signals.shape
    n_kernels, n_taps = kernels.shape
    n_blocks = n_windows(n_times, n_taps, block) + 1
    if n_blocks < 2:
        shortest = seconds_of(n_samples(1, n_taps, block))
        raise InputError(
            f"Epochs are shorter than the {shortest:.2f} s that the network reads",
            value=f"{n_times / MODEL_SFREQ:.2f} s",
            remedy="Choose a protocol with a longer window.",
        )
    per_block = block // STRIDE
    filters = _block_filters(kernels.tobytes(), n_taps, per_block)
    span = filters.shape[1]
    covariances = np.empty((n, n_kernels, n_blocks - 1, n_channels, n_channels), dtype=np.float32)
    for trial, signal in enumerate(signals):
        spans = frames(signal, span, block, n_blocks).swapaxes(0, 1).reshape(-1, span)
        outputs = (filters @ spans.T).reshape(n_kernels, per_block, n_blocks, n_channels)
        blocks = outputs.transpose(0, 2, 3, 1)
        products = blocks @ blocks.swapaxes(2, 3)
        covariances[trial] = (products[:, :-1] + products[:, 1:]) / (2 * per_block)
    return covariances


def upper_triangles(matrices: Floats32) -> Floats32:
    """Return the upper triangles of matrices.

    Parameters
    ----------
    matrices : ndarray, shape (..., channels, channels)

    Returns
    -------
    ndarray, shape (..., channels * (channels + 1) / 2)
    """
    n_channels = matrices.shape[-1]
    flat = matrices.reshape(*matrices.shape[:-2], n_channels**2)
    return np.take(flat, _upper_triangle(n_channels), axis=-1)


@lru_cache(maxsize=16)
def _upper_triangle(n_channels: int) -> NDArray[np.intp]:
    rows, columns = np.triu_indices(n_channels)
    return np.asarray(rows * n_channels + columns, dtype=np.intp)


@lru_cache(maxsize=16)
def _block_filters(kernels: bytes, n_taps: int, per_block: int) -> Floats32:
    """Return the kernels at each place of a block ``(kernels * per_block, samples)``.

    One large product per block is faster than a convolution with few kernels.
    """
    rows = np.frombuffer(kernels, dtype=np.float32).reshape(-1, n_taps)
    filters = np.zeros((len(rows), per_block, STRIDE * (per_block - 1) + n_taps), np.float32)
    for place in range(per_block):
        filters[:, place, STRIDE * place : STRIDE * place + n_taps] = rows
    return filters.reshape(len(rows) * per_block, -1)


def frames(signal: Floats32, length: int, step: int, n_frames: int) -> Floats32:
    """Return overlapping pieces of a signal without copying it.

    It takes a tenth of the time of :func:`numpy.lib.stride_tricks.sliding_window_view`.

    Parameters
    ----------
    signal : ndarray, shape (channels, samples)
    length, step : int
        Samples of a piece, and from one to the next.
    n_frames : int

    Returns
    -------
    pieces : ndarray, shape (channels, n_frames, length)

    Raises
    ------
    ValueError
        The signal is shorter than the pieces.
    """
    whole = np.ascontiguousarray(signal)
    row, sample = whole.strides
    shape, strides = (len(whole), n_frames, length), (row, step * sample, sample)
    if step * (n_frames - 1) + length > whole.shape[1]:
        raise ValueError(f"{whole.shape[1]} samples do not hold {n_frames} pieces of {length}")
    return np.ndarray(shape, whole.dtype, whole, strides=strides)


def in_band(X: NDArray[np.floating]) -> Floats32:
    """Band-pass epochs to the band of the rhythms, forwards and backwards.

    Parameters
    ----------
    X : ndarray, shape (..., samples)
        Epochs at 128 Hz.

    Returns
    -------
    ndarray of float32, shape (..., samples)
    """
    epochs = np.asarray(X, dtype=np.float32)
    filtered = np.empty(epochs.shape, dtype=np.float32)
    for outputs, inputs, matrix in _band_pass(X.shape[-1]):
        filtered[..., outputs] = epochs[..., inputs] @ matrix
    return filtered


@lru_cache(maxsize=16)
def _band_pass(n_times: int) -> tuple[tuple[slice, slice, Floats32], ...]:
    """Return matrices that band-pass epochs of this length, forwards and backwards.

    One matrix for the whole epoch would be mostly zeros, and leave the cache between decisions.
    """
    sections = butter(_ORDER, BAND, "bandpass", fs=MODEL_SFREQ, output="sos")
    padding = min(100, n_times - 1)
    filtered = sosfiltfilt(sections, np.eye(n_times), axis=1, padlen=padding)
    whole = np.asarray(filtered, dtype=np.float32)
    parts = []
    for start in range(0, n_times, _PART):
        outputs = slice(start, start + _PART)
        inputs = slice(max(0, start - _RESPONSE), start + _PART + _RESPONSE)
        parts.append((outputs, inputs, np.ascontiguousarray(whole[inputs, outputs])))
    return tuple(parts)
