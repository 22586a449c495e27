"""Everything can be reached and done without a mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog, QInputDialog

from sjepa_apps.live.actions import VIEWS
from sjepa_apps.live.keys import KeysDialog
from sjepa_apps.live.settings import LiveSettings


def test_tab_reaches_every_control_that_is_to_be_seen(opened: Any, looks: Any) -> None:
    reached = set(looks.tab_order(opened, opened.signals.canvas))
    missed = looks.controls(opened) - reached
    assert not missed, [one.toolTip() or one for one in missed]
    assert {opened.top.session_menu, opened.top.view_menu, opened.scalp.canvas} <= reached


@pytest.mark.parametrize("number", range(1, len(VIEWS) + 1))
def test_the_key_of_a_view_gives_it_the_keyboard(opened: Any, number: int) -> None:
    name = VIEWS[number - 1]
    opened.show_view(name)
    focused = opened.focusWidget()
    view = opened.docks[name].widget() if name in opened.docks else opened.tabs
    assert focused is not None
    assert view is focused or view.isAncestorOf(focused)


def test_f1_lists_every_key(opened: Any, qtbot: Any, wait_for: Callable[..., None]) -> None:
    qtbot.keyClick(opened, Qt.Key.Key_F1)
    dialog = opened.findChild(KeysDialog)
    listed = {dialog.table.item(row, 0).text() for row in range(dialog.table.rowCount())}
    given = {one.shortcut().toString() for one in opened.actions() if one.shortcut().toString()}
    assert given <= listed
    assert {"F1", "M", "Shift+M", "P", "Z", "C", "Ctrl+8"} <= listed
    dialog.reject()
    wait_for(lambda: not opened.findChildren(KeysDialog))


def test_channels_are_paged_chosen_and_shown_alone_by_keys(
    opened: Any, qtbot: Any, wait_for: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.session._reader.send(12.0)
    wait_for(lambda: opened.session.store.seconds > 11)
    canvas = opened.signals.canvas
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Down)
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    assert canvas.cursor_line.shown
    told = canvas.cursor_line.describe(canvas._cursor_view())
    assert told.startswith("O1: ")
    assert "µV" in told
    qtbot.keyClicks(opened, "z")
    assert canvas.names == ("O1",)
    qtbot.keyClick(opened, Qt.Key.Key_PageDown)
    assert canvas.names == ("O2",)
    qtbot.keyClicks(opened, "z")
    assert canvas.names == ("Oz", "O1", "O2")
    qtbot.keyClicks(opened, "c")
    assert not canvas.cursor_line.shown


def test_the_cursor_tells_the_value_that_is_shown(
    opened: Any, wait_for: Callable[..., None]
) -> None:
    opened.session._reader.send(12.0)
    wait_for(lambda: opened.session.store.seconds > 11)
    opened.signals.pause.setChecked(True)
    canvas = opened.signals.canvas
    canvas.grab()
    canvas.cursor_line.place(0.5, 2)
    view = canvas._cursor_view()
    sample = round((view.start + view.stop) / 2)
    value = opened.session.store.shown.get(sample, sample + 1)[2, 0]
    assert f"O2: {value:.1f} µV" in canvas.cursor_line.describe(view)


def test_a_mark_with_text_is_of_the_moment_of_its_key(
    opened: Any, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(*_: Any) -> tuple[str, bool]:
        qtbot.wait(300)
        asked.append(True)
        return "moved \u202e\n the cap 🧢", True

    monkeypatch.setattr(QInputDialog, "getText", answer)
    from sjepa_online.stream import local_clock

    before = local_clock()
    qtbot.keyClick(opened, "M", Qt.KeyboardModifier.ShiftModifier)
    line = opened.session.store.lines[-1]
    assert asked
    assert line.kind == "mark"
    assert "the cap 🧢" in line.text
    assert "\n" not in line.text
    assert line.time - before < 0.25


def test_decoders_of_late_are_offered_and_the_dialog_begins_beside_the_loaded_one(
    make_window: Callable[..., Any],
    sent: list[Any],
    say: Callable[..., None],
    ready: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    paths = [tmp_path / f"{name}.safetensors" for name in "ab"]
    for path in paths:
        path.touch()
    window = make_window(settings=LiveSettings(folder=str(tmp_path / "elsewhere")))
    for path in paths:
        say(window, ready.model_copy(update={"path": str(path)}))
    assert window.recent.paths == [str(paths[1]), str(paths[0])]
    offered = window.controls._recent_menu.actions()
    assert [one.data() for one in offered] == [str(paths[1]), str(paths[0])]
    offered[1].trigger()
    assert sent[-1].path == str(paths[0])
    begun = []

    def ask(parent: Any, title: str, where: str, kinds: str) -> tuple[str, str]:
        begun.append(where)
        return "", ""

    monkeypatch.setattr(QFileDialog, "getOpenFileName", ask)
    window.controls.load_decoder()
    assert begun == [str(paths[1])]
