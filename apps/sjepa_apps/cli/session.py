"""The session part of ``sjepa-online calibrate``: with a participant, not from recordings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.calibration_output import CalibrationOutputs
from sjepa_apps.cli.common import LslScope, check_out, configure_lsl, say
from sjepa_apps.cli.windows import require_window
from sjepa_online.errors import InputError, OperationError

DisplayOption = Annotated[
    int | None,
    typer.Option(min=1, help="Which display shows the stimuli, from 1; by default the last one."),
]
WindowedOption = Annotated[
    bool, typer.Option("--windowed", help="Show the stimuli in a window, not full screen.")
]
PhotodiodeOption = Annotated[
    bool,
    typer.Option(
        "--photodiode", help="Show a patch in the lower left corner while a stimulus is on."
    ),
]

if TYPE_CHECKING:
    from sjepa_apps.session.controller import CalibrationSession
    from sjepa_apps.session.folder import SessionFolder
    from sjepa_apps.session_window.setup import SessionSetup
    from sjepa_online.stream import StreamDescription

#: Seconds in which the stream has to appear.
WAIT = 10.0


def refuse_together(others: Mapping[str, object], rule: str, chosen: str) -> None:
    """Refuse options that do not go with the one that was chosen."""
    given = [name for name, value in others.items() if value not in (None, False)]
    if given:
        raise InputError(
            rule, value=f"{chosen} and {', '.join(given)}", remedy="Leave out one of them."
        )


@dataclass(frozen=True)
class SessionOptions:
    """What the command line says about a session.

    Attributes
    ----------
    paradigm : str
        Name or path of the protocol.
    stream : str or None
        The EEG stream; None for the only one in sight.
    unit : str or None
        Of its EEG, where it declares none.
    folder : Path or None
        Of a new session; None for one named by the time.
    resume : Path or None
        Folder of a session to go on with.
    trials : int or None
        How many to record in all; None for as many as the protocol or the session says.
    skip_practice : bool
    seed : int
        Of a new session's schedule.
    wait : float
        How long the stream may take to appear (s).
    scope : LslScope or None
    """

    paradigm: str
    stream: str | None = None
    unit: str | None = None
    folder: Path | None = None
    resume: Path | None = None
    trials: int | None = None
    skip_practice: bool = False
    seed: int = 0
    wait: float = WAIT
    scope: LslScope | None = None


def open_session(options: SessionOptions) -> tuple[SessionFolder, StreamDescription]:
    """Find the stream, and make the session's folder or open it.

    Raises
    ------
    InputError
        There is no such stream or several, the protocol is wrong, the trials are too few to
        train on, or the folder does not fit.
    """
    from sjepa_apps.session.checks import require_enough_trials
    from sjepa_apps.session.folder import SessionFolder, planned_trials
    from sjepa_online.protocol import load_protocol
    from sjepa_online.stream import resolve_stream

    configure_lsl(options.scope)
    protocol = load_protocol(options.paradigm)
    if options.resume is None:
        require_enough_trials(planned_trials(protocol, options.seed, options.trials), protocol)
        stream = resolve_stream(options.stream, options.wait)
        folder = SessionFolder.create(
            options.folder,
            options.paradigm,
            stream,
            options.seed,
            options.trials,
            options.unit,
        )
        return folder, stream
    folder = SessionFolder.open(options.resume)
    if folder.protocol.name != protocol.name:
        raise InputError(
            "A session goes on with the paradigm that it was begun with",
            value=f"--paradigm {options.paradigm}, and {folder.protocol.name} in {folder.path}",
            remedy=f"Say --paradigm {folder.protocol.name}.",
        )
    if options.trials is not None:
        trials = planned_trials(folder.protocol, folder.state.seed, options.trials)
        require_enough_trials(trials, folder.protocol)
        folder.set_n_trials(options.trials)
    return folder, resolve_stream(options.stream or folder.state.stream.selector, options.wait)


def run_headless(
    folder: SessionFolder, stream: StreamDescription, *, skip_practice: bool
) -> CalibrationSession:
    """Check the channels, practise and record, by the clock and without a display.

    Raises
    ------
    InputError, OperationError
        As for the steps of :class:`CalibrationSession`.
    """
    from sjepa_apps.session.controller import CalibrationSession
    from sjepa_apps.session.headless import HeadlessPresenter
    from sjepa_online.stream import FrameOutlet, StimulusOutlet

    with StimulusOutlet(folder.protocol_text) as stimulus, FrameOutlet(0.0) as frames:
        session = CalibrationSession(folder, stream, (stimulus.uid, frames.uid), say)
        presenter = HeadlessPresenter(stimulus, frames, say)
        say(f"Checking the channels of {stream.name}")
        say(session.check_channels().table())
        try:
            if not skip_practice and not folder.parts():
                session.practise(presenter)
            session.record(presenter, lambda done, n: say(f"{done} of {n} trials"))
        except KeyboardInterrupt:
            say(f"{how_to_resume(folder)} --headless")
            raise
    return session


def run_in_window(setup: SessionSetup, *, overwrite: bool, json: bool) -> None:
    """Run a session in windows, and tell what came of it.

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
    from sjepa_apps.session.checks import require_enough_trials
    from sjepa_apps.session.folder import planned_trials
    from sjepa_apps.session_window.window import run_session_window
    from sjepa_online.protocol import load_protocol

    require_window()
    _check_files(setup, overwrite)
    if setup.resume is None:
        protocol = load_protocol(setup.paradigm)
        require_enough_trials(planned_trials(protocol, setup.seed, setup.n_trials), protocol)
    outcome = run_session_window(setup)
    folder, result = outcome.folder, outcome.result
    if outcome.interrupted:
        if folder is not None:
            say(how_to_resume(folder))
        raise KeyboardInterrupt
    if result is None or folder is None:
        advice = "" if folder is None else f" {how_to_resume(folder)}"
        raise OperationError(f"The session was closed before a decoder was trained.{advice}")
    outputs = CalibrationOutputs(result.decoder, result.report, overwrite, json)
    outputs.tell(
        result.calibration,
        {
            "folder": str(folder.path),
            "recording": [str(part) for part in folder.parts()],
            "report": str(result.report),
            "more_trials_help": result.more_trials_help,
        },
    )


def _check_files(setup: SessionSetup, overwrite: bool) -> None:
    """Refuse to replace a file unasked; a new folder holds none."""
    folder = setup.resume or Path()
    if setup.out is not None or setup.resume is not None:
        check_out(setup.decoder_file(folder), overwrite)
    if setup.report is not None or setup.resume is not None:
        check_out(setup.report_file(folder), overwrite, "--report")


def how_to_resume(folder: SessionFolder) -> str:
    """Say how a session that was ended goes on."""
    return (
        "What was recorded is kept. Go on with: sjepa-online calibrate "
        f"--paradigm {folder.path / 'protocol.toml'} --resume {folder.path}"
    )
