"""``sjepa-online calibrate``: from labelled trials to a decoder file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.checks import check_decoder_name, check_session_folder, check_sources, ends_in
from sjepa_apps.cli.common import (
    DeviceOption,
    DynamicStoppingOption,
    ElectrodesOption,
    JsonOption,
    LslScope,
    OverwriteOption,
    ParadigmOption,
    PopulationOption,
    ScopeOption,
    SeedOption,
    StreamOption,
    WeightsOption,
    check_out,
    configure_lsl,
    decoder_option,
    output_option,
    progress_bar,
    session_option,
    stream_option,
)
from sjepa_apps.cli.description import describes_signal, options_of
from sjepa_apps.cli.session.outputs import CalibrationOutputs
from sjepa_apps.cli.session.run import (
    WAIT,
    DisplayOption,
    HeadlessOption,
    NotesOption,
    ParticipantOption,
    PatternOption,
    PhotodiodeOption,
    RunNameOption,
    SessionNameOption,
    SoundOption,
    WindowedOption,
    refuse_together,
    run_headless,
    run_in_window,
)
from sjepa_apps.cli.session.without_labels import AlignmentStream, calibrate_without_labels
from sjepa_apps.session.identity import Identity
from sjepa_apps.session_window.setup import DECODER, SessionSetup
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.protocol import Electrodes

#: Options about the display of the stimuli.
_OF_DISPLAY = ("--display", "--windowed", "--photodiode", "--sound")
#: Options about a session, which exclude a calibration on recordings.
_NOT_FROM_RECORDINGS = (
    "--headless",
    "--folder",
    "--resume",
    "--skip-practice",
    "--wait",
    "--lsl-scope",
    "--participant",
    "--session",
    "--run",
    "--notes",
    "--name-pattern",
    *_OF_DISPLAY,
)
#: Options about labelled trials, which exclude a calibration without labels.
_NOT_WITHOUT_LABELS = (
    "--headless",
    "--folder",
    "--resume",
    "--skip-practice",
    "--dynamic-stopping",
    "--report",
    *_OF_DISPLAY,
)


@describes_signal()
def calibrate(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from",
            callback=check_sources,
            metavar="SOURCE",
            help="Recordings, instead of a session; with --trials, beside it.",
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        decoder_option(
            callback=check_decoder_name,
            metavar="D",
            help="auto (default), population, pre-local, riemann ...; a wrong name lists all.",
        ),
    ] = None,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    electrodes: ElectrodesOption = None,
    dynamic_stopping: DynamicStoppingOption = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    out: Annotated[
        Path | None,
        output_option(
            callback=ends_in(".safetensors"), metavar="FILE", help="Decoder file to write."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        output_option(
            callback=ends_in(".html"), metavar="FILE", help="HTML report on scores and channels."
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    stream: StreamOption = None,
    wait: Annotated[
        float | None, stream_option(min=0.5, metavar="S", help="With --headless: wait S s (10).")
    ] = None,
    lsl_scope: ScopeOption = None,
    folder: Annotated[
        Path | None, session_option(metavar="DIR", help="Folder of a new session.")
    ] = None,
    resume: Annotated[
        Path | None,
        session_option(
            callback=check_session_folder, metavar="DIR", help="Folder of a session to continue."
        ),
    ] = None,
    trials: Annotated[
        int | None, session_option(min=0, metavar="N", help="Trials to record in all; 0: none.")
    ] = None,
    skip_practice: Annotated[
        bool, session_option("--skip-practice", help="Show no practice trials.")
    ] = False,
    headless: HeadlessOption = False,
    display: DisplayOption = None,
    windowed: WindowedOption = False,
    photodiode: PhotodiodeOption = False,
    sound: SoundOption = False,
    participant: ParticipantOption = "",
    session: SessionNameOption = "",
    run: RunNameOption = "",
    notes: NotesOption = "",
    name_pattern: PatternOption = None,
) -> None:
    """Train, cross-validate and save a decoder, from recordings or from a session.

    Without --from, a session is recorded; with --from and --trials, a short
    one that starts from earlier sessions of the person. Results go to its
    folder. --trials 0: recordings or a minute of signal, without any label.
    """
    given = {f"--{name.replace('_', '-')}": value or None for name, value in dict(locals()).items()}
    for path, option in ((out, "--out"), (report, "--report")):
        if path is not None:
            check_out(path, overwrite, option)
    if electrodes is not None and (not source or trials is not None):
        raise InputError(
            "--electrodes chooses among the electrodes of labelled recordings",
            value=f"--electrodes {electrodes} without --from, or with --trials",
            remedy=f'Write electrodes = "{electrodes}" into a copy of the protocol.',
        )
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest

    request = DecoderRequest(decoder or DEFAULT_DECODER, weights, seed, device, population)
    identity = Identity(participant=participant, session=session, run=run, notes=notes)
    setup = SessionSetup(
        paradigm,
        request,
        stream=stream,
        amplifier=amplifier,
        n_trials=trials,
        practice=not skip_practice,
        seed=seed,
        folder=folder,
        resume=resume,
        dynamic_stopping=dynamic_stopping,
        out=out,
        report=report,
        display_options=DisplayOptions(display, windowed, photodiode, sound),
        identity=identity,
        pattern=name_pattern,
        earlier=tuple(source or ()),
    )
    described = amplifier.model_copy(update={"stream": stream or amplifier.stream})
    outputs = CalibrationOutputs(out or Path(DECODER), report, overwrite, json)
    if trials == 0:
        signal = AlignmentStream(stream, described, wait or WAIT, lsl_scope)
        _without_labels(setup, source, signal, outputs, given)
    elif source and trials is None:
        _from_recordings(setup, source, described, electrodes, outputs, given)
    else:
        _in_session(setup, wait, lsl_scope, outputs, given)


def _refuse(given: dict[str, object], options: Sequence[str], chosen: str, why: str) -> None:
    refuse_together({option: given[option] for option in options}, chosen, why)


def _without_labels(
    setup: SessionSetup,
    sources: list[str] | None,
    stream: AlignmentStream,
    outputs: CalibrationOutputs,
    given: dict[str, object],
) -> None:
    """Align a decoder to recordings, or to a minute of the stream."""
    _refuse(
        given,
        _NOT_WITHOUT_LABELS,
        "--trials 0",
        "Without labelled trials there is no session and no score",
    )
    calibrate_without_labels(
        setup.paradigm,
        sources,
        stream,
        setup.request,
        outputs.decoder,
        overwrite=outputs.overwrite,
        json=outputs.json,
    )


def _from_recordings(
    setup: SessionSetup,
    sources: list[str],
    amplifier: AmplifierProfile,
    electrodes: Electrodes | None,
    outputs: CalibrationOutputs,
    given: dict[str, object],
) -> None:
    """Train and cross-validate a decoder on recordings."""
    why = "Without --trials, recordings alone calibrate the decoder"
    _refuse(given, _NOT_FROM_RECORDINGS, "--from", why)
    from sjepa_online.data import load_sources
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import N_FOLDS
    from sjepa_online.training import calibrate as run

    outputs.check()
    protocol = load_protocol(setup.paradigm).reading(electrodes)
    recordings = load_sources(sources, amplifier)
    with progress_bar("Calibrating", N_FOLDS + 1) as advance:
        calibration = run(
            recordings,
            protocol,
            PreprocessorConfig(),
            setup.request,
            dynamic_stopping=setup.dynamic_stopping,
            progress=advance,
        )
    outputs.finish(calibration, recordings, {})


def _as_begun(setup: SessionSetup, folder: Path, decoder: object) -> SessionSetup:
    """Return the setup with the decoder that a session was begun with, where none is given."""
    from sjepa_apps.session.folder import SessionFolder

    begun = SessionFolder.open(folder).state.training
    if decoder is not None:
        begun = begun.model_copy(update={"decoder": decoder})
    return setup.as_begun(begun)


def _in_session(
    setup: SessionSetup,
    wait: float | None,
    scope: LslScope | None,
    outputs: CalibrationOutputs,
    given: dict[str, object],
) -> None:
    """Record a session with a participant, and train a decoder on it."""
    if setup.resume is not None:
        why = "A session continues with the amplifier that it was begun with"
        refuse_together(dict.fromkeys(options_of(setup.amplifier), True), "--resume", why)
        setup = _as_begun(setup, setup.resume, given["--decoder"])
    headless = given["--headless"]
    if wait is not None and not headless:
        raise InputError(
            "--wait has no effect in a window, which shows streams as they appear",
            value=f"--wait {wait:g}",
            remedy="Leave it out, or add --headless.",
        )
    configure_lsl(scope)
    if headless:
        _refuse(given, _OF_DISPLAY, "--headless", "It shows nothing on a display")
        run_headless(setup, wait or WAIT, overwrite=outputs.overwrite, json=outputs.json)
    else:
        run_in_window(setup, overwrite=outputs.overwrite, json=outputs.json)
