"""Traces of a few seconds as a picture, drawn outside the thread of the windows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF

from sjepa_apps.ui.theme import Theme

#: Height (pixels) that a lane needs, width of the names, height of the time axis.
LANE, NAMES, AXIS = 15, 46, 16
#: Scales (µV from the middle of a lane to its edge) among which the smallest that fits is taken.
SCALES = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)
#: Share of the samples of the median channel that a scale must hold.
HELD = 0.98
#: Lanes by which a trace may leave its own: blinks are not cut, a railed channel hides few others.
REACH = 3.0
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True)
class StripLayout:
    """Size and colours of the picture.

    Attributes
    ----------
    size : QSize
        Device-independent pixels.
    ratio : float
        Pixels of the display per device-independent pixel.
    theme : Theme
    """

    size: QSize
    ratio: float
    theme: Theme

    @property
    def most_lanes(self) -> int:
        """Number of channels there is room for."""
        return max((self.size.height() - AXIS) // LANE, 1)


def draw_traces(
    layout: StripLayout,
    names: tuple[str, ...],
    data: NDArray[np.float64],
    bad: Collection[str],
    seconds: float,
    *,
    faded: bool,
) -> QImage:
    """Draw one lane a channel, the newest sample at the right edge.

    Parameters
    ----------
    layout : StripLayout
    names : tuple of str
    data : ndarray, shape (channels, samples)
        µV; NaN leaves the lane empty.
    bad : collection of str
        Channels to draw in the colour of a fault.
    seconds : float
        What the samples last.
    faded : bool
        Whether the signal is not current.
    """
    theme, size = layout.theme, layout.size
    picture = QImage(size * layout.ratio, QImage.Format.Format_RGB32)
    picture.setDevicePixelRatio(layout.ratio)
    picture.fill(QColor(theme.panel))
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    font = QFont()
    font.setPixelSize(11)
    painter.setFont(font)
    area = QRectF(NAMES, 0, size.width() - NAMES - 6, size.height() - AXIS)
    scale = choose_scale(data)
    _draw_axis(painter, theme, area, seconds, scale)
    lane = area.height() / max(len(names), 1)
    for row, name in enumerate(names):
        colour = QColor(theme.bad if name in bad else theme.muted if faded else theme.trace)
        middle = area.top() + (row + 0.5) * lane
        painter.setPen(QColor(theme.bad if name in bad else theme.ink))
        label = f"× {name}" if name in bad else name
        painter.drawText(QRectF(0, middle - 8, NAMES - 6, 16), _RIGHT, label)
        painter.setPen(QPen(colour, 1.0))
        painter.setClipRect(area)
        for line in _lines(data[row], area, middle, lane / (2 * scale), lane):
            painter.drawPolyline(line)
        painter.setClipping(False)
    painter.end()
    return picture


def choose_scale(data: NDArray[np.float64]) -> float:
    """Return the smallest scale (µV) that holds nearly all of the median channel."""
    finite = [np.abs(row[np.isfinite(row)]) for row in data]
    extents = [float(np.quantile(row, HELD)) for row in finite if len(row)]
    extent = float(np.median(extents)) if extents else 0.0
    return next((scale for scale in SCALES if scale >= extent), SCALES[-1])


def _lines(
    values: NDArray[np.float64], area: QRectF, middle: float, pixels: float, lane: float
) -> list[QPolygonF]:
    """Return the line of a channel, in pieces where samples are missing."""
    x = np.linspace(area.left(), area.right(), len(values))
    y = middle - np.clip(values * pixels, -REACH * lane, REACH * lane)
    there = np.flatnonzero(np.isfinite(y))
    pieces = np.split(there, np.flatnonzero(np.diff(there) > 1) + 1)
    return [
        QPolygonF([QPointF(a, b) for a, b in zip(x[piece], y[piece], strict=True)])
        for piece in pieces
        if len(piece) > 1
    ]


def _draw_axis(painter: QPainter, theme: Theme, area: QRectF, seconds: float, scale: float) -> None:
    for second in range(int(seconds) + 1):
        x = area.right() - second * area.width() / seconds
        painter.setPen(QPen(QColor(theme.line), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if second % 2 == 0 and second < seconds:
            painter.setPen(QColor(theme.muted))
            text = f"−{second} s" if second else f"now   ±{scale:g} µV"
            wide = 100.0 if not second else 50.0
            left = x - wide if not second else x - wide / 2
            painter.drawText(QRectF(left, area.bottom(), wide, AXIS), _RIGHT if not second else
                             Qt.AlignmentFlag.AlignCenter, text)  # fmt: skip
