"""Colours, type and small shapes that all stimulus screens share."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen, QPixmap, QPolygonF

BACKGROUND = QColor(0, 0, 0)
LIGHT = QColor(255, 255, 255)
TEXT = QColor(232, 232, 232)
DIM = QColor(142, 142, 142)
FAINT = QColor(62, 62, 62)
ACCENT = QColor(255, 178, 36)
# the accent where something else stands on it
MUTED_ACCENT = QColor(98, 68, 14)
GOOD = QColor(91, 185, 139)
BAD = QColor(236, 93, 94)

_FAMILIES = ["Inter", "Segoe UI", "Helvetica Neue", "Noto Sans", "DejaVu Sans"]


def font(height: float, weight: QFont.Weight = QFont.Weight.Normal, spacing: float = 0.0) -> QFont:
    """Return the font of a height.

    Parameters
    ----------
    height : float
        Device-independent pixels.
    weight : QFont.Weight
    spacing : float
        Extra space between letters (pixels).

    Returns
    -------
    font : QFont
    """
    result = QFont()
    result.setFamilies(_FAMILIES)
    result.setStyleHint(QFont.StyleHint.SansSerif)
    result.setPixelSize(max(round(height), 1))
    result.setWeight(weight)
    result.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, spacing)
    return result


def text_width(text: str, of: QFont) -> float:
    """Return the width of a line of text.

    Parameters
    ----------
    text : str
    of : QFont

    Returns
    -------
    width : float
        Device-independent pixels.
    """
    return QFontMetricsF(of).horizontalAdvance(text)


def picture(area: QRectF, ratio: float, draw: Callable[[QPainter], None]) -> QPixmap:
    """Draw once, on black and with smooth edges, a picture that frames copy.

    Parameters
    ----------
    area : QRectF
        What of the display it covers (device-independent pixels).
    ratio : float
        Pixels of the display per device-independent pixel.
    draw : callable
        Draws with the painter it gets, in coordinates of the display.

    Returns
    -------
    picture : QPixmap
    """
    result = QPixmap((area.size() * ratio).toSize())
    result.setDevicePixelRatio(ratio)
    # without transparency a copy takes a quarter of the time
    result.fill(BACKGROUND)
    painter = QPainter(result)
    painter.translate(-area.topLeft())
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    draw(painter)
    painter.end()
    return result


def tint(colour: QColor) -> QColor:
    """Return the colour that fills a chosen area whose frame has a colour.

    Parameters
    ----------
    colour : QColor

    Returns
    -------
    tint : QColor
    """
    result = QColor(colour)
    result.setAlphaF(0.22)
    return result


def draw_cross(painter: QPainter, centre: QPointF, size: float, colour: QColor) -> None:
    """Draw a fixation cross.

    Parameters
    ----------
    painter : QPainter
    centre : QPointF
    size : float
        Width (pixels).
    colour : QColor
    """
    thickness = max(round(size / 9), 2)
    half = size / 2
    for wide, high in ((half, thickness / 2), (thickness / 2, half)):
        painter.fillRect(QRectF(centre.x() - wide, centre.y() - high, 2 * wide, 2 * high), colour)


def draw_arrow(
    painter: QPainter, centre: QPointF, direction: QPointF, length: float, colour: QColor
) -> None:
    """Draw an arrow.

    Parameters
    ----------
    painter : QPainter
    centre : QPointF
        Of the arrow.
    direction : QPointF
        Of length 1.
    length : float
        Pixels.
    colour : QColor
    """
    side = QPointF(-direction.y(), direction.x())
    tip = centre + direction * (length / 2)
    neck = tip - direction * (0.36 * length)
    tail = centre - direction * (length / 2)
    shaft, head = side * (0.085 * length), side * (0.24 * length)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.drawPolygon(
        QPolygonF(
            [tail + shaft, neck + shaft, neck + head, tip, neck - head, neck - shaft, tail - shaft]
        )
    )


def draw_keys(painter: QPainter, centre: QPointF, unit: float, keys: dict[str, str]) -> None:
    """Draw the keys in a row: key caps, each with its meaning beside it.

    Parameters
    ----------
    painter : QPainter
    centre : QPointF
        Of the row.
    unit : float
        Size of which all measures are multiples (pixels).
    keys : dict of str to str
        Meaning of each key.
    """
    label = font(2.1 * unit, QFont.Weight.Medium)
    meaning = font(2.3 * unit)
    padding, gap, space = 1.3 * unit, 1.2 * unit, 5.0 * unit
    widths = [
        (text_width(key, label) + 2 * padding, text_width(does, meaning))
        for key, does in keys.items()
    ]
    x = centre.x() - (sum(cap + gap + does for cap, does in widths) + space * (len(keys) - 1)) / 2
    height = 4.0 * unit
    for (key, does), (cap, wide) in zip(keys.items(), widths, strict=True):
        box = QRectF(x, centre.y() - height / 2, cap, height)
        painter.setPen(QPen(DIM, max(0.18 * unit, 1.0)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(box, 0.8 * unit, 0.8 * unit)
        painter.setFont(label)
        painter.setPen(TEXT)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, key)
        painter.setFont(meaning)
        painter.setPen(DIM)
        beside = QRectF(box.right() + gap, box.top(), wide + unit, height)
        painter.drawText(beside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, does)
        x += cap + gap + wide + space
