"""Commands to a live service: JSON lines, checked on arrival."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.online.events import Mode
from sjepa_online.signal.channel_quality.monitor import Choice


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LoadDecoder(_Command):
    """Read a decoder file, and decode with it from then on."""

    kind: Literal["load-decoder"] = "load-decoder"
    path: str


class OpenStream(_Command):
    """Decode a stream; an open one is closed.

    Attributes
    ----------
    selector : str
        As for :func:`sjepa_online.stream.resolve_stream`.
    markers : str or None
        Selector of the marker stream; None for none, or none yet.
    mode : {"sliding", "markers"} or None
        None: as :func:`sjepa_online.online.mode.choose_mode` says.
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    adapt : bool
        Let a decoder that adapts take in each trial, without its class.
    """

    kind: Literal["open-stream"] = "open-stream"
    selector: str
    markers: str | None = None
    mode: Mode | None = None
    amplifier: AmplifierProfile = AS_DECLARED
    adapt: bool = True


class UseMarkers(_Command):
    """Take the markers of this stream, which has come since the signal was opened."""

    kind: Literal["use-markers"] = "use-markers"
    selector: str


class CloseStream(_Command):
    """Stop decoding."""

    kind: Literal["close-stream"] = "close-stream"


class ChooseChannel(_Command):
    """Set a channel bad, good, or as the monitor finds it."""

    kind: Literal["choose-channel"] = "choose-channel"
    channel: str
    choice: Choice


Command = LoadDecoder | OpenStream | UseMarkers | CloseStream | ChooseChannel

_COMMANDS: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="kind")])


def command_to_line(command: Command) -> bytes:
    """Return a command as a line of JSON.

    Parameters
    ----------
    command : Command

    Returns
    -------
    bytes
    """
    return command.model_dump_json().encode() + b"\n"


def read_command(line: str | bytes) -> Command:
    """Read the line of a command.

    Parameters
    ----------
    line : str or bytes

    Returns
    -------
    Command

    Raises
    ------
    pydantic.ValidationError
        The line is none of a command.
    """
    return _COMMANDS.validate_json(line)
