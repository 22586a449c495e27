"""``sjepa-online live``: the live window."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sjepa_apps.cli.checks import check_decoder_file
from sjepa_apps.cli.common import AdaptOption, ScopeOption, configure_lsl
from sjepa_apps.cli.decode import ModeOption
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.windows import require_window

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile


@describes_signal()
def live(
    amplifier: AmplifierProfile,
    decoder: Annotated[
        Path | None, typer.Option(callback=check_decoder_file, help="Decoder file of `calibrate`.")
    ] = None,
    stream: Annotated[
        str | None, typer.Option(help="EEG stream; by default that of the last time.")
    ] = None,
    mode: ModeOption = None,
    adapt: AdaptOption = True,
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
        markers=amplifier.marker_stream,
        amplifier=amplifier,
        mode=mode,
        adapt=adapt,
        theme=theme,
    )
    raise typer.Exit(run_window(options))
