"""What was decided for what, as a matrix."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from sjepa_apps.live.theme import GRID, Theme
from sjepa_apps.live.trials import TrialLog


class ConfusionMatrix(QWidget):
    """How often each class (rows) was decided as each (columns)."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(160, 64)
        self.setToolTip("Rows: the truth; columns: what was decided")
        self._theme = theme
        self._log: TrialLog | None = None

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.update()

    def show_log(self, log: TrialLog | None) -> None:
        """Show the trials of a log."""
        self._log = log
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the matrix."""
        if self._log is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        names, counts = self._log.protocol.class_names, self._log.confusion()
        font = QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        metrics = QFontMetricsF(font)
        left = min(max(metrics.horizontalAdvance(name) for name in names) + GRID, self.width() / 3)
        top = 18.0
        width = (self.width() - left) / len(names)
        height = (self.height() - top) / len(names)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for row, truth in enumerate(names):
            painter.setPen(QColor(self._theme.muted))
            beside = QRectF(0, top + row * height, left - GRID / 2, height)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            elide = Qt.TextElideMode.ElideRight
            painter.drawText(beside, right, metrics.elidedText(truth, elide, left - GRID / 2))
            above = QRectF(left + row * width, 0, width, top)
            middle = int(Qt.AlignmentFlag.AlignCenter)
            painter.drawText(above, middle, metrics.elidedText(truth, elide, width))
            for column in range(len(names)):
                colour = QColor(self._theme.good if row == column else self._theme.bad)
                colour.setAlphaF(0.15 + 0.7 * float(shares[row, column]))
                if counts[row, column] == 0:
                    colour = QColor(self._theme.raised)
                box = QRectF(
                    left + column * width + 1, top + row * height + 1, width - 2, height - 2
                )
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colour)
                painter.drawRoundedRect(box, 3, 3)
                painter.setPen(QColor(self._theme.ink))
                painter.drawText(box, middle, str(counts[row, column]))
        painter.end()
