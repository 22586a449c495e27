"""``sjepa-online live``: the live window."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sjepa_apps.cli.checks import check_decoder_file
from sjepa_apps.cli.common import ScopeOption, configure_lsl
from sjepa_apps.cli.decode import ModeOption
from sjepa_apps.cli.windows import require_window


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
        mode=mode,
        theme=None if theme is None else theme.value,
    )
    raise typer.Exit(run_window(options))
