"""What was decided for what, as a matrix."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PyQt6.QtWidgets import QWidget

from sjepa_apps.live.trials.model import TrialLog
from sjepa_apps.ui.theme import GRID, Theme

#: Height (pixels) of the captions of rows and columns.
CAPTION = 15


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
        longest = max(metrics.horizontalAdvance(name) for name in names)
        left = CAPTION + min(longest + GRID, self.width() / 3)
        top = CAPTION + 16.0
        width = (self.width() - left) / len(names)
        height = (self.height() - top) / len(names)
        middle = int(Qt.AlignmentFlag.AlignCenter)
        painter.setPen(QColor(self._theme.muted))
        painter.drawText(QRectF(left, 0, self.width() - left, CAPTION), middle, "decided")
        painter.save()
        painter.translate(0, self.height())
        painter.rotate(-90)
        painter.drawText(QRectF(0, 0, self.height() - top, CAPTION), middle, "truth")
        painter.restore()
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        for row, truth in enumerate(names):
            painter.setPen(QColor(self._theme.muted))
            beside = QRectF(CAPTION, top + row * height, left - CAPTION - GRID / 2, height)
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            elide = Qt.TextElideMode.ElideRight
            painter.drawText(beside, right, metrics.elidedText(truth, elide, beside.width()))
            above = QRectF(left + row * width, CAPTION, width, top - CAPTION)
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
