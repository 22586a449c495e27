"""What the comparisons share: the number of seeds, and a table and a plot of the results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sjepa_apps.cli.common import check_out

SeedsOption = Annotated[int, typer.Option(min=1, help="Number of seeds.")]
CsvOption = Annotated[
    Path | None, typer.Option("--csv", help="File for the results as a CSV table.")
]
PlotOption = Annotated[
    Path | None, typer.Option("--plot", help="File for a plot of the results (.png, .svg, .pdf).")
]
OverwriteOption = Annotated[bool, typer.Option(help="Replace existing result files.")]


def check_results(csv: Path | None, plot: Path | None, overwrite: bool) -> None:
    """Refuse output files that cannot be written, before any time is spent.

    Raises
    ------
    InputError
        A file exists, its folder does not, or a plot's suffix names no format.
    """
    for path, option in ((csv, "--csv"), (plot, "--plot")):
        if path is not None:
            check_out(path, overwrite, option)
    if plot is not None:
        from sjepa_online.evaluation.plots import check_plot_path

        check_plot_path(plot)
