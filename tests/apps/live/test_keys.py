"""Keys and menus, each driven as the operator does; commands are made up, and so is the engine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtGui import QKeySequence, QWheelEvent
from PyQt6.QtWidgets import QApplication, QFileDialog

from sjepa_apps.live.connect.calibrate_dialog import CalibrateDialog


def _press(window: Any, keys: str) -> None:
    """Do what keys stand for, whether or not the desktop lets the window have the keyboard."""
    (action,) = [one for one in window.actions() if one.shortcut() == QKeySequence(keys)]
    action.trigger()


def _choose(window: Any, text: str) -> None:
    """Choose an entry of a menu."""
    (action,) = [one for one in window.actions() if one.text() == text]
    action.trigger()


@pytest.mark.parametrize(
    ("key", "box", "step"),
    [("+", "scale", -1), ("-", "scale", 1), ("]", "time_base", -1), ("[", "time_base", 1)],
)
def test_scale_and_time_base_have_keys(opened: Any, key: str, box: str, step: int) -> None:
    choices = getattr(opened.signals, box)
    before = choices.currentIndex()
    _press(opened, key)
    assert choices.currentIndex() == before + step


def test_pause_full_screen_and_search_have_keys(opened: Any) -> None:
    _press(opened, "P")
    assert opened.signals.pause.isChecked()
    _press(opened, "P")
    assert not opened.signals.pause.isChecked()
    _press(opened, "F11")
    assert opened.isFullScreen()
    _press(opened, "F11")
    assert not opened.isFullScreen()
    _press(opened, "Ctrl+F")
    assert opened.focusWidget() is opened.log.search


def test_the_wheel_looks_back(opened: Any, wait_for: Callable[..., None]) -> None:
    opened.session._reader.send(30.0)
    wait_for(lambda: opened.session.store.seconds > 29)
    newest = opened.signals.span
    canvas = opened.signals.canvas
    turn = QWheelEvent(
        QPointF(100, 100), canvas.mapToGlobal(QPointF(100, 100)), QPoint(), QPoint(0, 120),
        Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase,
        False,
    )  # fmt: skip
    QApplication.sendEvent(canvas, turn)
    assert opened.signals.pause.isChecked()
    assert opened.signals.span[1] < newest[1]


def test_nothing_is_recorded_without_a_stream(
    make_window: Callable[..., Any],
    wait_for: Callable[..., None],
    log_of: Callable[..., list[str]],
) -> None:
    window = make_window()
    _press(window, "Ctrl+R")
    wait_for(lambda: "recording: connect a stream first" in log_of(window))


def test_quit_has_a_key(opened: Any) -> None:
    _press(opened, "Ctrl+Q")
    assert not opened.isVisible()


def test_a_calibration_ends_with_its_decoder_loaded(
    opened: Any,
    programs: Callable[[str], None],
    wait_for: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(opened.session, "load_decoder", loaded.append)
    _press(opened, "Ctrl+K")
    dialog = opened.findChild(CalibrateDialog)
    assert dialog.isVisible()
    programs("")
    dialog.accepted_command.emit(["calibrate"], tmp_path / "me.safetensors")
    dialog.close()
    wait_for(lambda: loaded)
    assert loaded == [tmp_path / "me.safetensors"]


def test_a_calibration_that_fails_loads_nothing(
    opened: Any,
    programs: Callable[[str], None],
    wait_for: Callable[..., None],
    log_of: Callable[..., list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loaded: list[Path] = []
    monkeypatch.setattr(opened.session, "load_decoder", loaded.append)
    programs("print('Error: no trials'); sys.exit(2)")
    opened.controls._start_calibration(["calibrate"], tmp_path / "me.safetensors")
    wait_for(lambda: not opened.controls.commands.running)
    assert "calibrate me.safetensors: Error: no trials" in log_of(opened)
    assert "calibrate me.safetensors: has ended with exit code 2" in log_of(opened)
    assert not loaded


def test_replay_and_simulation_run_until_they_are_stopped(
    opened: Any,
    programs: Callable[[str], None],
    wait_for: Callable[..., None],
    log_of: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    programs("print(*sys.argv[1:], flush=True); time.sleep(600)")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_: (["one.xdf"], ""))
    _press(opened, "Ctrl+P")
    wait_for(lambda: "replay one.xdf: replay one.xdf --loop --name sjepa-online-replay" in
             log_of(opened))  # fmt: skip
    _choose(opened, "ssvep")
    told = "simulate ssvep: simulate --paradigm ssvep --name sjepa-online-participant"
    wait_for(lambda: told in log_of(opened))
    stop = opened.controls._stop_menu
    assert [action.text() for action in stop.actions()] == ["replay one.xdf", "simulate ssvep"]
    for action in stop.actions():
        action.trigger()
    wait_for(lambda: not opened.controls.commands.running)
    assert not stop.isEnabled()


def test_the_folder_of_recordings_is_chosen(
    opened: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "lab"))
    _choose(opened, "&Folder of recordings …")
    assert opened.controls.folder == tmp_path / "lab"
    assert opened.settings.folder == str(tmp_path / "lab")
