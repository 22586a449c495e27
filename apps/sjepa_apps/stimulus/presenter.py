"""The presenter that a session in another thread talks to, on top of the stimulus window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from sjepa_apps.session.presenter import UNMONITORED, PresentedTrial, SessionStopped, TrialMonitor
from sjepa_apps.stimulus.window import StimulusWindow
from sjepa_online.schedule import ScheduledTrial

# seconds after which a waiting session looks whether the window has gone without an answer
_LOOK_AGAIN = 0.5


class QtPresenter(QObject):
    """Shows a session in a stimulus window, see :class:`~sjepa_apps.session.presenter.Presenter`.

    It is made in the GUI thread, around a window that is open and connected to its outlets;
    its methods are called from another thread, and wait there.

    Parameters
    ----------
    window : StimulusWindow
    """

    _asked = pyqtSignal(object, object)
    _closing = pyqtSignal()

    def __init__(self, window: StimulusWindow) -> None:
        super().__init__()
        self._window = window
        # slots of an object that lives in the GUI thread: Qt queues calls from other threads
        self._asked.connect(self._ask)
        self._closing.connect(self._close)

    def present(self, trial: ScheduledTrial, monitor: TrialMonitor = UNMONITORED) -> PresentedTrial:
        """Show a trial and wait until it is over, decided or interrupted."""
        result: PresentedTrial = self._wait(partial(self._window.present, trial, monitor))
        return result

    def show_message(self, text: str, *, wait: bool = False) -> None:
        """Show a text; with ``wait`` until Enter is pressed."""
        self._wait(partial(self._window.show_message, text, wait))

    def show_feedback(self, selected: str, correct: bool | None) -> None:
        """Show what a decoder has chosen."""
        self._wait(partial(self._window.show_feedback, selected, correct))

    def show_text(self, text: str, keys: Mapping[str, str]) -> None:
        """Keep a freely spelled text in sight."""
        self._wait(partial(self._window.show_text, text, keys))

    def check_stopped(self) -> None:
        """Raise ``SessionStopped`` when the window was closed."""
        if self._window.stopped:
            raise SessionStopped

    def close(self) -> None:
        """Close the window."""
        self._closing.emit()

    def _wait(self, start: Callable[[], None]) -> Any:
        future: Future[Any] = Future()
        self._asked.emit(start, future)
        while True:
            try:
                return future.result(_LOOK_AGAIN)
            except TimeoutError:
                # the event loop may have ended before it saw the call
                if self._window.stopped and not future.done():
                    raise SessionStopped from None

    def _ask(self, start: Callable[[], None], future: Future[Any]) -> None:
        self._window.ask(start, future)

    def _close(self) -> None:
        self._window.close()
