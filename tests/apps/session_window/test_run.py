"""The run, the training and the result."""

from __future__ import annotations

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session_window import window
from sjepa_apps.stimulus.messages import FLICKER_WARNING
from sjepa_online.errors import OperationError


def test_session_runs_from_the_first_page_to_the_result(
    open_session, qtbot, tmp_path, eeg, go_to_recording, begin, recent
):
    one = open_session(eeg("a"))
    go_to_recording(one, qtbot)
    begin(one, qtbot)
    result = one.result_page
    qtbot.waitUntil(lambda: one.pages.currentWidget() is result, timeout=60_000)
    assert result.score.text() == "0.75 accuracy (chance 0.50, 10 trials)"
    assert result.advice.itemAt(0).widget().text() == "At chance."
    assert "all shown" in one.run_page.log.toPlainText()
    assert "frames shown" in one.run_page.frames.text()
    assert not one.conductor.stimulus.frame_window.isVisible()
    result.n_more.setValue(2)
    result.more.click()
    qtbot.waitUntil(lambda: "12 trials" in result.score.text(), timeout=60_000)
    outcome = one.outcome()
    assert outcome.folder.path == tmp_path / "session"
    assert outcome.result.decoder.read_text() == "decoder"
    assert recent.paths == [str(outcome.result.decoder)]


def test_result_opens_the_live_window_and_the_feedback(
    open_session, qtbot, monkeypatch, tmp_path, eeg, go_to_recording, begin
):
    started = []
    monkeypatch.setattr(window, "start_program", started.append)
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    page = one.result_page
    qtbot.waitUntil(lambda: one.pages.currentWidget() is page, timeout=60_000)
    page.decode.click()
    page.feedback.click()
    decoder = str(tmp_path / "session" / "decoder.safetensors")
    stream = eeg("a").selector
    assert started[0] == ["live", "--decoder", decoder, "--stream", stream]
    assert started[1][:5] == ["feedback", "--decoder", decoder, "--stream", stream]
    assert started[1][5:] == ["--display", "1"]

    def fail(_):
        raise OperationError("The program cannot be started: no memory")

    monkeypatch.setattr(window, "start_program", fail)
    page.decode.click()
    assert "no memory" in page.message.text()


def test_escape_of_the_participant_stops_and_the_session_goes_on(
    open_session, qtbot, eeg, go_to_recording, begin
):
    one = open_session(eeg("a"))
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot)
    QTest.keyClick(shown.frame_window, Qt.Key.Key_Escape)
    QTest.keyClick(shown.frame_window, Qt.Key.Key_Escape)
    page = one.run_page
    qtbot.waitUntil(lambda: page.state.text() == "Stopped", timeout=60_000)
    assert "was stopped" in page.message.text()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert page.train.isVisible()
    begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: one.pages.currentWidget() is one.result_page, timeout=60_000)


def test_stop_of_the_operator_ends_the_stimuli(open_session, qtbot, eeg, go_to_recording, begin):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot, practice=False)
    one.run_page.secondary.click()
    qtbot.waitUntil(lambda: one.run_page.state.text() == "Stopped", timeout=60_000)
    assert shown.stopped


def test_training_is_offered_only_for_what_can_be_trained_on(
    open_session, qtbot, monkeypatch, eeg, recorded, go_to_recording, begin
):
    one = open_session(eeg("a"), practice=False)
    page = one.run_page
    for n_trials, offered in ((3, False), (5, True)):
        recording = recorded(n_trials)
        monkeypatch.setattr(SessionFolder, "recordings", lambda _, one=recording: ([one], []))
        if n_trials == 3:
            go_to_recording(one, qtbot)
        begin(one, qtbot, practice=False)
        page.secondary.click()
        qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
        assert page.train.isEnabled() == offered
        assert ("left hand: 3, right hand: 3" in page.recorded.text()) != offered
    page.train.click()
    qtbot.waitUntil(lambda: one.pages.currentWidget() is one.result_page, timeout=60_000)


def test_recording_that_cannot_be_counted_is_told(
    open_session, qtbot, monkeypatch, eeg, go_to_recording, begin
):
    def fail(_: SessionFolder) -> None:
        raise OperationError("The disk does not answer")

    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    monkeypatch.setattr(SessionFolder, "recordings", fail)
    page = one.run_page
    page.secondary.click()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    assert page.recorded.text() == "The disk does not answer"
    assert not page.train.isEnabled()


def test_too_few_trials_to_train_on_are_refused(open_session, qtbot, eeg, go_to_recording):
    one = open_session(eeg("a"))
    page = one.setup_page
    page.trials.setValue(9)
    assert not page.primary.isEnabled()
    assert "5 or more trials of each class" in page.about.text()
    page.trials.setValue(14)
    assert page.primary.isEnabled()
    assert page.about.text().startswith("About 0.1 s a trial, 1 s in all. Folder: ")
    go_to_recording(one, qtbot)
    assert one.conductor.choices.n_trials == 14


def test_warning_about_flicker_is_confirmed_once_in_a_session(
    open_session, qtbot, protocol_file, eeg, go_to_recording, begin
):
    flickering = (
        protocol_file.read_text().replace('"mi"', '"ssvep"').replace("[imagery]", "[flicker]")
    )
    flickering = flickering.replace("fixation", "cue").replace("imagery", "stimulation")
    flickering = flickering.replace('"left_hand"', '"left_hand"\nfrequency = 10.0')
    protocol_file.write_text(flickering)
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    page = one.run_page
    page.primary.click()
    shown = one.conductor.stimulus
    qtbot.waitUntil(lambda: shown._then is not None, timeout=60_000)
    assert shown._message.title == FLICKER_WARNING.title
    QTest.keyClick(shown.frame_window, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown._playing, timeout=60_000)
    page.secondary.click()
    qtbot.waitUntil(page.primary.isEnabled, timeout=60_000)
    # another window, and no key
    assert begin(one, qtbot, practice=False) is not shown


def test_failure_of_the_recording_is_told(
    open_session, qtbot, monkeypatch, eeg, go_to_recording, quick_session
):
    monkeypatch.setattr(quick_session, "error", OperationError("The disk is full"))
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    one.run_page.primary.click()
    qtbot.waitUntil(lambda: one.run_page.message.text() == "The disk is full", timeout=60_000)
    qtbot.waitUntil(one.run_page.primary.isEnabled, timeout=60_000)


def test_display_too_slow_for_the_protocol_is_told(
    open_session, qtbot, protocol_file, eeg, go_to_recording
):
    fast = protocol_file.read_text().replace('"mi"', '"ssvep"').replace("imagery", "flicker")
    fast = fast.replace("fixation", "cue").replace("flicker = 0.05", "stimulation = 0.05")
    protocol_file.write_text(fast.replace('"left_hand"', '"left_hand"\nfrequency = 55.0'))
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    one.run_page.primary.click()
    assert "55 Hz on a display of 60 Hz" in one.run_page.message.text()
    qtbot.waitUntil(one.run_page.primary.isEnabled, timeout=60_000)


def test_decoders_of_late_are_used_from_the_first_page(
    open_session, monkeypatch, tmp_path, eeg, recent
):
    started = []
    monkeypatch.setattr(window, "start_program", started.append)
    path = tmp_path / "before.safetensors"
    path.touch()
    recent.add(path)
    one = open_session(eeg("a"))
    button = one.setup_page.recent
    assert button.isEnabled()
    for use in button.decoders.actions()[0].menu().actions():
        use.trigger()
    stream = ["--decoder", str(path), "--stream", eeg("a").selector]
    assert started == [["live", *stream], ["feedback", *stream, "--display", "1"]]
    assert "feedback opens" in one.setup_page.message.text()
    # without a stream the program chooses
    one.setup_page.show_streams([])
    one._use("live", path)
    assert started[-1] == ["live", "--decoder", str(path)]
