"""Other programs of this project, started beside this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sjepa_online.errors import OperationError


def live_arguments(decoder: Path, stream: str, unit: str | None) -> list[str]:
    """Return the command that decodes with this decoder in the live window."""
    return ["live", "--decoder", str(decoder), "--stream", stream, *_unit(unit)]


def feedback_arguments(
    decoder: Path, stream: str, unit: str | None, display: int | None, *, windowed: bool
) -> list[str]:
    """Return the command that lets the participant use this decoder."""
    where = [] if display is None else ["--display", str(display)]
    in_a_window = ["--windowed"] if windowed else []
    told = ["--decoder", str(decoder), "--stream", stream, *_unit(unit)]
    return ["feedback", *told, *where, *in_a_window]


def start_program(arguments: Sequence[str]) -> None:
    """Start a command of this project; it goes on when this program ends.

    Raises
    ------
    OperationError
        The system cannot start it.
    """
    command = [sys.executable, "-P", "-m", "sjepa_apps", *arguments]
    try:
        subprocess.Popen(command, start_new_session=True)
    except OSError as error:
        raise OperationError(f"The program cannot be started: {error.strerror}") from error


def _unit(unit: str | None) -> list[str]:
    return [] if unit is None else ["--unit", unit]
