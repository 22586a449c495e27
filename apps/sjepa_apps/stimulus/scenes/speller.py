"""The scene of the ERP speller: a matrix of symbols that light up in groups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QPainter, QPen

from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.scenes.base import Scene
from sjepa_online.protocol import Speller
from sjepa_online.schedule import Phase, ScheduledTrial

# symbols of a flash are lit, all others are as dark as text that waits
_DARK = QColor(92, 92, 92)


class SpellerScene(Scene):
    """The matrix; above it the text to copy, and below that text the symbols chosen so far.

    Parameters
    ----------
    speller : Speller
    """

    instruction = (
        "Look at the framed symbol, and count silently how often it lights up.\n"
        "Blink when the flashes have stopped."
    )

    def __init__(self, speller: Speller) -> None:
        super().__init__()
        self._speller = speller
        self._chosen: dict[tuple[bool, int], str] = {}
        # the text that is spelled freely, and what some symbols do; None copies a text
        self._free: tuple[str, Mapping[str, str]] | None = None

    def set_text(self, text: str, keys: Mapping[str, str]) -> None:
        """Show this text above the matrix, instead of one to copy."""
        self._free = (text, dict(keys))

    def choose(self, trial: ScheduledTrial, selected: str) -> None:
        """Show this symbol below the text from now on."""
        self._chosen[trial.practice, trial.number] = selected

    def take_state(self, other: Scene) -> None:
        """Show the symbols that another scene has noted."""
        if isinstance(other, SpellerScene):
            self._chosen, self._free = other._chosen, other._free

    def cells(self) -> dict[str, QRectF]:
        """Where each symbol is."""
        rows = self._speller.rows
        top, bottom = 20 * self.unit, 7 * self.unit
        cell = min(
            (self.size.height() - top - bottom) / len(rows), 0.94 * self.size.width() / len(rows[0])
        )
        middle = QPointF(self.centre.x(), (self.size.height() + top - bottom) / 2)
        # wider than high, as the display is
        wide = min(1.35 * cell, 0.94 * self.size.width() / len(rows[0]))
        return {
            symbol: QRectF(
                round(middle.x() + (column - len(row) / 2) * wide),
                round(middle.y() + (line - len(rows) / 2) * cell),
                round(wide),
                round(cell),
            )
            for line, row in enumerate(rows)
            for column, symbol in enumerate(row)
        }

    def draw(self, painter: QPainter, trial: ScheduledTrial, phase: Phase, seconds: float) -> None:
        """Draw the matrix with the symbols that are lit, or the cued one."""
        self.show(painter, "matrix", self.area, self._draw_matrix)
        self._draw_header(painter, trial)
        cells = self.cells()
        for symbol in phase.lit:
            self.show(
                painter, f"lit {symbol}", cells[symbol], partial(self._draw_lit, symbol=symbol)
            )
        if phase.kind == "cue" and trial.target:
            self._draw_marked(painter, trial.target, theme.ACCENT, Qt.BrushStyle.NoBrush)
        if phase.kind == "rest":
            below = (self.cells()[self._speller.symbols[-1]].bottom() + self.size.height()) / 2
            self.draw_rest(painter, QPointF(self.centre.x(), below))

    def draw_feedback(
        self, painter: QPainter, trial: ScheduledTrial, selected: str, colour: QColor
    ) -> None:
        """Mark the chosen symbol in the matrix."""
        self.show(painter, "matrix", self.area, self._draw_matrix)
        self._draw_header(painter, trial)
        if selected in self._speller.symbols:
            self._draw_marked(painter, selected, colour, theme.tint(colour))

    def _draw_marked(
        self, painter: QPainter, symbol: str, colour: QColor, filling: QColor | Qt.BrushStyle
    ) -> None:
        self.show(
            painter,
            f"marked {symbol} {colour.name()}",
            self.cells()[symbol],
            lambda canvas: self._draw_box(canvas, symbol, colour, filling),
        )

    def _draw_matrix(self, canvas: QPainter) -> None:
        for symbol, box in self.cells().items():
            self._draw_symbol(canvas, symbol, box, _DARK)

    def _draw_lit(self, canvas: QPainter, symbol: str) -> None:
        box = self.cells()[symbol]
        canvas.fillRect(box, theme.BACKGROUND)
        self._draw_symbol(canvas, symbol, box, theme.LIGHT)

    def _draw_box(
        self, canvas: QPainter, symbol: str, colour: QColor, filling: QColor | Qt.BrushStyle
    ) -> None:
        box = self.cells()[symbol]
        canvas.fillRect(box, theme.BACKGROUND)
        side = 0.86 * min(box.width(), box.height())
        frame = self.box(box.center(), side)
        canvas.setPen(QPen(colour, max(0.035 * side, 2.0)))
        canvas.setBrush(filling)
        canvas.drawRoundedRect(frame, 0.12 * side, 0.12 * side)
        self._draw_symbol(canvas, symbol, box, colour)

    def _draw_symbol(self, canvas: QPainter, symbol: str, box: QRectF, colour: QColor) -> None:
        canvas.setFont(theme.font(0.56 * box.height(), QFont.Weight.DemiBold))
        canvas.setPen(colour)
        canvas.drawText(box, Qt.AlignmentFlag.AlignCenter, symbol)

    def _draw_header(self, painter: QPainter, trial: ScheduledTrial) -> None:
        if self._free is not None:
            text, keys = self._free
            self.show(
                painter,
                "header",
                QRectF(0, 0, self.size.width(), 18 * self.unit),
                lambda canvas: self._draw_free_text(canvas, text, keys),
                version=f"free {text} {keys}",
            )
            return
        chosen = "".join(
            self._chosen.get((trial.practice, number), " ") for number in range(trial.number + 1)
        )
        self.show(
            painter,
            "header",
            QRectF(0, 0, self.size.width(), 18 * self.unit),
            lambda canvas: self._draw_text(canvas, trial, chosen),
            version=f"{trial.practice} {trial.number} {chosen}",
        )

    def _draw_free_text(self, canvas: QPainter, text: str, keys: Mapping[str, str]) -> None:
        """Draw the end of the text with a caret, and below it what the keys do."""
        middle = int(Qt.AlignmentFlag.AlignCenter)
        canvas.setFont(theme.font(5.4 * self.unit, QFont.Weight.Medium))
        canvas.setPen(theme.TEXT)
        fits = int(0.9 * self.size.width() / (3.6 * self.unit))
        box = QRectF(0, 2 * self.unit, self.size.width(), 8 * self.unit)
        canvas.drawText(box, middle, f"{text[-fits:]}|")
        told = "     ".join(f"{symbol}  {does}" for symbol, does in keys.items())
        font = theme.font(3.0 * self.unit)
        too_wide = theme.text_width(told, font) / (0.94 * self.size.width())
        canvas.setFont(theme.font(3.0 * self.unit / max(too_wide, 1.0)))
        canvas.setPen(theme.ACCENT)
        canvas.drawText(box.translated(0, 8 * self.unit), middle, told)

    def _draw_text(self, canvas: QPainter, trial: ScheduledTrial, chosen: str) -> None:
        text = self._speller.practice_text if trial.practice else self._speller.text
        # a session longer than the text begins it anew
        position = trial.number % len(text)
        chosen = chosen[trial.number - position :]
        step = min(4.6 * self.unit, 0.9 * self.size.width() / len(text))
        left = self.centre.x() - step * len(text) / 2
        canvas.setFont(theme.font(0.8 * step, QFont.Weight.Medium))
        for number, symbol in enumerate(text):
            box = QRectF(left + number * step, 4 * self.unit, step, 6 * self.unit)
            current = number == position
            canvas.setPen(theme.ACCENT if current else _DARK if number < position else theme.TEXT)
            canvas.drawText(box, Qt.AlignmentFlag.AlignCenter, symbol)
            if current:
                line = QRectF(box.left() + 0.15 * step, box.bottom(), 0.7 * step, 0.35 * self.unit)
                canvas.fillRect(line, theme.ACCENT)
            if number < len(chosen) and chosen[number] != " ":
                canvas.setPen(theme.GOOD if chosen[number] == symbol else theme.BAD)
                below = box.translated(0, 6.2 * self.unit)
                canvas.drawText(below, Qt.AlignmentFlag.AlignCenter, chosen[number])
