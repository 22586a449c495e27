"""What the commands share: options, JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any

import typer

from sjepa_apps.cli.checks import (
    check_decoder_file,
    check_decoder_names,
    check_paradigm,
    check_population,
    check_sources,
    check_unit,
    check_weights,
)
from sjepa_online.errors import InputError
from sjepa_online.files import is_file

#: Options that take one or more values, as in ``--from a.fif b.fif``.
LIST_OPTIONS = ("--from", "--train", "--test", "--data", "--subjects")


class LslScope(StrEnum):
    """How far LSL looks and answers."""

    MACHINE = "machine"
    LINK = "link"
    SITE = "site"


JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document on standard output, nothing else.")
]
ScopeOption = Annotated[
    LslScope | None,
    typer.Option(
        help="How far LSL reaches: this machine only, the local link, or the site. "
        "LSL's own configuration decides when this is not given."
    ),
]
ParadigmOption = Annotated[
    str,
    typer.Option(
        "--paradigm",
        "-p",
        callback=check_paradigm,
        help="Protocol: ssvep, erp, erp-rowcol, mi, ssvep-exo, an own one by name, or the path of "
        "its file.",
    ),
]
WeightsOption = Annotated[
    str,
    typer.Option(
        callback=check_weights,
        help="Pretrained weights: a name of `models list`, a path, or `random`.",
    ),
]
PopulationOption = Annotated[
    str,
    typer.Option(
        callback=check_population,
        help="Other people's recordings to start from: the name or path of a population, "
        "`auto` for the shipped one where it fits, or `none`.",
    ),
]
EarlyOption = Annotated[
    bool,
    typer.Option(
        "--early-stopping",
        help="Decide before the end of the window, as soon as the probability is high enough.",
    ),
]
SeedOption = Annotated[int, typer.Option(min=0, help="Seed of everything that is drawn.")]
DeviceOption = Annotated[
    str, typer.Option(help="Where networks run: cpu, cuda, mps, or auto for the fastest there is.")
]

UnitOption = Annotated[
    str | None,
    typer.Option(
        callback=check_unit,
        help="Unit of the EEG where its stream declares none: uV, mV, V or nV.",
    ),
]
DecoderFileOption = Annotated[
    Path, typer.Option(callback=check_decoder_file, help="Decoder file of `calibrate`.")
]
SourcesArgument = Annotated[
    list[str], typer.Argument(callback=check_sources, help="Recordings (SOURCE...).")
]
TrainOption = Annotated[
    list[str],
    typer.Option("--train", callback=check_sources, help="Recordings (SOURCE...) to train on."),
]
TestOption = Annotated[
    list[str],
    typer.Option("--test", callback=check_sources, help="Recordings (SOURCE...) to test on."),
]
DecodersOption = Annotated[
    list[str] | None,
    typer.Option("--decoder", callback=check_decoder_names, help="A decoder; repeat for several."),
]


def repeat_list_options(arguments: Sequence[str]) -> list[str]:
    """Write ``--from a b`` as ``--from a --from b``, so that unquoted globs work.

    The values of a list option end at the next word that begins with a dash.
    """
    result: list[str] = []
    option: str | None = None
    values = 0
    for word in arguments:
        if word.startswith("-"):
            option = word if word in LIST_OPTIONS else None
            values = 0
            result.append(word)
            continue
        if option is not None and values > 0:
            result.append(option)
        values += 1
        result.append(word)
    return result


def print_json(document: dict[str, Any]) -> None:
    """Print one JSON document on standard output; NaN is not JSON and is refused."""
    sys.stdout.write(json.dumps(document, allow_nan=False) + "\n")
    sys.stdout.flush()


def say(message: str) -> None:
    """Print a message of progress on standard error."""
    sys.stderr.write(message + "\n")


def check_out(out: Path, overwrite: bool, option: str = "--out") -> None:
    """Refuse to replace a file unasked, before any time is spent.

    Raises
    ------
    InputError
        The file exists, or is not to be replaced, or its folder does not or cannot be written.
    """
    there = is_file(out)
    if there and not overwrite:
        raise InputError(
            "An existing file is not replaced unasked",
            value=str(out),
            remedy=f"Choose another {option}, or add --overwrite.",
        )
    if out.is_dir():
        raise InputError(
            "An output file has the name of a file, not of a folder",
            value=str(out),
            remedy=f"Add a file name to the path of {option}.",
        )
    if not out.parent.is_dir():
        raise InputError(
            "The folder of the output file exists",
            value=str(out.parent),
            remedy=f"Create it, or choose another {option}.",
        )
    try:
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise InputError(
            "The folder of the output file can be written",
            value=f"{out.parent} ({error.strerror})",
            remedy=f"Choose another {option}.",
        ) from error
    if there:
        _check_replaceable(out, option)


def _check_replaceable(out: Path, option: str) -> None:
    """Refuse a file that is protected, or that another program holds, as viewers of Windows do."""
    try:
        with out.open("rb+"):
            pass
    except OSError as error:
        raise InputError(
            "An output file that is there can be replaced",
            value=f"{out} ({error.strerror})",
            remedy=f"Close the program that has it open, or choose another {option}.",
        ) from error


@contextmanager
def progress_bar(description: str, total: int) -> Iterator[Callable[[], None]]:
    """Show a progress bar on a terminal's standard error; call what this gives after each step."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total)
        yield lambda: progress.advance(task)


def configure_lsl(scope: LslScope | None) -> None:
    """Load liblsl with the reach that the user chose."""
    from sjepa_online.stream import configure

    configure(None if scope is None else scope.value)
