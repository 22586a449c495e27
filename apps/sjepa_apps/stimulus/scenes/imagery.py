"""The scene of motor imagery: a fixation cross, an arrow to imagine by, a rest."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter

from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.scenes.base import Scene
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import Phase, ScheduledTrial

#: Where the arrow points, by class (MOABB's names); other classes are told in words.
_DIRECTIONS = {
    "left_hand": QPointF(-1, 0),
    "right_hand": QPointF(1, 0),
    "feet": QPointF(0, 1),
    "tongue": QPointF(0, -1),
}
# where a bar begins, and how long it is for a class that is certain (units from the cross)
_BAR_START, _BAR_LENGTH, _BAR_THICKNESS = 8.0, 26.0, 5.0
# share of the way to a new length that a bar grows in a frame
_GROWTH = 0.1


class ImageryScene(Scene):
    """A cross to look at, beside it an arrow, or in words what to imagine.

    While a decoder runs, a bar grows from the cross to the side of the class that is most
    probable so far; a class that is told in words has none.

    Parameters
    ----------
    protocol : Protocol
        With an ``imagery`` table.
    """

    instruction = (
        "While an arrow or a word is there, imagine that movement, and how it feels.\n"
        "Look at the cross and keep still; move when the cross has gone."
    )

    def __init__(self, protocol: Protocol) -> None:
        super().__init__()
        self._window = protocol.window
        self._probabilities: Mapping[str, float] = {}
        self._evidence = dict.fromkeys(protocol.class_names, 0.0)

    def follow(self, probabilities: Mapping[str, float], phase: Phase, seconds: float) -> None:
        """Take note of what a decoder makes of the trial so far."""
        self._probabilities = probabilities
        if phase.kind == "imagery" and probabilities:
            self._weigh(seconds)
        else:
            self._evidence = dict.fromkeys(self._evidence, 0.0)

    def take_state(self, other: Scene) -> None:
        """Show the bars of another scene."""
        if isinstance(other, ImageryScene):
            self._probabilities, self._evidence = other._probabilities, other._evidence

    def draw(self, painter: QPainter, trial: ScheduledTrial, phase: Phase, seconds: float) -> None:
        """Draw the cross, in the imagery the cue; a rest is dark, with one word."""
        if phase.kind == "rest":
            self.draw_rest(painter, self.centre)
            return
        name = f"{phase.kind} {trial.target}" if phase.kind == "imagery" else phase.kind
        self.show(
            painter,
            name,
            self.box(self.centre, 100 * self.unit),
            lambda canvas: self._draw_phase(canvas, trial.target, phase.kind),
            version="with a bar" if self._probabilities else "without",
        )
        if phase.kind == "imagery" and self._probabilities:
            name = max(self._evidence, key=lambda one: self._evidence[one])
            if name in _DIRECTIONS:
                painter.fillRect(self._bar(name, self._evidence[name]).toRect(), theme.TEXT)

    def draw_feedback(
        self, painter: QPainter, trial: ScheduledTrial, selected: str, colour: QColor
    ) -> None:
        """Draw a bar from the cross to the side of the chosen class, and where the cue was."""
        self.show(
            painter,
            f"selected {selected} {trial.target} {colour.name()}",
            self.box(self.centre, 100 * self.unit),
            lambda canvas: self._draw_choice(canvas, selected, trial.target, colour),
        )

    def _draw_phase(self, canvas: QPainter, target: str, kind: str) -> None:
        theme.draw_cross(canvas, self.centre, 9 * self.unit, theme.TEXT)
        if kind != "imagery":
            return
        below = self.centre + QPointF(0, 36 * self.unit)
        if target not in _DIRECTIONS:
            self._draw_words(canvas, _words(target), below - QPointF(0, 16 * self.unit), 7)
            return
        self._draw_arrow(
            canvas, target, theme.MUTED_ACCENT if self._probabilities else theme.ACCENT
        )
        self._draw_words(canvas, _words(target), below + QPointF(0, 4 * self.unit), 3.4, theme.DIM)

    def _draw_arrow(self, canvas: QPainter, target: str, colour: QColor) -> None:
        direction = _DIRECTIONS[target]
        place = self.centre + direction * (22 * self.unit)
        theme.draw_arrow(canvas, place, direction, 26 * self.unit, colour)

    def _draw_choice(self, canvas: QPainter, selected: str, target: str, colour: QColor) -> None:
        if target in _DIRECTIONS and target != selected:
            self._draw_arrow(canvas, target, theme.MUTED_ACCENT)
        theme.draw_cross(canvas, self.centre, 9 * self.unit, theme.DIM)
        below = self.centre + QPointF(0, 40 * self.unit)
        if selected not in _DIRECTIONS:
            self._draw_words(
                canvas, _words(selected), below - QPointF(0, 20 * self.unit), 7, colour
            )
            return
        canvas.fillRect(self._bar(selected, 1.0).toRect(), colour)
        self._draw_words(canvas, _words(selected), below, 3.4, colour)

    def _weigh(self, seconds: float) -> None:
        """Let the bars grow towards what is probable so many seconds after the cue.

        A bar is as long as a probability exceeds guessing. The decoder's window reaches back
        before the cue at first, so it counts as far as the imagery fills it.
        """
        filled = min(max((seconds - self._window.start) / self._window.length, 0.0), 1.0)
        chance = 1.0 / len(self._evidence)
        for name, so_far in self._evidence.items():
            evidence = (self._probabilities.get(name, 0.0) - chance) / (1.0 - chance)
            self._evidence[name] += _GROWTH * (filled * max(evidence, 0.0) - so_far)

    def _bar(self, name: str, length: float) -> QRectF:
        """Bar from the cross to the side of a class; a length of 1 is that of certainty."""
        direction = _DIRECTIONS[name] * self.unit
        start = self.centre + direction * _BAR_START
        end = start + direction * (_BAR_LENGTH * length)
        across = QPointF(direction.y(), direction.x()) * (_BAR_THICKNESS / 2)
        return QRectF(start - across, end + across).normalized()

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
