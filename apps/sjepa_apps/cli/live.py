"""``sjepa-online live``: the live window."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from sjepa_apps.cli.checks import check_decoder_file
from sjepa_apps.cli.common import ScopeOption, configure_lsl, say
from sjepa_apps.cli.decode import ModeOption
from sjepa_online.errors import InputError


class ThemeOption(StrEnum):
    """Colours of the window."""

    LIGHT = "light"
    DARK = "dark"


def live(
    decoder: Annotated[
        Path | None,
        typer.Option(callback=check_decoder_file, help="Decoder file of `calibrate`."),
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="Stream to connect; by default that of the last time.")
    ] = None,
    markers: Annotated[
        str | None, typer.Option(help="Marker stream; by default the one that goes with it.")
    ] = None,
    mode: ModeOption = None,
    theme: Annotated[ThemeOption | None, typer.Option(help="Light or dark colours.")] = None,
    lsl_scope: ScopeOption = None,
) -> None:
    """Open the live window: signals, electrodes, decisions and health at a glance."""
    from sjepa_online.decoding import load_decoder

    require_window()
    configure_lsl(lsl_scope)
    if decoder is not None:
        # a file that is wrong is refused here; in the window it would be one line among others
        load_decoder(decoder)
    from sjepa_apps.live.application import run_window
    from sjepa_apps.live.window import LiveOptions

    options = LiveOptions(
        decoder=decoder,
        stream=stream,
        markers=markers,
        mode=None if mode is None else mode.value,
        theme=None if theme is None else theme.value,
    )
    raise typer.Exit(run_window(options))


def has_window() -> bool:
    """Tell whether a window can be opened: PyQt6 is installed and there is a display."""
    return _has_packages() and _has_display()


def require_window() -> None:
    """Make sure that a window can be opened.

    Raises
    ------
    InputError
        PyQt6 is not installed, or there is no display.
    """
    _require_packages()
    if not _has_display():
        raise InputError(
            "A window needs a display",
            value="neither DISPLAY nor WAYLAND_DISPLAY is set",
            remedy="Run it on a desktop. Without a display there are `decode`, "
            "`calibrate --from`, and --headless for simulated participants.",
        )


def paint_offscreen_without_display() -> None:
    """Let Qt paint into memory where there is no display.

    Raises
    ------
    InputError
        PyQt6 is not installed.
    """
    _require_packages()
    if not _has_display():
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        say("There is no display: the window is painted into memory.")


def _require_packages() -> None:
    if not _has_packages():
        raise InputError(
            "Windows need PyQt6 and pyqtgraph",
            value="not installed",
            remedy="Install them with: pip install 'sjepa-online[gui]'; "
            "`decode` works without a window.",
        )


def _has_packages() -> bool:
    return find_spec("PyQt6") is not None and find_spec("pyqtgraph") is not None


def _has_display() -> bool:
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
