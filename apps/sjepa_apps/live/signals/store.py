"""The signal that is shown: raw and filtered samples, their times, and the lines among them."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sjepa_apps.live.signals.display_filter import DisplayFilter, DisplaySettings
from sjepa_apps.live.signals.reader import ShownChannels
from sjepa_apps.live.signals.references import reference_weights
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import csv_cell
from sjepa_online.stream import Chunk, ClockJump, Gap

Floats = NDArray[np.float64]
#: Seconds to look back, where the memory below allows.
LOOK_BACK = 120.0
#: Values that are held at most, raw and filtered each: 24 MB.
MOST_VALUES = 6_000_000
#: Seconds of signal that the levels of raw traces are taken from.
CENTRE_SECONDS = 2.0
#: The same for the amplitude.
AMPLITUDE_SECONDS = 4.0


class History:
    """A ring of samples in single precision, addressed by their index since the start.

    Parameters
    ----------
    n_channels : int
    capacity : int
        Number of samples to hold.
    """

    def __init__(self, n_channels: int, capacity: int) -> None:
        self._data: NDArray[np.float32] = np.full((n_channels, capacity), np.nan, dtype=np.float32)
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

    def get(
        self, start: int, stop: int, rows: NDArray[np.intp] | slice = slice(None)
    ) -> NDArray[np.float32]:
        """Return the samples ``[start, stop)`` as ``(channels, n)``; NaN where none is held."""
        first, last = max(start, self.start), min(stop, self.stop)
        held = np.arange(first, max(last, first)) % self.capacity
        before = max(min(first, stop) - start, 0)
        after = stop - start - before - len(held)
        if isinstance(rows, slice):
            samples = self._data[rows, held]
        else:
            samples = self._data[np.ix_(rows, held)]
        if before or after:
            samples = np.pad(samples, ((0, 0), (before, after)), constant_values=np.nan)
        return samples

    def replace(self, start: int, data: NDArray[np.floating]) -> None:
        """Overwrite the samples from ``start`` on, up to the newest."""
        self._data[:, np.arange(start, start + data.shape[1]) % self.capacity] = data


class BadHistory:
    """When each channel was bad, in steps of a quarter of a second.

    Parameters
    ----------
    n_channels : int
    capacity : int
        Number of samples to remember.
    step : int
        Samples of a step.
    """

    def __init__(self, n_channels: int, capacity: int, step: int) -> None:
        self._bad = np.zeros((n_channels, capacity // step + 2), dtype=bool)
        self._step = step

    def extend(self, start: int, stop: int, bad: NDArray[np.bool_]) -> None:
        """Remember which channels are bad in the samples ``[start, stop)``."""
        if stop > start:
            steps = np.arange(start // self._step, (stop - 1) // self._step + 1)
            self._bad[:, steps % self._bad.shape[1]] = bad[:, np.newaxis]

    def at(
        self, places: NDArray[np.int64], rows: NDArray[np.intp] | slice = slice(None)
    ) -> NDArray[np.bool_]:
        """Return whether channels were bad at these samples, shape (channels, samples)."""
        held = places // self._step % self._bad.shape[1]
        return self._bad[rows, held] if isinstance(rows, slice) else self._bad[np.ix_(rows, held)]


@dataclass(frozen=True, slots=True)
class Line:
    """Something at a point in time (s, the stream's clock)."""

    time: float
    text: str
    kind: Literal["marker", "event", "mark"]


class SignalStore:
    """What has arrived of a stream.

    Parameters
    ----------
    channels : ShownChannels
    sfreq : float
        Declared rate of the stream (Hz).
    display : DisplaySettings
        How it is shown.
    """

    def __init__(self, channels: ShownChannels, sfreq: float, display: DisplaySettings) -> None:
        self.channels = channels
        self.sfreq = sfreq
        self.display = display
        n_channels = len(channels.names)
        n_rows = n_channels + len(channels.mastoids)
        capacity = int(min(LOOK_BACK * sfreq, max(MOST_VALUES / n_rows, 20 * sfreq)))
        #: Samples in µV as they came, those of the mastoids last.
        self.raw = History(n_rows, capacity)
        #: Samples in µV as they are shown.
        self.shown = History(n_channels, capacity)
        #: When each channel was bad.
        self.bad = BadHistory(n_channels, capacity, max(round(sfreq / 4), 1))
        self._is_bad = np.zeros(n_channels, dtype=bool)
        self.lines: deque[Line] = deque(maxlen=1000)
        self.last_time: float | None = None
        self._filter = self._make_filter()

    @property
    def seconds(self) -> float:
        """How far one can look back (s)."""
        return (self.shown.stop - self.shown.start) / self.sfreq

    def append(self, chunk: Chunk) -> None:
        """Take in a chunk; missing samples leave a hole as long as they would have been."""
        start = 0
        rows = np.concatenate([self.channels.picks, self.channels.mastoids])
        for event in chunk.events:
            if not isinstance(event, Gap | ClockJump):
                continue
            self._append(chunk.data[rows, start : event.index])
            start = event.index
            missing = event.missing if isinstance(event, Gap) else round(self.sfreq / 4)
            n = min(missing, self.shown.capacity)
            self._append(np.full((len(rows), n), np.nan))
        self._append(chunk.data[rows, start:])
        if len(chunk.timestamps):
            self.last_time = float(chunk.timestamps[-1])

    def set_display(self, display: DisplaySettings) -> None:
        """Show everything that is held in another way."""
        self.display = display
        self._filter = self._make_filter()
        first = self.raw.start
        raw = self.raw.get(first, self.raw.stop).astype(np.float64)
        self.shown.replace(first, self._shown(raw))

    def set_bad(self, bad: Sequence[bool]) -> None:
        """Say which channels are bad from now on: they reach no other trace by the reference."""
        is_bad = np.array(bad, dtype=bool)
        if np.array_equal(is_bad, self._is_bad):
            return
        self._is_bad = is_bad
        self._filter.weights = self._weights()

    def referenced(self, start: int, stop: int) -> NDArray[np.float32]:
        """Return samples ``(channels, n)`` in µV, unfiltered, with the reference that is shown."""
        raw = self.raw.get(start, stop)
        if self._filter.weights is None:
            return raw[: len(self.channels.names)]
        missing = ~np.isfinite(raw)
        weights = self._filter.weights.astype(np.float32)
        shown = weights @ np.where(missing, np.float32(0.0), raw)
        shown[missing[: len(shown)]] = np.nan
        return shown

    @property
    def is_bad(self) -> NDArray[np.bool_]:
        """Which channels are bad now, shape (channels,)."""
        return self._is_bad

    def position(self, time: float) -> float:
        """Return the place of a time among the samples, by the newest one."""
        assert self.last_time is not None
        return self.shown.stop - 1 + (time - self.last_time) * self.sfreq

    def time_at(self, position: float) -> float:
        """Return the time (s) of a place among the samples."""
        assert self.last_time is not None
        return self.last_time + (position - self.shown.stop + 1) / self.sfreq

    def centres(self) -> Floats:
        """Return the level of each channel, shape (channels,): 0 where a filter removes it."""
        if not self.display.keeps_level:
            return np.zeros(len(self.channels.names))
        recent = self._recent(CENTRE_SECONDS)
        with np.errstate(all="ignore"):
            middle: Floats = (np.fmin.reduce(recent, axis=1) + np.fmax.reduce(recent, axis=1)) / 2
        return np.nan_to_num(middle)

    def amplitude(self) -> float | None:
        """Return a typical peak (µV) of the last seconds; None before there is any signal."""
        recent = self._recent(AMPLITUDE_SECONDS)
        recent = recent[:, np.isfinite(recent).all(axis=0)]
        if recent.shape[1] < self.sfreq / 2:
            return None
        return float(
            np.median(np.percentile(np.abs(recent - recent.mean(1, keepdims=True)), 98, 1))
        )

    def _recent(self, seconds: float) -> Floats:
        n = min(int(seconds * self.sfreq), self.shown.stop - self.shown.start)
        if n == 0:
            return np.full((len(self.channels.names), 1), np.nan)
        return self.shown.get(self.shown.stop - n, self.shown.stop).astype(np.float64)

    def _append(self, data: Floats) -> None:
        factors = self.channels.factors
        if len(data) > len(factors):
            rest = np.full((len(data) - len(factors), 1), factors[0, 0])
            factors = np.concatenate([factors, rest])
        microvolts = data * factors
        self.raw.append(microvolts)
        start = self.shown.stop
        self.shown.append(self._shown(microvolts))
        self.bad.extend(start, self.shown.stop, self._is_bad)

    def _shown(self, microvolts: Floats) -> Floats:
        return self._filter.update(microvolts)[: len(self.channels.names)]

    def _weights(self) -> Floats | None:
        names, n_mastoids = self.channels.names, len(self.channels.mastoids)
        return reference_weights(self.display.reference, names, n_mastoids, self._is_bad.tolist())

    def _make_filter(self) -> DisplayFilter:
        return DisplayFilter(
            self.display,
            len(self.channels.names) + len(self.channels.mastoids),
            self.sfreq,
            self._weights(),
        )


def save_signals(store: SignalStore, start: int, stop: int, path: Path) -> None:
    """Write samples as they are shown: time (s, LSL clock) and one column a channel.

    Parameters
    ----------
    store : SignalStore
    start, stop : int
        Places among the samples.
    path : Path

    Raises
    ------
    InputError
        There is nowhere to write them.
    """
    samples = store.shown.get(start, stop)
    times = np.array([store.time_at(place) for place in range(start, stop)])
    names = (f"{name} ({store.channels.unit})" for name in store.channels.names)
    header = ",".join(["time (s)", *(str(csv_cell(name.replace(",", " "))) for name in names)])
    text = io.StringIO()
    table = np.column_stack([times, samples.T])
    np.savetxt(text, table, fmt="%.6f", delimiter=",", header=header, comments="")
    atomic_write(path, text.getvalue().encode())
