"""A ring buffer of samples that are addressed by their index since the start."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from sjepa_online.errors import InputError
from sjepa_online.typing import Floats
from sjepa_online.validation import check_chunk


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
                "The ring buffer has no channels or no samples",
                value=f"{n_channels} channels, {capacity} samples",
                remedy="Give positive sizes.",
            )
        self._data: Floats = np.zeros((2 * capacity, n_channels))
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
        values = check_chunk(chunk, self._data.shape[1])
        self._stop += values.shape[1]
        samples = values.T[-self._capacity :]
        n_samples = len(samples)
        first = (self._stop - n_samples) % self._capacity
        n_head = min(n_samples, self._capacity - first)
        for offset in (0, self._capacity):
            self._data[offset + first : offset + first + n_head] = samples[:n_head]
            self._data[offset : offset + n_samples - n_head] = samples[n_head:]

    def get(self, start: int, stop: int) -> Floats:
        """Read the samples ``start`` to ``stop - 1``.

        Parameters
        ----------
        start, stop : int
            Indices since the first sample of the stream.

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
                f"Some of the samples {start} to {stop} are not in the ring buffer",
                value=f"it holds {self.start} to {self._stop} (excluded)",
                remedy="Read a window once it has arrived and before it is overwritten.",
            )
        first = start % self._capacity
        view = self._data[first : first + stop - start].T
        view.flags.writeable = False
        return view
