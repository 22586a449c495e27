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
        Its purpose, for messages.

    Attributes
    ----------
    problems : deque of str
        Messages about errors; any thread may take them out.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.problems: deque[str] = deque(maxlen=100)
        self._ended = threading.Event()

    @property
    def begun(self) -> bool:
        """Whether the thread was started; it may have ended since."""
        return self.ident is not None

    def ask_to_stop(self) -> None:
        """Ask the thread to end soon."""
        self._ended.set()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self.ask_to_stop()
        if self.is_alive():
            self.join()

    def run(self) -> None:
        """Work; an unexpected error is added to ``problems`` and raised."""
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
    """Run one task at a time in a thread, and hand its result to the GUI thread.

    Signals
    -------
    idle
        The result is handed over, and no other task was started.
    """

    idle = pyqtSignal()
    _ended = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__()
        self.busy = False
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="session")
        self._ended.connect(self._tell)

    def run(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]
    ) -> None:
        """Run a task in the thread.

        Parameters
        ----------
        work : callable
            The task, which takes nothing.
        done : callable
            Takes its result, in the thread of the window.
        failed : callable
            Takes its error, in the thread of the window.
        """
        assert not self.busy
        self.busy = True
        self._executor.submit(self._work, work, done, failed)

    def close(self) -> None:
        """Wait for the task, and end the thread."""
        self._executor.shutdown()

    def _work(
        self, work: Callable[[], T], done: Callable[[T], None], failed: Callable[[Exception], None]
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
