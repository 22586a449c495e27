from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sjepa_apps.live.signals.store import BadHistory, History
from sjepa_apps.live.signals.trace_image import TraceImage, TraceLayout

WIDTH, HEIGHT = 200, 120


@pytest.fixture
def layout(qapp: Any) -> TraceLayout:
    return TraceLayout(
        width=WIDTH,
        height=HEIGHT,
        ratio=1.0,
        samples_per_column=8.0,
        scale=50.0,
        colours=("#000000", "#000000", "#000000"),
        background="#ffffff",
    )


def dark(image: TraceImage) -> np.ndarray:
    """Return which pixels are painted, shape (height, width), as they are drawn on the screen."""
    from PyQt6.QtCore import QRectF
    from PyQt6.QtGui import QImage, QPainter

    width, height = image.layout.width, image.layout.height
    screen = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(screen)
    image.draw(painter, QRectF(0, 0, width, height))
    painter.end()
    pixels = screen.constBits()
    assert pixels is not None
    values = np.frombuffer(pixels.asstring(4 * width * height), dtype=np.uint8)
    return values.reshape(height, width, 4)[:, :, 0] < 128


def history(samples: np.ndarray) -> History:
    made = History(len(samples), 8 * WIDTH * 3)
    made.append(samples)
    return made


def test_painting_column_by_column_gives_the_picture_painted_at_once(layout: TraceLayout) -> None:
    rng = np.random.default_rng(0)
    made = history(20 * rng.standard_normal((3, 8 * 460)))
    at_once, bit_by_bit = TraceImage(layout, made), TraceImage(layout, made)
    at_once.stop = 250
    at_once.advance(450)
    for stop in (3, 4, 97, 199, 201, 300, 320, 333, 400, 450):
        bit_by_bit.advance(stop)
    differing = dark(at_once) != dark(bit_by_bit)
    # antialiasing at the seams of parts may differ by a pixel
    assert differing.mean() < 0.005


def test_a_pulse_stands_where_it_happened(layout: TraceLayout) -> None:
    samples = np.zeros((3, 8 * 300))
    samples[1, 8 * 240 + 3] = 40.0
    image = TraceImage(layout, history(samples))
    image.advance(300)
    painted = dark(image)
    # the middle lane is 40 to 80; 40 of 50 µV reach 16 of 20 pixels above its middle
    rows, columns = np.nonzero(painted[41:57])
    assert set(columns) <= {139, 140, 141}
    assert rows.min() + 41 == pytest.approx(44, abs=2)


def test_a_hole_is_left_empty_and_a_railed_channel_covers_no_other(
    layout: TraceLayout,
) -> None:
    samples = np.zeros((3, 8 * 200))
    samples[0, 800:] = 1e6
    samples[2, 800:1200] = np.nan
    image = TraceImage(layout, history(samples))
    image.advance(200)
    painted = dark(image)
    assert not painted[85:, 102:148].any()
    assert painted[100, 10:95].all()
    # far off its scale it is not drawn: a line along an edge would pass for an amplifier's limit
    assert not painted[:55, 110:].any()
    assert painted[60, 110:].all()


def test_a_blink_of_twice_the_scale_keeps_its_peak(layout: TraceLayout) -> None:
    samples = np.zeros((3, 8 * 200))
    samples[2] = 100 * np.exp(-(((np.arange(1600) - 800) / 200) ** 2))
    image = TraceImage(layout, history(samples))
    image.advance(200)
    painted = dark(image)
    # the lane's middle is row 100, its edge 80: the peak stands two half lanes higher
    assert painted[60:64, 98:103].any()
    rows = [np.nonzero(painted[58:99, column])[0] + 58 for column in range(70, 100, 5)]
    highest = [int(one[-1]) for one in rows if len(one)]
    assert len(set(highest)) >= 4


def test_bad_stretches_keep_their_colour_however_often_they_are_painted(
    layout: TraceLayout,
) -> None:
    made = history(np.zeros((3, 8 * 200)))
    bad = BadHistory(3, made.capacity, 8)
    bad.extend(400, 800, np.array([False, True, False]))
    marked = TraceLayout(**{**vars(layout), "bad_colour": "#ff0000"})
    for _ in range(2):
        image = TraceImage(marked, made, bad)
        image.advance(200)
        pixels = [image._image.pixelColor(x, 60) for x in range(200)]
        red = [pixel.red() > pixel.green() + 50 for pixel in pixels]
        assert all(red[55:95])
        assert not any(red[:45] + red[105:])


def test_chosen_rows_have_the_lanes_in_their_order(layout: TraceLayout) -> None:
    samples = np.zeros((3, 8 * 200))
    samples[2, 800:] = np.nan
    chosen = TraceLayout(**{**vars(layout), "rows": (2, 0), "colours": ("#000000",) * 2})
    image = TraceImage(chosen, history(samples))
    image.advance(200)
    painted = dark(image)
    assert painted[30, 10:90].all()
    assert not painted[30, 110:].any()
    assert painted[90, 110:].all()


def test_slow_streams_show_every_sample(layout: TraceLayout) -> None:
    slow = TraceLayout(**{**vars(layout), "samples_per_column": 0.5})
    samples = np.tile([30.0, -30.0], (3, 60))
    image = TraceImage(slow, history(samples))
    image.advance(200)
    painted = dark(image)
    # each sample is two columns wide, so a full swing takes four
    lane = painted[8:12, 20:180].any(axis=0)
    assert lane.reshape(-1, 4).any(axis=1).all()
    assert not lane.all()
