"""When each sample was taken: smooth times, and the places where samples are missing."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.stream.events import (
    ClockJump,
    Gap,
    RateMismatch,
    StreamEvent,
)

#: Half-life (s) of what the line through the timestamps remembers.
HALF_LIFE = 30.0
#: Length (s) of timestamps without a break from which a rate can be told.
RATE_AFTER = 5.0
#: Deviation of the rate that is reported; the clocks of amplifiers are better than 0.1 %.
RATE_TOLERANCE = 0.01
#: Discontinuities within a second of samples that no longer count as gaps but as a wrong rate.
BREAKS_PER_SECOND = 10

_FIRST_JITTER = 0.0025
_JITTER_MEMORY = 1.0
_JITTER_FACTOR = 12.0


@dataclass
class _Line:
    """Weighted regression of the timestamps' deviation from the nominal rate."""

    start: float
    stop: float
    drift: float
    n: int = 0
    weight: float = 0.0
    mean_x: float = 0.0
    mean_r: float = 0.0
    var_x: float = 0.0
    cov_xr: float = 0.0


class SampleClock:
    """Follow the timestamps of a regular stream.

    The sample with index i was taken at about ``start + i / sfreq``. A line with an
    exponential memory is fitted to the timestamps; it gives smooth times (free of the
    jitter of chunks stamped on arrival) and the rate that is really sent. A timestamp
    further off the line than the jitter explains is a discontinuity: a gap, or a jump of
    the clock. There the line starts anew. liblsl's own dejittering cannot be used for this:
    it smooths over a gap, and its times are still wrong by a third of the gap 15 s later.

    The tolerance follows the stream: 12 times the usual deviation within a chunk (lateness
    has a long tail), and at least 0.6 samples or 0.5 ms. With exact timestamps a single
    missing sample is seen; with chunks stamped on arrival only a gap longer than their
    jitter is. It starts at 30 ms and settles within about 3 s.

    Parameters
    ----------
    sfreq : float
        Declared sampling rate (Hz).
    smooth : bool
        False to pass timestamps through as they are; discontinuities are found either way.
    least_tolerance : float
        Deviation (s) of a timestamp that never counts as a discontinuity.
    """

    def __init__(self, sfreq: float, *, smooth: bool = True, least_tolerance: float = 0.0) -> None:
        self.sfreq = sfreq
        self._smooth = smooth
        self._least_tolerance = least_tolerance
        self._line: _Line | None = None
        self._last = -np.inf
        self._jitter = _FIRST_JITTER
        self._breaks: deque[tuple[int, float]] = deque(maxlen=BREAKS_PER_SECOND)
        self._received = 0
        self._mismatch_told = False
        self._raw_last = np.nan
        self._run = 0

    @property
    def effective_sfreq(self) -> float:
        """Rate (Hz) at which samples really come; the declared one until it can be told."""
        return self.sfreq if self._line is None else self.sfreq / (1 + self._line.drift)

    @property
    def rate_is_wrong(self) -> bool:
        """Whether samples come at another rate than declared, by more than ``RATE_TOLERANCE``."""
        return self._line is not None and abs(self._line.drift) > RATE_TOLERANCE

    @property
    def tolerance(self) -> float:
        """Deviation (s) of a timestamp that counts as a discontinuity."""
        return max(0.6 / self.sfreq, 0.0005, self._least_tolerance, _JITTER_FACTOR * self._jitter)

    def update(
        self, timestamps: NDArray[np.float64], longest_gap: float = np.inf
    ) -> tuple[NDArray[np.float64], list[StreamEvent]]:
        """Take in the timestamps of the next samples.

        Parameters
        ----------
        timestamps : array, shape (n_samples,)
            As the stream gives them (s), clock correction applied.
        longest_gap : float
            How long (s) a gap can be at most; a longer step is a jump of the clock.

        Returns
        -------
        times : array, shape (n_samples,)
            When the samples were taken (s).
        events : list of StreamEvent
            Gaps, jumps of the clock and a wrong rate, in the order of the samples.
        """
        timestamps = self._apart(timestamps)
        events: list[StreamEvent] = []
        times = np.empty_like(timestamps)
        start = 0
        if self._line is None and len(timestamps):
            self._line = _Line(start=float(timestamps[0]), stop=float(timestamps[0]), drift=0.0)
        while start < len(timestamps):
            assert self._line is not None
            residuals = timestamps[start:] - self._predict(self._line, len(timestamps) - start)
            outside = np.flatnonzero(np.abs(residuals) > self.tolerance)
            n = int(outside[0]) if len(outside) else len(residuals)
            if n == 0:
                events += self._break(
                    float(timestamps[start]), float(residuals[0]), start, longest_gap
                )
                continue
            stop = start + n
            times[start:stop] = self._accept(self._line, timestamps[start:stop], residuals[:n])
            start = stop
        if self._line is not None:
            events += self._check_rate(self._line)
        return times, events

    def _apart(self, timestamps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count samples that have the timestamp of the one before, from there on."""
        if not len(timestamps):
            return timestamps
        same = np.diff(timestamps, prepend=self._raw_last) == 0
        self._raw_last = float(timestamps[-1])
        if not same.any():
            self._run = 0
            return timestamps
        places = np.arange(len(timestamps))
        changed = np.maximum.accumulate(np.where(same, -1, places))
        runs = np.where(changed < 0, places + 1 + self._run, places - changed)
        self._run = int(runs[-1])
        return timestamps + runs / self.sfreq

    def _predict(self, line: _Line, n: int) -> NDArray[np.float64]:
        x = (line.n + np.arange(n)) / self.sfreq
        return line.start + x + line.mean_r + line.drift * (x - line.mean_x)

    def _accept(
        self, line: _Line, timestamps: NDArray[np.float64], residuals: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Take samples without a discontinuity into the line; give their times."""
        n = len(timestamps)
        first = line.n
        x = (first + np.arange(n)) / self.sfreq
        line.stop = float(timestamps[-1])
        self._extend(line, x, timestamps - line.start - x)
        self._received += n
        share = -np.expm1(-n / self.sfreq / _JITTER_MEMORY)
        self._jitter += share * (float(np.abs(residuals).max()) - self._jitter)
        if not self._smooth:
            return timestamps
        times = line.start + x + line.mean_r + line.drift * (x - line.mean_x)
        # a better fit may lie earlier than the last time that was given out
        times = np.maximum(times, self._last)
        self._last = float(times[-1])
        return times

    def _extend(self, line: _Line, x: NDArray[np.float64], r: NDArray[np.float64]) -> None:
        """Merge a chunk into the weighted means and moments (Chan et al. 1983)."""
        n = len(x)
        decay = 0.5 ** (n / self.sfreq / HALF_LIFE)
        weight = line.weight * decay
        total = weight + n
        mean_x, mean_r = float(x.mean()), float(r.mean())
        dx, dr = mean_x - line.mean_x, mean_r - line.mean_r
        between = weight * n / total
        line.var_x = line.var_x * decay + float(((x - mean_x) ** 2).sum()) + between * dx * dx
        line.cov_xr = (
            line.cov_xr * decay + float(((x - mean_x) * (r - mean_r)).sum()) + between * dx * dr
        )
        line.mean_x += dx * n / total
        line.mean_r += dr * n / total
        line.weight = total
        line.n += n
        if line.stop - line.start >= RATE_AFTER:
            line.drift = line.cov_xr / line.var_x

    def _break(self, time: float, step: float, index: int, longest_gap: float) -> list[StreamEvent]:
        """Start a new line at a timestamp that is ``step`` seconds off the old one."""
        assert self._line is not None
        self._jitter += 0.1 * (self.tolerance - self._jitter)
        events: list[StreamEvent] = []
        drift = self._line.drift
        if 0 < step <= longest_gap:
            missing = round(step * self.effective_sfreq)
            detail = f"{missing} samples ({step * 1000:.0f} ms) are missing"
            events.append(Gap(time=time, detail=detail, missing=missing, index=index))
        else:
            detail = f"The stream's clock jumped by {step * 1000:+.0f} ms"
            events.append(ClockJump(time=time, detail=detail, seconds=step, index=index))
        self._breaks.append((self._received, time))
        n, span = self._received - self._breaks[0][0], time - self._breaks[0][1]
        if len(self._breaks) == BREAKS_PER_SECOND and 0 < n < self.sfreq and span > 0:
            drift = self.sfreq * span / n - 1
            events.append(self._mismatch(time, drift))
            self._breaks.clear()
        self._line = _Line(start=time, stop=time, drift=drift)
        self._last = -np.inf
        return events

    def _check_rate(self, line: _Line) -> list[StreamEvent]:
        if line.stop - line.start < RATE_AFTER:
            return []
        wrong = self.rate_is_wrong
        told, self._mismatch_told = self._mismatch_told, wrong
        return [self._mismatch(line.stop, line.drift)] if wrong and not told else []

    def _mismatch(self, time: float, drift: float) -> RateMismatch:
        self._mismatch_told = True
        measured = self.sfreq / (1 + drift)
        detail = f"The stream declares {self.sfreq:g} Hz but sends {measured:.4g} Hz"
        return RateMismatch(time=time, detail=detail, declared=self.sfreq, measured=measured)
