"""How fluid the window is: frames a second, and the longest gap between two."""

from __future__ import annotations

import time
from collections import deque

#: Seconds over which the rate is taken.
SPAN = 2.0


class FrameMeter:
    """Count frames as they are painted."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=1000)
        self._reset_at = 0.0
        #: Longest time (s) between two frames since :meth:`reset`.
        self.longest_gap = 0.0
        #: Frames since :meth:`reset`.
        self.count = 0

    def frame(self) -> None:
        """Take note of a frame."""
        now = time.perf_counter()
        if self.count > 0:
            self.longest_gap = max(self.longest_gap, now - self._times[-1])
        self._times.append(now)
        self.count += 1

    def reset(self) -> None:
        """Begin to count anew."""
        self._times.clear()
        self.longest_gap = 0.0
        self.count = 0

    @property
    def rate(self) -> float:
        """Frames a second over the last two seconds."""
        if not self._times:
            return 0.0
        recent = [one for one in self._times if one > self._times[-1] - SPAN]
        return (len(recent) - 1) / (recent[-1] - recent[0]) if len(recent) > 1 else 0.0
