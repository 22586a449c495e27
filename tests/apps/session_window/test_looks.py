"""Every page of the session and feedback windows can be read, and used without a mouse."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import QSize
from PyQt6.QtWidgets import QApplication

from sjepa_apps.session.free_spelling import FreeText
from sjepa_apps.session.selections import Selection
from sjepa_apps.session_window import feedback_window, window
from sjepa_apps.session_window.feedback_setup import FeedbackSetup
from sjepa_apps.session_window.feedback_window import FeedbackWindow
from sjepa_apps.session_window.page import STEPS_WITHOUT_TRIALS
from sjepa_apps.session_window.run.signal_watch import SignalState, choose_lanes
from sjepa_apps.session_window.run.trace_picture import draw_traces
from sjepa_apps.session_window.setup import TrainingResult, UnlabelledResult
from sjepa_apps.stimulus.display import DisplayReport
from sjepa_apps.stimulus.frames import FrameCount
from sjepa_apps.stimulus.shown import ShownState
from sjepa_apps.ui.channel_states import known_electrodes
from sjepa_apps.ui.theme import THEMES
from sjepa_online.amplifier import AS_DECLARED
from sjepa_online.evaluation.report import Advice
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal.channel_quality.absolute import REMEDIES, Verdict

#: Electrodes of the 10-05 system, as many as the largest amplifier has.
NAMES = tuple(
    f"{row}{column}"
    for row in ("AF", "F", "FC", "C", "CP", "P", "PO", "FFC", "FCC", "CCP", "CPP", "PPO")
    for column in ("7", "5", "3", "1", "z", "2", "4", "6", "8", "5h", "3h", "1h", "2h", "4h")
    if f"{row}{column}" not in ("C7", "C8", "FC7", "FC8", "CP7", "CP8")
)
LONG = "Simulated participant with a name of " + 30 * "many letters "
SIZES = {"1280x760": (1280, 760), "200 % of 1280x800": (1280, 800), "1920x1080": (1920, 1080)}
REFUSAL = (
    "The amplitude of the signal contradicts its unit: 0.000012 uV. With V it would be 12 µV: "
    "choose it under Unit, or declare it in the amplifier's program. " + REMEDIES["noise"]
)


def signal(n_channels: int, strip) -> SignalState:
    """Seconds of simulated noise; every third channel is bad, in each way in turn."""
    faults = list(REMEDIES)
    names = tuple(dict.fromkeys(_known(n_channels)))
    verdicts = tuple(
        Verdict(name, (faults[row % len(faults)],), ("drifts by 1234 µV a second",), 123.4)
        if row % 3 == 0
        else Verdict(name, (), (), 9.0)
        for row, name in enumerate(names)
    )
    names = choose_lanes(names, list(names[::3]), min(16, strip.layout_of_traces.most_lanes))
    bad = {one.channel for one in verdicts if one.bad}
    data = 10 * np.random.default_rng(0).standard_normal((len(names), 800))
    picture = draw_traces(strip.layout_of_traces, names, data, bad, 8.0, faded=False)
    return SignalState(True, 0.0, 0, n_channels, verdicts, picture, "")


def _known(n_channels: int) -> tuple[str, ...]:
    known = tuple(name for name in NAMES if known_electrodes([name]))
    assert len(known) >= n_channels
    return known[:n_channels]


def setup(one, n_channels):
    streams = [replace(one.stream_of("a" + LONG), host="laboratory-2.example"), one.stream_of("b")]
    one.setup_page.show_streams(streams)
    one.setup_page.identity.participant.setText("07")
    one.setup_page.table.selectRow(1)


def nothing_in_sight(one, n_channels):
    one.setup_page.show_streams([])


def channels(one, n_channels):
    one._show(one.channels_page, "Channels")
    one.channels_page.accept()
    QApplication.processEvents()
    one.channels_page.show_signal(signal(n_channels, one.channels_page.traces))


def refused_channels(one, n_channels):
    channels(one, n_channels)
    one.channels_page.refuse(REFUSAL)


def run_of(page, n_channels):
    page.begin()
    page.show_trial(41, 100, "block 9 of 10  ·  part 2 of the recording  ·  ", 1234.0)
    page.show_clock(3723.0)
    page.show_frames(DisplayReport("Display 1 (1920 by 1080)", 60.0, True),
                     FrameCount(12345, 67))  # fmt: skip
    page.show_shown(ShownState("trial", "left_hand", "imagery", "", 1, 2))
    page.alarm("Paused. P here, or Space for the participant, goes on; Esc stops. So far: 1 pause, "
               "2 losses of the signal, 3 trials shown again.", "warning")  # fmt: skip
    QApplication.processEvents()
    page.show_signal(signal(n_channels, page.traces))
    for number in range(20):
        page.add(f"message {number}")


def running(one, n_channels):
    one._show(one.run_page, "Recording")
    run_of(one.run_page, n_channels)


def stopped(one, n_channels):
    running(one, n_channels)
    one.run_page.show_nothing()
    one.run_page.rest("The session was stopped. What was recorded is kept.")
    one.run_page.show_recorded(
        "Too few trials of a class to cross-validate. Recorded: left_hand: 3, right_hand: 3."
    )


def minute(one, n_channels):
    one.steps.set_steps(STEPS_WITHOUT_TRIALS)
    one._show(one.unlabelled_page, "A minute of signal")
    one.unlabelled_page.begin()
    one.unlabelled_page.advance()
    QApplication.processEvents()
    one.unlabelled_page.show_signal(signal(n_channels, one.unlabelled_page.traces))


def no_decoder(one, n_channels):
    minute(one, n_channels)
    one.unlabelled_page.refuse(REFUSAL)


def training(one, n_channels):
    one._show(one.training_page, "Training")
    one.training_page.begin()


def not_trained(one, n_channels):
    training(one, n_channels)
    one.training_page.refuse(REFUSAL)


def result(one, n_channels):
    scores = {"filter-bank": {"accuracy": 0.71, "roc_auc": 0.8}, "riemann": {"accuracy": 0.7}}
    summary = SimpleNamespace(cross_validation=scores, n_trials=100, choice=f"auto: {REFUSAL}")
    decoder = SimpleNamespace(calibration=summary, name="riemann", classes=("left", "right"))
    advice = [Advice("warning", REFUSAL), Advice("note", REFUSAL), Advice("good", "Good.")]
    path = Path("/data/sessions") / ("sub-" + 24 * "a") / "decoder.safetensors"
    made = TrainingResult(SimpleNamespace(decoder=decoder), path, path, advice, True, None)
    one.result_page.show_result(made)
    one._show(one.result_page, "Result")


def unlabelled_result(one, n_channels):
    result(one, n_channels)
    summary = SimpleNamespace(choice="population: other people's network; aligned by 20 windows")
    decoder = SimpleNamespace(calibration=summary, classes=("left_hand", "right_hand"))
    made = SimpleNamespace(decoder=decoder, dropped=(REFUSAL, REFUSAL), seconds=60.0)
    one.result_page.show_unlabelled(UnlabelledResult(made, Path("decoder.safetensors")))


PAGES = (
    setup, nothing_in_sight, channels, refused_channels, running, stopped, minute, no_decoder,
    training, not_trained, result, unlabelled_result,
)  # fmt: skip
pages = pytest.mark.parametrize("fill", PAGES, ids=[one.__name__ for one in PAGES])


@pytest.fixture
def session(open_session, eeg):
    one = open_session(eeg("b"))
    one.stream_of = eeg
    # a test says what is shown
    one._look.stop()
    return one


@pytest.fixture
def feedback(qapp, protocol_file, eeg):
    """A window of feedback whose run a test does not begin."""
    protocol = load_protocol(protocol_file)
    trials = make_schedule(protocol, 0)
    setup = FeedbackSetup(Path("d"), protocol, "", eeg("a"), AS_DECLARED, trials)
    one = FeedbackWindow(setup)
    one.show()
    yield one
    one.end_at_once()


def feedback_running(one, n_channels):
    run_of(one.page, n_channels)
    one.page.show_selections(
        [Selection("left_hand", "right_hand", 3.2, 1.0)],
        "11 of 20 right (chance 0.50, p = 0.41, 0.2 bits a minute)",
    )


def feedback_ended(one, n_channels):
    feedback_running(one, n_channels)
    one.page.show_nothing()
    one.page.finish(REFUSAL)


def feedback_spelling(one, n_channels):
    feedback_running(one, n_channels)
    free = FreeText("ABCDEF_", ())
    text = feedback_window._told_text(free.text + 400 * "HELLO WORLD ")
    one.page.show_selections([Selection("", "D", 3.2, 1.0)], text)


FEEDBACK = (feedback_running, feedback_ended, feedback_spelling)
of_feedback = pytest.mark.parametrize("fill", FEEDBACK, ids=[one.__name__ for one in FEEDBACK])


def show(one, fill, n_channels=64, size=(1280, 760)):
    one.resize(QSize(*size))
    fill(one, n_channels)
    for _ in range(3):
        QApplication.processEvents()
    assert one.size() == QSize(*size), f"it asks for {one.minimumSizeHint()}"


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
@pages
def test_nothing_is_cut_on_any_page(session, looks, fill, size):
    show(session, fill, 64, size)
    assert looks.cut(session) == []


@pytest.mark.parametrize("n_channels", [1, 8, 32, 128])
@pytest.mark.parametrize("fill", [channels, running, minute])
def test_nothing_is_cut_with_any_number_of_channels(session, looks, fill, n_channels):
    show(session, fill, n_channels)
    assert looks.cut(session) == []


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
@of_feedback
def test_nothing_is_cut_in_the_window_of_feedback(feedback, looks, fill, size):
    show(feedback, fill, 64, size)
    assert looks.cut(feedback) == []


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@pages
def test_every_text_stands_out(session, looks, monkeypatch, fill, theme):
    monkeypatch.setattr(window, "system_theme", lambda: theme)
    session._follow_system()
    show(session, fill)
    assert looks.faint(session) == []


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
@of_feedback
def test_every_text_of_feedback_stands_out(feedback, looks, monkeypatch, fill, theme):
    monkeypatch.setattr(feedback_window, "system_theme", lambda: theme)
    feedback._follow_system()
    show(feedback, fill)
    assert looks.faint(feedback) == []


@pages
def test_tab_reaches_everything_and_is_caught_nowhere(session, looks, fill):
    show(session, fill, 8)
    controls = looks.controls(session)
    # while it trains there is nothing to press
    missed = controls - set(looks.tab_order(session, next(iter(controls)))) if controls else ()
    assert not missed, [(one, one.text() if hasattr(one, "text") else "") for one in missed]


@of_feedback
def test_tab_reaches_everything_in_the_window_of_feedback(feedback, looks, fill):
    show(feedback, fill, 8)
    controls = looks.controls(feedback)
    assert not controls - set(looks.tab_order(feedback, next(iter(controls))))


def test_faults_are_found(session, looks):
    """The checks of this file can fail."""
    show(session, setup)
    page = session.setup_page
    page.explanation.setStyleSheet("color: #9a9a9a")
    page.primary.setFixedWidth(60)
    page.about.setMaximumHeight(10)
    QApplication.processEvents()
    assert [text.split(":")[0] for text in looks.faint(session)] == [
        repr(page.explanation.text()[:60])
    ]
    cut = looks.cut(session)
    assert len(cut) == 2
    assert any("Check channels" in text for text in cut)
