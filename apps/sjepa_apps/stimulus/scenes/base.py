"""What the scenes of the three paradigms have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPixmap

from sjepa_apps.stimulus import theme
from sjepa_online.schedule import Phase, ScheduledTrial


class Scene(ABC):
    """Draws the trials of a paradigm.

    What does not change from frame to frame is drawn once into a picture, see :meth:`show`.
    """

    #: What the participant is asked to do.
    instruction: str

    def __init__(self) -> None:
        self.size = QSizeF()
        self.ratio = 1.0
        self._pictures: dict[str, tuple[str, QPixmap]] = {}

    @property
    def unit(self) -> float:
        """A hundredth of the shorter side of the display (pixels)."""
        return min(self.size.width(), self.size.height()) / 100

    @property
    def centre(self) -> QPointF:
        """Middle of the display."""
        return QPointF(self.size.width() / 2, self.size.height() / 2)

    def resize(self, size: QSizeF, ratio: float) -> None:
        """Draw for a display of this size (device-independent pixels) from now on."""
        if (size, ratio) != (self.size, self.ratio):
            self.size, self.ratio = size, ratio
            self._pictures.clear()

    @property
    def area(self) -> QRectF:
        """The whole display."""
        return QRectF(QPointF(), self.size)

    def show(
        self,
        painter: QPainter,
        name: str,
        area: QRectF,
        draw: Callable[[QPainter], None],
        version: str = "",
    ) -> None:
        """Show the picture of this name, which is drawn at its first use.

        Parameters
        ----------
        painter : QPainter
            Of the display.
        name : str
            Of the picture.
        area : QRectF
            What it covers.
        draw : callable
            Draws it, in coordinates of the display.
        version : str
            A picture whose version has changed is drawn again.
        """
        drawn, pixmap = self._pictures.get(name, (None, QPixmap()))
        if drawn != version:
            pixmap = theme.picture(area, self.ratio, draw)
            self._pictures[name] = (version, pixmap)
        painter.drawPixmap(area.topLeft(), pixmap)

    @abstractmethod
    def draw(self, painter: QPainter, trial: ScheduledTrial, phase: Phase, seconds: float) -> None:
        """Draw on a black display what a phase shows so many seconds after its onset."""

    @abstractmethod
    def draw_feedback(
        self, painter: QPainter, trial: ScheduledTrial, selected: str, colour: QColor
    ) -> None:
        """Draw that a decoder has chosen ``selected`` after the trial."""

    def choose(self, trial: ScheduledTrial, selected: str) -> None:  # noqa: B027 - most keep none
        """Take note of what a decoder has chosen in the trial, for scenes that show it later."""

    def set_text(  # noqa: B027 - most spell none
        self, text: str, keys: Mapping[str, str]
    ) -> None:
        """Show a freely spelled text from now on, and what some symbols do."""

    def follow(  # noqa: B027 - most show none
        self, probabilities: Mapping[str, float], phase: Phase, seconds: float
    ) -> None:
        """Take note of what a decoder makes of the trial so far, before each of its frames."""

    def take_state(self, other: Scene) -> None:  # noqa: B027 - most have none
        """Show what another scene of the protocol has taken note of."""

    def draw_rest(self, painter: QPainter, centre: QPointF) -> None:
        """Tell in a word that the participant may rest."""
        box = QRectF(0, 0, 40 * self.unit, 6 * self.unit)
        box.moveCenter(centre)
        self.show(painter, "rest word", box, lambda canvas: self._draw_rest(canvas, box))

    def _draw_rest(self, canvas: QPainter, box: QRectF) -> None:
        canvas.setFont(theme.font(4.4 * self.unit, QFont.Weight.Medium))
        canvas.setPen(theme.TEXT)
        canvas.drawText(box, Qt.AlignmentFlag.AlignCenter, "Rest")

    def box(self, centre: QPointF, size: float) -> QRectF:
        """Square around a point."""
        return QRectF(centre.x() - size / 2, centre.y() - size / 2, size, size)
