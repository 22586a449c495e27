"""The last samples of the stream that is shown, with gaps where samples are missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class History:
    """A ring of samples in single precision, addressed by their index since the start.

    Parameters
    ----------
    n_channels : int
    capacity : int
        Number of samples to hold.
    """

    def __init__(self, n_channels: int, capacity: int) -> None:
        self._data: Floats = np.full((n_channels, capacity), np.nan, dtype=np.float32)
        self.capacity = capacity
        self.stop = 0

    @property
    def start(self) -> int:
        """Index of the oldest sample that is held."""
        return max(self.stop - self.capacity, 0)

    def append(self, data: NDArray[np.floating]) -> None:
        """Add samples ``(channels, n)``; the oldest make room."""
        n = data.shape[1]
        kept = data[:, -self.capacity :]
        first = (self.stop + n - kept.shape[1]) % self.capacity
        head = min(kept.shape[1], self.capacity - first)
        self._data[:, first : first + head] = kept[:, :head]
        self._data[:, : kept.shape[1] - head] = kept[:, head:]
        self.stop += n

    def get(self, start: int, stop: int) -> Floats:
        """Return the samples ``[start, stop)`` as ``(channels, n)``; NaN where none is held."""
        first, last = max(start, self.start), min(stop, self.stop)
        held = np.arange(first, max(last, first)) % self.capacity
        before = max(min(first, stop) - start, 0)
        after = stop - start - before - len(held)
        samples = self._data[:, held]
        if before or after:
            samples = np.pad(samples, ((0, 0), (before, after)), constant_values=np.nan)
        return samples

    def replace(self, start: int, data: NDArray[np.floating]) -> None:
        """Overwrite the samples from ``start`` on, up to the newest."""
        self._data[:, np.arange(start, start + data.shape[1]) % self.capacity] = data
