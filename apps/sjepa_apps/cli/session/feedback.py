"""``sjepa-online feedback``: cued trials, each followed by the decoder's choice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
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
    output_option,
    print_json,
    say,
    session_option,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.session.run import (
    DisplayOption,
    HeadlessOption,
    PhotodiodeOption,
    SoundOption,
    WindowedOption,
    refuse_together,
)
from sjepa_apps.cli.windows import require_window
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_apps.session.free_spelling import FreeText
    from sjepa_apps.session.selections import Selection
    from sjepa_apps.session_window.feedback_setup import FeedbackSetup
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.decoding import Decoder
    from sjepa_online.protocol import Protocol
    from sjepa_online.schedule import ScheduledTrial


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
    free: Annotated[
        bool, session_option("--free", help="Spell freely: no text to copy, undo, words.")
    ] = False,
    folder: Annotated[
        Path | None,
        output_option(metavar="DIR", help="Folder of the run; beside the decoder by default."),
    ] = None,
    no_recording: Annotated[
        bool, output_option("--no-recording", help="Keep neither the signal nor the results.")
    ] = False,
    headless: HeadlessOption = False,
    display: DisplayOption = None,
    windowed: WindowedOption = False,
    photodiode: PhotodiodeOption = False,
    sound: SoundOption = False,
    wait: Annotated[float, typer.Option(min=0.5, help="Time to wait for the stream (s).")] = 10.0,
    adapt: AdaptOption = True,
    seed: SeedOption = 0,
    lsl_scope: ScopeOption = None,
    json: JsonOption = False,
) -> None:
    """Let a participant use a decoder: cued targets, a text to copy, or free spelling.

    After each trial the participant sees what the decoder chose. The signal, and a table
    of the choices, go to a folder beside the decoder.
    """
    from sjepa_apps.session.feedback_folder import FeedbackFolder, new_folder
    from sjepa_apps.session_window.feedback_setup import FeedbackSetup
    from sjepa_apps.stimulus.display import DisplayOptions
    from sjepa_online.decoding import load_decoder
    from sjepa_online.stream import resolve_stream

    of_window = {
        "--display": display,
        "--windowed": windowed,
        "--photodiode": photodiode,
        "--sound": sound,
    }
    if no_recording:
        refuse_together({"--folder": folder}, "--no-recording", "It writes no folder")
    if headless:
        refuse_together(of_window, "--headless", "It shows nothing on a display")
    else:
        require_window()
    configure_lsl(lsl_scope)
    loaded = load_decoder(decoder)
    protocol, text = _protocol(loaded, paradigm)
    schedule, spelled = _schedule(protocol, seed, trials, free)

    def document(selections: Sequence[Selection]) -> dict[str, object]:
        return _document(selections, protocol, loaded)

    signal = resolve_stream(stream, wait, prefers=amplifier.prefers)
    setup = FeedbackSetup(
        decoder,
        protocol,
        text,
        signal,
        amplifier,
        schedule,
        DisplayOptions(display, windowed, photodiode, sound),
        None if no_recording else FeedbackFolder(folder or new_folder(decoder), document),
        spelled,
        adapt,
    )
    selections: list[Selection] = []
    try:
        if headless:
            _headless(setup, selections)
        else:
            _in_a_window(setup, selections)
    finally:
        # Ctrl-C, or a stream that stays away: what was chosen before counts
        if selections:
            _tell(document(selections), setup, json)


def _document(
    selections: Sequence[Selection], protocol: Protocol, decoder: Decoder
) -> dict[str, object]:
    """Return the results of a run."""
    from sjepa_apps.session.selections import SelectionScore

    score = SelectionScore.of(selections, protocol)
    return {
        "paradigm": protocol.name,
        "decoder": decoder.name,
        "n_trials": score.n_trials,
        "n_correct": score.n_correct,
        "accuracy": score.accuracy,
        "chance": score.chance,
        "p_value": score.p_value,
        "bits_per_minute": score.bits_per_minute,
        "targets": [one.target for one in selections],
        "selected": [one.selected for one in selections],
        "seconds": [one.seconds for one in selections],
    }


def _tell(document: dict[str, object], setup: FeedbackSetup, json: bool) -> None:
    """Print the results."""
    folder, free = setup.folder, setup.free
    where = {} if folder is None else {"folder": str(folder.path)}
    text = {} if free is None else {"text": free.text}
    if json:
        print_json(document | where | text)
        return
    if free is not None:
        echo(f"Text: {free.text}")
    else:
        echo(
            f"{document['n_correct']} of {document['n_trials']} right: accuracy "
            f"{document['accuracy']:.2f} (chance {document['chance']:.2f}, "
            f"p = {document['p_value']:.2g}), {document['bits_per_minute']:.1f} bits a minute"
        )
    if folder is not None:
        echo(f"Results and recording: {folder.path}")


def _protocol(decoder: Decoder, paradigm: str | None) -> tuple[Protocol, str]:
    """Return the protocol to show and its text; the decoder's own one by default."""
    from sjepa_online.protocol import load_protocol
    from sjepa_online.resources import find_resource

    if paradigm is None:
        # the decoder holds its protocol: an own one need not be at hand any more
        return decoder.protocol, decoder.protocol.model_dump_json(indent=1)
    protocol = load_protocol(paradigm)
    if protocol.class_names != decoder.classes:
        raise InputError(
            "Protocol and decoder have different classes",
            value=f"{', '.join(protocol.class_names)} in {protocol.name}, and "
            f"{', '.join(decoder.classes)} in the decoder",
            remedy="Give the protocol of the calibration with --paradigm.",
        )
    return protocol, find_resource("calibration", paradigm).read_text(encoding="utf-8")


def _schedule(
    protocol: Protocol, seed: int, trials: int | None, free: bool
) -> tuple[Sequence[ScheduledTrial], FreeText | None]:
    """Return the trials, and the text of free spelling."""
    from sjepa_apps.session.free_spelling import (
        MOST_SYMBOLS,
        FreeText,
        FreeTrials,
        frequent_words,
    )
    from sjepa_online.schedule import make_schedule

    if not free:
        return make_schedule(protocol, seed)[:trials], None
    schedule = FreeTrials(protocol, seed, trials or MOST_SYMBOLS)
    assert protocol.speller is not None
    return schedule, FreeText(protocol.speller.symbols, frequent_words())


def _headless(setup: FeedbackSetup, selections: list[Selection]) -> None:
    """Show the trials by the clock; what is chosen is added to ``selections``."""
    from sjepa_apps.session.feedback import FeedbackRun
    from sjepa_apps.session.headless import HeadlessPresenter
    from sjepa_online.stream import FrameOutlet, StimulusOutlet

    with (
        StimulusOutlet(setup.protocol_text) as stimulus,
        FrameOutlet(0.0) as frames,
        FeedbackRun(
            setup.decoder,
            setup.stream,
            stimulus,
            setup.protocol,
            say,
            setup.amplifier,
            adapt=setup.adapt,
            folder=setup.folder,
            others=(frames.uid,),
            free=setup.free,
        ) as run,
    ):
        run.selections = selections
        run.run(HeadlessPresenter(stimulus, frames, say), setup.trials)


def _in_a_window(setup: FeedbackSetup, selections: list[Selection]) -> None:
    """Show the trials in the stimulus window, and the operator's window beside it."""
    from sjepa_apps.session_window.feedback_window import run_feedback_window

    chosen, interrupted = run_feedback_window(setup)
    selections += chosen
    if interrupted:
        raise KeyboardInterrupt
