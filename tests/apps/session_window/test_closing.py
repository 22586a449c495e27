"""How the window closes, and the command with it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("PyQt6", reason="the windows need PyQt6")

from PyQt6.QtWidgets import QMessageBox

from sjepa_apps.cli.session.run import run_in_window
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session_window import window as session_window
from sjepa_apps.session_window.setup import SessionOutcome, SessionSetup
from sjepa_online.decoding import DecoderRequest


def test_error_that_nobody_expects_closes_the_window_and_is_raised(
    open_session, qtbot, monkeypatch, eeg, go_to_recording, quick_session
):
    monkeypatch.setattr(quick_session, "error", ZeroDivisionError("a defect"))
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    one.run_page.primary.click()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    with pytest.raises(ZeroDivisionError, match="a defect"):
        one.outcome()


def test_closing_while_recording_asks_and_tells_how_much_is_recorded(
    open_session, qtbot, eeg, go_to_recording, begin
):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    shown = begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: one.run_page.progress.value() >= 2, timeout=60_000)
    one.close()
    assert re.search(r"recorded: ([2-9]|10) of 10 trials", one.question.text())
    one.question.button(QMessageBox.StandardButton.Cancel).click()
    assert one.isVisible()
    assert not shown.stopped
    one.close()
    one.question.button(QMessageBox.StandardButton.Close).click()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert shown.stopped
    assert one.outcome().result is None


def test_closing_while_training_waits_for_a_fold_without_the_gui(
    open_session, qtbot, monkeypatch, eeg, go_to_recording, begin, quick_session
):
    fold, folds = threading.Event(), []

    def train(
        self: Any, request: Any, dynamic_stopping: bool, progress: Callable[[], None], earlier: Any
    ) -> None:
        for number in range(5):
            folds.append(number)
            assert fold.wait(60.0)
            progress()

    monkeypatch.setattr(quick_session, "train", train)
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    qtbot.waitUntil(lambda: folds == [0], timeout=60_000)
    one.close()
    assert "trained: 10 of 10 trials" in one.question.text()
    one.question.button(QMessageBox.StandardButton.Close).click()
    # the window still answers
    assert one.training_page.message.text() == "Ending …"
    assert one.isVisible()
    fold.set()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert folds == [0]
    assert one.outcome().result is None


def test_ctrl_c_while_it_asks_ends_the_session(open_session, qtbot, eeg, go_to_recording, begin):
    one = open_session(eeg("a"), practice=False)
    go_to_recording(one, qtbot)
    begin(one, qtbot, practice=False)
    one.close()
    assert one.question.isVisible()
    one.end()
    qtbot.waitUntil(lambda: not one.isVisible(), timeout=60_000)
    assert not one.question.isVisible()


def test_closing_does_not_ask_where_nothing_is_lost(open_session, eeg):
    one = open_session(eeg("a"))
    one.close()
    assert not one.isVisible()


def test_ctrl_c_tells_how_the_session_goes_on(monkeypatch, capsys, tmp_path, protocol_file, eeg):
    folder = SessionFolder.create(tmp_path / "begun", str(protocol_file), eeg("a"), seed=0)
    outcome = SessionOutcome(folder, None, interrupted=True)
    monkeypatch.setattr(session_window, "run_session_window", lambda _: outcome)
    monkeypatch.setenv("DISPLAY", ":0")
    setup = SessionSetup(str(protocol_file), DecoderRequest("riemann"))
    with pytest.raises(KeyboardInterrupt):
        run_in_window(setup, overwrite=False, json=False)
    assert f"--resume {folder.path}" in capsys.readouterr().err


def test_files_are_not_replaced_unasked(tmp_path, command):
    existing = tmp_path / "mine.safetensors"
    existing.write_text("precious")
    outcome = command("calibrate", "-p", "mi", "--out", existing)
    assert outcome.code == 2
    assert "already exists" in outcome.err
    assert existing.read_text() == "precious"


def test_protocol_with_a_typing_error_ends_the_command(protocol_file, command):
    protocol_file.write_text(protocol_file.read_text().replace("fixation", "fixtion"))
    outcome = command("calibrate", "-p", protocol_file)
    assert outcome.code == 2
    assert "imagery.fixtion" in outcome.err
