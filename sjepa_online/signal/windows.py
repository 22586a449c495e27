"""Where the window of a trial lies in the preprocessed signal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ


@dataclass(frozen=True)
class Windows:
    """Windows cut out of a continuous signal, and those that did not fit.

    Attributes
    ----------
    data : ndarray, shape (n_kept, n_channels, n_times)
        The windows that lie within the signal.
    kept : ndarray of int, shape (n_kept,)
        Which of the requested windows these are.
    before_start : ndarray of int, shape (n_before,)
        Requested windows that start before the signal.
    past_end : ndarray of int, shape (n_past,)
        Requested windows that start within the signal or after it, and end after it.
    """

    data: NDArray[Any]
    kept: NDArray[np.int64]
    before_start: NDArray[np.int64]
    past_end: NDArray[np.int64]


def window_start(onset: ArrayLike, start: float, delay: float) -> NDArray[np.int64]:
    """Return the index of the first sample at 128 Hz of each trial's window.

    The preprocessor's output is late by its group delay, so the window moves back in the
    signal's own time by as much: the sample ``k`` shows the input at ``k / 128 - delay``.

    Parameters
    ----------
    onset : array_like of float, any shape
        Onsets of the trials in seconds after the first input sample.
    start : float
        Start of the window in seconds after the onset.
    delay : float
        ``Preprocessor.delay`` in seconds.

    Returns
    -------
    ndarray of int64, shape of ``onset``
        The nearest sample, the later one of two that are equally near. Negative where the
        window starts before the signal.

    Raises
    ------
    InputError
        A time is not finite.
    """
    position = (np.asarray(onset, dtype=np.float64) + start + delay) * MODEL_SFREQ
    if not np.isfinite(position).all():
        raise InputError(
            "Some onsets of trials are not finite",
            value=f"onsets {onset!r}, start {start}, delay {delay}",
            remedy="Leave out trials without an onset.",
        )
    return np.floor(position + 0.5).astype(np.int64)


def cut_windows(signal: NDArray[Any], starts: ArrayLike, n_times: int) -> Windows:
    """Cut windows of equal length out of a continuous signal.

    Parameters
    ----------
    signal : ndarray, shape (n_channels, n_samples)
        Preprocessed signal.
    starts : array_like of int, shape (n_windows,)
        Index of the first sample of each window.
    n_times : int
        Length of a window in samples, at least 1.

    Returns
    -------
    Windows
        Copies of the windows that fit, and the numbers of those that do not.
    """
    first = np.asarray(starts, dtype=np.int64)
    n_channels, n_samples = signal.shape
    early = first < 0
    late = ~early & (first + n_times > n_samples)
    kept = np.flatnonzero(~early & ~late)
    data = np.empty((len(kept), n_channels, n_times), dtype=signal.dtype)
    for row, begin in enumerate(first[kept]):
        data[row] = signal[:, begin : begin + n_times]
    return Windows(data, kept, np.flatnonzero(early), np.flatnonzero(late))
