"""The options that describe an amplifier or a recording, the same for every command."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial, wraps
from types import SimpleNamespace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile

Command = Callable[..., None]

#: The parameter of a command that takes what these options say.
TAKEN_AS = "amplifier"

_option = partial(typer.Option, rich_help_panel="Amplifier or recording")

_ChannelsOption = Annotated[
    str | None,
    _option(
        "--channels", metavar="LIST", help='Electrodes: "O1,Oz,-" in order, or "Ch0=Fp1,aux=-".'
    ),
]
_UnitOption = Annotated[
    str | None,
    _option("--unit", metavar="UNIT", help="Unit of the EEG: uV, mV, V or nV."),
]
_ScaleOption = Annotated[float | None, _option("--scale", metavar="X", help="Factor to that unit.")]
_AmplifierOption = Annotated[
    str | None,
    _option("--amplifier", metavar="NAME", help="Profile with all of this: name or .toml file."),
]
_MarkersOption = Annotated[
    str | None,
    _option("--markers", metavar="NAME", help="Marker stream, or channel:NAME of the EEG."),
]
_EventOption = Annotated[
    list[str] | None,
    _option("--event", metavar="CODE=CLASS", help="Class that a marker stands for; repeat."),
]
_StreamOption = Annotated[
    str | None,
    _option("--stream", metavar="NAME", help="Stream of an .xdf file that holds several."),
]
_DESCRIPTION: dict[str, Any] = {
    "amplifier": _AmplifierOption,
    "channels": _ChannelsOption,
    "unit": _UnitOption,
    "scale": _ScaleOption,
    "markers": _MarkersOption,
    "event": _EventOption,
}


def describes_signal(*, files: bool = False) -> Callable[[Command], Command]:
    """Give a command the options that describe an amplifier or a recording.

    The command takes what they say as an ``AmplifierProfile``, in its parameter ``amplifier``;
    an option that is wrong is told before the command begins.

    Parameters
    ----------
    files : bool
        Add ``--stream``, for commands that read files only.
    """
    added = _DESCRIPTION | ({"stream": _StreamOption} if files else {})

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**given: Any) -> None:
            said = {name: given.pop(name) for name in added}
            command(**given, **{TAKEN_AS: _profile(**said)})

        signature = inspect.signature(command)
        own = [one for name, one in signature.parameters.items() if name != TAKEN_AS]
        hints = _hints(command) | added
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            *(one.replace(annotation=hints[one.name], kind=keyword) for one in own),
            *(
                inspect.Parameter(name, keyword, default=None, annotation=annotation)
                for name, annotation in added.items()
            ),
        ]
        # typer reads a command by these
        run.__annotations__ = hints
        del run.__wrapped__
        told: Any = run
        told.__signature__ = signature.replace(parameters=parameters, return_annotation=None)
        return run

    return decorate


def options_of(profile: AmplifierProfile) -> list[str]:
    """Return the options that described an amplifier or a recording.

    Parameters
    ----------
    profile : AmplifierProfile
        What the command was given.

    Returns
    -------
    options : list of str
        Empty where nothing was described; ``--amplifier`` where a whole profile was chosen.
    """
    described = profile.model_dump(exclude_defaults=True).keys()
    options = {
        "channels": "--channels",
        "unit": "--unit",
        "scale": "--scale",
        "markers": "--markers",
        "events": "--event",
    }
    if described - options.keys():
        return ["--amplifier"]
    return [option for field, option in options.items() if field in described]


def _hints(command: Command) -> dict[str, Any]:
    """Resolve a command's annotations but for the profile, whose module is heavy."""
    kept = {name: one for name, one in command.__annotations__.items() if name != TAKEN_AS}
    space = command.__globals__
    return get_type_hints(SimpleNamespace(__annotations__=kept), space, include_extras=True)


def _profile(
    amplifier: str | None = None,
    channels: str | None = None,
    unit: str | None = None,
    scale: float | None = None,
    markers: str | None = None,
    event: list[str] | None = None,
    stream: str | None = None,
) -> AmplifierProfile:
    from sjepa_online.amplifier import AS_DECLARED, describe, load_profile

    return describe(
        AS_DECLARED if amplifier is None else load_profile(amplifier),
        channels=channels,
        unit=unit,
        scale=scale,
        stream=stream,
        markers=markers,
        events=event or (),
    )
