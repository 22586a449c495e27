"""The names beside the traces: which of them fit, and how they are painted."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from sjepa_apps.ui.channel_states import ChannelStates
from sjepa_apps.ui.theme import Theme

#: Height (pixels) of a name and the space around it; those of bad channels may stand closer.
NAME_ROOM, BAD_ROOM = 13.0, 11.0
#: A name that is longer (pixels) is cut.
LONGEST_NAME = 90.0
LEAST_WIDTH = 48.0
#: Left of the names: the edge, and the sign of the state before each.
EDGE, SIGN = 8.0, 9.0
#: Between two columns of names, and between names and traces.
GAP = 6.0


def n_columns(lane: float) -> int:
    """Return the number of columns of names beside lanes of a height.

    Parameters
    ----------
    lane : float
        Height (pixels).

    Returns
    -------
    n_columns : int
    """
    return 1 if lane >= NAME_ROOM else 2


def labels_width(names: Sequence[str], lane: float, font: QFont) -> float:
    """Return the width that the names need beside lanes of a height.

    Parameters
    ----------
    names : sequence of str
    lane : float
        Height (pixels).
    font : QFont

    Returns
    -------
    width : float
        Pixels.
    """
    return max(EDGE + n_columns(lane) * _column_width(names, font), LEAST_WIDTH)


def place_names(bad: Sequence[bool], lane: float) -> dict[int, int]:
    """Return the column of each row whose name fits; names of bad channels come first.

    Parameters
    ----------
    bad : sequence of bool
        Whether the channel is bad, one a row.
    lane : float
        Height of a row (pixels).

    Returns
    -------
    columns : dict of int to int
        By row.
    """
    columns = n_columns(lane)
    if columns * lane >= NAME_ROOM:
        return {row: row % columns for row in range(len(bad))}
    taken: list[list[int]] = [[] for _ in range(columns)]
    placed = {}
    for row in sorted(range(len(bad)), key=lambda row: not bad[row]):
        room = BAD_ROOM if bad[row] else NAME_ROOM
        for column, rows in enumerate(taken):
            if all(abs(row - other) * lane >= room for other in rows):
                rows.append(row)
                placed[row] = column
                break
    return placed


def paint_names(
    painter: QPainter, names: Sequence[str], states: ChannelStates, theme: Theme, lane: float
) -> None:
    """Paint the names beside their lanes, the first of which begins at the top.

    Parameters
    ----------
    painter : QPainter
        Has the font of the names.
    names : sequence of str
    states : ChannelStates
    theme : Theme
    lane : float
        Height of a lane (pixels).
    """
    reports = [states.get(name) for name in names]
    bad = [report is not None and report.bad for report in reports]
    column_width = _column_width(names, painter.font())
    metrics = QFontMetricsF(painter.font())
    for row, column in place_names(bad, lane).items():
        # low lanes are lower than the name of the last one
        name, middle = names[row], min((row + 0.5) * lane, len(names) * lane - NAME_ROOM / 2)
        left = EDGE + column * column_width
        _paint_sign(painter, QPointF(left + 2, middle), bad[row], theme)
        painter.setPen(QColor(states.colour(name, theme, theme.ink)))
        text = metrics.elidedText(name, Qt.TextElideMode.ElideRight, LONGEST_NAME + 1)
        box = QRectF(left + SIGN, middle - 8, column_width - SIGN, 16)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignVCenter), text)


def _paint_sign(painter: QPainter, place: QPointF, bad: bool, theme: Theme) -> None:
    """Paint a cross for a bad channel, a dot for any other."""
    if bad:
        painter.setPen(QPen(QColor(theme.bad), 1.8))
        painter.drawLine(place - QPointF(2.5, 2.5), place + QPointF(2.5, 2.5))
        painter.drawLine(place - QPointF(2.5, -2.5), place + QPointF(2.5, -2.5))
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.line))
        painter.drawEllipse(place, 2.5, 2.5)


def _column_width(names: Sequence[str], font: QFont) -> float:
    metrics = QFontMetricsF(font)
    longest = max((metrics.horizontalAdvance(name) for name in names), default=0.0)
    return SIGN + min(longest, LONGEST_NAME) + GAP
