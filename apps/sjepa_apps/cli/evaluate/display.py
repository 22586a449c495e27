"""``sjepa-online evaluate display``: count the frames that a display shows too late."""

from __future__ import annotations

from typing import Annotated

import typer

from sjepa_apps.cli.common import (
    JsonOption,
    ParadigmOption,
    ScopeOption,
    configure_lsl,
    echo,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.windows import require_window

#: Largest share of late frames that leaves a session as it should be.
LATE_SHARE = 0.001


def display(
    paradigm: ParadigmOption = "ssvep",
    seconds: Annotated[float, typer.Option(min=1.0, help="Time to show trials (s).")] = 60.0,
    number: Annotated[int, typer.Option("--display", min=1, help="Display, from 1.")] = 1,
    unattended: Annotated[
        bool, typer.Option(help="Skip the warning about flicker: nobody looks at the display.")
    ] = False,
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """Show the trials of a protocol on a display, and count the frames that come late."""
    require_window()
    configure_lsl(lsl_scope)
    from sjepa_apps.stimulus.benchmark import measure_display
    from sjepa_online.protocol import load_protocol

    with progress_bar("Showing trials", round(seconds)) as advance:
        told = 0

        def progress(so_far: float) -> None:
            nonlocal told
            while told < min(round(so_far), round(seconds)):
                told += 1
                advance()

        measured = measure_display(
            load_protocol(paradigm), seconds, number, unattended=unattended, progress=progress
        )
    document = measured.to_json()
    if json:
        print_json(document)
        return
    echo(str(measured.report))
    for warning in measured.report.warnings:
        echo(f"Warning: {warning}")
    interval = document["interval_ms"]
    echo(
        f"{measured.n_frames:,} frames, {measured.n_late:,} late ({document['late_share']:.3%}); "
        f"interval {interval['p50']:.2f} ms, 99 % below {interval['p99']:.2f} ms, "
        f"longest {interval['max']:.2f} ms"
    )
    if document["late_share"] > LATE_SHARE:
        echo("More than 0.1 % of the frames are late: close other programs, and look again.")
