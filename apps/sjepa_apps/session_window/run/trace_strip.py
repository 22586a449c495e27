"""The widget that shows the traces of a signal watch."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PyQt6.QtWidgets import QSizePolicy, QWidget

from sjepa_apps.session_window.run.trace_picture import StripLayout
from sjepa_apps.ui.theme import Theme


class TraceStrip(QWidget):
    """Traces of the last seconds, as a thread has drawn them.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._picture: QImage | None = None
        self._text = ""
        self.setMinimumSize(280, 126)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Traces of the signal")

    @property
    def layout_of_traces(self) -> StripLayout:
        """Size and colours for the thread that draws."""
        return StripLayout(self.size(), self.devicePixelRatio(), self._theme)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self._picture = None
        self.update()

    def show_picture(self, picture: QImage | None, text: str) -> None:
        """Show traces; ``text`` says why there are none, or why they stand still."""
        self._picture, self._text = picture, text
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for half of the page."""
        return QSize(480, 220)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Copy the picture."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        if self._picture is not None:
            painter.drawImage(0, 0, self._picture)
        if self._text:
            painter.setPen(QColor(self._theme.bad if self._picture is not None else
                                  self._theme.muted))  # fmt: skip
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(12, 8, -12, -8), flags, self._text)
        painter.end()
