"""The times of a stream's samples on LSL's clock, whatever clock has stamped them."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from sjepa_online.stream.events import ClockOffset, FrozenTimestamps, StreamEvent
from sjepa_online.stream.inlets.connection import BUFFERED
from sjepa_online.stream.sample_clock import RATE_TOLERANCE, SampleClock

#: Seconds over which samples are counted to confirm a wrong rate.
COUNTED = 30.0
#: Seconds after which timestamps that stand still, while samples come, count as frozen.
FROZEN_AFTER = 2.0
#: A clock so far (s) off LSL's is another one; delays on the way are shorter.
OTHER_CLOCK = 10.0

# jitter (s) of samples that are stamped on arrival, in a stream that declares no rate
_UNDECLARED_JITTER = 0.1
# beyond the silence on the wire, by how much (s) timestamps may step before it is no gap
_LONGEST_UNHEARD_GAP = 10.0
# the correction of the clock moves timestamps by less than this (s)
_STANDSTILL = 0.01


class SourceClock:
    """Follow the clock of a source: its distance from LSL's, its standstills, its rate.

    Parameters
    ----------
    name : str
        Of the stream, for events.
    sfreq : float
        Rate of the samples (Hz).
    declared : bool
        Whether the stream declares that rate.
    smooth : bool
        Smooth the timestamps; see :class:`~sjepa_online.stream.sample_clock.SampleClock`.
    at_once : int
        Samples that are read at once, at most.

    Attributes
    ----------
    shift : float
        What is added (s) to the timestamps, which another clock gave; 0 for LSL's.
    frozen : bool
        Whether samples come whose timestamps stand still.
    compared : bool
        Whether the clocks have been compared, so that ``shift`` is exact.
    received : int
        Samples that have come.
    """

    def __init__(
        self, name: str, sfreq: float, *, declared: bool, smooth: bool, at_once: int
    ) -> None:
        self.shift = 0.0
        self.frozen = False
        self.received = 0
        self._name, self._sfreq, self._smooth, self._at_once = name, sfreq, smooth, at_once
        self._least_tolerance = 0.0 if declared else _UNDECLARED_JITTER
        self.compared = False
        # the last timestamp that moved, and when it came
        self._moved = (-np.inf, 0.0)
        self._clock = self._new_clock()
        # how many samples had arrived when, about once a second
        self._counts: deque[tuple[float, int]] = deque()

    def _new_clock(self) -> SampleClock:
        return SampleClock(self._sfreq, smooth=self._smooth, least_tolerance=self._least_tolerance)

    @property
    def effective_sfreq(self) -> float:
        """Rate (Hz) at which samples really come."""
        return self._clock.effective_sfreq

    @property
    def rate_is_wrong(self) -> bool:
        """Whether samples come at another rate than declared, by more than 1 %.

        The timestamps of a source that stamps on arrival tell another rate for a while after it
        has stalled; its samples are as many as they should be.
        """
        if not self._clock.rate_is_wrong:
            return False
        (since, before), (until, after) = self._counts[0], self._counts[-1]
        expected = self._sfreq * (until - since)
        return abs(after - before - expected) > RATE_TOLERANCE * expected

    def restart(self) -> None:
        """Compare the clocks anew: a source that was restarted may have another one."""
        self.compared = False

    def update(
        self, timestamps: NDArray[np.float64], now: float, silence: float
    ) -> tuple[NDArray[np.float64], list[StreamEvent]]:
        """Take in the timestamps of samples that have come.

        Parameters
        ----------
        timestamps : array, shape (n_samples,)
            As they came; at least one.
        now : float
            The time of LSL's clock (s).
        silence : float
            Seconds since samples came before.

        Returns
        -------
        times : array, shape (n_samples,)
            On LSL's clock (s).
        events : list of StreamEvent
        """
        frozen = self._check_standstill(float(timestamps[-1]), now)
        offset = self._compare(timestamps, now)
        times, events = self._clock.update(timestamps + self.shift, silence + _LONGEST_UNHEARD_GAP)
        self.received += len(times)
        self._count(now)
        return times, [*offset, *events, *frozen]

    def _compare(self, timestamps: NDArray[np.float64], now: float) -> list[StreamEvent]:
        """Measure once how far the stream's clock is off LSL's; a distance of hours is no delay."""
        offset = now - float(timestamps[-1])
        waiting = len(timestamps) >= self._at_once
        if self.compared:
            return []
        if waiting and abs(offset) > BUFFERED + OTHER_CLOCK:
            # of what has waited for long, only the newest sample tells the clock; until it is
            # read, the times are right to within the time that it has waited
            self.shift = self.shift or offset
            return []
        self.compared = True
        if waiting:
            return []
        self.shift = offset if abs(offset) > OTHER_CLOCK else 0.0
        if not self.shift:
            return []
        detail = (
            f"{self._name} is stamped by another clock than LSL's, {-offset:+.3f} s off; "
            "this is corrected, to within some ms"
        )
        return [ClockOffset(time=now, detail=detail, seconds=offset)]

    def _check_standstill(self, timestamp: float, now: float) -> list[StreamEvent]:
        """Tell whether timestamps have begun to stand still, which no clock of samples sees."""
        if abs(timestamp - self._moved[0]) > _STANDSTILL:
            if self.frozen:
                # the old one has learnt that any time is possible
                self._clock = self._new_clock()
            self._moved, self.frozen = (timestamp, now), False
        elif not self.frozen and now - self._moved[1] > FROZEN_AFTER:
            self.frozen = True
            detail = (
                f"{self._name} sends samples whose timestamps have stood still for "
                f"{now - self._moved[1]:.1f} s: nothing is decoded until they move again"
            )
            return [FrozenTimestamps(time=now, detail=detail)]
        return []

    def _count(self, now: float) -> None:
        if not self._counts or now - self._counts[-1][0] >= 1:
            self._counts.append((now, self.received))
        while now - self._counts[0][0] > COUNTED:
            self._counts.popleft()
