"""Work that takes long, in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from PyQt6.QtCore import QObject, pyqtSignal

T = TypeVar("T")


class Worker(QObject):
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
