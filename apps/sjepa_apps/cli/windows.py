"""Whether windows can open on this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec

from sjepa_apps.cli.common import say
from sjepa_online.errors import InputError

#: What is told where there is no display.
NO_DISPLAY = "neither DISPLAY nor WAYLAND_DISPLAY is set"

_TRY = "from PyQt6.QtGui import QGuiApplication; QGuiApplication([])"
#: Seconds after which Qt that does not start counts as broken.
_PATIENCE = 30.0


def has_packages() -> bool:
    """Tell whether what windows are made of is installed."""
    return find_spec("PyQt6") is not None and find_spec("pyqtgraph") is not None


def display_problem() -> str:
    """Return why Qt cannot open a window here; empty where it can.

    Qt ends the whole process where it cannot start, so it is tried in a process of its own.
    """
    chosen = sys.platform != "linux" or os.environ.get("QT_QPA_PLATFORM")
    if not (chosen or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return NO_DISPLAY
    try:
        tried = subprocess.run(
            [sys.executable, "-P", "-c", _TRY], capture_output=True, text=True, timeout=_PATIENCE
        )
    except subprocess.TimeoutExpired:
        return f"Qt has not started within {_PATIENCE:g} s"
    if tried.returncode == 0:
        return ""
    said = [line.removeprefix("qt.qpa.").strip(" .") for line in tried.stderr.splitlines() if line]
    return f"Qt does not start: {'; '.join(said[:2]) or f'exit code {tried.returncode}'}"


def require_window() -> None:
    """Make sure that a window can be opened.

    Raises
    ------
    InputError
        PyQt6 is not installed, there is no display, or Qt does not start.
    """
    _require_packages()
    if problem := display_problem():
        raise InputError(
            "No window can be opened here",
            value=problem,
            remedy="Run it on a desktop; Linux needs the package libxcb-cursor0. Without a display "
            "use `decode`, `calibrate --from`, or --headless for simulated participants.",
        )


def paint_offscreen_without_display() -> None:
    """Let Qt paint into memory where there is no display.

    Raises
    ------
    InputError
        PyQt6 is not installed.
    """
    _require_packages()
    if problem := display_problem():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        say(f"There is no display ({problem}): the window is painted into memory.")


def _require_packages() -> None:
    if not has_packages():
        raise InputError(
            "PyQt6 or pyqtgraph, which the windows need, is not installed",
            value="",
            remedy="Run in the folder of sjepa-online: pip install -c constraints.txt '.[gui]'. "
            "`decode` works without.",
        )
