"""``sjepa-online calibrate``: from labelled trials to a decoder file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.checks import check_decoder_name, check_session_folder, check_sources, ends_in
from sjepa_apps.cli.common import (
    DeviceOption,
    DynamicStoppingOption,
    ElectrodesOption,
    JsonOption,
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
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.session.outputs import CalibrationOutputs
from sjepa_apps.cli.session.run import (
    WAIT,
    DisplayOption,
    HeadlessOption,
    PhotodiodeOption,
    WindowedOption,
    refuse_together,
    run_headless,
    run_in_window,
)
from sjepa_apps.cli.session.without_labels import AlignmentStream, calibrate_without_labels
from sjepa_apps.session_window.setup import DECODER, SessionSetup
from sjepa_apps.stimulus.display import Placement
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.protocol import Electrodes


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
            help="Recordings, instead of a session.",
        ),
    ] = None,
    decoder: Annotated[
        str | None,
        decoder_option(
            callback=check_decoder_name,
            metavar="D",
            help="auto (default), filter-bank, riemann, cca, pre-local, post-local, contextual; "
            "the last three also with new- or full- before.",
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
) -> None:
    """Train, cross-validate and save a decoder, from recordings or from a session.

    With --trials 0 no label is read: the recordings, or a minute of the stream,
    align the decoder. Without --from, a session with a participant is recorded. Decoder and report
    go to its folder, by default sessions/DATE-TIME_PROTOCOL.
    """
    for path, option in ((out, "--out"), (report, "--report")):
        if path is not None:
            check_out(path, overwrite, option)
    if electrodes is not None and (not source or trials == 0):
        raise InputError(
            "--electrodes chooses among the electrodes of labelled recordings",
            value=f"--electrodes {electrodes} without --from, or with --trials 0",
            remedy=f'Write electrodes = "{electrodes}" into a copy of the protocol.',
        )
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest

    request = DecoderRequest(decoder or DEFAULT_DECODER, weights, seed, device, population)
    of_window: dict[str, object] = {
        "--display": display,
        "--windowed": windowed,
        "--photodiode": photodiode,
    }
    described = amplifier.model_copy(update={"stream": stream or amplifier.stream})
    if trials == 0:
        of_trials: dict[str, object] = {
            "--headless": headless,
            "--folder": folder,
            "--resume": resume,
            "--skip-practice": skip_practice,
            "--dynamic-stopping": dynamic_stopping,
            "--report": report,
        }
        refuse_together(of_trials | of_window, "--trials 0", "Without trials there is no session")
        calibrate_without_labels(
            paradigm,
            source,
            AlignmentStream(stream, described, wait or WAIT, lsl_scope),
            request,
            out or Path(DECODER),
            overwrite=overwrite,
            json=json,
        )
        return
    if source:
        of_session: dict[str, object] = {
            "--headless": headless,
            "--folder": folder,
            "--resume": resume,
            "--trials": trials,
            "--skip-practice": skip_practice,
            "--wait": wait,
            "--lsl-scope": lsl_scope,
        }
        why = "A decoder is calibrated either from recordings or in a session"
        refuse_together(of_session | of_window, "--from", why)
        _from_recordings(
            paradigm,
            source,
            described,
            request,
            dynamic_stopping,
            electrodes,
            CalibrationOutputs(out or Path(DECODER), report, overwrite, json),
        )
        return
    if resume is not None:
        why = "A session continues with the amplifier that it was begun with"
        said = amplifier.model_dump(exclude_defaults=True)
        refuse_together({"a description of the amplifier": said}, "--resume", why)
    if wait is not None and not headless:
        raise InputError(
            "--wait has no effect in a window, which shows streams as they appear",
            value=f"--wait {wait:g}",
            remedy="Leave it out, or add --headless.",
        )
    configure_lsl(lsl_scope)
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
        placement=Placement(display, windowed, photodiode),
    )
    if not headless:
        run_in_window(setup, overwrite=overwrite, json=json)
        return
    refuse_together(of_window, "--headless", "It shows nothing on a display")
    run_headless(setup, wait or WAIT, overwrite=overwrite, json=json)


def _from_recordings(
    paradigm: str,
    source: list[str],
    amplifier: AmplifierProfile,
    request: DecoderRequest,
    dynamic_stopping: bool,
    electrodes: Electrodes | None,
    outputs: CalibrationOutputs,
) -> None:
    from sjepa_online.data import load_sources
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training import N_FOLDS
    from sjepa_online.training import calibrate as run

    outputs.check()
    protocol = load_protocol(paradigm).reading(electrodes)
    recordings = load_sources(source, amplifier)
    with progress_bar("Calibrating", N_FOLDS + 1) as advance:
        calibration = run(
            recordings,
            protocol,
            PreprocessorConfig(),
            request,
            dynamic_stopping=dynamic_stopping,
            progress=advance,
        )
    outputs.finish(calibration, recordings, {})
