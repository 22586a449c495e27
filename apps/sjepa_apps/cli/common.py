"""What the commands share: options, JSON on standard output, progress on standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import Annotated, Any, Literal

import typer

from sjepa_apps.cli.checks import (
    check_decoder_file,
    check_decoder_names,
    check_paradigm,
    check_population,
    check_sources,
    check_weights,
)
from sjepa_apps.cli.progress import INTERVAL, print_line, show_progress
from sjepa_online.errors import InputError, OperationError
from sjepa_online.files import is_file, remove_abandoned
from sjepa_online.foreign_text import clean_lines

#: Options that take one or more values, as in ``--from a.fif b.fif``.
LIST_OPTIONS = ("--from", "--train", "--test", "--data", "--subjects")


#: Earlier names of options, which are still read.
OPTION_ALIASES = {"--early-stopping": "--dynamic-stopping"}
#: How far LSL looks and answers.
LslScope = Literal["machine", "link", "site"]

# Options by the panel of the help that lists them, the same in every command.
stream_option = partial(typer.Option, rich_help_panel="Stream")
session_option = partial(typer.Option, rich_help_panel="Session with a participant")
decoder_option = partial(typer.Option, rich_help_panel="Decoder")
output_option = partial(typer.Option, rich_help_panel="Output")

JsonOption = Annotated[bool, output_option("--json", help="Print one JSON document, nothing else.")]
OverwriteOption = Annotated[bool, output_option("--overwrite", help="Replace existing files.")]
ScopeOption = Annotated[
    LslScope | None, stream_option(metavar="SCOPE", help="Reach of LSL: machine, link or site.")
]
StreamOption = Annotated[
    str | None, stream_option(metavar="NAME", help="EEG stream; the only one by default.")
]
ParadigmOption = Annotated[
    str,
    typer.Option(
        "--paradigm",
        "-p",
        callback=check_paradigm,
        metavar="P",
        help="Protocol: ssvep, erp, mi, ... or a file.",
    ),
]
ElectrodesOption = Annotated[
    Literal["all", "cortex"] | None,
    decoder_option(
        metavar="E", help="Read all, or cortex (default for imagery).", show_default=False
    ),
]
WeightsOption = Annotated[
    str,
    decoder_option(
        callback=check_weights,
        metavar="W",
        help="Pretrained weights: name, file or random.",
        show_default=False,
    ),
]
PopulationOption = Annotated[
    str,
    decoder_option(
        callback=check_population,
        metavar="P",
        help="Other people's data: name, file, auto or none.",
        show_default=False,
    ),
]
AdaptOption = Annotated[
    bool,
    typer.Option(
        "--adapt/--no-adapt",
        help="Let a decoder that can adapt to each trial, without its class; its file stays as it "
        "is.",
    ),
]
DynamicStoppingOption = Annotated[
    bool, decoder_option("--dynamic-stopping", help="Decide as soon as the decoder is sure.")
]
SeedOption = Annotated[
    int, decoder_option(min=0, metavar="N", help="Seed of all random choices.", show_default=False)
]
DeviceOption = Annotated[
    str, decoder_option(metavar="D", help="Of networks: auto, cpu, cuda, mps.", show_default=False)
]

DecoderFileOption = Annotated[
    Path,
    typer.Option(callback=check_decoder_file, metavar="FILE", help="Decoder file of `calibrate`."),
]
SourcesArgument = Annotated[
    list[str], typer.Argument(callback=check_sources, help="Recordings (SOURCE...).")
]
TrainOption = Annotated[
    list[str],
    typer.Option(
        "--train", callback=check_sources, metavar="SOURCE", help="Recordings to train on."
    ),
]
TestOption = Annotated[
    list[str],
    typer.Option("--test", callback=check_sources, metavar="SOURCE", help="Recordings to test on."),
]
DecodersOption = Annotated[
    list[str] | None,
    decoder_option(
        "--decoder",
        callback=check_decoder_names,
        metavar="NAME",
        help="A decoder; repeat for several.",
    ),
]


def replace_aliases(arguments: Sequence[str]) -> list[str]:
    """Write earlier names of options as they are called now."""
    return [OPTION_ALIASES.get(word, word) for word in arguments]


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


def print_json(document: dict[str, Any] | list[Any]) -> None:
    """Print one JSON document on standard output; NaN is not JSON and is refused."""
    _put(json.dumps(document, allow_nan=False))


def echo(text: str) -> None:
    """Print a result on standard output, without terminal sequences of foreign names."""
    _put(clean_lines(text))


def say(message: str) -> None:
    """Print a message of progress on standard error, cleaned as in :func:`echo`."""
    print_line(message)


def _put(text: str) -> None:
    """Write to standard output; a reader that has gone is left to the command line's frame."""
    try:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        # what is still buffered would fail again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OperationError(
            f"The result cannot be written to standard output: {error.strerror}"
        ) from error


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
            "The output file already exists",
            value=str(out),
            remedy=f"Choose another {option}, or add --overwrite.",
        )
    if out.is_dir():
        raise InputError(
            "The output file is a folder",
            value=str(out),
            remedy=f"Add a file name to the path of {option}.",
        )
    if not out.parent.is_dir():
        raise InputError(
            "There is no such folder for the output file",
            value=str(out.parent),
            remedy=f"Create it, or choose another {option}.",
        )
    try:
        with TemporaryFile(dir=out.parent):
            pass
    except OSError as error:
        raise InputError(
            "The folder of the output file cannot be written",
            value=f"{out.parent} ({error.strerror})",
            remedy=f"Choose another {option}.",
        ) from error
    remove_abandoned(out.parent)
    if there:
        _check_replaceable(out, option)


def _check_replaceable(out: Path, option: str) -> None:
    """Refuse a file that is protected, or that another program holds, as viewers of Windows do."""
    try:
        with out.open("rb+"):
            pass
    except OSError as error:
        raise InputError(
            "The existing output file cannot be replaced",
            value=f"{out} ({error.strerror})",
            remedy=f"Close the program that has it open, or choose another {option}.",
        ) from error


@contextmanager
def progress_bar(
    description: str, total: int, interval: float = INTERVAL
) -> Iterator[Callable[[], None]]:
    """Show the progress of ``total`` steps; call what this gives after each of them.

    A bar on a terminal; elsewhere a line every ``interval`` seconds.
    """
    with show_progress(description, total, interval) as display:
        yield display.advance


def configure_lsl(scope: LslScope | None) -> None:
    """Load liblsl with the reach that the user chose."""
    from sjepa_online.stream import configure

    configure(scope)
