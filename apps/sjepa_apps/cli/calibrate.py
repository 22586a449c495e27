"""``sjepa-online calibrate``: from labelled trials to a decoder file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.calibration_output import CalibrationOutputs
from sjepa_apps.cli.checks import (
    check_decoder_name,
    check_session_folder,
    check_sources,
    ends_in,
)
from sjepa_apps.cli.common import (
    DeviceOption,
    EarlyOption,
    JsonOption,
    ParadigmOption,
    PopulationOption,
    ScopeOption,
    SeedOption,
    UnitOption,
    WeightsOption,
    check_out,
    configure_lsl,
    progress_bar,
)
from sjepa_apps.cli.session import (
    WAIT,
    DisplayOption,
    PhotodiodeOption,
    SessionOptions,
    WindowedOption,
    open_session,
    refuse_together,
    run_headless,
    run_in_window,
)
from sjepa_apps.cli.without_labels import calibrate_without_labels, record_alignment
from sjepa_apps.session_window import SessionSetup
from sjepa_apps.session_window.setup import DECODER, REPORT
from sjepa_apps.stimulus.placement import Placement
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.decoding import DecoderRequest


def calibrate(
    paradigm: ParadigmOption,
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--from", callback=check_sources, help="Recordings (SOURCE...) to calibrate from."
        ),
    ] = None,
    stream: Annotated[
        str | None,
        typer.Option(help="Stream to record in a session; needed when several are in sight."),
    ] = None,
    unit: UnitOption = None,
    headless: Annotated[
        bool, typer.Option(help="Run the session without a display, for a simulated participant.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder of the session; sessions/DATE-TIME_PROTOCOL by default."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            callback=check_session_folder,
            help="Folder of a session that was begun, to go on with it.",
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Trials to record in all; as many as the protocol by default. 0: no labelled "
            "trial, a minute of signal (or --from) aligns a decoder.",
        ),
    ] = None,
    skip_practice: Annotated[bool, typer.Option(help="Show no practice trials.")] = False,
    display: DisplayOption = None,
    windowed: WindowedOption = False,
    photodiode: PhotodiodeOption = False,
    wait: Annotated[
        float | None,
        typer.Option(
            min=0.5, help="Seconds to wait for the stream, with --headless; 10 by default."
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        typer.Option(
            callback=check_decoder_name,
            help="auto (the default), riemann, cca, umm, fbcca, pre-local, post-local or contextual; "
            "the last three also with new- or full- before them.",
        ),
    ] = None,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    early_stopping: EarlyOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            callback=ends_in(".safetensors"),
            help="Decoder file to write; decoder.safetensors by default, in the session's folder "
            "where there is one.",
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(
            callback=ends_in(".html"),
            help="HTML page to write: how good the calibration is, and what to do; report.html "
            "in the folder of a session.",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option(help="Replace existing files.")] = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """Train a decoder, cross-validate it, and save it: from recordings, or from a session."""
    for path, option in ((out, "--out"), (report, "--report")):
        if path is not None:
            check_out(path, overwrite, option)
    from sjepa_online.data import load_sources
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest
    from sjepa_online.training import N_FOLDS

    request = DecoderRequest(decoder or DEFAULT_DECODER, weights, seed, device, population)
    of_window: dict[str, object] = {
        "--display": display,
        "--windowed": windowed,
        "--photodiode": photodiode,
    }
    if trials == 0:
        of_trials: dict[str, object] = {
            "--headless": headless,
            "--folder": folder,
            "--resume": resume,
            "--skip-practice": skip_practice,
            "--early-stopping": early_stopping,
            "--report": report,
        }
        refuse_together(of_trials | of_window, "Without trials there is no session", "--trials 0")
        target = out or Path(DECODER)
        check_out(target, overwrite)
        recordings = (
            load_sources(source, unit)
            if source
            else [record_alignment(stream, unit, wait or WAIT, lsl_scope)]
        )
        calibrate_without_labels(
            paradigm, recordings, request, target, overwrite=overwrite, json=json
        )
        return
    if source:
        of_session: dict[str, object] = {
            "--stream": stream,
            "--headless": headless,
            "--folder": folder,
            "--resume": resume,
            "--trials": trials,
            "--skip-practice": skip_practice,
            "--wait": wait,
            "--lsl-scope": lsl_scope,
        }
        rule = "A calibration is --from recordings, or a session"
        refuse_together(of_session | of_window, rule, "--from")
        _from_recordings(
            paradigm,
            source,
            unit,
            request,
            early_stopping,
            CalibrationOutputs(out or Path(DECODER), report, overwrite, json),
        )
        return
    if resume is not None:
        rule = "A session goes on in the unit that it was begun with"
        refuse_together({"--unit": unit}, rule, "--resume")
    if not headless:
        if wait is not None:
            raise InputError(
                "A session in a window shows streams as they come",
                value=f"--wait {wait:g}",
                remedy="Leave --wait out, or add --headless.",
            )
        configure_lsl(lsl_scope)
        setup = SessionSetup(
            paradigm,
            request,
            stream=stream,
            unit=unit,
            n_trials=trials,
            practice=not skip_practice,
            seed=seed,
            folder=folder,
            resume=resume,
            early=early_stopping,
            out=out,
            report=report,
            placement=Placement(display, windowed, photodiode),
        )
        run_in_window(setup, overwrite=overwrite, json=json)
        return
    refuse_together(of_window, "A session is without a display, or in a window", "--headless")
    options = SessionOptions(
        paradigm, stream, unit, folder, resume, trials, skip_practice, seed, wait or WAIT, lsl_scope
    )
    opened, found = open_session(options)
    outputs = CalibrationOutputs(
        out or opened.path / DECODER, report or opened.path / REPORT, overwrite, json
    )
    outputs.check()
    session = run_headless(opened, found, skip_practice=skip_practice)
    with progress_bar("Training", N_FOLDS + 1) as advance:
        calibration = session.train(request, early=early_stopping, progress=advance)
    recording = {"folder": str(opened.path), "recording": [str(part) for part in opened.parts()]}
    outputs.finish(calibration, session.recordings(), recording)


def _from_recordings(
    paradigm: str,
    source: list[str],
    unit: str | None,
    request: DecoderRequest,
    early: bool,
    outputs: CalibrationOutputs,
) -> None:
    from sjepa_online.data import load_sources
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import N_FOLDS
    from sjepa_online.training import calibrate as run

    outputs.check()
    protocol = load_protocol(paradigm)
    recordings = load_sources(source, unit)
    with progress_bar("Calibrating", N_FOLDS + 1) as advance:
        calibration = run(
            recordings, protocol, PreprocessorConfig(), request, early=early, progress=advance
        )
    outputs.finish(calibration, recordings, {})
