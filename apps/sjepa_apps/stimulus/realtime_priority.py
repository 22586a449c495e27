"""Real-time priority for the thread that draws, while a trial is shown."""

from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path

# seconds after which a thread of Python gives way to the one that draws; 5 ms is the default,
# a third of a frame
_SWITCH_INTERVAL = 0.0005


class RealtimePriority:
    """Give the drawing thread real-time priority during a trial, and collect no garbage.

    Call it in the thread that draws. On Linux this thread gets a real-time priority, as in
    Psychtoolbox, and the other threads of this program the priority below, if the user has the
    right to it. Other systems raise the priority of the window in front by themselves.
    """

    def __init__(self) -> None:
        self._on = False
        self._interval = sys.getswitchinterval()

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
            _raise_priority()

    def stop(self) -> None:
        """Switch it off."""
        if not self._on:
            return
        self._on = False
        gc.enable()
        sys.setswitchinterval(self._interval)
        if sys.platform == "linux":
            _lower_priority()


def _raise_priority() -> None:
    policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
    try:
        # others answer for the display and for LSL, or may hold Python's lock
        for thread in _threads():
            _schedule(thread, policy, 1)
        os.sched_setscheduler(0, policy, os.sched_param(2))
    except PermissionError:
        # a right that the system's administrator gives; without it frames depend on the load
        return


def _lower_priority() -> None:
    for thread in _threads():
        _schedule(thread, os.SCHED_OTHER, 0)


def _schedule(thread: int, policy: int, priority: int) -> None:
    # a thread may have ended since it was listed
    with suppress(ProcessLookupError):
        os.sched_setscheduler(thread, policy, os.sched_param(priority))


def _threads() -> list[int]:
    return [int(path.name) for path in Path("/proc/self/task").iterdir()]
