"""Signal in a fifth of the space: steps of 1 µV, each predicted from the eight before it.

EEG below 40 Hz at 128 Hz says little that is new in a sample. What the prediction leaves is
small, and deflate stores it in 4 to 6 bits. All arithmetic is in whole numbers, so that
unpacking gives the rounded signal exactly on any machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Size of a step (µV), that of common amplifiers' files; its noise is 0.29 µV.
STEP = 1.0
_ORDER = 8
#: Weights of the prediction are multiples of 1 / 2**_SHIFT.
_SHIFT = 12
_LARGEST = 30000


def pack_signal(signal: NDArray[np.floating]) -> dict[str, NDArray[Any]]:
    """Round a signal to 1 µV, and predict every sample from the eight before it.

    Parameters
    ----------
    signal : ndarray, shape (channels, samples)
        In µV; what is above 30 mV is cut off there.

    Returns
    -------
    packed : dict of str to ndarray
        For :func:`numpy.savez_compressed`: ``weights`` of the prediction, shape (8,), and the
        ``low`` and ``high`` bytes of its error, shape (channels, samples).
    """
    steps = np.rint(np.clip(signal / STEP, -_LARGEST, _LARGEST)).astype(np.int64)
    padded = np.pad(steps, ((0, 0), (_ORDER, 0)))
    past = np.lib.stride_tricks.sliding_window_view(padded[:, :-1], _ORDER, axis=1)
    fitted, *_ = np.linalg.lstsq(
        past.reshape(-1, _ORDER).astype(np.float64), steps.ravel().astype(np.float64), rcond=None
    )
    weights = np.rint(fitted * 2**_SHIFT).astype(np.int64)
    error = steps - (past @ weights >> _SHIFT)
    # small errors of either sign become small numbers
    folded = np.where(error < 0, -2 * error - 1, 2 * error).astype(np.uint32)
    low, high = (folded & 0xFF).astype(np.uint8), (folded >> 8).astype(np.uint16)
    return {"weights": weights.astype(np.int32), "low": low, "high": high}


def unpack_signal(packed: Mapping[str, NDArray[Any]]) -> NDArray[np.float16]:
    """Return the signal that :func:`pack_signal` packed.

    Parameters
    ----------
    packed : mapping of str to ndarray

    Returns
    -------
    signal : ndarray of float16, shape (channels, samples)
        Multiples of 1 µV.
    """
    folded = packed["low"].astype(np.int64) | packed["high"].astype(np.int64) << 8
    error = np.where(folded & 1, -(folded >> 1) - 1, folded >> 1)
    weights = packed["weights"].astype(np.int64)
    steps = np.zeros((error.shape[1] + _ORDER, error.shape[0]), dtype=np.int64)
    for number, row in enumerate(error.T):
        past = weights @ steps[number : number + _ORDER]
        steps[number + _ORDER] = row + (past >> _SHIFT)
    signal = steps[_ORDER:].T * STEP
    return np.ascontiguousarray(signal, dtype=np.float16)
