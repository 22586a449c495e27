"""``sjepa-online repair``: what is whole of a damaged XDF file, as a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sjepa_apps.cli.checks import ends_in
from sjepa_apps.cli.common import echo
from sjepa_online.errors import InputError
from sjepa_online.files import is_file


def repair(
    file: Annotated[Path, typer.Argument(help="Damaged .xdf file.")],
    out: Annotated[
        Path, typer.Option(callback=ends_in(".xdf"), metavar="FILE", help="File to write.")
    ],
) -> None:
    """Write what can be read of a damaged XDF file, and tell what is lost."""
    from sjepa_online.data.xdf_file import repair as write_whole_part

    if not is_file(file):
        raise InputError("No such file", value=str(file), remedy="Give the path of an .xdf file.")
    echo(write_whole_part(file, out))
