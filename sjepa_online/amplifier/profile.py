"""The description of an amplifier or a recording: electrodes, unit, trigger, markers, clock."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from sjepa_online.errors import InputError
from sjepa_online.markers import same_marker
from sjepa_online.signal.montage import standard_names
from sjepa_online.signal.units import normalise_unit

#: What stands for a channel that is left out.
LEFT_OUT = "-"
#: What ``--markers`` begins with where codes come in a channel of the EEG stream or file.
CHANNEL = "channel:"

Clock = Literal["lsl", "unix", "zero"]


class Fits(BaseModel):
    """The streams that a profile is for; each pattern is a regular expression of the whole text.

    Attributes
    ----------
    name, type, source_id, format, labels : str
        Patterns of the stream's name, type, source id and format, and of its channels' labels
        joined by commas; empty for any, ``labels = "none"`` for a stream that declares none.
    n_channels : tuple of int
        Numbers of channels; empty for any.
    sfreq : tuple of float
        Rates (Hz); empty for any.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    type: str = ""
    source_id: str = ""
    format: str = ""
    labels: str = ""
    n_channels: tuple[int, ...] = ()
    sfreq: tuple[float, ...] = ()


class AmplifierProfile(BaseModel):
    """A description of an amplifier or a recording; fields without a value are as declared.

    Attributes
    ----------
    name, description : str
        For people.
    fits : Fits or None
        Streams that the profile is proposed for.
    channels : tuple of str or dict of str to str, optional
        Electrodes in the order of the channels, ``-`` for one that is left out; or the
        electrode of each declared name, all others as they are.
    unit : str, optional
        Of the EEG, also where another is declared.
    scale : float
        Factor to that unit.
    stream : str, optional
        The stream to read from a file that holds several.
    prefers : str, optional
        Name of the stream that is meant where none is named and several are in sight, or in a file.
    markers : str, optional
        The marker stream, or ``channel:NAME`` for a channel of codes.
    idle : float, optional
        The code that marks nothing; by default the most frequent value of the channel.
    events : dict of str to str
        Class of the protocol for a code or a text of a marker.
    clock : {"lsl", "unix", "zero"}, optional
        By what the stream stamps its samples: LSL's clock, Unix time, or from zero.
    clock_shift : float
        What is added (s) to the timestamps of a recorded stream that another clock has stamped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = ""
    description: str = ""
    fits: Fits | None = None
    channels: tuple[str, ...] | dict[str, str] | None = None
    unit: str | None = None
    scale: float = Field(default=1.0, gt=0.0, allow_inf_nan=False)
    stream: str | None = None
    prefers: str | None = None
    markers: str | None = None
    idle: float | None = None
    events: dict[str, str] = {}
    clock: Clock | None = None
    clock_shift: float = Field(default=0.0, allow_inf_nan=False)

    @field_validator("unit")
    @classmethod
    def _is_voltage(cls, unit: str | None) -> str | None:
        return None if unit is None else normalise_unit(unit)

    @field_validator("channels")
    @classmethod
    def _names_electrodes(cls, channels: Any) -> Any:
        if channels is not None:
            by_name = isinstance(channels, dict)
            electrodes = channels.values() if by_name else channels
            problem = _electrode_problem([str(one) for one in electrodes], some=by_name)
            if problem:
                raise ValueError(problem)
        return channels

    @model_validator(mode="after")
    def _channel_has_a_name(self) -> AmplifierProfile:
        if self.markers is not None and not self.markers.removeprefix(CHANNEL):
            raise ValueError("markers = 'channel:' lacks the name of a channel")
        return self

    @property
    def trigger(self) -> str | None:
        """The channel of codes that is named; None where there is none."""
        markers = self.markers or ""
        return markers.removeprefix(CHANNEL) if markers.startswith(CHANNEL) else None

    @property
    def marker_stream(self) -> str | None:
        """The marker stream that is named; None where there is none."""
        return None if self.trigger is not None else self.markers

    def of_session(self, stream: str) -> AmplifierProfile:
        """Return the profile for a session's own recording: this stream, and its own markers.

        Parameters
        ----------
        stream : str
            Name of the stream.

        Returns
        -------
        profile : AmplifierProfile
        """
        return self.model_copy(update={"stream": stream, "markers": None, "events": {}})

    def event(self, label: str) -> str:
        """Return the class that a marker stands for, or the marker itself.

        Parameters
        ----------
        label : str

        Returns
        -------
        name : str
        """
        for code, name in self.events.items():
            if same_marker(code, label):
                return name
        return label


#: Nothing is said: all is as the stream or the file declares it.
AS_DECLARED = AmplifierProfile()


def describe(
    base: AmplifierProfile = AS_DECLARED,
    *,
    channels: str | None = None,
    unit: str | None = None,
    scale: float | None = None,
    stream: str | None = None,
    markers: str | None = None,
    events: Sequence[str] = (),
) -> AmplifierProfile:
    """Change a profile by the user's options, which come before its own fields.

    Parameters
    ----------
    base : AmplifierProfile
    channels : str, optional
        ``Fp1,Fp2,-`` in the order of the channels, or ``Ch0=Fp1,aux=-`` by name.
    unit, scale, stream, markers : optional
        As in :class:`AmplifierProfile`.
    events : sequence of str
        ``CODE=CLASS`` each.

    Returns
    -------
    profile : AmplifierProfile

    Raises
    ------
    InputError
        An option cannot be read, names what is no electrode, or one electrode twice.
    """
    changes: dict[str, Any] = {"stream": stream, "markers": markers, "scale": scale}
    changes["unit"] = None if unit is None else normalise_unit(unit)
    if channels is not None:
        changes["channels"] = parse_channels(channels)
    if scale is not None and not 0 < scale < float("inf"):
        raise InputError(
            "The scale is not a positive number", value=scale, remedy="Give --scale 0.1, say."
        )
    if markers is not None and not markers.removeprefix(CHANNEL):
        raise InputError(
            "--markers names neither a stream nor a channel",
            value=repr(markers),
            remedy="Say --markers NAME, or --markers channel:NAME.",
        )
    given = {name: value for name, value in changes.items() if value is not None}
    return base.model_copy(update=given | {"events": dict(base.events) | _parse_events(events)})


def parse_channels(text: str) -> tuple[str, ...] | dict[str, str]:
    """Read ``--channels``: electrodes in their order, or ``NAME=ELECTRODE`` pairs.

    Parameters
    ----------
    text : str

    Returns
    -------
    channels : tuple of str, or dict of str to str
        Electrodes in their order, or electrodes by the names of channels; ``-`` for none.

    Raises
    ------
    InputError
        Both forms are mixed, an electrode is unknown, or given twice.
    """
    parts = [part.strip() for part in text.split(",")]
    by_name = ["=" in part for part in parts]
    if any(by_name) != all(by_name) or not all(parts):
        raise InputError(
            "Some entries of --channels are empty, or only some have the form NAME=ELECTRODE",
            value=repr(text),
            remedy='Write --channels "O1,Oz,O2,-" or --channels "Ch0=Fp1,aux=-"; - leaves a '
            "channel out.",
        )
    pairs = [part.rpartition("=") for part in parts]
    electrodes = [electrode.strip() for _, _, electrode in pairs]
    if problem := _electrode_problem(electrodes, some=any(by_name)):
        raise InputError(
            f"--channels is wrong: {problem}",
            value=repr(text),
            remedy="Give each electrode of the 10-05 system once, and - for what is none.",
        )
    if not any(by_name):
        return tuple(electrodes)
    names = [name.strip() for name, _, _ in pairs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise InputError(
            "--channels names a channel twice",
            value=", ".join(twice),
            remedy="Name each channel once.",
        )
    return dict(zip(names, electrodes, strict=True))


def _parse_events(texts: Sequence[str]) -> dict[str, str]:
    events: dict[str, str] = {}
    for text in texts:
        found = re.fullmatch(r"\s*(.+?)\s*=\s*([^=]+?)\s*", text)
        if found is None:
            raise InputError(
                "--event lacks a code or a class",
                value=repr(text),
                remedy="Write --event 769=left_hand.",
            )
        events[found.group(1)] = found.group(2)
    return events


def _electrode_problem(electrodes: Sequence[str], *, some: bool) -> str:
    """Say what is wrong with the electrodes of some channels, or of all; empty for nothing."""
    used = [one for one in electrodes if one != LEFT_OUT]
    if not used:
        return "" if some else "every channel is left out"
    resolved = standard_names(used)
    unknown = [one for one, name in zip(used, resolved, strict=True) if name is None]
    if unknown:
        return f"no electrodes of the 10-05 system: {', '.join(map(repr, unknown))}"
    twice = sorted({str(one) for one in resolved if resolved.count(one) > 1})
    return f"given twice: {', '.join(twice)}" if twice else ""
