"""A thread that works until it is asked to stop, and does not end in silence."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque


class Worker(threading.Thread, ABC):
    """A thread of the window.

    Parameters
    ----------
    name : str
        What it does, for people.

    Attributes
    ----------
    problems : deque of str
        What went wrong; any thread may empty it.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.problems: deque[str] = deque(maxlen=100)
        self._ended = threading.Event()

    @property
    def begun(self) -> bool:
        """Whether it was started, be it at work or at its end."""
        return self.ident is not None

    def ask_to_stop(self) -> None:
        """Let it end soon."""
        self._ended.set()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self.ask_to_stop()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Work; an error that nobody thought of is told, and then is what it is in any thread."""
        try:
            self.work()
        except Exception as error:
            self.problems.append(f"The {self.name} has ended: {type(error).__name__}: {error}")
            raise

    @abstractmethod
    def work(self) -> None:
        """Work until the thread is asked to stop."""
