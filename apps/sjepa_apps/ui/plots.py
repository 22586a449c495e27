"""Curves over the last minutes, drawn by pyqtgraph."""

from __future__ import annotations

import time as clock
from collections import deque
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QWidget

from sjepa_apps.ui.theme import Theme

#: Width (pixels) of a label of the time axis and the space around it.
LABEL_ROOM = 60
#: Seconds without a point over which no line is drawn.
LONGEST_LINE = 2.0
#: Height (pixels) of a label of a logarithmic axis and the space around it.
LOG_LABEL = 18
#: First digits of the marks of a logarithmic axis, the densest first.
LOG_DIGITS = (
    tuple(np.arange(1, 10, 0.1)),
    tuple(np.arange(1, 10, 0.5)),
    tuple(range(1, 10)),
    (1, 2, 3, 5, 7),
    (1, 2, 5),
    (1, 3),
    (1,),
)
#: Into how many steps the time may be divided.
STEPS = (6, 4, 3, 2)


class LogAxis(pg.AxisItem):  # type: ignore[misc] # pyqtgraph is not typed
    """A vertical logarithmic axis whose labels do not lie over each other."""

    def tickValues(  # noqa: N802 - pyqtgraph's name
        self, low: float, high: float, size: float
    ) -> list[tuple[None, list[float]]]:
        """Return the marks, as logarithms."""
        return [(None, log_marks(low, high, size))]

    def tickStrings(  # noqa: N802 - pyqtgraph's name
        self, values: list[float], scale: float, spacing: float | None
    ) -> list[str]:
        """Return the labels of the marks."""
        return [f"{10.0**value:.3g}" for value in values]


def log_marks(low: float, high: float, pixels: float) -> list[float]:
    """Return round numbers of a logarithmic axis, as logarithms, as many as there is room for.

    Parameters
    ----------
    low, high : float
        Logarithms (base 10) of the ends of the axis.
    pixels : float
        Its length.
    """
    first, last = int(np.floor(low)), int(np.ceil(high))
    room = LOG_LABEL * (high - low) / max(pixels, 1.0)
    steps = [(digits, 1) for digits in LOG_DIGITS] + [((1,), n) for n in range(2, last - first)]
    single: list[float] = []
    for digits, step in steps:
        decades = range(first, last + 1, step)
        marks = [decade + float(np.log10(digit)) for decade in decades for digit in digits]
        inside = [mark for mark in marks if low <= mark <= high]
        if len(inside) > 1 and np.diff(inside).min() >= room:
            return inside
        # one label is better than labels over each other
        single = inside[:1] or single
    return single


class TimePlot(pg.PlotWidget):  # type: ignore[misc] # pyqtgraph is not typed
    """Curves against the seconds before now.

    Parameters
    ----------
    theme : Theme
    seconds : float
        How far back the curves go.
    label : str
        What is drawn, and its unit; empty where a heading says it.
    limits : tuple of float or None
        Range of the vertical axis; None lets it follow the curves from zero on.
    """

    def __init__(
        self,
        theme: Theme,
        seconds: float,
        label: str,
        limits: tuple[float, float] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._seconds = seconds
        self._limits = limits
        self._label = label
        self._curves: list[Any] = []
        self._points: list[deque[tuple[float, float]]] = []
        #: Time of the newest point, and when (s, monotonic clock) it was added.
        self._newest = (0.0, 0.0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.setMouseEnabled(False, False)
        self.setXRange(-seconds, 0, padding=0.01)
        if limits is not None:
            # room for the marks at both ends, even where the plot is low
            self.setYRange(*limits, padding=0.16)
            marks = np.linspace(*limits, 3)
            self.getAxis("left").setTicks([[(mark, f"{mark:g}") for mark in marks]])
        self.getAxis("left").setWidth(52 if label else 34)
        # half of the label at the right edge stands beyond it
        self.getAxis("bottom").setStyle(hideOverlappingLabels=False)
        self.getPlotItem().layout.setContentsMargins(1, 1, 16, 1)
        self.getViewBox().sigResized.connect(self._label_times)
        self.set_theme(theme)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for little space; the layout adds the rest."""
        return QSize(240, 120)

    def set_curves(self, colours: list[QColor]) -> None:
        """Begin anew with a curve for each colour."""
        self.clear()
        self._curves = [
            self.plot(
                pen=pg.mkPen(colour, width=1.6),
                antialias=True,
                symbolSize=4,
                symbolBrush=colour,
                symbolPen=None,
            )
            for colour in colours
        ]
        self._points = [deque() for _ in colours]

    def forget(self) -> None:
        """Begin anew with the same curves."""
        for points in self._points:
            points.clear()
        self.refresh()

    def add(self, time: float, values: list[float]) -> None:
        """Add a point (time in s) to each curve."""
        self._newest = (time, clock.monotonic())
        for points, value in zip(self._points, values, strict=True):
            if points and time < points[-1][0]:
                points.clear()
            points.append((time, value))
            while points[0][0] < time - self._seconds:
                points.popleft()

    def refresh(self) -> None:
        """Draw the points where they lie before now, though none may have come for a while."""
        now = self._newest[0] + clock.monotonic() - self._newest[1]
        top = 0.0
        for curve, points in zip(self._curves, self._points, strict=True):
            while points and points[0][0] < now - self._seconds:
                points.popleft()
            values = np.array(points).reshape(-1, 2)
            x, y, alone = _with_breaks(values[:, 0] - now, values[:, 1])
            curve.setData(x, y, connect="finite")
            # a point without neighbours would not be seen as a line
            curve.setSymbol("o" if alone else None)
            top = max(top, float(values[:, 1].max(initial=0.0)))
        if self._limits is None:
            self.setYRange(0, max(1.15 * top, 1.0), padding=0)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.setBackground(theme.panel)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.setStyle(tickLength=-4)
        if self._label:
            self.setLabel("left", self._label, color=theme.muted)
        self.showGrid(x=False, y=True, alpha=0.25)

    def recolour(self, colours: list[QColor]) -> None:
        """Give the curves other colours."""
        for curve, colour in zip(self._curves, colours, strict=True):
            curve.setPen(pg.mkPen(colour, width=1.6))
            curve.setSymbolBrush(colour)

    def _label_times(self) -> None:
        """Label as many times as there is room for."""
        room = self.getViewBox().width()
        n_steps = next((n for n in STEPS if room / n >= LABEL_ROOM), 1)
        step = self._seconds / n_steps
        ticks = [(-n * step, f"−{n * step:g} s" if n else "now") for n in range(n_steps)]
        self.getAxis("bottom").setTicks([ticks])


def _with_breaks(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], bool]:
    """Return points with breaks where none came for a while; whether most of them stand alone."""
    breaks = np.flatnonzero(np.diff(x) > LONGEST_LINE) + 1
    alone = len(x) < 2 * (len(breaks) + 1)
    return np.insert(x, breaks, np.nan), np.insert(y, breaks, np.nan), alone
