"""Electrodes on the head; the engine's messages are made up."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PyQt6.QtGui import QImage, QMouseEvent
from PyQt6.QtWidgets import QToolTip

from sjepa_apps.ui.channel_states import ChannelStates, ChannelSummary, known_electrodes
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import LIGHT
from sjepa_online.online.commands import ChooseChannel
from sjepa_online.online.events import ChannelReport, Channels


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


def test_the_pointer_over_an_electrode_or_a_name_tells_its_state(
    opened: Any,
    say: Callable[..., None],
    states: Callable[..., Channels],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _where, text, _widget: shown.append(text))
    monkeypatch.setattr(QToolTip, "hideText", lambda: shown.append(""))
    say(opened, states("O1"))
    scalp, signals = opened.scalp.canvas, opened.signals.canvas
    lane = signals.area.height() / 3
    for canvas, where, told in (
        (scalp, scalp.position_of("O1"), "O1 is left out"),
        (scalp, scalp.position_of("Oz"), "Oz is good"),
        (scalp, QPointF(1.0, 1.0), ""),
        (signals, QPointF(20.0, signals.area.top() + 2.5 * lane), "O2 is good"),
        (signals, signals.area.center(), ""),
    ):
        _point_at(canvas, where)
        assert told in shown[-1]
        assert bool(told) == bool(shown[-1])


def _point_at(canvas: Any, where: QPointF) -> None:
    none = Qt.MouseButton.NoButton
    canvas.mouseMoveEvent(
        QMouseEvent(
            QEvent.Type.MouseMove,
            where,
            QPointF(canvas.mapToGlobal(where.toPoint())),
            none,
            none,
            Qt.KeyboardModifier.NoModifier,
        )
    )


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
        _is_whole(canvas, names)


@pytest.mark.parametrize("size", [(400, 260), (300, 600), (378, 580)])
def test_every_electrode_of_a_cap_is_whole(qtbot: Any, size: tuple[int, int]) -> None:
    canvas = ScalpCanvas(LIGHT)
    qtbot.addWidget(canvas)
    canvas.resize(*size)
    middle = ("Fz", "Cz", "C3", "C4", "Pz", "Oz")
    for outer in (("FT9", "FT10", "TP9", "TP10"), ("T9", "T10"), ("Fpz", "Iz", "I1", "I2")):
        canvas.set_channels(middle + outer)
        _is_whole(canvas, middle + outer)


def test_a_bad_electrode_has_another_shape_and_names_stay_in_their_discs(
    qtbot: Any, states: Callable[..., Channels]
) -> None:
    canvas = ScalpCanvas(LIGHT)
    qtbot.addWidget(canvas)
    canvas.resize(400, 400)
    canvas.set_channels(("Oz", "O1", "O2", "FT10"))
    canvas.set_states(ChannelStates(states("O1").channels))
    image = canvas.grab().toImage()
    ring = 1.3 * canvas._radius
    shapes = {
        name: {
            _colour(image, canvas, name, ring * np.cos(angle), ring * np.sin(angle))
            for angle in np.arange(np.pi / 4, 2 * np.pi, np.pi / 2)
        }
        for name in ("O1", "O2")
    }
    # the cross reaches out of the disc to all four sides
    assert shapes["O1"] == {LIGHT.bad}
    assert LIGHT.good not in shapes["O2"]
    edges = np.linspace(-0.8, 0.8, 20) * canvas._radius
    beside = {
        _colour(image, canvas, "FT10", side * 0.97 * canvas._radius, 0.3 * y)
        for side in (-1, 1)
        for y in edges
    }
    assert LIGHT.panel not in beside


def test_the_map_has_a_key(
    opened: Any, say: Callable[..., None], states: Callable[..., Channels]
) -> None:
    canvas = opened.scalp.canvas
    assert LIGHT.classes[1] not in _corner(canvas)
    say(opened, states())
    assert canvas._key == ("louder", "as usual", "quieter")
    assert {LIGHT.classes[1], LIGHT.raised, LIGHT.classes[0]} <= _corner(canvas)
    opened.scalp.shown.setCurrentIndex(1)
    assert canvas._key == ("positive", "nothing", "negative")
    # where the head fills the corner, it has none
    canvas.resize(200, 200)
    assert LIGHT.classes[1] not in _corner(canvas)


def _is_whole(canvas: ScalpCanvas, names: tuple[str, ...]) -> None:
    reach = 1.4 * canvas._radius
    for name in names:
        place = canvas.position_of(name)
        assert reach <= place.x() <= canvas.width() - reach
        assert reach <= place.y() <= canvas.height() - reach


def _colour(image: QImage, canvas: ScalpCanvas, name: str, right: float, down: float) -> str:
    place = canvas.position_of(name)
    return str(image.pixelColor(round(place.x() + right), round(place.y() + down)).name())


def _corner(canvas: ScalpCanvas) -> set[str]:
    image = canvas.grab().toImage()
    return {
        str(image.pixelColor(x, y).name())
        for x in range(20)
        for y in range(image.height() - 60, image.height())
    }


@pytest.mark.parametrize("size", [(180, 160), (400, 300)])
def test_names_of_many_bad_electrodes_do_not_lie_over_each_other(
    qapp: Any, size: tuple[int, int]
) -> None:
    names = tuple(
        f"{row}{column}"
        for row in ("AF", "F", "FC", "C", "CP", "P", "PO")
        for column in ("5h", "3h", "1h", "3", "1", "z", "2", "4", "2h", "4h")
        if known_electrodes([f"{row}{column}"])
    )
    canvas = ScalpCanvas(LIGHT)
    canvas.resize(*size)
    canvas.set_channels(names)
    canvas.set_states(ChannelStates(ChannelSummary(one, True, ("flat",), None) for one in names))
    canvas.grab()
    boxes = list(canvas.names_beside().values())
    assert len(boxes) > 3
    for one, other in itertools.combinations(boxes, 2):
        assert not one.intersects(other)
    assert all(QRectF(canvas.rect()).contains(box) for box in boxes)
