"""Whether the signal keeps coming while trials are shown."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sjepa_online.stream import SignalInlet, StreamDescription, StreamLost
from sjepa_online.stream.background import Background

_POLL = 0.1


class StreamWatch(Background):
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

    def run(self) -> None:
        """Follow the stream until it is stopped; see :class:`Background`."""
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
            self._inlet.close()

    def stop(self) -> None:
        """End it within two polls."""
        self._stop.set()
