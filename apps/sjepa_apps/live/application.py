"""The application around the live window."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PyQt6.QtCore import QLockFile

from sjepa_apps.live.settings import load_settings
from sjepa_apps.live.window import LiveOptions, LiveWindow
from sjepa_apps.ui.application import interrupt_later, make_application, run_application
from sjepa_online.errors import OperationError

#: Windows at once that have names of their own for what they publish.
MOST_WINDOWS = 9


def run_window(options: LiveOptions) -> int:
    """Show the live window until it is closed.

    Parameters
    ----------
    options : LiveOptions

    Returns
    -------
    code : int
        130 after Ctrl-C, else 0.
    """
    application = make_application()
    settings, problem = load_settings()
    number, lock = window_number()
    with interrupt_later():
        window = LiveWindow(options, settings, number)
        if problem:
            window.session.log("settings", problem, "warning")
        window.show()
    try:
        interrupted = run_application(application, window.end)
    finally:
        lock.unlock()
    return 130 if interrupted else 0


def window_number() -> tuple[int, QLockFile]:
    """Return the number of a new window on this machine, and the lock that keeps it.

    Returns
    -------
    number : int
    lock : QLockFile

    Raises
    ------
    OperationError
        No number is free, or the folder of the locks cannot be written.
    """
    folder = Path(tempfile.gettempdir())
    for number in range(1, MOST_WINDOWS + 1):
        lock = QLockFile(str(folder / f"sjepa-online-live-{number}.lock"))
        lock.setStaleLockTime(0)
        if lock.tryLock(0):
            return number, lock
    raise OperationError(
        f"{MOST_WINDOWS} live windows run already, or {folder} cannot be written: close a window, "
        "or make that folder writable"
    )
