"""The decoder's decision and probabilities, now and over the last minute."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sjepa_apps.live.decoder.paradigm_views import ParadigmView, SpellerView, paradigm_view
from sjepa_apps.ui.plots import TimePlot
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import ElidedLabel, PlainLabel, class_labels, panel
from sjepa_online.online.events import DecoderReady, LiveDecision, SymbolDecision
from sjepa_online.protocol import Protocol

ROW = 28
#: Seconds of probabilities that are drawn.
MINUTE = 60.0
#: Symbols of a speller that stand in the heading.
MOST_SPELLED = 16


class ClassBars(QWidget):
    """A bar a class, the chosen one in bold; a tick where chance lies, if it is known."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._classes: tuple[str, ...] = ()
        self._labels: dict[str, str] = {}
        self._chance: float | None = None
        self._probabilities: dict[str, float] = {}
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.update()

    def set_protocol(self, protocol: Protocol) -> None:
        """Show the classes of a protocol, in its order."""
        self._classes, self._labels = protocol.class_names, class_labels(protocol)
        # flashes with and without the attended symbol are not as many
        equal = protocol.speller is None
        self._chance = 1 / len(self._classes) if equal else None
        self.setToolTip(
            "Probability of each class in the latest window; the tick is chance"
            if equal
            else "Whether the attended symbol was in the last flash"
        )
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
        labels = self._labels.values()
        names = max((metrics.horizontalAdvance(label) for label in labels), default=0.0)
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
        text = QFontMetricsF(font).elidedText(
            self._labels[name], Qt.TextElideMode.ElideRight, left - GRID
        )
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
        if self._chance is not None:
            chance = int(track.left() + track.width() * self._chance)
            painter.setPen(QPen(QColor(theme.muted), 1))
            painter.drawLine(chance, int(track.top()) - 3, chance, int(track.bottom()) + 3)
        painter.setPen(QColor(theme.ink if best else theme.muted))
        shown = "–" if probability is None else f"{probability:.2f}"
        box = QRectF(right, top, self.width() - right, ROW)
        painter.drawText(box, middle | int(Qt.AlignmentFlag.AlignRight), shown)


class DecoderView(QWidget):
    """The latest decision and the probabilities of the last minute."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._decoder: DecoderReady | None = None
        self._paradigm: ParadigmView | None = None
        self._labels: dict[str, str] = {}
        self._spelled, self._n_flashes = "", 0
        self.decision = PlainLabel("–", "decision")
        self.decision.setToolTip("The class that the decoder has decided on")
        self.detail = ElidedLabel("No decoder: load one (Ctrl+O) or calibrate (Ctrl+K)", "muted")
        self.bars = ClassBars(theme)
        self.history = TimePlot(theme, MINUTE, "", (0.0, 1.0))
        self.history.setMinimumHeight(64)
        self.bars.hide()
        self.history.hide()
        self._beside = QHBoxLayout()
        self._beside.setSpacing(2 * GRID)
        self._beside.addWidget(self.bars, 3)
        self._below = QVBoxLayout()
        frame = panel()
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        inner.setSpacing(GRID)
        inner.addWidget(self.decision)
        inner.addWidget(self.detail)
        inner.addLayout(self._beside)
        inner.addLayout(self._below, 2)
        inner.addWidget(self.history, 1)
        inner.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.bars.set_theme(theme)
        self.history.set_theme(theme)
        if self._paradigm is not None:
            self._paradigm.set_theme(theme)
        if self._decoder is not None:
            self.history.recolour(self._curve_colours(self._decoder.protocol))

    def show_decoder(self, decoder: DecoderReady) -> None:
        """Show another decoder."""
        protocol = decoder.protocol
        self._decoder, self._labels = decoder, class_labels(protocol)
        self._spelled, self._n_flashes = "", 0
        self.bars.set_protocol(protocol)
        # whether the last flash had the attended symbol is a step on the way, and takes the room
        # of the matrix
        self.bars.setVisible(protocol.speller is None)
        self.history.show()
        self.history.set_curves(self._curve_colours(protocol))
        self.history.setToolTip(
            "Probability of each class over the last minute"
            if protocol.speller is None
            else "Probability of the leading symbol over the last minute"
        )
        if self._paradigm is not None:
            self._paradigm.setParent(None)
            self._paradigm.deleteLater()
        self._paradigm = paradigm_view(self._theme, decoder.protocol)
        if isinstance(self._paradigm, SpellerView):
            # a matrix of symbols needs the whole width
            self._below.addWidget(self._paradigm)
        else:
            self._beside.addWidget(self._paradigm, 2)
        self.stand_still("nothing is decoded yet")

    def _curve_colours(self, protocol: Protocol) -> list[QColor]:
        """Return a colour for each curve: a class each, of a speller its leading symbol."""
        if protocol.speller is not None:
            return [QColor(self._theme.accent)]
        return [self._theme.class_colour(index) for index in range(len(protocol.classes))]

    def begin(self) -> None:
        """Forget the decisions on another stream."""
        self._spelled, self._n_flashes = "", 0
        self.history.forget()

    def stand_still(self, why: str) -> None:
        """Show that nothing is being decoded, and why."""
        self.decision.setText("–")
        self.bars.show_probabilities({})
        if self._paradigm is not None:
            self._paradigm.clear()
        if self._decoder is not None:
            self.detail.setText(f"{self._decoder.name}: {why}")

    def show_decision(self, decision: LiveDecision) -> None:
        """Show a decision."""
        assert self._decoder is not None
        assert self._paradigm is not None
        without = ", ".join(decision.bad_channels)
        told = self._told_flash(decision) if decision.lit else self._told_decision(decision)
        self.detail.setText(
            f"{told}, {1e3 * decision.latency:.0f} ms to decide"
            + (f", without {without}" if without else "")
        )
        self.bars.show_probabilities(decision.probabilities)
        self._paradigm.show_decision(decision)
        if self._decoder.protocol.speller is None:
            names = self._decoder.protocol.class_names
            self.history.add(decision.time, [decision.probabilities[name] for name in names])
        elif decision.symbols:
            self.history.add(decision.time, [max(decision.symbols.values())])

    def _told_decision(self, decision: LiveDecision) -> str:
        confidence = decision.probabilities[decision.label]
        self.decision.setText(self._labels[decision.label])
        return f"p = {confidence:.2f} on {decision.window:.2f} s of signal"

    def _told_flash(self, decision: LiveDecision) -> str:
        """Tell of the symbol that leads: a flash is only a step on the way to it."""
        self._n_flashes += 1
        self.decision.setText(self._told_spelled)
        flashes = f"{self._n_flashes} flashes"
        if not decision.symbols:
            return f"no symbol yet, {flashes}"
        leading = max(decision.symbols, key=decision.symbols.__getitem__)
        return f"next symbol {leading}: p = {decision.symbols[leading]:.2f} after {flashes}"

    def show_symbol(self, decision: SymbolDecision) -> None:
        """Show the choice of a symbol."""
        if self._paradigm is not None:
            self._paradigm.show_symbol(decision)
        self._spelled += decision.symbol
        self._n_flashes = 0
        self.decision.setText(self._told_spelled)
        self.detail.setText(
            f"symbol {decision.symbol}: p = {decision.probability:.2f} after "
            f"{decision.n_flashes} flashes"
        )

    @property
    def _told_spelled(self) -> str:
        return self._spelled[-MOST_SPELLED:] or "–"

    def refresh(self) -> None:
        """Draw the curves, which move on whether or not there are decisions."""
        if self.isVisible():
            self.history.refresh()
