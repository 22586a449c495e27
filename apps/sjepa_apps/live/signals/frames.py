"""How fluid the window is: frames a second, and the longest gap between two."""

from __future__ import annotations

import time
from collections import deque

#: Seconds over which the rate is taken.
SPAN = 2.0
#: Seconds over which the longest recent gap is taken.
RECENT = 60.0


class FrameMeter:
    """Count frames as they are painted."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=1000)
        self._last: float | None = None
        # when gaps ended, and how long they were: none that a later one exceeds
        self._gaps: deque[tuple[float, float]] = deque()
        #: Longest time (s) between two frames since :meth:`reset`.
        self.longest_gap = 0.0
        #: Frames since :meth:`reset`.
        self.count = 0

    def frame(self) -> None:
        """Take note of a frame."""
        now = time.perf_counter()
        if self._last is not None:
            self._take_gap(now, now - self._last)
        self._last = now
        self._times.append(now)
        self.count += 1

    def pause(self) -> None:
        """Take what follows for no gap: nothing is painted while nothing is to be seen."""
        self._last = None

    def reset(self) -> None:
        """Begin to count anew."""
        self._times.clear()
        self._gaps.clear()
        self._last = None
        self.longest_gap = 0.0
        self.count = 0

    @property
    def recent_gap(self) -> float:
        """Longest time (s) between two frames of the last minute of frames."""
        return self._gaps[0][1] if self._gaps else 0.0

    @property
    def rate(self) -> float:
        """Frames a second over the last two seconds."""
        if not self._times:
            return 0.0
        recent = [one for one in self._times if one > self._times[-1] - SPAN]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0

    def _take_gap(self, now: float, gap: float) -> None:
        self.longest_gap = max(self.longest_gap, gap)
        while self._gaps and self._gaps[-1][1] <= gap:
            self._gaps.pop()
        self._gaps.append((now, gap))
        while self._gaps[0][0] < now - RECENT:
            self._gaps.popleft()
