"""A cursor in the traces: the value of a channel at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from sjepa_apps.live.signals.store import SignalStore
from sjepa_apps.ui.theme import Theme
from sjepa_online.stream import local_clock

#: A press of a key moves the cursor by this share of the time in view.
STEP = 0.01


@dataclass(frozen=True)
class CursorView:
    """What is in view: the samples from ``start`` to ``stop`` in ``area``."""

    area: QRectF
    names: tuple[str, ...]
    rows: tuple[int, ...]
    store: SignalStore
    start: float
    stop: float
    newest: float
    theme: Theme
    font: QFont


class Cursor:
    """A vertical line, and what the channel at its row has there.

    Attributes
    ----------
    shown : bool
    row : int
        Of the channel, among those in view.
    """

    def __init__(self) -> None:
        self.shown = False
        self._place, self.row = 0.5, 0

    def place(self, place: float, row: int) -> None:
        """Put the cursor at a share of the time in view, and at a channel by its row."""
        self._place, self.row = min(max(place, 0.0), 1.0), max(row, 0)
        self.shown = True

    def step(self, step: tuple[int, int], n_rows: int) -> None:
        """Move the cursor in time, and to another channel; show it where it was hidden."""
        row = min(max(self.row + step[1], 0), n_rows - 1)
        self.place(self._place + STEP * step[0], row)

    def hide(self) -> None:
        """Hide the cursor."""
        self.shown = False

    def toggle(self) -> None:
        """Show the cursor, or hide it."""
        self.shown = not self.shown

    def describe(self, view: CursorView) -> str:
        """Tell channel, value and time at the cursor."""
        row = min(self.row, len(view.rows) - 1)
        sample = view.start + self._place * (view.stop - view.start)
        held = view.store.shown.get(round(sample), round(sample) + 1, np.array([view.rows[row]]))
        value, unit = float(held[0, 0]), view.store.channels.unit
        told = "no sample" if np.isnan(value) else f"{value:.1f} {unit}"
        ago = (view.newest - sample) / view.store.sfreq
        when = "" if view.store.last_time is None else f", {_clock(view.store.time_at(sample))}"
        return f"{view.names[row]}: {told}, −{max(ago, 0.0):.2f} s{when}"

    def draw(self, painter: QPainter, view: CursorView) -> None:
        """Draw the cursor."""
        if not self.shown or not view.rows:
            return
        area, theme = view.area, view.theme
        x = area.left() + self._place * area.width()
        painter.setPen(QPen(QColor(theme.accent), 1))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        lane = area.height() / len(view.rows)
        middle = area.top() + (min(self.row, len(view.rows) - 1) + 0.5) * lane
        text = self.describe(view)
        painter.setFont(view.font)
        width = QFontMetricsF(view.font).horizontalAdvance(text) + 14
        left = min(x + 6, area.right() - width)
        top = min(max(middle - lane / 2 - 24, area.top()), area.bottom() - 22)
        box = QRectF(max(left, area.left()), top, width, 22)
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(QColor(theme.ink))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)


def _clock(time: float) -> str:
    """Return the time of the day of a time of LSL's clock."""
    return f"{datetime.now() - timedelta(seconds=local_clock() - time):%H:%M:%S}"
