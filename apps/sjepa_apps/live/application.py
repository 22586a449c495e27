"""Qt's application around the live window."""

from __future__ import annotations

import signal
import tempfile
from pathlib import Path

from PyQt6.QtCore import QLockFile, QTimer
from PyQt6.QtWidgets import QApplication

from sjepa_apps.live.settings import load_settings
from sjepa_apps.live.window import LiveOptions, LiveWindow

#: Windows at once that have names of their own for what they publish.
MOST_WINDOWS = 9
#: Milliseconds within which Ctrl-C is noticed: Python needs a turn of its own for that.
_NOTICE = 200


def make_application() -> QApplication:
    """Return Qt's application, in the style that the style sheet is made for."""
    existing = QApplication.instance()
    application = existing if isinstance(existing, QApplication) else QApplication([])
    application.setApplicationName("sjepa-online")
    application.setStyle("Fusion")
    return application


def run_window(options: LiveOptions) -> int:
    """Show the window until it is closed; 130 after Ctrl-C, else 0."""
    application = make_application()
    settings, problem = load_settings()
    number, lock = window_number()
    window = LiveWindow(options, settings, number)
    if problem:
        window.session.log("settings", problem, "warning")
    interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal interrupted
        interrupted = True
        window.close()

    before = signal.signal(signal.SIGINT, interrupt)
    heartbeat = QTimer()
    heartbeat.timeout.connect(lambda: None)
    heartbeat.start(_NOTICE)
    window.show()
    try:
        application.exec()
    finally:
        signal.signal(signal.SIGINT, before)
        heartbeat.stop()
        lock.unlock()
    return 130 if interrupted else 0


def window_number() -> tuple[int, QLockFile]:
    """Return the number of a new window on this machine, and the lock that keeps it."""
    folder = Path(tempfile.gettempdir())
    for number in range(1, MOST_WINDOWS + 1):
        lock = QLockFile(str(folder / f"sjepa-online-live-{number}.lock"))
        lock.setStaleLockTime(0)
        if lock.tryLock(0):
            return number, lock
    return MOST_WINDOWS, lock
