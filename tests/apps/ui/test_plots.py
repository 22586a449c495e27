"""The axes of the curves, by pyqtgraph's own layout of their labels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from PyQt6.QtGui import QPainter, QPixmap

from sjepa_apps.ui.plots import TimePlot
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
