"""The command ``sjepa-online``."""

from __future__ import annotations

import errno
import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from sjepa_apps.cli import (
    decode,
    demo,
    doctor,
    evaluate,
    live,
    models,
    pretrain,
    sessions,
)
from sjepa_apps.cli.common import echo, repeat_list_options, replace_aliases, say
from sjepa_apps.cli.populations import population
from sjepa_apps.cli.recordings import amplifiers, export, record, repair, simulate, streams
from sjepa_apps.cli.session import calibrate, feedback
from sjepa_online.errors import InputError, OperationError

#: Exit code after Ctrl-C; typer turns the interrupt into it.
INTERRUPTED = 130
#: No room on the disk, too many open files of the program or the system, no memory.
EXHAUSTED = (errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM)

app = typer.Typer(
    name="sjepa-online",
    help="Online brain-computer-interface decoder on Signal-JEPA.",
    epilog="SOURCE, wherever recordings are asked for: a file or a quoted glob (.fif .edf .bdf "
    ".gdf .vhdr .set .xdf), moabb:DATASET:SUBJECT[:SESSION[:RUN]], "
    "lee2019:PARADIGM:SUBJECT[:SESSION], sample[:SESSION] or "
    "simulated:PROTOCOL:SUBJECT[:SESSION]. Exit codes: 0; 1 something failed; 2 the input needs "
    "a correction; 130 Ctrl-C.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        echo(version("sjepa-online"))
        raise typer.Exit


@app.callback()
def _program(
    _: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Tell the version and end."
        ),
    ] = False,
) -> None:
    """Online brain-computer-interface decoder on Signal-JEPA."""


app.command()(demo.demo)
app.command()(doctor.doctor)
app.command()(streams.streams)
app.command()(streams.replay)
app.command()(record.record)
app.command()(repair.repair)
app.command()(simulate.simulate)
app.command()(pretrain.pretrain)
app.command()(population.population)
app.command()(calibrate.calibrate)
app.command()(decode.decode)
app.command()(export.export)
app.command()(feedback.feedback)
app.command()(sessions.sessions)
app.command()(live.live)
app.add_typer(evaluate.app, name="evaluate")
app.add_typer(models.app, name="models")
app.add_typer(amplifiers.app, name="amplifiers")


def main() -> None:
    """Run the command line; an error of the user's input ends in one message and exit code 2."""
    os.environ.setdefault("MNE_LOGGING_LEVEL", "ERROR")
    # processes that multiprocessing starts run no module of the working folder
    os.environ["PYTHONSAFEPATH"] = "1"
    try:
        app(args=repeat_list_options(replace_aliases(sys.argv[1:])))
    except InputError as error:
        _fail(str(error), 2)
    except OperationError as error:
        _fail(str(error), 1)
    except OSError as error:
        if error.errno not in EXHAUSTED:
            raise
        _fail(f"The system has run out of something: {error}", 1)
    except SystemExit as ended:
        if ended.code == INTERRUPTED:
            _leave_at_once()
        raise


def _leave_at_once() -> None:
    """End an interrupted command, which has closed everything, without unloading torch and Qt."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(INTERRUPTED)


def _fail(message: str, code: int) -> None:
    say(f"Error: {message}")
    raise SystemExit(code)
