"""Threads of the windows: one that works until it is stopped, and one that does single tasks."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from PyQt6.QtCore import QObject, pyqtSignal


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


T = TypeVar("T")


class TaskRunner(QObject):
    """Does one thing at a time, and tells the GUI thread, in which it lives, of the end.

    Signals
    -------
    idle
        What was done is told, and nothing else is asked for.
    """

    idle = pyqtSignal()
    _ended = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.busy = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session")
        self._ended.connect(self._tell)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        """Do ``work`` in the thread; its result goes to ``done``, its error to ``failed``."""
        assert not self.busy
        self.busy = True
        self._executor.submit(self._work, work, done, failed)

    def close(self) -> None:
        """Wait for what is being done, and end the thread."""
        self._executor.shutdown()

    def _work(
        self,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[Exception], None],
    ) -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 - raised or told where the work was asked for
            self._ended.emit(partial(failed, error))
        else:
            self._ended.emit(partial(done, result))

    def _tell(self, end: Callable[[], None]) -> None:
        self.busy = False
        end()
        if not self.busy:
            self.idle.emit()
