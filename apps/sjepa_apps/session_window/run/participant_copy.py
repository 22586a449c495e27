"""A small copy of what the participant sees."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSizeF
from PyQt6.QtGui import QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.window import StimulusWindow


class ParticipantCopy(QWidget):
    """The stimulus window, drawn smaller; black while there is none."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._source: StimulusWindow | None = None
        self.setMinimumSize(224, 126)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("What the participant sees")

    def show_copy_of(self, source: StimulusWindow | None) -> None:
        """Draw this window again; None draws nothing."""
        self._source = source
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the copy in the proportions of the display, in the middle."""
        painter = QPainter(self)
        source = self._source
        shape = QSizeF(16, 9) if source is None else QSizeF(source.frame_window.size())
        if shape.isEmpty():
            shape = QSizeF(16, 9)
        scale = min(self.width() / shape.width(), self.height() / shape.height())
        size = QSizeF(int(shape.width() * scale), int(shape.height() * scale))
        left = int((self.width() - size.width()) / 2)
        top = int((self.height() - size.height()) / 2)
        painter.translate(left, top)
        painter.setClipRect(QRectF(0, 0, size.width(), size.height()))
        painter.fillRect(QRectF(0, 0, size.width(), size.height()), theme.BACKGROUND)
        if source is not None:
            source.draw_copy(painter, size, self.devicePixelRatio())
        painter.end()
