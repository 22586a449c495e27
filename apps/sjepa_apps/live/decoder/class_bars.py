"""Probability per class as bars."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from sjepa_apps.ui.theme import GRID, Theme

ROW = 28


class ClassBars(QWidget):
    """A bar a class, the chosen one in bold; a tick where chance lies."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._classes: tuple[str, ...] = ()
        self._probabilities: dict[str, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip("Probability of each class in the latest window; the tick is chance")

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.update()

    def set_classes(self, classes: tuple[str, ...]) -> None:
        """Show these classes, in this order."""
        self._classes = classes
        self._probabilities = {}
        self.updateGeometry()
        self.update()

    def show_probabilities(self, probabilities: dict[str, float]) -> None:
        """Show the latest probabilities; none of them while nothing is decoded."""
        self._probabilities = probabilities
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for a row a class."""
        return QSize(200, ROW * max(len(self._classes), 1))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the bars."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = QFont(self.font())
        font.setPixelSize(13)
        font.setBold(True)
        metrics = QFontMetricsF(font)
        names = max((metrics.horizontalAdvance(name) for name in self._classes), default=0.0)
        left = min(names + 2 * GRID, self.width() * 0.4)
        right = self.width() - metrics.horizontalAdvance("0.00") - GRID
        best = max(self._probabilities, key=self._probabilities.__getitem__, default="")
        for row, name in enumerate(self._classes):
            self._draw_row(painter, font, row, name, (left, right), name == best)
        painter.end()

    def _draw_row(
        self,
        painter: QPainter,
        font: QFont,
        row: int,
        name: str,
        span: tuple[float, float],
        best: bool,
    ) -> None:
        theme = self._theme
        left, right = span
        top = row * ROW
        font.setBold(best)
        painter.setFont(font)
        painter.setPen(QColor(theme.ink if best else theme.muted))
        middle = int(Qt.AlignmentFlag.AlignVCenter)
        text = QFontMetricsF(font).elidedText(name, Qt.TextElideMode.ElideRight, left - GRID)
        painter.drawText(QRectF(0, top, left, ROW), middle, text)
        track = QRectF(left, top + 8, max(right - left - GRID, 8), ROW - 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.line))
        painter.drawRoundedRect(track, 3, 3)
        probability = self._probabilities.get(name)
        if probability is not None:
            painter.setBrush(theme.class_colour(row))
            filled = QRectF(track)
            filled.setWidth(max(track.width() * probability, 3))
            painter.drawRoundedRect(filled, 3, 3)
        chance = track.left() + track.width() / len(self._classes)
        painter.setPen(QPen(QColor(theme.muted), 1))
        painter.drawLine(int(chance), int(track.top()) - 3, int(chance), int(track.bottom()) + 3)
        painter.setPen(QColor(theme.ink if best else theme.muted))
        shown = "–" if probability is None else f"{probability:.2f}"
        box = QRectF(right, top, self.width() - right, ROW)
        painter.drawText(box, middle | int(Qt.AlignmentFlag.AlignRight), shown)
