"""The scene of motor imagery: a fixation cross, an arrow to imagine by, a rest."""

from __future__ import annotations

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter

from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.scene import Scene
from sjepa_online.schedule import Phase, ScheduledTrial

#: Where the arrow points, by class (MOABB's names); other classes are told in words.
_DIRECTIONS = {
    "left_hand": QPointF(-1, 0),
    "right_hand": QPointF(1, 0),
    "feet": QPointF(0, 1),
    "tongue": QPointF(0, -1),
}


class ImageryScene(Scene):
    """A cross to look at, beside it an arrow, or in words what to imagine."""

    instruction = (
        "While an arrow or a word is there, imagine that movement, and how it feels.\n"
        "Look at the cross and keep still; move when the cross has gone."
    )

    def draw(self, painter: QPainter, trial: ScheduledTrial, phase: Phase, seconds: float) -> None:
        """Draw the cross, in the imagery the cue; a rest is dark but for a word."""
        name = f"{phase.kind} {trial.target}" if phase.kind == "imagery" else phase.kind
        self.show(
            painter,
            name,
            self.box(self.centre, 100 * self.unit),
            lambda canvas: self._draw_phase(canvas, trial.target, phase.kind),
        )

    def draw_feedback(
        self, painter: QPainter, trial: ScheduledTrial, selected: str, colour: QColor
    ) -> None:
        """Draw a bar from the cross to the side of the chosen class."""
        self.show(
            painter,
            f"selected {selected} {colour.name()}",
            self.box(self.centre, 100 * self.unit),
            lambda canvas: self._draw_choice(canvas, selected, colour),
        )

    def _draw_phase(self, canvas: QPainter, target: str, kind: str) -> None:
        if kind == "rest":
            self._draw_words(canvas, "rest", self.centre, 3.2, theme.FAINT)
            return
        theme.draw_cross(canvas, self.centre, 9 * self.unit, theme.TEXT)
        if kind != "imagery":
            return
        below = self.centre + QPointF(0, 36 * self.unit)
        direction = _DIRECTIONS.get(target)
        if direction is None:
            self._draw_words(canvas, _words(target), below - QPointF(0, 16 * self.unit), 7)
            return
        place = self.centre + direction * (22 * self.unit)
        theme.draw_arrow(canvas, place, direction, 26 * self.unit, theme.ACCENT)
        self._draw_words(canvas, _words(target), below + QPointF(0, 4 * self.unit), 3.4, theme.DIM)

    def _draw_choice(self, canvas: QPainter, selected: str, colour: QColor) -> None:
        theme.draw_cross(canvas, self.centre, 9 * self.unit, theme.DIM)
        direction = _DIRECTIONS.get(selected)
        below = self.centre + QPointF(0, 40 * self.unit)
        if direction is None:
            self._draw_words(
                canvas, _words(selected), below - QPointF(0, 20 * self.unit), 7, colour
            )
            return
        start = self.centre + direction * (8 * self.unit)
        end = self.centre + direction * (34 * self.unit)
        across = QPointF(direction.y(), direction.x()) * (2.5 * self.unit)
        bar = QRectF(start - across, end + across).normalized()
        canvas.setPen(Qt.PenStyle.NoPen)
        canvas.setBrush(colour)
        canvas.drawRoundedRect(bar, self.unit, self.unit)
        self._draw_words(canvas, _words(selected), below, 3.4, colour)

    def _draw_words(
        self,
        canvas: QPainter,
        words: str,
        centre: QPointF,
        height: float,
        colour: QColor = theme.ACCENT,
    ) -> None:
        canvas.setFont(theme.font(height * self.unit, QFont.Weight.Medium))
        canvas.setPen(colour)
        box = QRectF(0, 0, self.size.width(), 3 * height * self.unit)
        box.moveCenter(centre)
        canvas.drawText(box, Qt.AlignmentFlag.AlignCenter, words)


def _words(name: str) -> str:
    return name.replace("_", " ")
