"""Qt's application, and how Ctrl-C ends it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

#: Milliseconds within which Ctrl-C is noticed: Python needs a turn of its own for that.
_NOTICE = 200


def make_application() -> QApplication:
    """Return Qt's application, in the style that the style sheets are made for.

    Returns
    -------
    application : QApplication
    """
    # Qt waits 5 ms before it draws what is asked for, too long for a display of 144 Hz
    os.environ.setdefault("QT_QPA_UPDATE_IDLE_TIME", "0")
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication([])
    application.setApplicationName("sjepa-online")
    application.setStyle("Fusion")
    return application


@contextmanager
def interrupt_later() -> Iterator[None]:
    """Delay Ctrl-C until the event loop runs, as Qt loses exceptions in its callbacks."""
    pressed = False

    def note(*_: object) -> None:
        nonlocal pressed
        pressed = True

    before = signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if pressed:
            QTimer.singleShot(0, partial(signal.raise_signal, signal.SIGINT))


def run_application(application: QApplication, close: Callable[[], object]) -> bool:
    """Run Qt's event loop until it ends.

    Parameters
    ----------
    application : QApplication
    close : callable
        Closes the windows; is called at Ctrl-C.

    Returns
    -------
    interrupted : bool
        Whether Ctrl-C ended it.
    """
    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        close()

    def quit_if_closed() -> None:
        # windows that were closed before the loop began have not ended it
        if interrupted and not any(one.isVisible() for one in application.allWindows()):
            application.quit()

    before = signal.signal(signal.SIGINT, interrupt)
    heartbeat = QTimer()
    heartbeat.timeout.connect(quit_if_closed)
    heartbeat.start(_NOTICE)
    try:
        application.exec()
    finally:
        heartbeat.stop()
        signal.signal(signal.SIGINT, before)
    return interrupted
