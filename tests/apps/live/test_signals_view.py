"""The traces and their controls; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from PyQt6.QtCore import QPointF

from sjepa_apps.live.messages import (
    Channels,
    OpenStream,
    Refused,
)
from sjepa_apps.live.theme import LIGHT


def test_connecting_asks_the_engine_and_shows_the_signal(
    opened: Any, sent: list[Any], wait_for: Callable[..., None]
) -> None:
    assert sent == [OpenStream(selector="amplifier@serial 7")]
    assert opened.tabs.currentIndex() == 0
    opened.session._reader.send(3.0)
    before = opened.signals.canvas.frames.count
    wait_for(lambda: opened.signals.canvas.frames.count > before + 5)
    image = opened.signals.canvas.grab().toImage()
    area = opened.signals.canvas.area
    colours = {
        image.pixelColor(int(area.right() - 30), y).name()
        for y in range(int(area.top()), int(area.bottom()))
    }
    assert len(colours) > 3
    opened.connect_view.disconnect_button.click()
    assert sent[-1].kind == "close-stream"
    assert opened.session.stream is None


def test_time_scale_filter_and_pause(
    opened: Any, qtbot: Any, wait_for: Callable[..., None]
) -> None:
    view = opened.signals
    opened.session._reader.send(20.0)
    wait_for(lambda: opened.session.store.seconds > 19)
    qtbot.keyClicks(opened, "[")
    assert view.time_base.currentText() == "20 s"
    qtbot.keyClicks(opened, "]]")
    assert view.time_base.currentText() == "5 s"
    start, stop = view.span
    assert stop - start == 5 * 250
    view.scale.setCurrentIndex(3)
    qtbot.keyClicks(opened, "+")
    assert view.scale.currentData() == 20.0
    qtbot.keyClicks(opened, "-")
    assert view.scale.currentData() == 50.0
    view.filter.setCurrentText("raw")
    assert opened.session.store.filter_name == "raw"
    qtbot.keyClicks(opened, "p")
    assert view.pause.isChecked()
    assert view.back.isVisible()
    view.back.setValue(-70)
    held = view.span
    assert held[1] == stop - 7 * 250
    opened.session._reader.send(2.0)
    wait_for(lambda: opened.session.store.shown.stop > stop)
    assert view.span == held
    view.pause.click()
    assert view.span[1] > stop


def test_the_scale_follows_the_signal_until_it_is_chosen(
    opened: Any, qtbot: Any, wait_for: Callable[..., None]
) -> None:
    reader, scale = opened.session._reader, opened.signals.scale
    for _ in range(10):
        reader.send(1.0)
        wait_for(lambda: not reader.chunks)
    # noise of 10 µV, low-passed at 40 Hz of 125: its peaks are near 12 µV
    assert scale.currentData() == 20.0
    qtbot.keyClicks(opened, "-")
    assert scale.currentData() == 50.0
    for _ in range(8):
        reader.send(1.0)
        wait_for(lambda: not reader.chunks)
    assert scale.currentData() == 50.0


def test_the_reason_is_told_and_the_trace_changes_its_colour(
    opened: Any, qtbot: Any, say: Callable[..., None], states: Callable[..., Channels]
) -> None:
    opened.session._reader.send(12.0)
    say(opened, states("O1"))
    assert "flat" in opened.session.states.describe("O1")
    canvas = opened.signals.canvas
    area = canvas.area
    middle = QPointF(20, area.top() + area.height() / 2)
    assert canvas.channel_at(middle) == "O1"
    gutter = canvas._paint_gutter().toImage()
    colours = {
        gutter.pixelColor(x, y).name()
        for x in range(30)
        for y in range(int(area.top()), int(area.bottom()))
    }
    assert LIGHT.bad in colours


@pytest.mark.parametrize("n_channels", [1, 256])
def test_one_channel_and_256(
    opened: Any,
    describe: Callable[..., Any],
    wait_for: Callable[..., None],
    n_channels: int,
    say: Callable[..., None],
) -> None:
    stream = describe(
        n_channels=n_channels,
        ch_names=tuple(f"E{n}" for n in range(n_channels)),
        units=("microvolts",) * n_channels,
    )
    opened.connect_view.show_streams([stream])
    opened.connect_view.connect_button.click()
    say(opened, Refused(command="open-stream", reason="missing: Oz"))
    opened.session._reader.send(12.0, n_channels)
    before = opened.signals.canvas.frames.count
    wait_for(lambda: opened.signals.canvas.frames.count > before + 3)
    assert len(opened.session.store.channels.names) == n_channels
    assert "missing: Oz" in opened.top.problem.toolTip()
