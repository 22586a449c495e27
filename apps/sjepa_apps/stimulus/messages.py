"""Messages between the trials, among them the warning about flicker and the pause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QFont, QPainter, QPainterPath, QPen

from sjepa_apps.stimulus import theme


@dataclass(frozen=True)
class Message:
    """Words on a black display.

    Attributes
    ----------
    title : str
        A few words; may be empty.
    text : str
        What to tell; line breaks are kept.
    keys : mapping of str to str
        Which keys do what.
    symbol : {"", "warning", "pause"}
        A picture above the title.
    """

    title: str = ""
    text: str = ""
    keys: Mapping[str, str] = field(default_factory=dict)
    symbol: Literal["", "warning", "pause"] = ""


FLICKER_WARNING = Message(
    title="Flickering light ahead",
    text=(
        "This session shows bright light that flickers or flashes.\n"
        "In people with photosensitive epilepsy such light can trigger a seizure,\n"
        "even if they never had one before.\n\n"
        "Do not go on if you or a close relative has epilepsy or has fainted from flicker.\n"
        "Stop at once, and look away, if you feel unwell, dizzy or see jerking images."
    ),
    keys={"Enter": "I have read this and go on", "Esc": "Stop"},
    symbol="warning",
)
STOP_QUESTION = Message(
    title="Stop the session?",
    text="What was recorded so far is kept.",
    keys={"Esc": "Stop", "Enter": "Go on"},
)


PAUSE_MESSAGE = Message(
    title="Pause",
    text="Move, blink and breathe. A trial that was interrupted begins anew.",
    keys={"Space": "Go on", "Esc": "Stop"},
    symbol="pause",
)


def waiting_message(title: str, text: str) -> Message:
    """Return a message that waits for Enter."""
    return Message(title, text, {"Enter": "Go on", "Space": "Pause", "Esc": "Stop"})


def draw_message(painter: QPainter, size: QSizeF, message: Message) -> None:
    """Draw a message on a black display of this size."""
    unit = min(size.width(), size.height()) / 100
    title = theme.font(6.4 * unit, QFont.Weight.DemiBold)
    too_wide = theme.text_width(message.title, title) / (0.9 * size.width())
    if too_wide > 1:
        title = theme.font(6.4 * unit / too_wide, QFont.Weight.DemiBold)
    text = theme.font((3.2 if message.title else 4.0) * unit)
    wide = min(0.86 * size.width(), 150 * unit)
    flags = Qt.AlignmentFlag.AlignHCenter | Qt.TextFlag.TextWordWrap
    painter.setFont(text)
    body = painter.boundingRect(
        QRectF(0, 0, wide, size.height()), flags.value, message.text
    ).height()
    symbol_height = 16 * unit if message.symbol else 0.0
    title_height = 11 * unit if message.title else 0.0
    y = (size.height() - symbol_height - title_height - body) / 2 - 5 * unit
    middle = size.width() / 2
    if message.symbol == "warning":
        _draw_warning(painter, QPointF(middle, y + 5 * unit), 12 * unit)
    elif message.symbol == "pause":
        _draw_pause(painter, QPointF(middle, y + 5 * unit), 9 * unit)
    y += symbol_height
    painter.setFont(title)
    painter.setPen(theme.TEXT)
    painter.drawText(
        QRectF(0, y, size.width(), 8 * unit), Qt.AlignmentFlag.AlignCenter, message.title
    )
    y += title_height
    painter.setFont(text)
    painter.setPen(theme.DIM if message.title and not message.symbol else theme.TEXT)
    painter.drawText(QRectF(middle - wide / 2, y, wide, body + unit), flags.value, message.text)
    _draw_foot(painter, size, unit, message)


def _draw_foot(painter: QPainter, size: QSizeF, unit: float, message: Message) -> None:
    if message.keys:
        place = QPointF(size.width() / 2, size.height() - 9 * unit)
        theme.draw_keys(painter, place, unit, dict(message.keys))


def _draw_warning(painter: QPainter, centre: QPointF, size: float) -> None:
    half = size / 2
    path = QPainterPath(centre + QPointF(0, -half))
    path.lineTo(centre + QPointF(1.12 * half, 0.86 * half))
    path.lineTo(centre + QPointF(-1.12 * half, 0.86 * half))
    path.closeSubpath()
    pen = QPen(theme.ACCENT, 0.07 * size)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.ACCENT)
    stroke = 0.08 * size
    painter.drawRoundedRect(
        QRectF(centre.x() - stroke / 2, centre.y() - 0.14 * size, stroke, 0.3 * size),
        stroke / 2,
        stroke / 2,
    )
    painter.drawEllipse(centre + QPointF(0, 0.27 * size), 0.6 * stroke, 0.6 * stroke)


def _draw_pause(painter: QPainter, centre: QPointF, size: float) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.ACCENT)
    for side in (-1, 1):
        bar = QRectF(0, 0, 0.26 * size, size)
        bar.moveCenter(centre + QPointF(0.25 * side * size, 0))
        painter.drawRoundedRect(bar, 0.06 * size, 0.06 * size)
