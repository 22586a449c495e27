"""Whether the signal keeps coming while trials are shown."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sjepa_online.stream import SignalInlet, StreamDescription, StreamLost

_POLL = 0.1


class StreamWatch:
    """Follow a stream in a thread of its own, for as long as a ``with`` statement lasts.

    Parameters
    ----------
    stream : StreamDescription
    tell : callable
        Is told what happens to the stream.
    """

    def __init__(self, stream: StreamDescription, tell: Callable[[str], None]) -> None:
        self._inlet = SignalInlet(stream)
        self._tell = tell
        self._stop = threading.Event()
        self._lost = threading.Event()

    @property
    def lost(self) -> bool:
        """Whether the stream has broken off since the start, back again or not."""
        return self._lost.is_set()

    def _follow(self) -> None:
        try:
            while not self._stop.is_set():
                for event in self._inlet.pull(_POLL).events:
                    self._tell(event.detail)
                    if isinstance(event, StreamLost):
                        self._lost.set()
                # a pull returns at once when there is something
                self._stop.wait(_POLL)
        finally:
            self._lost.set()

    def __enter__(self) -> Self:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="stream-watch")
        self._future = self._executor.submit(self._follow)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._executor.shutdown()
        self._inlet.close()
        if error is None:
            self._future.result()
