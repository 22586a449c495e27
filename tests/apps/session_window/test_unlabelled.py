"""Decoding without calibration: a minute of signal, the decoder, and what can go wrong."""

from __future__ import annotations

import threading

import numpy as np
import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from sjepa_apps.cli.session.run import run_in_window
from sjepa_apps.session_window import window, without_trials
from sjepa_apps.session_window.page import STEPS_WITHOUT_TRIALS
from sjepa_apps.session_window.run.signal_watch import SignalState
from sjepa_apps.session_window.setup import SessionOutcome, SessionSetup
from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest, load_decoder
from sjepa_online.errors import OperationError

RATE = 250
AUTO = DecoderRequest()


def simulated(seconds: float, loud: bool = False) -> Recording:
    """Simulated noise of three electrodes; loud: every second one is as large as an artefact."""
    rng = np.random.default_rng(0)
    data = rng.standard_normal((3, round(seconds * RATE))) * 20
    if loud:
        data *= np.where(np.arange(data.shape[1]) // (3 * RATE) % 2, 100.0, 1.0)
    empty = np.empty(0)
    return Recording(
        "a", data.astype(np.float32), "uV", float(RATE), ("C3", "Cz", "C4"), empty, (), empty
    )


@pytest.fixture
def stretch(monkeypatch):
    """Let a minute of signal be there at once; a test may put another one in."""
    there = {"recording": simulated(60.0)}

    def record(stream, seconds, amplifier, progress, meanwhile):
        for _ in range(int(seconds)):
            meanwhile()
            progress()
        return there["recording"]

    monkeypatch.setattr(without_trials, "record_stretch", record)
    return there


@pytest.fixture
def begin_minute(open_session, qtbot, eeg):
    """Go from the first page over the channels to the minute of signal."""

    def go(**options):
        one = open_session(eeg("a"), **({"request": AUTO, "paradigm": "ssvep"} | options))
        one.setup_page.secondary.click()
        qtbot.waitUntil(one.channels_page.primary.isEnabled, timeout=60_000)
        one.channels_page.primary.click()
        return one

    return go


def test_a_minute_of_signal_makes_a_decoder_that_decodes(
    begin_minute, stretch, qtbot, monkeypatch, tmp_path, eeg
):
    started = []
    monkeypatch.setattr(window, "start_program", started.append)
    one = begin_minute()
    shown = [label.text().split(" ", 1)[1] for label in one.steps.labels if label.isVisible()]
    assert tuple(shown) == STEPS_WITHOUT_TRIALS
    page = one.result_page
    qtbot.waitUntil(lambda: one.pages.currentWidget() is page, timeout=60_000)
    assert one.unlabelled_page.progress.value() == 60
    assert "fbcca" in page.choice.text()
    assert "60 s of signal" in page.choice.text()
    # there are no scores, so none are shown
    assert not page.box.isVisible()
    assert not page.report.isVisible()
    path = tmp_path / "session" / "decoder.safetensors"
    assert load_decoder(path).name == "fbcca"
    page.decode.click()
    page.feedback.click()
    assert [arguments[0] for arguments in started] == ["live", "feedback"]
    assert started[0][1:5] == ["--decoder", str(path), "--stream", eeg("a").selector]
    assert one.outcome().unlabelled.decoder == path
    # and a calibration may follow
    page.secondary.click()
    assert one.pages.currentWidget() is one.setup_page


def test_a_decoder_that_is_not_sure_says_so_first(begin_minute, stretch, qtbot):
    """Simulated noise resembles nobody's rhythms."""
    one = begin_minute(paradigm="mi")
    page = one.result_page
    qtbot.waitUntil(lambda: one.pages.currentWidget() is page, timeout=60_000)
    assert page.score.text() == "Ready, but not sure"
    warning = page.advice.itemAt(0).widget().text()
    assert warning.startswith("Not sure: this person's rhythms")
    assert "labelled trials" in warning
    assert "not sure" not in page.choice.text()
    assert "left hand" in page.choice.text()


@pytest.mark.parametrize(
    ("options", "recording", "told"),
    [
        ({}, simulated(5.0), "too little signal"),
        ({"paradigm": "mi"}, simulated(60.0, loud=True), "full of artefacts"),
        ({"request": DecoderRequest("riemann")}, None, "needs labelled trials"),
        ({"paradigm": "mi", "request": DecoderRequest(population="none")}, None, "population"),
    ],
)
def test_what_cannot_be_made_is_told_with_a_remedy(
    begin_minute, stretch, qtbot, tmp_path, options, recording, told
):
    stretch["recording"] = recording
    one = begin_minute(**options)
    page = one.unlabelled_page
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert told in page.message.text()
    # a sentence more than the problem: the remedy
    assert page.message.text().count(". ") >= 1
    assert page.state.text() == "No decoder"
    # where it is known beforehand, nobody waits for a minute
    assert page.progress.value() == (0 if recording is None else 60)
    assert not (tmp_path / "session").exists()
    page.back.click()
    assert one.pages.currentWidget() is one.channels_page


def test_the_seconds_are_counted_down_and_a_loss_is_told(begin_minute, qtbot, monkeypatch, watches):
    go_on = threading.Event()

    def record(stream, seconds, amplifier, progress, meanwhile):
        for _ in range(20):
            progress()
        while not go_on.wait(0.01):
            meanwhile()
        raise OperationError("The stream a sent 20 s of signal in 70 s: check the amplifier")

    monkeypatch.setattr(without_trials, "record_stretch", record)
    one = begin_minute()
    page = one.unlabelled_page
    qtbot.waitUntil(lambda: page.state.text() == "40 s left", timeout=60_000)
    watches[-1].state = SignalState(False, 1.5, 0, 3, (), None, "a has sent nothing for 2 s")
    one._look_around()
    assert page.message.text() == "a has sent nothing for 2 s"
    go_on.set()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert "check the amplifier" in page.message.text()


@pytest.mark.parametrize("closed", [False, True])
def test_stop_and_close_end_the_minute(begin_minute, qtbot, monkeypatch, closed):
    def record(stream, seconds, amplifier, progress, meanwhile):
        while True:
            meanwhile()
            threading.Event().wait(0.01)

    monkeypatch.setattr(without_trials, "record_stretch", record)
    one = begin_minute()
    qtbot.waitUntil(lambda: one.conductor.busy, timeout=60_000)
    if closed:
        one.close()
        qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
        return
    one.unlabelled_page.secondary.click()
    qtbot.waitUntil(one.unlabelled_page.primary.isEnabled, timeout=60_000)
    assert "was stopped" in one.unlabelled_page.message.text()


def test_too_few_trials_forbid_a_calibration_and_nothing_else(open_session, eeg):
    page = open_session(eeg("a")).setup_page
    page.trials.setValue(3)
    assert not page.primary.isEnabled()
    assert page.secondary.isEnabled()
    page.show_streams([])
    assert not page.secondary.isEnabled()


def test_a_folder_that_holds_something_is_refused(begin_minute, stretch, qtbot, tmp_path):
    (tmp_path / "session").mkdir()
    (tmp_path / "session" / "precious").touch()
    one = begin_minute()
    qtbot.waitUntil(one.unlabelled_page.primary.isEnabled, timeout=60_000)
    assert "not empty" in one.unlabelled_page.message.text()


def test_the_command_tells_what_was_made(begin_minute, stretch, qtbot, monkeypatch, capsys):
    one = begin_minute()
    qtbot.waitUntil(lambda: one.pages.currentWidget() is one.result_page, timeout=60_000)
    outcome = SessionOutcome(None, None, one.outcome().unlabelled)
    monkeypatch.setattr(window, "run_session_window", lambda _: outcome)
    monkeypatch.setenv("DISPLAY", ":0")
    run_in_window(SessionSetup("ssvep", AUTO), overwrite=False, json=False)
    assert "Aligned on 60 s of signal" in capsys.readouterr().out
