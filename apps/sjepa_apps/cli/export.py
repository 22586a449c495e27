"""``sjepa-online export``: recordings in the form in which they are shared."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sjepa_apps.cli.common import JsonOption, SourcesArgument, UnitOption, print_json


def export(
    source: SourcesArgument,
    bids: Annotated[Path, typer.Option(help="Folder of the BIDS data set; made if need be.")],
    subject: Annotated[str, typer.Option(help="Whom it shows: letters and digits.")],
    task: Annotated[str, typer.Option(help="What was done, as in ssvep: letters and digits.")],
    session: Annotated[
        str | None, typer.Option(help="Which visit it was: letters and digits.")
    ] = None,
    line_frequency: Annotated[
        float | None, typer.Option(help="Of the mains (Hz), where it is known.")
    ] = None,
    unit: UnitOption = None,
    overwrite: Annotated[bool, typer.Option(help="Replace recordings of the same name.")] = False,
    json: JsonOption = False,
) -> None:
    """Add recordings to a BIDS data set, several of them as runs."""
    from sjepa_online.data import load_sources
    from sjepa_online.data.bids import write_bids

    recordings = load_sources(source, unit)
    written = [
        write_bids(
            recording,
            bids,
            subject=subject,
            task=task,
            session=session,
            run=number if len(recordings) > 1 else None,
            line_frequency=line_frequency,
            overwrite=overwrite,
        )
        for number, recording in enumerate(recordings, start=1)
    ]
    if json:
        print_json({"bids": str(bids), "written": [str(path) for path in written]})
        return
    for path in written:
        typer.echo(f"Wrote {path}")
