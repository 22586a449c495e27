"""Let a trial's frames go before everything else that this program does."""

from __future__ import annotations

import gc
import os
import sys
import threading

# seconds after which a thread of Python gives way to the one that draws; 5 ms is the default,
# a third of a frame
_SWITCH_INTERVAL = 0.0005
# on Linux: of the thread that draws, where the user may raise it
_NICE = -10


class Rush:
    """While it is on, no garbage is collected, threads give way sooner, and this one comes first.

    It is switched in the thread that draws.
    """

    def __init__(self) -> None:
        self._on = False
        self._interval = sys.getswitchinterval()
        self._nice = 0

    def start(self) -> None:
        """Switch it on."""
        if self._on:
            return
        self._on = True
        # a collection of all objects takes as long as several frames
        gc.disable()
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_INTERVAL)
        if sys.platform == "linux":
            self._nice = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
            _renice(min(_NICE, self._nice))

    def stop(self) -> None:
        """Switch it off."""
        if not self._on:
            return
        self._on = False
        gc.enable()
        sys.setswitchinterval(self._interval)
        if sys.platform == "linux":
            _renice(self._nice)


def _renice(nice: int) -> None:
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
    except PermissionError:
        # users may do that only where the system's limits (rtprio, nice) allow it
        return
