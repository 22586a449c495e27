"""A ring buffer of samples that are addressed by their index since the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError


class RingBuffer:
    """The last samples of a stream.

    Each sample is written twice, one capacity apart, so that any stretch that is still held
    lies in one piece and is read without a copy. The channels of a sample lie side by side: a
    window is one stretch of memory, which a live decision reads faster than one for each channel.

    Parameters
    ----------
    n_channels : int
        Number of channels.
    capacity : int
        Number of samples to hold.

    Raises
    ------
    InputError
        A size is less than 1.
    """

    def __init__(self, n_channels: int, capacity: int) -> None:
        if n_channels < 1 or capacity < 1:
            raise InputError(
                "A ring buffer holds at least one channel and one sample",
                value=f"{n_channels} channels, {capacity} samples",
                remedy="Give positive sizes.",
            )
        self._data: NDArray[np.float64] = np.zeros((2 * capacity, n_channels))
        self._capacity = capacity
        self._stop = 0

    @property
    def capacity(self) -> int:
        """Number of samples that can be held."""
        return self._capacity

    @property
    def start(self) -> int:
        """Index of the oldest sample that is held."""
        return max(self._stop - self._capacity, 0)

    @property
    def stop(self) -> int:
        """Index of the next sample to come, which is the number of samples so far."""
        return self._stop

    def append(self, chunk: ArrayLike) -> None:
        """Add samples; the oldest ones make room.

        Parameters
        ----------
        chunk : array_like, shape (n_channels, n_samples)
            New samples; more than the capacity is fine, the last ones stay.

        Raises
        ------
        InputError
            The chunk has another shape.
        """
        values = np.asarray(chunk, dtype=np.float64)
        if values.ndim != 2 or values.shape[0] != self._data.shape[1]:
            raise InputError(
                f"A chunk has the shape ({self._data.shape[1]}, samples)",
                value=f"shape {values.shape}",
                remedy="Pass all channels of the buffer.",
            )
        self._stop += values.shape[1]
        samples = values.T[-self._capacity :]
        n_samples = len(samples)
        first = (self._stop - n_samples) % self._capacity
        n_head = min(n_samples, self._capacity - first)
        for offset in (0, self._capacity):
            self._data[offset + first : offset + first + n_head] = samples[:n_head]
            self._data[offset : offset + n_samples - n_head] = samples[n_head:]

    def get(self, start: int, stop: int) -> NDArray[np.float64]:
        """Read the samples ``start`` to ``stop - 1``.

        Returns
        -------
        ndarray of float64, shape (n_channels, stop - start)
            A read-only view, valid until the next :meth:`append`; copy it to keep it.

        Raises
        ------
        InputError
            Samples were overwritten or have not arrived, or ``stop`` lies before ``start``.
        """
        if not self.start <= start <= stop <= self._stop:
            raise InputError(
                f"The ring buffer holds the samples {self.start} to {self._stop} (excluded)",
                value=f"samples {start} to {stop}",
                remedy="Read a window once it has arrived and before it is overwritten.",
            )
        first = start % self._capacity
        view = self._data[first : first + stop - start].T
        view.flags.writeable = False
        return view
