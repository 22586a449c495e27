"""Other programs of this project, started beside this one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, to_toml
from sjepa_online.errors import InputError, OperationError
from sjepa_online.files import atomic_write

#: The file that keeps what is known of the amplifier, in the folder of a session.
PROFILE = "amplifier.toml"


def decoding_arguments(
    decoder: Path, stream: str | None, amplifier: AmplifierProfile, folder: Path
) -> list[str]:
    """Return the options that decode this stream with this decoder.

    Parameters
    ----------
    decoder : Path
    stream : str or None
        Its selector; None leaves the choice to the program.
    amplifier : AmplifierProfile
        What is known beside what the stream declares; it is written to the folder.
    folder : Path
        Of the session.

    Raises
    ------
    OperationError
        The folder cannot be written to.
    """
    told = ["--decoder", str(decoder)]
    if stream is not None:
        told += ["--stream", stream]
    if amplifier == AS_DECLARED:
        return told
    profile = folder / PROFILE
    try:
        atomic_write(profile, to_toml(amplifier).encode())
    except (InputError, OSError) as error:
        raise OperationError(f"The amplifier's profile cannot be written: {error}") from error
    return [*told, "--amplifier", str(profile)]


def display_arguments(display_options: DisplayOptions) -> list[str]:
    """Return the options that show stimuli in the same place."""
    where = [] if display_options.display is None else ["--display", str(display_options.display)]
    switches = {
        "--windowed": display_options.windowed,
        "--photodiode": display_options.photodiode,
        "--sound": display_options.sound,
    }
    return [*where, *(option for option, on in switches.items() if on)]


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
