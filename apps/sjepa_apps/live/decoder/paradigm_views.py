"""What the participant may choose from, with what the decoder makes of it."""

from __future__ import annotations

import math
from abc import abstractmethod

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PyQt6.QtWidgets import QWidget

from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import class_label
from sjepa_online.online.events import LiveDecision, SymbolDecision
from sjepa_online.protocol import Protocol, Speller

#: Tiles that are lower (pixels) give their height to the text.
LOW_TILE = 30.0


class ParadigmView(QWidget):
    """A picture of the choices.

    Parameters
    ----------
    theme : Theme
    protocol : Protocol
    """

    def __init__(self, theme: Theme, protocol: Protocol, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(120, 96)
        self._theme = theme
        self._protocol = protocol
        self._probabilities: dict[str, float] = {}

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.update()

    def show_decision(self, decision: LiveDecision) -> None:
        """Show a decision."""
        self._probabilities = decision.probabilities
        self.update()

    def show_symbol(self, decision: SymbolDecision) -> None:
        """Show the choice of a symbol; spellers only."""

    def clear(self) -> None:
        """Show that nothing is decided."""
        self._probabilities = {}
        self.update()

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the choices."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw(painter)
        painter.end()

    @abstractmethod
    def draw(self, painter: QPainter) -> None:
        """Draw the choices."""

    def _tile(
        self, painter: QPainter, box: QRectF, colour: QColor, share: float, text: str, best: bool
    ) -> None:
        """Draw a tile with a bar below its text, the longer, the more probable the choice is."""
        theme = self._theme
        painter.setPen(QPen(colour if best else QColor(theme.line), 2 if best else 1))
        painter.setBrush(QColor(theme.raised))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        # text over a colour would be hard to read at some share or other
        low = box.height() < LOW_TILE
        height = 3.0 if low else min(box.height() / 7, 8.0)
        edge = 1.0 if low else 3.0
        bar = QRectF(
            box.left() + 3, box.bottom() - height - edge, (box.width() - 6) * share, height
        )
        if share > 0.02:
            painter.drawRoundedRect(bar, height / 2, height / 2)
        painter.setPen(QColor(theme.ink))
        font = QFont(self.font())
        room = box.height() - 6 if low else box.height() / 3
        font.setBold(best)
        for size in range(max(9, min(16, int(room), int(box.width() / 4.5))), 8, -1):
            font.setPixelSize(size)
            if QFontMetricsF(font).horizontalAdvance(text) <= box.width() - 4:
                break
        painter.setFont(font)
        fitting = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, box.width() - 4)
        above = box.adjusted(0, 0, 0, -height if low else -height - 2)
        painter.drawText(above, int(Qt.AlignmentFlag.AlignCenter), fitting)


class TargetsView(ParadigmView):
    """The targets of an SSVEP session, or the classes of anything else, as tiles."""

    def draw(self, painter: QPainter) -> None:
        """Draw a tile a class."""
        specs = self._protocol.classes
        columns = math.ceil(math.sqrt(len(specs)))
        rows = math.ceil(len(specs) / columns)
        best = max(self._probabilities, key=self._probabilities.__getitem__, default="")
        width = (self.width() - GRID * (columns - 1) - 2) / columns
        height = (self.height() - GRID * (rows - 1) - 2) / rows
        for index, spec in enumerate(specs):
            row, column = divmod(index, columns)
            box = QRectF(1 + column * (width + GRID), 1 + row * (height + GRID), width, height)
            text = class_label(spec)
            share = self._probabilities.get(spec.name, 0.0)
            colour = self._theme.class_colour(index)
            self._tile(painter, box, colour, share, text, spec.name == best)


class SidesView(ParadigmView):
    """Left against right, as a needle between two sides."""

    def draw(self, painter: QPainter) -> None:
        """Draw the needle where the probabilities point; none while nothing is decided."""
        theme = self._theme
        left, right = (spec.name for spec in self._protocol.classes[:2])
        balance = self._probabilities.get(right, 0.5)
        middle = self.height() * 0.55
        track = QRectF(GRID, middle - 8, self.width() - 2 * GRID, 16)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(theme.line))
        painter.drawRoundedRect(track, 8, 8)
        centre = track.center().x()
        x = track.left() + track.width() * balance
        if self._probabilities:
            painter.setBrush(theme.class_colour(0 if balance < 0.5 else 1))
            painter.drawRoundedRect(QRectF(min(x, centre), track.top(), abs(x - centre), 16), 4, 4)
            painter.setBrush(QColor(theme.ink))
            tip = QPointF(x, middle - 12)
            painter.drawPolygon(QPolygonF([tip, tip + QPointF(-7, -12), tip + QPointF(7, -12)]))
        painter.setPen(QPen(QColor(theme.muted), 1))
        painter.drawLine(QPointF(centre, middle - 12), QPointF(centre, middle + 12))
        font = QFont(self.font())
        font.setPixelSize(12)
        elide = Qt.TextElideMode.ElideRight
        for name, where, chosen in (
            (left, Qt.AlignmentFlag.AlignLeft, balance < 0.5),
            (right, Qt.AlignmentFlag.AlignRight, balance > 0.5),
        ):
            font.setBold(chosen)
            painter.setFont(font)
            painter.setPen(QColor(theme.ink if chosen else theme.muted))
            box = QRectF(track.left(), middle + 14, track.width(), 22)
            text = name.replace("_hand", "").replace("_", " ")
            fitting = QFontMetricsF(font).elidedText(text, elide, track.width() / 2 - GRID)
            painter.drawText(box, int(where), fitting)


class SpellerView(ParadigmView):
    """The matrix of symbols: what lit up last, and how probable each symbol is."""

    def __init__(
        self, theme: Theme, protocol: Protocol, speller: Speller, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, protocol, parent)
        self._speller = speller
        self._lit = ""
        self._symbols: dict[str, float] = {}
        self._chosen = ""

    def show_decision(self, decision: LiveDecision) -> None:
        """Show which symbols lit up, and what the flashes say so far."""
        self._lit = decision.lit
        # flashes after a choice count for nothing, until the next selection begins
        if decision.symbols != self._symbols:
            self._symbols, self._chosen = decision.symbols, ""
        self.update()

    def clear(self) -> None:
        """Show that nothing is decided."""
        self._lit, self._symbols, self._chosen = "", {}, ""
        super().clear()

    def show_symbol(self, decision: SymbolDecision) -> None:
        """Show the symbol that was chosen."""
        self._symbols = decision.probabilities
        self._chosen = decision.symbol
        self._lit = ""
        self.update()

    def draw(self, painter: QPainter) -> None:
        """Draw the matrix."""
        rows = self._speller.rows
        gap = GRID / 2
        width = (self.width() - gap * (len(rows[0]) - 1) - 2) / len(rows[0])
        height = (self.height() - gap * (len(rows) - 1) - 2) / len(rows)
        best = self._chosen or _clearly_best(self._symbols)
        for row, symbols in enumerate(rows):
            for column, symbol in enumerate(symbols):
                box = QRectF(1 + column * (width + gap), 1 + row * (height + gap), width, height)
                colour = QColor(self._theme.good if symbol == self._chosen else self._theme.accent)
                share = self._symbols.get(symbol, 0.0)
                # what every symbol has tells nothing
                share = share if share > 1.001 / len(self._speller.symbols) else 0.0
                self._tile(painter, box, colour, share, symbol, symbol == best)
                if symbol in self._lit:
                    painter.setPen(QPen(QColor(self._theme.warning), 2))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(box, 6, 6)


def _clearly_best(probabilities: dict[str, float]) -> str:
    """Return the most probable choice; nothing where all are as probable."""
    best = max(probabilities, key=probabilities.__getitem__, default="")
    return best if probabilities and probabilities[best] > min(probabilities.values()) else ""


def paradigm_view(theme: Theme, protocol: Protocol) -> ParadigmView:
    """Return the view that suits a protocol."""
    if protocol.speller is not None:
        return SpellerView(theme, protocol, protocol.speller)
    if protocol.paradigm == "mi" and len(protocol.classes) == 2:
        return SidesView(theme, protocol)
    return TargetsView(theme, protocol)
