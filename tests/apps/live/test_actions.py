"""Files, commands and closing, as the operator asks for them; the engine is made up."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtWidgets import QApplication, QFileDialog, QMessageBox

from sjepa_apps.live import settings as settings_module
from sjepa_apps.ui.application import run_application

CONTROL = Qt.KeyboardModifier.ControlModifier


@pytest.mark.parametrize("what", ["picture", "signals", "log", "trials"])
def test_a_file_that_cannot_be_written_is_told_and_everything_goes_on(
    opened: Any,
    qtbot: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wait_for: Callable[..., None],
    log_of: Callable[..., list[str]],
    what: str,
) -> None:
    opened.session._reader.send(3.0)
    wait_for(lambda: opened.session.store.seconds > 2)
    path = tmp_path / "no such folder" / "file"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), ""))
    match what:
        case "picture":
            qtbot.keyClick(opened, "S", CONTROL)
        case "signals":
            qtbot.keyClick(opened, "E", CONTROL)
        case "log":
            opened.log.export.click()
        case "trials":
            opened.trials.export.click()
    assert not path.exists()
    assert "no such folder" in opened.top.problem.toolTip()
    assert not [line for line in log_of(opened) if line.startswith("saved")]
    path.parent.mkdir()
    getattr(opened.controls, f"save_{what}" if what != "signals" else "save_shown_signals")()
    assert path.stat().st_size > 10
    assert f"saved: {path}" in log_of(opened)


def test_a_folder_that_cannot_be_made_starts_no_calibration(
    opened: Any, tmp_path: Path, programs: Callable[[str], None]
) -> None:
    programs("")
    (tmp_path / "file").touch()
    opened.controls.folder = tmp_path / "file" / "folder"
    opened.controls._start_calibration(["calibrate"], tmp_path / "decoder.safetensors")
    assert "file" in opened.top.problem.toolTip()
    assert not opened.controls.commands.running


def test_choices_that_cannot_be_kept_do_not_keep_the_window_open(
    make_window: Callable[..., Any],
    sent: list[Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    window = make_window(lsl=True, remember=True)
    (tmp_path / "home").touch()
    monkeypatch.setattr(settings_module, "settings_file", lambda: tmp_path / "home" / "live.json")
    # a search that went on would be found by the check for leaks
    assert window.close()
    assert "choices are not kept" in capsys.readouterr().err


def test_closing_while_a_calibration_runs_asks(
    opened: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    programs: Callable[[str], None],
    wait_for: Callable[..., None],
    log_of: Callable[..., list[str]],
) -> None:
    programs("print('begins', flush=True); time.sleep(600)")
    questions: list[str] = []

    def ask(_: Any, __: str, text: str, *___: Any) -> QMessageBox.StandardButton:
        questions.append(text)
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", ask)
    opened.controls._start_calibration(["calibrate"], tmp_path / "mine.safetensors")
    wait_for(lambda: "calibrate mine.safetensors: begins" in log_of(opened))
    assert not opened.close()
    assert "calibrate mine.safetensors" in questions[0]
    assert opened.controls.commands.running
    (command,) = opened.controls.commands.running
    opened.controls.commands.stop(command)
    wait_for(lambda: not opened.controls.commands.running)
    assert opened.close()
    assert len(questions) == 1


@pytest.mark.parametrize("box", ["none", "the question", "the calibration", "a file"])
def test_ctrl_c_ends_the_window_without_a_question(
    opened: Any,
    qapp: Any,
    monkeypatch: pytest.MonkeyPatch,
    programs: Callable[[str], None],
    tmp_path: Path,
    box: str,
) -> None:
    programs("time.sleep(600)")
    opened.controls._start_calibration(["calibrate"], tmp_path / "mine.safetensors")

    def interrupt() -> None:
        if box != "none":
            assert QApplication.activeModalWidget() is not None
        signal.raise_signal(signal.SIGINT)

    def begin() -> None:
        QTimer.singleShot(300, interrupt)
        match box:
            case "the question":
                opened.close()
            case "the calibration":
                opened.controls.calibrate()
            case "a file":
                opened.controls.load_decoder()

    QTimer.singleShot(0, begin)
    assert run_application(qapp, opened.end)
    assert not opened.isVisible()
    assert not opened.controls.commands.running
