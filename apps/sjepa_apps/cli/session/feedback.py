"""``sjepa-online feedback``: cued trials, each followed by the decoder's choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.checks import check_paradigm
from sjepa_apps.cli.common import (
    AdaptOption,
    DecoderFileOption,
    JsonOption,
    ScopeOption,
    SeedOption,
    StreamOption,
    configure_lsl,
    echo,
    print_json,
    say,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.session.run import (
    DisplayOption,
    HeadlessOption,
    PhotodiodeOption,
    WindowedOption,
    refuse_together,
)
from sjepa_apps.cli.windows import require_window
from sjepa_apps.stimulus.display import Placement
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_apps.session.feedback import FeedbackRun, Selection
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.decoding import Decoder
    from sjepa_online.protocol import Protocol
    from sjepa_online.schedule import ScheduledTrial
    from sjepa_online.stream import StimulusOutlet


@describes_signal()
def feedback(
    amplifier: AmplifierProfile,
    decoder: DecoderFileOption,
    paradigm: Annotated[
        str | None,
        typer.Option(
            "--paradigm",
            "-p",
            callback=check_paradigm,
            help="Protocol to show; the decoder's by default.",
        ),
    ] = None,
    stream: StreamOption = None,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Number of trials; the protocol's by default.")
    ] = None,
    headless: HeadlessOption = False,
    display: DisplayOption = None,
    windowed: WindowedOption = False,
    photodiode: PhotodiodeOption = False,
    wait: Annotated[float, typer.Option(min=0.5, help="Time to wait for the stream (s).")] = 10.0,
    adapt: AdaptOption = True,
    seed: SeedOption = 0,
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """Show cued trials to a participant, each followed by the class that the decoder chose."""
    from sjepa_apps.session.feedback import FeedbackRun
    from sjepa_online.decoding import load_decoder
    from sjepa_online.protocol import load_protocol
    from sjepa_online.resources import find_resource
    from sjepa_online.schedule import make_schedule
    from sjepa_online.stream import StimulusOutlet, resolve_stream

    of_window = {"--display": display, "--windowed": windowed, "--photodiode": photodiode}
    if headless:
        refuse_together(of_window, "--headless", "It shows nothing on a display")
    else:
        require_window()
    configure_lsl(lsl_scope)
    loaded = load_decoder(decoder)
    if paradigm is None:
        # the decoder holds its protocol: an own one need not be at hand any more
        protocol, text = loaded.protocol, loaded.protocol.model_dump_json(indent=1)
    else:
        protocol = load_protocol(paradigm)
        text = find_resource("calibration", paradigm).read_text(encoding="utf-8")
    _check_classes(loaded, protocol)
    schedule = make_schedule(protocol, seed)[:trials]
    signal = resolve_stream(stream, wait)
    with (
        StimulusOutlet(text) as stimulus,
        FeedbackRun(decoder, signal, stimulus, protocol, say, amplifier, adapt) as run,
    ):
        try:
            if headless:
                _headless(run, stimulus, schedule)
            else:
                placement = Placement(display, windowed, photodiode)
                _in_a_window(run, stimulus, protocol, schedule, placement)
        finally:
            # Ctrl-C, or a stream that stays away: what was chosen before counts
            if run.selections:
                _tell_score(run.selections, protocol, loaded.name, json)


def _tell_score(
    selections: Sequence[Selection], protocol: Protocol, decoder: str, json: bool
) -> None:
    from sjepa_apps.session.feedback import SelectionScore

    score = SelectionScore.of(selections, protocol)
    document = {
        "paradigm": protocol.name,
        "decoder": decoder,
        "n_trials": score.n_trials,
        "n_correct": score.n_correct,
        "accuracy": score.accuracy,
        "chance": score.chance,
        "p_value": score.p_value,
        "targets": [one.target for one in selections],
        "selected": [one.selected for one in selections],
        "seconds": [one.seconds for one in selections],
    }
    if json:
        print_json(document)
        return
    echo(
        f"{score.n_correct} of {score.n_trials} right: accuracy {score.accuracy:.2f} "
        f"(chance {score.chance:.2f}, p = {score.p_value:.2g})"
    )


def _check_classes(decoder: Decoder, protocol: Protocol) -> None:
    if protocol.class_names != decoder.classes:
        raise InputError(
            "Protocol and decoder have different classes",
            value=f"{', '.join(protocol.class_names)} in {protocol.name}, and "
            f"{', '.join(decoder.classes)} in the decoder",
            remedy="Give the protocol of the calibration with --paradigm.",
        )


def _headless(
    run: FeedbackRun, stimulus: StimulusOutlet, schedule: Sequence[ScheduledTrial]
) -> None:
    from sjepa_apps.session.headless import HeadlessPresenter
    from sjepa_online.stream import FrameOutlet

    with FrameOutlet(0.0) as frames:
        run.run(HeadlessPresenter(stimulus, frames, say), schedule)


def _in_a_window(
    run: FeedbackRun,
    stimulus: StimulusOutlet,
    protocol: Protocol,
    schedule: Sequence[ScheduledTrial],
    placement: Placement,
) -> None:
    """Show the trials in the stimulus window, from a thread beside Qt's."""
    from sjepa_apps.stimulus.presenter import QtPresenter
    from sjepa_apps.stimulus.window import StimulusWindow
    from sjepa_apps.ui.application import make_application, run_application
    from sjepa_online.stream import FrameOutlet

    application = make_application()
    window = StimulusWindow(protocol, placement)
    try:
        report = window.open()
        for warning in report.warnings:
            say(warning)
        with FrameOutlet(report.refresh_rate) as frames, ThreadPoolExecutor(1) as executor:
            window.connect(stimulus, frames)
            presenter = QtPresenter(window)
            ended = executor.submit(_then, presenter.close, lambda: run.run(presenter, schedule))
            interrupted = run_application(application, window.close)
            if interrupted:
                raise KeyboardInterrupt
            ended.result()
    finally:
        window.close()


def _then(close: Callable[[], None], work: Callable[[], None]) -> None:
    try:
        work()
    finally:
        close()
