"""Streams that come, go and are chosen; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt6.QtCore import Qt

from sjepa_online.online.commands import UseMarkers


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
    opened.connect_view.show_streams([describe("odd", sfreq=0.0, type="Gaze")])
    assert opened.connect_view.table.item(0, 2).text() == "irregular"
    assert not opened.connect_view.connect_button.isEnabled()
    assert "no regular rate" in opened.connect_view.findings.text()


def test_streams_come_and_go_while_the_choice_stays(
    opened: Any, describe: Callable[..., Any]
) -> None:
    view = opened.connect_view
    view.show_streams([describe("a"), describe("b", source_id="8"), describe("c", source_id="9")])
    view.table.selectRow(1)
    view.show_streams([describe("b", source_id="8", uid="restarted"), describe("c", source_id="9")])
    assert view.chosen.name == "b"
    view.show_streams([])
    assert not view.connect_button.isEnabled()


def test_the_stream_that_is_asked_for_is_waited_for_and_chosen_where_it_is_there_twice(
    make_window: Callable[..., Any],
    sent: list[Any],
    amplifier: None,
    describe: Callable[..., Any],
    see: Callable[..., None],
    log_of: Callable[[Any], list[str]],
    wait_for: Callable[..., None],
) -> None:
    window = make_window(stream="amplifier")
    view, notice = window.connect_view, "Waiting for the stream amplifier"
    assert notice in view.findings.text()
    assert f"connect: {notice}" in log_of(window)
    window.show_view("Signals")
    wait_for(lambda: window.signals.canvas._notice == notice)
    see(window, describe("another", source_id="8"))
    assert notice in view.findings.text()
    see(window, describe(), describe(source_id="serial 9", uid="2"))
    assert "2 streams fit amplifier: choose one" in view.findings.text()
    assert window.session.stream is None
    see(window, describe())
    assert window.session.stream == describe()
    assert "fit amplifier" not in view.findings.text()


@pytest.mark.parametrize("selector", ["pad", "pad@1", "uid of pad"])
def test_markers_are_asked_for_by_selector_and_waited_for(
    make_window: Callable[..., Any],
    sent: list[Any],
    amplifier: None,
    describe: Callable[..., Any],
    describe_markers: Callable[..., Any],
    see: Callable[..., None],
    selector: str,
) -> None:
    window = make_window(stream="amplifier", markers=selector)
    see(window, describe())
    assert window.connect_view.markers.currentText() == selector
    # one that is not asked for is not taken in its place, though it is the only one
    see(window, describe(), describe_markers("other", source_id="2"))
    assert window.session.markers is None
    see(window, describe(), describe_markers("other"), describe_markers("pad", source_id="1"))
    assert window.session.markers.name == "pad"
    assert sent[-1] == UseMarkers(selector="pad@1")


def test_marker_streams_of_one_name_are_told_apart(
    opened: Any, describe: Callable[..., Any], describe_markers: Callable[..., Any]
) -> None:
    view = opened.connect_view
    view.show_streams([describe_markers("pad", source_id="1"), describe_markers("pad", uid="2")])
    texts = [view.markers.itemText(index) for index in range(view.markers.count())]
    assert texts == ["automatic", "none", "pad@1", "pad@serial 7"]
    view.markers.setCurrentText("pad@serial 7")
    assert view.markers_for(describe()).uid == "2"


def test_whether_a_stream_fits_is_told_in_words(
    opened: Any, describe: Callable[..., Any], ready: Any
) -> None:
    table = opened.connect_view.table
    told = {}
    for sfreq in (250.0, 500.0, 5.0):
        opened.connect_view.show_streams([describe("other", sfreq=sfreq)])
        told[sfreq] = table.item(0, table.columnCount() - 1).text()
    # the decoder was calibrated at 250 Hz
    assert told == {250.0: "fits", 500.0: "fits, with warnings", 5.0: "does not fit"}
