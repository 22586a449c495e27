"""The session part of ``sjepa-online calibrate``: with a participant, not from recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from sjepa_apps.cli.common import check_out, progress_bar, say, session_option
from sjepa_apps.cli.session.outputs import CalibrationOutputs
from sjepa_apps.cli.session.without_labels import tell_unlabelled
from sjepa_apps.cli.windows import require_window
from sjepa_apps.session.identity import BIDS_PATTERN
from sjepa_online.errors import InputError, OperationError

HeadlessOption = Annotated[
    bool, session_option("--headless", help="No display: for a simulated participant.")
]
DisplayOption = Annotated[
    int | None, session_option(min=1, metavar="N", help="Display of the stimuli; the last one.")
]
WindowedOption = Annotated[
    bool, session_option("--windowed", help="Stimuli in a window, not full screen.")
]
PhotodiodeOption = Annotated[
    bool, session_option("--photodiode", help="Patch at the lower left for a photodiode.")
]

SoundOption = Annotated[bool, session_option("--sound", help="A tone at cues and rests.")]
ParticipantOption = Annotated[
    str, session_option(metavar="NAME", help="Participant, for folder and report.")
]
SessionNameOption = Annotated[
    str, session_option("--session", metavar="NAME", help="Session of the participant.")
]
RunNameOption = Annotated[
    str, session_option("--run", metavar="NAME", help="Run; the next free number by default.")
]
NotesOption = Annotated[str, session_option(metavar="TEXT", help="Notes, stored with the session.")]
PatternOption = Annotated[
    str | None,
    session_option("--name-pattern", metavar="P", help=f"Name of the folder; {BIDS_PATTERN}."),
]

if TYPE_CHECKING:
    from sjepa_apps.session.folder import SessionFolder
    from sjepa_apps.session_window.setup import SessionSetup
    from sjepa_online.protocol import Protocol
    from sjepa_online.stream import StreamDescription

#: Seconds in which the stream has to appear.
WAIT = 10.0


def refuse_together(others: Mapping[str, object], chosen: str, why: str) -> None:
    """Refuse options that exclude the one that was chosen.

    Parameters
    ----------
    others : mapping of str to object
        Values by option; None and False were not given.
    chosen : str
        The option that was given.
    why : str
        Why they exclude each other, as a sentence without a full stop.

    Raises
    ------
    InputError
        One of the others is given.
    """
    given = [name for name, value in others.items() if value not in (None, False, {})]
    if given:
        raise InputError(
            f"{chosen} excludes {', '.join(given)}",
            value="",
            remedy=f"{why}: leave out one or the other.",
        )


def open_session(setup: SessionSetup, wait: float) -> tuple[SessionFolder, StreamDescription]:
    """Find the stream, and create the session's folder or open it.

    Parameters
    ----------
    setup : SessionSetup
    wait : float
        How long the stream may take to appear (s).

    Raises
    ------
    InputError
        There is no such stream or several, the protocol is wrong, the trials are too few to
        train on, or the folder belongs to another paradigm.
    """
    from sjepa_apps.session.checks import require_enough_trials
    from sjepa_apps.session.folder import SessionFolder, planned_trials
    from sjepa_online.protocol import load_protocol
    from sjepa_online.stream import resolve_stream

    protocol = load_protocol(setup.paradigm)
    if setup.resume is None:
        _require_enough(setup, protocol)
        stream = resolve_stream(setup.stream, wait, prefers=setup.amplifier.prefers)
        folder = SessionFolder.create(
            setup.folder,
            setup.paradigm,
            stream,
            setup.seed,
            setup.n_trials,
            setup.amplifier,
            identity=setup.identity,
            pattern=setup.pattern,
            training=setup.training,
        )
        return folder, stream
    folder = SessionFolder.open(setup.resume)
    if folder.protocol.name != protocol.name:
        raise InputError(
            "This session was begun with another paradigm",
            value=f"--paradigm {setup.paradigm}, and {folder.protocol.name} in {folder.path}",
            remedy=f"Give --paradigm {folder.protocol.name}.",
        )
    if setup.n_trials is not None:
        trials = planned_trials(folder.protocol, folder.state.seed, setup.n_trials)
        require_enough_trials(trials, folder.protocol)
        folder.set_n_trials(setup.n_trials)
    return folder, resolve_stream(setup.stream or folder.state.stream.selector, wait)


def run_headless(setup: SessionSetup, wait: float, *, overwrite: bool, json: bool) -> None:
    """Check the channels, practise, record and train, by the clock and without a display.

    Parameters
    ----------
    setup : SessionSetup
        Its display options are not used.
    wait : float
        How long the stream may take to appear (s).
    overwrite : bool
        Whether existing files may be replaced.
    json : bool
        Print one JSON document instead of text.

    Raises
    ------
    InputError, OperationError
        As for :func:`open_session` and the steps of :class:`CalibrationSession`.
    """
    from sjepa_apps.session.controller import CalibrationSession
    from sjepa_apps.session.facts import session_facts
    from sjepa_apps.session.headless import HeadlessPresenter
    from sjepa_online.stream import FrameOutlet, StimulusOutlet
    from sjepa_online.training import N_FOLDS

    folder, stream = open_session(setup, wait)
    outputs = CalibrationOutputs(
        setup.decoder_file(folder.path), setup.report_file(folder.path), overwrite, json
    )
    outputs.check()
    with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
        session = CalibrationSession(folder, stream, (stimulus.uid, frames.uid), say)
        presenter = HeadlessPresenter(stimulus, frames, say)
        say(f"Checking the channels of {stream.name}")
        say(session.check_channels().table())
        try:
            if setup.practice and not folder.parts():
                session.practise(presenter)
            session.record(presenter, lambda done, n: say(f"{done} of {n} trials"))
        except KeyboardInterrupt:
            say(f"{how_to_resume(folder)} --headless")
            raise
    n_decoders = 2 if setup.earlier else 1
    with progress_bar("Training", n_decoders * (N_FOLDS + 1)) as advance:
        trained = session.train(
            setup.request,
            dynamic_stopping=setup.dynamic_stopping,
            progress=advance,
            earlier=setup.earlier,
        )
    recording = {"folder": str(folder.path), "recording": [str(part) for part in folder.parts()]}
    if trained.note:
        say(trained.note)
    facts = session_facts(folder, stream, trained.note)
    outputs.finish(trained.calibration, trained.recordings, recording, facts)


def run_in_window(setup: SessionSetup, *, overwrite: bool, json: bool) -> None:
    """Run a session in windows, and print its result.

    Raises
    ------
    InputError
        Windows cannot open, the protocol is wrong, the trials are too few to train on, or a file
        would be replaced.
    OperationError
        The operator has closed the window before there was a decoder.
    KeyboardInterrupt
        Ctrl-C; how the session goes on is told.
    """
    from sjepa_apps.session_window.window import run_session_window
    from sjepa_online.protocol import load_protocol

    require_window()
    _check_files(setup, overwrite)
    if setup.resume is None:
        _require_enough(setup, load_protocol(setup.paradigm))
    outcome = run_session_window(setup)
    folder, result = outcome.folder, outcome.result
    if outcome.interrupted:
        if folder is not None:
            say(how_to_resume(folder))
        raise KeyboardInterrupt
    if result is None and outcome.unlabelled is not None:
        made, path = outcome.unlabelled.made, outcome.unlabelled.decoder
        tell_unlabelled(made.decoder, made.seconds, made.fit_seconds, path, json=json)
        return
    if result is None or folder is None:
        advice = "" if folder is None else f" {how_to_resume(folder)}"
        raise OperationError(f"The session was closed before a decoder was trained.{advice}")
    outputs = CalibrationOutputs(result.decoder, result.report, overwrite, json)
    outputs.tell(
        result.calibration,
        result.forehead,
        {
            "folder": str(folder.path),
            "recording": [str(part) for part in folder.parts()],
            "report": str(result.report),
            "more_trials_help": result.more_trials_help,
        },
    )


def _require_enough(setup: SessionSetup, protocol: Protocol) -> None:
    """Refuse a session that cannot be trained on; earlier recordings may make up for few trials."""
    from sjepa_apps.session.checks import require_enough_trials
    from sjepa_apps.session.folder import planned_trials

    trials = planned_trials(protocol, setup.seed, setup.n_trials)
    if not setup.earlier:
        require_enough_trials(trials, protocol)


def _check_files(setup: SessionSetup, overwrite: bool) -> None:
    """Refuse to replace a file unasked; a new folder holds none."""
    folder = setup.resume or Path()
    if setup.out is not None or setup.resume is not None:
        check_out(setup.decoder_file(folder), overwrite)
    if setup.report is not None or setup.resume is not None:
        check_out(setup.report_file(folder), overwrite, "--report")


def how_to_resume(folder: SessionFolder) -> str:
    """Return the command that continues a session."""
    return (
        "What was recorded is kept. Go on with: sjepa-online calibrate "
        f"--paradigm {folder.path / 'protocol.toml'} --resume {folder.path}"
    )
