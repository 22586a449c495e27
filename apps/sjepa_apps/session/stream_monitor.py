"""Monitor a stream while trials are shown, and wait for its return after a break."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from sjepa_apps.session.presenter import Presenter
from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import SignalInlet, StreamDescription, StreamLost, resolve_stream
from sjepa_online.stream.background import Background

#: Seconds without a sample after which a stream that is still connected counts as lost. A busy
#: machine or a wireless link pauses for a second and loses nothing, as the samples follow: TCP
#: sends again after 0.2, 0.4, 0.8 and 1.6 s, and a silence of 3 s has outlasted all four.
LOST_AFTER = 3.0
#: How long a stream that broke off may stay away (s).
PATIENCE = 600.0
#: What the participant sees when something has broken off.
BREAK = "A short break: there is a technical problem."
_POLL = 0.1


class StreamMonitor(Background):
    """Monitor a stream and its recorder or decoder until one breaks off.

    A broken connection, as when the program of the amplifier ends, is noticed at once, the loss
    of a stream that is still connected after :data:`LOST_AFTER`.

    Parameters
    ----------
    stream : StreamDescription
    taker_problem : callable
        Says what is wrong with the recorder or the decoder, for people; empty while all is well.
        Is given whether samples have arrived since it was last asked.
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
        self,
        stream: StreamDescription,
        taker_problem: Callable[[bool], str],
        tell: Callable[[str], None],
    ) -> None:
        self.problem = ""
        self._inlet = SignalInlet(stream, recover=False, stale_after=LOST_AFTER)
        self._taker_problem = taker_problem
        self._tell = tell
        self._stop = threading.Event()

    def broken(self) -> bool:
        """Return whether the stream, the recorder or the decoder has broken off."""
        return self.problem != ""

    def run(self) -> None:
        """Follow the stream until it is stopped; see :class:`Background`."""
        try:
            while not self._stop.is_set() and not self.broken():
                self.problem = self._look()
                # a pull returns at once when there is something
                self._stop.wait(_POLL)
        finally:
            self._inlet.close()
            self.problem = self.problem or "The signal is not watched any more"

    def stop(self) -> None:
        """Ask it to end, which takes at most two polls."""
        self._stop.set()

    def _look(self) -> str:
        """Report the events of the stream, and return the problem that ends it, if any."""
        name = self._inlet.stream.name
        pulled = self._inlet.pull(_POLL)
        for event in pulled.events:
            if isinstance(event, StreamLost):
                return f"{name} has broken off"
            self._tell(event.detail)
        return self._taker_problem(pulled.data.size > 0)


def wait_until_back(
    stream: StreamDescription,
    interruption: str,
    presenter: Presenter,
    tell: Callable[[str], None],
    remedy: str,
) -> StreamDescription:
    """Let the participant wait until a stream is there and sends.

    Parameters
    ----------
    stream : StreamDescription
    interruption : str
        What has broken off, for people.
    presenter : Presenter
    tell : callable
        Is told the interruption.
    remedy : str
        What to do when the stream stays away.

    Returns
    -------
    StreamDescription
        Of the stream that is there now.

    Raises
    ------
    OperationError
        It is not back after :data:`PATIENCE`.
    SessionStopped
        The participant ends the session.
    """
    tell(interruption)
    presenter.show_message(BREAK)
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _find_sending(stream.selector)
        except (InputError, OperationError) as error:
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{interruption}, and has not come back within {PATIENCE:g} s. {remedy} {error}"
                ) from error
        # lets a window tell that the participant ends the session
        presenter.show_message("A short break: waiting for the signal.")


def _find_sending(selector: str) -> StreamDescription:
    stream = resolve_stream(selector, wait=2.0, exact=True)
    with SignalInlet(stream, recover=False) as inlet:
        if inlet.pull(timeout=LOST_AFTER).data.size == 0:
            raise OperationError(f"The stream {stream.name} is in sight, but sends no samples")
    return stream
