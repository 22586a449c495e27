"""Whether the recording goes on while trials are shown."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sjepa_online.stream import Recorder, SignalInlet, StreamDescription, StreamLost
from sjepa_online.stream.background import Background

#: Seconds without a sample after which a stream that is still connected counts as lost. A busy
#: machine or a wireless link pauses for a second and loses nothing, as the samples follow: TCP
#: sends again after 0.2, 0.4, 0.8 and 1.6 s, and a silence of 3 s has outlasted all four.
LOST_AFTER = 3.0
_POLL = 0.1


class RecordingWatch(Background):
    """Follow a stream and its recorder, until something breaks off or a ``with`` statement ends.

    A broken connection, as when the program of the amplifier ends, is noticed at once, the loss
    of a stream that is still connected after :data:`LOST_AFTER`.

    Parameters
    ----------
    stream : StreamDescription
    recorder : Recorder
        It has been started.
    tell : callable
        Is told what happens to the stream; gaps, too, which end nothing.

    Attributes
    ----------
    problem : str
        What has broken off, for people; empty while all is well.

    Raises
    ------
    OperationError
        The stream does not answer.
    """

    def __init__(
        self, stream: StreamDescription, recorder: Recorder, tell: Callable[[str], None]
    ) -> None:
        self.problem = ""
        self._inlet = SignalInlet(stream, recover=False, stale_after=LOST_AFTER)
        self._recorder = recorder
        self._tell = tell
        self._stop = threading.Event()

    def broken(self) -> bool:
        """Tell whether something has broken off."""
        return self.problem != ""

    def run(self) -> None:
        """Follow the recording until it is stopped; see :class:`Background`."""
        try:
            while not self._stop.is_set() and not self.broken():
                self.problem = self._look()
                # a pull returns at once when there is something
                self._stop.wait(_POLL)
        finally:
            self._inlet.close()
            self.problem = self.problem or "The recording is not watched any more"

    def stop(self) -> None:
        """End it within two polls."""
        self._stop.set()

    def _look(self) -> str:
        """Tell what has happened, and return what has broken off."""
        name = self._inlet.stream.name
        for event in self._inlet.pull(_POLL).events:
            if isinstance(event, StreamLost):
                return f"{name} has broken off"
            self._tell(event.detail)
        return self._recorder.status().problem
