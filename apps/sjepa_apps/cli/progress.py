"""Progress of long work on standard error: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any, Protocol

from sjepa_online.foreign_text import clean_lines

#: Time between two lines where there is no terminal (s).
INTERVAL = 30.0
#: How often it is looked whether a line is due (s).
TICK = 0.5


class ProgressDisplay(Protocol):
    """Where long work reports its steps."""

    def advance(self) -> None:
        """Count one more step."""

    def update(self, description: str, completed: int, total: int) -> None:
        """Set description and steps, as for an epoch or for the next recording."""


class ProgressLines:
    """A line of progress now and then, for logs and pipes.

    Parameters
    ----------
    description : str
        The work.
    total : int
        Its steps; 0 where they are not known yet.
    interval : float
        Time between two lines (s).
    clock : callable
        Returns the time (s).
    tell : callable
        Takes each line.
    """

    def __init__(
        self,
        description: str,
        total: int,
        tell: Callable[[str], None],
        interval: float = INTERVAL,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._description = description
        self._completed, self._total = 0, total
        self._interval, self._clock, self._tell = interval, clock, tell
        self._started = self._told = clock()
        self._lock = Lock()  # steps and lines come from different threads

    def advance(self) -> None:
        """Count one more step."""
        with self._lock:
            self._completed += 1

    def update(self, description: str, completed: int, total: int) -> None:
        """Set description and steps; the remaining time starts anew where they go back."""
        with self._lock:
            if completed < self._completed:
                self._started = self._clock()
            self._description, self._completed, self._total = description, completed, total

    def tell_if_due(self) -> None:
        """Print a line where the last one is `interval` old."""
        with self._lock:
            now = self._clock()
            if now - self._told < self._interval:
                return
            self._told = now
            line = self._line(now - self._started)
        self._tell(line)

    def _line(self, elapsed: float) -> str:
        parts = [f"{_duration(elapsed)} so far"]
        if self._total > 1:
            parts.insert(0, f"{self._completed} of {self._total}")
        if 0 < self._completed < self._total:
            remaining = elapsed / self._completed * (self._total - self._completed)
            parts.append(f"about {_duration(remaining)} left")
        return f"{self._description}: {', '.join(parts)}"


class ProgressBar:
    """A bar with steps, elapsed and remaining time on a terminal."""

    def __init__(self, bar: Any, description: str, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task(_plain(description), total=total or None)

    def advance(self) -> None:
        """Count one more step."""
        self._bar.advance(self._task)

    def update(self, description: str, completed: int, total: int) -> None:
        """Set description and steps."""
        self._bar.update(
            self._task, description=_plain(description), completed=completed, total=total
        )


def print_line(message: str) -> None:
    """Print a message of progress on standard error, without terminal sequences."""
    # what is only told must not end what is done, as on a full disk
    with suppress(OSError):
        sys.stderr.write(clean_lines(message) + "\n")
        sys.stderr.flush()


@contextmanager
def show_progress(
    description: str, total: int = 0, interval: float = INTERVAL
) -> Iterator[ProgressDisplay]:
    """Show the progress of long work on standard error.

    Parameters
    ----------
    description : str
        The work.
    total : int
        Its steps; 0 where they are not known yet.
    interval : float
        Time between two lines where standard error is no terminal (s).

    Yields
    ------
    ProgressDisplay
    """
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with _bar(console) as bar:
            yield ProgressBar(bar, description, total)
    else:
        lines = ProgressLines(description, total, print_line, interval)
        with _told_regularly(lines):
            yield lines


def _bar(console: Any) -> Any:
    from rich import progress

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeElapsedColumn(),
        progress.TextColumn("left:"),
        progress.TimeRemainingColumn(),
    )
    return progress.Progress(*columns, console=console, transient=True)


@contextmanager
def _told_regularly(lines: ProgressLines) -> Iterator[None]:
    # a thread of its own, because one step can take longer than the interval
    stop = Event()

    def run() -> None:
        while not stop.wait(TICK):
            lines.tell_if_due()

    thread = Thread(target=run, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _plain(description: str) -> str:
    from rich.markup import escape

    return escape(clean_lines(description))


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
