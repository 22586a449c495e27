"""``sjepa-online live``: the live window."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from sjepa_apps.cli.checks import check_decoder_file
from sjepa_apps.cli.common import ScopeOption, configure_lsl
from sjepa_apps.cli.decode import ModeOption
from sjepa_apps.cli.windows import require_window


def live(
    decoder: Annotated[
        Path | None, typer.Option(callback=check_decoder_file, help="Decoder file of `calibrate`.")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="EEG stream; by default that of the last time.")
    ] = None,
    markers: Annotated[
        str | None, typer.Option(help="Marker stream; by default the one of the EEG stream.")
    ] = None,
    mode: ModeOption = None,
    theme: Annotated[
        Literal["light", "dark"] | None,
        typer.Option(help="Colours; those of the system by default."),
    ] = None,
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
        theme=theme,
    )
    raise typer.Exit(run_window(options))
