"""``sjepa-online export``: recordings as a BIDS data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import (
    JsonOption,
    OverwriteOption,
    SourcesArgument,
    echo,
    print_json,
)
from sjepa_apps.cli.description import describes_signal

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile


@describes_signal(files=True)
def export(
    amplifier: AmplifierProfile,
    source: SourcesArgument,
    bids: Annotated[Path, typer.Option(help="Folder of the BIDS data set, old or new.")],
    subject: Annotated[
        str, typer.Option(help="BIDS label of the participant: letters and digits.")
    ],
    task: Annotated[
        str, typer.Option(help="BIDS label of the task, as in ssvep: letters and digits.")
    ],
    session: Annotated[
        str | None, typer.Option(help="BIDS label of the session: letters and digits.")
    ] = None,
    line_frequency: Annotated[
        float | None, typer.Option(help="Frequency of the mains: 50 or 60 (Hz).")
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Add recordings to a BIDS data set; several recordings become its runs."""
    from sjepa_online.data import load_sources
    from sjepa_online.data.bids import bids_path, refuse_replacement, write_bids

    recordings = load_sources(source, amplifier)
    runs = [number if len(recordings) > 1 else None for number in range(1, len(recordings) + 1)]
    if not overwrite:
        # all of them before the first is written
        refuse_replacement(
            bids_path(recording, bids, subject=subject, task=task, session=session, run=run)
            for recording, run in zip(recordings, runs, strict=True)
        )
    written = [
        write_bids(
            recording,
            bids,
            subject=subject,
            task=task,
            session=session,
            run=run,
            line_frequency=line_frequency,
            overwrite=overwrite,
        )
        for recording, run in zip(recordings, runs, strict=True)
    ]
    if json:
        print_json({"bids": str(bids), "written": [str(path) for path in written]})
        return
    for path in written:
        echo(f"Wrote {path}")
