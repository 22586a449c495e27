"""The folder of a session: its description and the parts of its recording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sjepa_apps.session import STATE
from sjepa_apps.session.identity import Identity, new_session
from sjepa_apps.session.training_choice import TrainingChoice
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, describe
from sjepa_online.data import Recording
from sjepa_online.data.source import load_source
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write, remove_abandoned
from sjepa_online.protocol import Protocol, load_protocol, parse_toml
from sjepa_online.resources import find_resource
from sjepa_online.schedule import ScheduledTrial, make_schedule
from sjepa_online.stream import StreamDescription

PROTOCOL = "protocol.toml"
#: Where new sessions go, in the current folder.
SESSIONS = Path("sessions")

_PART = re.compile(r"session_part-(\d+)\.xdf")


class RecordedStream(BaseModel):
    """The stream that a session records; every part of it holds the same channels.

    ``selector`` finds it again: its name, with its source id where it has one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    selector: str
    ch_names: tuple[str, ...]
    units: tuple[str, ...]
    sfreq: float

    @classmethod
    def of(cls, stream: StreamDescription) -> RecordedStream:
        """Take what matters from a stream in sight."""
        return cls(
            selector=stream.selector,
            ch_names=stream.ch_names,
            units=stream.units,
            sfreq=stream.sfreq,
        )


class SessionState(BaseModel):
    """What ``session.json`` holds; how far the session is stands in the recording itself.

    ``amplifier`` is what is known of it beside what the stream declares; ``unit`` stands in
    sessions of earlier releases. ``clock_shifts`` holds, for parts whose stream another clock than
    LSL's has stamped, what is to be added (s) to its timestamps. ``identity`` tells who is
    recorded, ``training`` what is trained at the end.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["sjepa-online session"] = "sjepa-online session"
    version: Literal[1] = 1
    created: str
    seed: int = Field(ge=0)
    n_trials: int = Field(ge=1)
    stream: RecordedStream
    unit: str | None = None
    identity: Identity = Identity()
    amplifier: AmplifierProfile = AS_DECLARED
    clock_shifts: dict[str, float] = {}
    training: TrainingChoice = TrainingChoice()

    @property
    def described(self) -> AmplifierProfile:
        """How the parts are read: the recorded stream, and the session's own markers."""
        return describe(self.amplifier, unit=self.unit).of_session(self.stream.selector)


class SessionFolder:
    """The folder of a session.

    Parameters
    ----------
    path : Path
    state : SessionState
    protocol : Protocol
    protocol_text : str
        As in its file.
    """

    def __init__(
        self, path: Path, state: SessionState, protocol: Protocol, protocol_text: str
    ) -> None:
        self.path = path
        self.state = state
        self.protocol = protocol
        self.protocol_text = protocol_text
        self._read: dict[Path, Recording | InputError] = {}

    @classmethod
    def create(
        cls,
        path: Path | None,
        paradigm: str,
        stream: StreamDescription,
        seed: int,
        n_trials: int | None = None,
        amplifier: AmplifierProfile = AS_DECLARED,
        *,
        identity: Identity | None = None,
        pattern: str | None = None,
        training: TrainingChoice | None = None,
    ) -> SessionFolder:
        """Make the folder of a new session.

        Parameters
        ----------
        path : Path or None
            By default a folder of ``sessions``, named by ``pattern``.
        paradigm : str
            Name or path of the protocol.
        stream : StreamDescription
            The stream to record.
        seed : int
            Of the schedule.
        n_trials : int, optional
            How many trials to record; as many as the protocol says by default.
        amplifier : AmplifierProfile
            What is known beside what the stream declares.
        identity : Identity, optional
            Who is recorded.
        pattern : str, optional
            Of the folder's name, see :func:`~sjepa_apps.session.identity.new_path`.
        training : TrainingChoice, optional
            What is trained at the end.

        Raises
        ------
        InputError
            The folder exists and is not empty, or the protocol is wrong.
        """
        protocol = load_protocol(paradigm)
        text = find_resource("calibration", paradigm).read_text(encoding="utf-8")
        n_planned = len(planned_trials(protocol, seed, n_trials))
        now = datetime.now()
        identity = identity or Identity()
        if path is None:
            path, identity = new_session(SESSIONS, identity, protocol.name, pattern, now)
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise InputError(
                "The folder for the new session is not empty",
                value=path,
                remedy="Choose another --folder, or continue that session with --resume.",
            )
        path.mkdir(parents=True, exist_ok=True)
        state = SessionState(
            created=now.isoformat(timespec="seconds"),
            seed=seed,
            n_trials=n_planned,
            stream=RecordedStream.of(stream),
            amplifier=amplifier,
            identity=identity,
            training=training or TrainingChoice(),
        )
        folder = cls(path, state, protocol, text)
        atomic_write(path / PROTOCOL, text.encode())
        folder._write_state()
        return folder

    @classmethod
    def open(cls, path: Path) -> SessionFolder:
        """Open the folder of a session that was begun.

        Raises
        ------
        InputError
            It is no such folder, or one of its files is damaged.
        """
        try:
            state = SessionState.model_validate_json((path / STATE).read_bytes())
        except (OSError, ValidationError) as error:
            raise InputError(
                "The description of this session cannot be read",
                value=f"{path / STATE}: {error}",
                remedy="Give the folder that `calibrate` named, or begin a new session.",
            ) from error
        remove_abandoned(path)
        protocol = parse_toml(path / PROTOCOL, Protocol)
        text = (path / PROTOCOL).read_text(encoding="utf-8")
        return cls(path, state, protocol, text)

    def set_n_trials(self, n_trials: int) -> None:
        """Record so many trials in all."""
        self.state = self.state.model_copy(update={"n_trials": n_trials})
        self._write_state()

    def note_clock(self, part: Path, shift: float) -> None:
        """Keep by how much (s) the timestamps of a part's stream are off LSL's clock."""
        shifts = self.state.clock_shifts | {part.name: shift}
        self.state = self.state.model_copy(update={"clock_shifts": shifts})
        self._write_state()

    def check_stream(self, stream: StreamDescription) -> None:
        """Refuse a stream that does not go on where the session was.

        Raises
        ------
        InputError
            Channels, units or rate differ.
        """
        now, before = RecordedStream.of(stream), self.state.stream
        fields = ("ch_names", "units", "sfreq")
        if any(getattr(now, field) != getattr(before, field) for field in fields):
            raise InputError(
                "The stream differs from the one that this session was begun with",
                value=f"{len(now.ch_names)} channels at {now.sfreq:g} Hz in {stream.unit} now, "
                f"{len(before.ch_names)} at {before.sfreq:g} Hz before",
                remedy="Set the amplifier as before, or begin a new session.",
            )

    def schedule(self) -> tuple[ScheduledTrial, ...]:
        """Draw the trials of the session."""
        return planned_trials(self.protocol, self.state.seed, self.state.n_trials)

    def parts(self) -> list[Path]:
        """List the parts of the recording, in their order."""
        return [path for _, path in sorted(self._numbered_parts())]

    def next_part(self) -> Path:
        """Name the part to record next."""
        last = max((number for number, _ in self._numbered_parts()), default=0)
        return self.path / f"session_part-{last + 1}.xdf"

    def recordings(self) -> tuple[list[Recording], list[str]]:
        """Read the parts, each once.

        Returns
        -------
        recordings : list of Recording
            Of the parts that hold trials of the protocol.
        left_out : list of str
            Why another part cannot be used, as when it ended before its first sample.
        """
        for path in self.parts():
            if path not in self._read:
                shift = self.state.clock_shifts.get(path.name, 0.0)
                described = self.state.described.model_copy(update={"clock_shift": shift})
                self._read[path] = _read(path, described)
        read = [self._read[path] for path in self.parts()]
        usable = [
            one
            for one in read
            if isinstance(one, Recording)
            and any(self.protocol.class_of(label) for label in one.labels)
        ]
        return usable, [str(one) for one in read if isinstance(one, InputError)]

    def _numbered_parts(self) -> Iterator[tuple[int, Path]]:
        for path in self.path.iterdir():
            if found := _PART.fullmatch(path.name):
                yield int(found.group(1)), path

    def _write_state(self) -> None:
        atomic_write(self.path / STATE, (self.state.model_dump_json(indent=2) + "\n").encode())


def planned_trials(
    protocol: Protocol, seed: int, n_trials: int | None = None
) -> tuple[ScheduledTrial, ...]:
    """Draw the trials of a session; beyond those of the protocol, with further seeds.

    Parameters
    ----------
    protocol : Protocol
    seed : int
    n_trials : int, optional
        As many as the protocol says by default.
    """
    trials = list(make_schedule(protocol, seed))
    if n_trials is not None:
        while len(trials) < n_trials:
            seed += 1
            trials += make_schedule(protocol, seed)
    chosen = trials[:n_trials]
    return tuple(replace(trial, number=number) for number, trial in enumerate(chosen))


def _read(path: Path, described: AmplifierProfile) -> Recording | InputError:
    try:
        (recording,) = load_source(str(path), described)
    except InputError as error:
        return error
    return recording
