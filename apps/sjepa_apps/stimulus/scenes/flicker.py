"""The scene of SSVEP: targets that flicker, one of them cued."""

from __future__ import annotations

import math
from functools import partial

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QPainter, QPen, QPolygonF

from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.frames import Waveform, luminance
from sjepa_apps.stimulus.scenes.base import Scene
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import Phase, ScheduledTrial

#: Places of one to four flickering targets, in the order of the classes. Those of four are
#: Lee2019's: 12 Hz up, 8.57 Hz left, 6.67 Hz right, 5.45 Hz down.
_PLACES = {
    1: ("up",),
    2: ("left", "right"),
    3: ("left", "up", "right"),
    4: ("up", "left", "right", "down"),
}
_DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}


def place_targets(
    frequencies: tuple[float | None, ...], width: float, height: float
) -> tuple[list[tuple[float, float]], float]:
    """Lay out the targets of an SSVEP display.

    Up to four that flicker stand at the sides, those that do not at the centre; more stand in a
    grid, row by row.

    Parameters
    ----------
    frequencies : tuple of float or None
        One entry a class: its frequency (Hz), None for a target that does not flicker.
    width, height : float
        Of the display.

    Returns
    -------
    centres : list of (x, y)
        One a class.
    size : float
        Side of a target.
    """
    n_flickering = sum(frequency is not None for frequency in frequencies)
    if n_flickering > 4 or len(frequencies) - n_flickering > 1:
        return _grid(len(frequencies), width, height)
    size = 0.22 * min(width, height)
    reach_x = min(width / 2 - 0.75 * size, 0.62 * min(width, height))
    reach_y = height / 2 - 0.8 * size
    directions = iter(_PLACES[n_flickering])
    centres = []
    for frequency in frequencies:
        x, y = (0, 0) if frequency is None else _DIRECTIONS[next(directions)]
        centres.append((width / 2 + x * reach_x, height / 2 + y * reach_y))
    return centres, size


def _grid(n_targets: int, width: float, height: float) -> tuple[list[tuple[float, float]], float]:
    rows = max(round(math.sqrt(n_targets * height / width)), 1)
    columns = math.ceil(n_targets / rows)
    cell = min(0.94 * width / columns, 0.94 * height / rows)
    centres = []
    for row in range(rows):
        in_row = min(columns, n_targets - row * columns)
        y = height / 2 + (row - (rows - 1) / 2) * cell
        centres += [(width / 2 + (column - (in_row - 1) / 2) * cell, y) for column in range(in_row)]
    return centres, 0.62 * cell


class FlickerScene(Scene):
    """Targets on a black display; the cued one is framed and pointed at.

    Parameters
    ----------
    protocol : Protocol
        With a ``flicker`` table.
    """

    instruction = (
        "Look at the framed target, and keep looking at it while it flickers.\n"
        "Blink when it has stopped."
    )

    def __init__(self, protocol: Protocol) -> None:
        super().__init__()
        assert protocol.flicker is not None
        self._waveform: Waveform = protocol.flicker.waveform
        self._frequencies = {spec.name: spec.frequency for spec in protocol.classes}

    def targets(self) -> dict[str, QRectF]:
        """Where the target of each class is."""
        centres, size = place_targets(
            tuple(self._frequencies.values()), self.size.width(), self.size.height()
        )
        boxes = [self.box(QPointF(x, y), round(size)) for x, y in centres]
        # whole pixels: the edges of a target stay sharp
        return dict(
            zip(self._frequencies, (QRectF(box.toAlignedRect()) for box in boxes), strict=True)
        )

    def draw(self, painter: QPainter, trial: ScheduledTrial, phase: Phase, seconds: float) -> None:
        """Draw outlines, in the stimulation the flickering targets, and the cue."""
        if phase.kind == "stimulation":
            self._draw_flicker(painter, seconds)
        else:
            self._show_outlines(painter)
        if phase.kind == "cue":
            self._show_frame(painter, trial.target, theme.ACCENT)
        if phase.kind in ("cue", "stimulation"):
            self._show_pointer(painter, trial.target)
        if phase.kind == "rest":
            self.draw_rest(painter, self._free_place())

    def _free_place(self) -> QPointF:
        """Return where a word covers no target: the middle, or a little below."""
        word = self.box(self.centre, 10 * self.unit)
        covered = [box for box in self.targets().values() if box.intersects(word)]
        if not covered:
            return self.centre
        return QPointF(self.centre.x(), covered[0].bottom() + 4.5 * self.unit)

    def draw_feedback(
        self, painter: QPainter, trial: ScheduledTrial, selected: str, colour: QColor
    ) -> None:
        """Frame the chosen target; the cued one is pointed at."""
        self._show_outlines(painter)
        self._show_pointer(painter, trial.target)
        if selected in self._frequencies:
            self._show_frame(painter, selected, colour, filled=True)

    def _draw_flicker(self, painter: QPainter, seconds: float) -> None:
        for name, box in self.targets().items():
            frequency = self._frequencies[name]
            if frequency is None:
                self._draw_still(painter, box)
                continue
            level = luminance(frequency, seconds, self._waveform)
            painter.setOpacity(float(level))
            self.show(painter, f"light {name}", box, partial(self._draw_light, box=box))
            painter.setOpacity(1.0)

    def _draw_light(self, canvas: QPainter, box: QRectF) -> None:
        canvas.setPen(Qt.PenStyle.NoPen)
        canvas.setBrush(theme.LIGHT)
        canvas.drawRoundedRect(box, self._corner(box), self._corner(box))

    def _draw_still(self, canvas: QPainter, box: QRectF) -> None:
        theme.draw_cross(canvas, box.center(), 0.25 * box.width(), theme.DIM)

    def _show_outlines(self, painter: QPainter) -> None:
        for name, box in self.targets().items():
            self.show(painter, f"outline {name}", box, partial(self._draw_outline, name=name))

    def _draw_outline(self, canvas: QPainter, name: str) -> None:
        box = self.targets()[name]
        if self._frequencies[name] is None:
            self._draw_still(canvas, box)
        else:
            self._draw_frame(canvas, box, theme.FAINT, 0.3 * self.unit)

    def _show_frame(
        self, painter: QPainter, name: str, colour: QColor, filled: bool = False
    ) -> None:
        box = self.targets()[name]
        margin = self._thickness(box)
        self.show(
            painter,
            f"frame {name} {colour.name()} {filled}",
            box.adjusted(-margin, -margin, margin, margin),
            lambda canvas: self._draw_frame(canvas, box, colour, margin, filled),
        )

    def _draw_frame(
        self, canvas: QPainter, box: QRectF, colour: QColor, thickness: float, filled: bool = False
    ) -> None:
        canvas.setPen(QPen(colour, max(thickness, 1.0)))
        canvas.setBrush(theme.tint(colour) if filled else Qt.BrushStyle.NoBrush)
        half = thickness / 2
        corner = self._corner(box) - half
        canvas.drawRoundedRect(box.adjusted(half, half, -half, -half), corner, corner)

    def _show_pointer(self, painter: QPainter, name: str) -> None:
        box = self.targets()[name]
        below = QRectF(box.left(), box.bottom(), box.width(), 0.4 * box.height())
        self.show(
            painter, f"pointer {name}", below, lambda canvas: self._draw_pointer(canvas, below)
        )

    def _draw_pointer(self, canvas: QPainter, below: QRectF) -> None:
        size = 0.11 * below.width()
        tip = QPointF(below.center().x(), below.top() + 0.10 * below.width())
        canvas.setPen(Qt.PenStyle.NoPen)
        canvas.setBrush(theme.ACCENT)
        canvas.drawPolygon(
            QPolygonF([tip, tip + QPointF(size, 1.4 * size), tip + QPointF(-size, 1.4 * size)])
        )

    def _thickness(self, box: QRectF) -> float:
        return max(0.035 * box.width(), 2.0)

    def _corner(self, box: QRectF) -> float:
        return 0.09 * box.width()
