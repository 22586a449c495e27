"""Electrodes on the head; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from PyQt6.QtCore import QPoint, Qt

from sjepa_apps.live.messages import (
    ChannelReport,
    Channels,
    ChooseChannel,
)


def test_a_click_on_an_electrode_forces_it_bad_then_good(
    opened: Any,
    sent: list[Any],
    qtbot: Any,
    wait_for: Callable[..., None],
    say: Callable[..., None],
    states: Callable[..., Channels],
) -> None:
    say(opened, states("O1"))
    assert "2 of 3 good" in opened.scalp.summary.toolTip()
    wait_for(lambda: "bad: O1" in opened.status.bad.toolTip())
    canvas = opened.scalp.canvas
    where = canvas.position_of("Oz").toPoint()
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where)
    assert sent[-1] == ChooseChannel(channel="Oz", choice="bad")
    forced = ChannelReport(channel="Oz", bad=True, reasons=(), choice="bad", amplitude=None)
    others = states("O1").channels[1:]
    say(opened, Channels(channels=(forced, *others)))
    qtbot.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=where)
    assert sent[-1] == ChooseChannel(channel="Oz", choice="good")
    canvas.setFocus()
    qtbot.keyClick(canvas, Qt.Key.Key_Right)
    qtbot.keyClick(canvas, Qt.Key.Key_Return)
    assert sent[-1] == ChooseChannel(channel="O1", choice="bad")
    # a click on the name beside the traces does the same, one on the traces nothing
    n_asked = len(sent)
    area = opened.signals.canvas.area
    lowest = int(area.bottom() - 5)
    for x in (int(area.center().x()), 20):
        where = QPoint(x, lowest)
        qtbot.mouseClick(opened.signals.canvas, Qt.MouseButton.LeftButton, pos=where)
    assert sent[n_asked:] == [ChooseChannel(channel="O2", choice="bad")]


def test_a_decoder_shows_its_electrodes_before_it_decodes(
    make_window: Callable[..., Any], ready: Any, say: Callable[..., None]
) -> None:
    window = make_window()
    say(window, ready)
    assert "3 electrodes" in window.scalp.summary.toolTip()


def test_the_map_shows_patterns_of_the_decoder(opened: Any) -> None:
    assert [opened.scalp.shown.itemText(n) for n in range(opened.scalp.shown.count())] == [
        "amplitude against calibration",
        "response to 12 Hz",
    ]
    opened.scalp.shown.setCurrentIndex(1)
    np.testing.assert_allclose(opened.scalp.canvas._values, [1.0, 0.2, -0.3])


def test_the_whole_head_is_in_view(opened: Any, ready: Any) -> None:
    canvas = opened.scalp.canvas
    for names in (("Oz", "O1", "O2", "PO3", "PO4"), ("C3", "Cz", "C4"), ("T9", "T10", "Iz", "Fpz")):
        canvas.set_channels(names)
        for x, y in ((0.0, 1.14), (0.0, -1.0), (-1.11, 0.0), (1.11, 0.0)):
            assert canvas.rect().contains(canvas._to_widget(x, y).toPoint())
        assert all(canvas.rect().contains(canvas.position_of(name).toPoint()) for name in names)
