"""Who is recorded, and what the folder of a session is called."""

from __future__ import annotations

import string
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator

from sjepa_online.errors import InputError
from sjepa_online.foreign_text import clean_lines, clean_text, safe_name

#: The folder's name, as BIDS names files: entities whose field is empty are left out.
BIDS_PATTERN = "sub-{participant}_ses-{session}_task-{protocol}_run-{run}"
#: Where no participant is given.
DATED_PATTERN = "{date}_{time}_{protocol}"
FIELDS = ("participant", "session", "run", "protocol", "date", "time")
#: Letters kept of a field in a name, and bytes of the whole name: file systems take 255.
LONGEST_LABEL, LONGEST_NAME = 24, 200
LONGEST_NOTES = 5000


class Identity(BaseModel):
    """Participant, session, run and notes, as the operator wrote them.

    Control characters are removed; what names a folder is :func:`label`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    participant: str = ""
    session: str = ""
    run: str = ""
    notes: str = ""

    @field_validator("participant", "session", "run")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return clean_text(text, 300)

    @field_validator("notes")
    @classmethod
    def _lines(cls, text: str) -> str:
        return clean_lines(text)[:LONGEST_NOTES]

    @property
    def facts(self) -> dict[str, str]:
        """What is given, by its name for people."""
        given = {
            "Participant": self.participant,
            "Session": self.session,
            "Run": self.run,
            "Notes": self.notes,
        }
        return {name: text for name, text in given.items() if text}


def label(text: str) -> str:
    """Return the letters and digits of a text: the label of an entity in BIDS.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        At most :data:`LONGEST_LABEL` letters; empty for an empty text.

    Raises
    ------
    InputError
        The text holds something, but no letter or digit.
    """
    kept = "".join(letter for letter in clean_text(text, 1000) if letter.isalnum())
    if clean_text(text) and not kept:
        raise InputError(
            "This name holds no letter or digit, so no folder can be named by it",
            value=text,
            remedy="Add a letter or a number.",
        )
    return kept[:LONGEST_LABEL]


def folder_name(identity: Identity, protocol: str, pattern: str, now: datetime) -> str:
    """Return the name of a session's folder.

    Parameters
    ----------
    identity : Identity
    protocol : str
        Its name.
    pattern : str
        With fields of :data:`FIELDS` in braces; parts between underscores whose fields are all
        empty are left out.
    now : datetime

    Returns
    -------
    str

    Raises
    ------
    InputError
        The pattern holds another field, or a name holds no letter or digit.
    """
    values = {
        "participant": label(identity.participant),
        "session": label(identity.session),
        "run": label(identity.run),
        "protocol": label(protocol),
        "date": f"{now:%Y-%m-%d}",
        "time": f"{now:%H-%M-%S}",
    }
    parts = []
    for part in pattern.split("_"):
        fields = _fields(part, pattern)
        if not fields or any(values[field] for field in fields):
            parts.append(part.format_map(values))
    name = safe_name("_".join(parts))
    while len(name.encode()) > LONGEST_NAME:
        name = name[:-1]
    return name


def new_path(
    root: Path, identity: Identity, protocol: str, pattern: str | None, now: datetime
) -> Path:
    """Return the folder of a new session; see :func:`new_session`."""
    return new_session(root, identity, protocol, pattern, now)[0]


def new_session(
    root: Path, identity: Identity, protocol: str, pattern: str | None, now: datetime
) -> tuple[Path, Identity]:
    """Return the folder of a new session, and who is recorded in it.

    Where no run is given and the folder's name holds one, it is the next free one.

    Parameters
    ----------
    root : Path
        Holds the sessions.
    identity : Identity
    protocol : str
    pattern : str or None
        :data:`BIDS_PATTERN` by default; without a participant :data:`DATED_PATTERN`.
    now : datetime

    Returns
    -------
    path : Path
    identity : Identity
        With the run that the folder is named by.
    """
    chosen = pattern or (BIDS_PATTERN if label(identity.participant) else DATED_PATTERN)
    if identity.run or "{run}" not in chosen:
        return root / folder_name(identity, protocol, chosen, now), identity
    number = 1
    while True:
        numbered = identity.model_copy(update={"run": f"{number:02d}"})
        path = root / folder_name(numbered, protocol, chosen, now)
        if not path.exists():
            return path, numbered
        number += 1


def _fields(part: str, pattern: str) -> list[str]:
    try:
        fields = [name for _, name, _, _ in string.Formatter().parse(part) if name is not None]
    except ValueError:
        fields = ["?"]
    if any(field not in FIELDS for field in fields):
        raise InputError(
            "The pattern of the folder's name holds an unknown field",
            value=pattern,
            remedy=f"Use {', '.join('{' + field + '}' for field in FIELDS)}.",
        )
    return fields
