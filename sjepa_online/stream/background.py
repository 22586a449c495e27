"""What runs in a thread of its own for as long as a ``with`` statement lasts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self


class Background(ABC):
    """Runs in a thread within a ``with`` statement, whose end stops it.

    An error of the thread is raised there, unless another one ends the statement.
    """

    @abstractmethod
    def run(self) -> None:
        """Do the work in the calling thread until it is over or stopped."""

    @abstractmethod
    def stop(self) -> None:
        """Ask :meth:`run` to end soon."""

    def __enter__(self) -> Self:
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=type(self).__name__)
        self._future = self._executor.submit(self.run)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()
        self._executor.shutdown()
        if error is None:
            self._future.result()
