"""Streams that come, go and are chosen; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PyQt6.QtCore import Qt


def test_enter_connects_the_chosen_stream(
    make_window: Callable[..., Any],
    sent: list[Any],
    describe: Callable[..., Any],
    qtbot: Any,
    amplifier: None,
) -> None:
    window = make_window()
    window.show_view("Connect")
    window.connect_view.show_streams([describe("a"), describe("b")])
    window.connect_view.table.setFocus()
    qtbot.keyClick(window.connect_view.table, Qt.Key.Key_Down)
    qtbot.keyClick(window.connect_view.table, Qt.Key.Key_Return)
    assert sent[-1].selector == "b@serial 7"


def test_an_irregular_stream_is_listed_but_cannot_be_connected(
    opened: Any, describe: Callable[..., Any]
) -> None:
    opened.connect_view.show_connected(None)
    opened.connect_view.show_streams([describe("odd", sfreq=0.0)])
    assert opened.connect_view.table.item(0, 2).text() == "irregular"
    assert not opened.connect_view.connect_button.isEnabled()
    assert "no regular rate" in opened.connect_view.findings.text()


def test_streams_come_and_go_while_the_choice_stays(
    opened: Any, describe: Callable[..., Any], log_of: Callable[..., list[str]]
) -> None:
    view = opened.connect_view
    view.show_streams([describe("a"), describe("b", source_id="8"), describe("c", source_id="9")])
    view.table.selectRow(1)
    view.show_streams([describe("b", source_id="8", uid="restarted"), describe("c", source_id="9")])
    assert view.chosen.name == "b"
    view.show_streams([])
    assert not view.connect_button.isEnabled()
    assert log_of(opened)
