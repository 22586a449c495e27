"""``sjepa-online sessions``: what is recorded, of whom, and how well it is decoded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import JsonOption, echo, print_json, say
from sjepa_apps.session import STATE
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_apps.session.folder import SessionFolder

_COLUMNS = ("participant", "session", "run", "paradigm", "trials", "score", "begun", "folder")


@dataclass(frozen=True)
class SessionEntry:
    """A session in a list.

    Attributes
    ----------
    folder : str
    created : str
        When it was begun.
    participant, session, run, notes : str
        Empty where they were not given.
    paradigm : str
        Name of its protocol.
    n_recorded, n_trials : int
        Trials that the recording holds, and those that were planned.
    measure : str or None
        ``accuracy`` or ``roc_auc``; None without a decoder.
    score : float or None
        Of its decoder, in cross-validation.
    decoder : str or None
        Its file.
    """

    folder: str
    created: str
    participant: str
    session: str
    run: str
    notes: str
    paradigm: str
    n_recorded: int
    n_trials: int
    measure: str | None = None
    score: float | None = None
    decoder: str | None = None


def sessions(
    folder: Annotated[
        Path, typer.Argument(help="Folder that holds sessions, at any depth.")
    ] = Path("sessions"),
    participant: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only those of this participant.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """List sessions: participant, paradigm, trials recorded and planned, score."""
    entries = list_sessions(folder)
    if participant is not None:
        entries = [one for one in entries if one.participant == participant]
    if json:
        print_json([asdict(one) for one in entries])
        return
    if not entries:
        whose = "" if participant is None else f" of {participant}"
        say(f"No session{whose} in {folder}")
        return
    for line in _table([_COLUMNS, *(_row(one) for one in entries)]):
        echo(line)


def list_sessions(folder: Path) -> list[SessionEntry]:
    """Read the sessions of a folder, the oldest first.

    One that cannot be read is told, and left out.

    Raises
    ------
    InputError
        There is no such folder.
    """
    from sjepa_apps.session.folder import SessionFolder

    if not folder.is_dir():
        raise InputError(
            "No such folder",
            value=folder,
            remedy="Give the folder that holds sessions; `calibrate` makes one where it runs.",
        )
    entries = []
    for state in sorted(folder.rglob(STATE)):
        try:
            entries.append(_entry(SessionFolder.open(state.parent)))
        except InputError as error:
            say(f"left out: {error}")
    return sorted(entries, key=lambda one: one.created)


def _entry(session: SessionFolder) -> SessionEntry:
    from sjepa_apps.session.completed_trials import remaining_trials

    state, protocol = session.state, session.protocol
    identity = state.identity
    recordings, left_out = session.recordings()
    for reason in left_out:
        say(f"left out: {reason}")
    remaining = remaining_trials(session.schedule(), recordings, protocol)
    measure, score, decoder = _score(session)
    return SessionEntry(
        folder=str(session.path),
        created=state.created,
        participant=identity.participant,
        session=identity.session,
        run=identity.run,
        notes=identity.notes,
        paradigm=protocol.name,
        n_recorded=state.n_trials - len(remaining),
        n_trials=state.n_trials,
        measure=measure,
        score=score,
        decoder=decoder,
    )


def _score(session: SessionFolder) -> tuple[str | None, float | None, str | None]:
    """Return measure, score and file of the session's decoder; None where there is none."""
    from sjepa_apps.session_window.setup import DECODER
    from sjepa_online.decoding import load_decoder

    path = session.path / DECODER
    if not path.is_file():
        return None, None, None
    loaded = load_decoder(path)
    scores = loaded.calibration.cross_validation.get(loaded.name, {})
    measure = "roc_auc" if session.protocol.paradigm == "erp" else "accuracy"
    return measure, scores.get(measure), str(path)


def _row(one: SessionEntry) -> tuple[str, ...]:
    score = "–" if one.score is None else f"{one.score:.2f} {_measure(one)}"
    trials = f"{one.n_recorded} of {one.n_trials}"
    begun = one.created.replace("T", " ")
    named = (one.participant or "–", one.session or "–", one.run or "–")
    return (*named, one.paradigm, trials, score, begun, one.folder)


def _measure(one: SessionEntry) -> str:
    return "AUC" if one.measure == "roc_auc" else "accuracy"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
