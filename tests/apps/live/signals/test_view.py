"""The traces and their controls; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QPointF
from PyQt6.QtGui import QFontMetricsF

from sjepa_apps.live import session as session_module
from sjepa_apps.live.signals.channel_labels import n_columns, place_names
from sjepa_apps.live.signals.store import Line
from sjepa_apps.ui.theme import LIGHT
from sjepa_online.online.commands import OpenStream
from sjepa_online.online.events import Channels, EngineEvent, Refused

START = 1000.0


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
    assert opened.session.store.display.keeps_level
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
    labels = canvas._paint_labels().toImage()
    colours = {
        labels.pixelColor(x, y).name()
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


def test_lines_are_where_they_happened(opened: Any, wait_for: Callable[..., None]) -> None:
    canvas = opened.signals.canvas
    opened.session._reader.send(12.0)
    wait_for(lambda: opened.session.store.seconds > 11)
    # in any order, and most of them out of view
    for time in (START + 9.0, *np.linspace(START - 500.0, START + 1.0, 500), START + 4.0):
        opened.session.store.lines.append(Line(float(time), f"at {time:g}", "marker"))
    image = canvas.grab().toImage()
    area = canvas.area
    columns = [
        x
        for x in range(int(area.left()), int(area.right()))
        if image.pixelColor(x, int(area.top()) - 2).name() != LIGHT.panel
    ]
    # the newest sample is of 12 s, and ten seconds are in view
    per_second = area.width() / 10
    expected = [area.right() - (12.0 - second) * per_second for second in (4.0, 9.0)]
    np.testing.assert_allclose(columns, expected, atol=2)


@pytest.mark.parametrize("lane", [1.5, 6.2, 9.0, 14.0])
@pytest.mark.parametrize("share", [0.0, 0.08, 1.0])
def test_names_do_not_overlap_and_those_of_bad_channels_come_first(
    lane: float, share: float
) -> None:
    rng = np.random.default_rng(0)
    bad = (rng.random(64) < share).tolist()
    placed = place_names(bad, lane)
    for column in range(n_columns(lane)):
        rows = np.array(sorted(row for row in placed if placed[row] == column))
        assert np.all(np.diff(rows) * lane >= 11.0)
    n_shown = sum(bad[row] for row in placed)
    # rows of 5.5 pixels have room for every name of a bad channel
    assert n_shown == sum(bad) or lane < 5.5
    if lane >= 6.5:
        assert len(placed) == len(bad)
    # as many as fit: nowhere is there a gap that would hold another
    for column in range(n_columns(lane)):
        rows = [row for row in placed if placed[row] == column]
        missing = set(range(64)) - set(placed)
        assert all(min(abs(row - other) * lane for other in rows) < 13.0 for row in missing)


def test_every_name_of_a_cap_is_whole(
    opened: Any, describe: Callable[..., Any], wait_for: Callable[..., None]
) -> None:
    names = (*(f"E{n}" for n in range(61)), "Trapezius left")
    stream = describe(n_channels=62, ch_names=names, units=("microvolts",) * 62)
    opened.connect_view.show_streams([stream])
    opened.connect_view.connect_button.click()
    canvas = opened.signals.canvas
    metrics = QFontMetricsF(canvas._font(11))
    widest = metrics.horizontalAdvance("Trapezius left")
    assert canvas.area.left() >= n_columns(canvas._lane_height) * widest
    # and no wider than short names need
    opened.connect_view.show_streams([describe()])
    opened.connect_view.connect_button.click()
    assert canvas.area.left() < 60


def test_the_newest_sample_is_not_called_now_while_nothing_arrives(
    opened: Any, wait_for: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    canvas = opened.signals.canvas
    opened.session._reader.send(3.0)
    wait_for(lambda: opened.session.store.seconds > 2 and not canvas._notice)
    now = canvas._paint_axis().toImage()
    monkeypatch.setattr(session_module, "SILENT_AFTER", 0.0)
    wait_for(lambda: canvas._notice)
    canvas.grab()
    assert canvas._axis is not None
    assert canvas._axis.toImage() != now


def test_lines_of_channels_name_them(opened: Any, say: Callable[..., None]) -> None:
    say(opened, EngineEvent(time=START, event="channel-bad", detail="O2 is left out: flat"))
    say(opened, EngineEvent(time=START + 1, event="channel-good", detail="O2 is good again"))
    assert [line.text for line in opened.session.store.lines] == ["O2 bad", "O2 good"]
