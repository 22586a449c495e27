"""The axes of the curves, by pyqtgraph's own layout of their labels."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
from PyQt6.QtGui import QPainter, QPixmap

from sjepa_apps.ui.plots import LOG_LABEL, TimePlot, log_marks
from sjepa_apps.ui.theme import LIGHT
from sjepa_online.evaluation import plots


@pytest.mark.parametrize("seconds", [60.0, 120.0])
@pytest.mark.parametrize("width", [120, 175, 240, 400, 900])
def test_labels_of_the_time_axis_do_not_touch(qtbot: Any, seconds: float, width: int) -> None:
    plot = TimePlot(LIGHT, seconds, "ms")
    qtbot.addWidget(plot)
    plot.resize(width, 160)
    plot.show()
    axis = plot.getAxis("bottom")
    canvas = QPixmap(plot.size())
    painter = QPainter(canvas)
    _, _, texts = axis.generateDrawSpecs(painter)
    painter.end()
    labels = sorted((box.left(), box.right(), text) for box, _, text in texts)
    assert labels[-1][2] == "now"
    assert all(before[1] + 4 < after[0] for before, after in pairwise(labels))
    assert axis.mapRectToScene(axis.boundingRect()).right() <= width + 1
    assert len(labels) >= min(width // 110, 6)


def test_figures_of_reports_have_the_colours_of_the_windows():
    assert LIGHT.classes == plots.COLOURS
    assert (LIGHT.ink, LIGHT.muted, LIGHT.line) == (plots.INK, plots.PALE, plots.GRID)


@pytest.mark.parametrize("pixels", [40, 100, 200, 600])
@pytest.mark.parametrize(("low", "high"), [(0.6, 0.9), (0.2, 1.6), (0.01, 40.0), (1e-9, 1e4)])
def test_labels_of_a_logarithmic_axis_do_not_touch(low: float, high: float, pixels: int) -> None:
    ends = math.log10(low), math.log10(high)
    marks = log_marks(*ends, pixels)
    assert marks
    assert all(ends[0] <= mark <= ends[1] for mark in marks)
    places = [(mark - ends[0]) / (ends[1] - ends[0]) * pixels for mark in marks]
    assert all(after - before >= LOG_LABEL - 1e-6 for before, after in pairwise(places))
    if pixels >= 100:
        assert len(marks) >= 2
    # round numbers, of three digits at most
    assert all(float(f"{10**mark:.2g}") == pytest.approx(10**mark) for mark in marks)
