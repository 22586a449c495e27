"""The decoder's decision and probabilities, now and over the last minute."""

from __future__ import annotations

from PyQt6.QtCore import QRectF, QSize, Qt
from PyQt6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from sjepa_apps.live.decoder.paradigm_views import ParadigmView, SpellerView, paradigm_view
from sjepa_apps.ui.plots import TimePlot
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import ElidedLabel, PlainLabel, panel
from sjepa_online.online.events import DecoderReady, LiveDecision, SymbolDecision

ROW = 28
#: Seconds of probabilities that are drawn.
MINUTE = 60.0
#: Symbols of a speller that stand in the heading.
MOST_SPELLED = 16


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


class DecoderView(QWidget):
    """The latest decision and the probabilities of the last minute."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._decoder: DecoderReady | None = None
        self._paradigm: ParadigmView | None = None
        self._changed = False
        self._spelled = ""
        self.decision = PlainLabel("–", "decision")
        self.decision.setToolTip("The class that the decoder has decided on")
        self.detail = ElidedLabel("No decoder is loaded.", "muted")
        self.bars = ClassBars(theme)
        self.history = TimePlot(theme, MINUTE, "", (0.0, 1.0))
        self.history.setToolTip("Probability of each class over the last minute")
        self.history.setMinimumHeight(80)
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
            n_classes = len(self._decoder.protocol.classes)
            self.history.recolour([theme.class_colour(index) for index in range(n_classes)])

    def show_decoder(self, decoder: DecoderReady) -> None:
        """Show another decoder."""
        self._decoder, self._spelled = decoder, ""
        names = decoder.protocol.class_names
        self.bars.set_classes(names)
        self.history.set_curves([self._theme.class_colour(index) for index in range(len(names))])
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
        confidence = decision.probabilities[decision.label]
        # a speller's decisions are symbols; its flashes are steps on the way, where they are told
        self.decision.setText(self._told_spelled if decision.lit else decision.label)
        without = ", ".join(decision.bad_channels)
        self.detail.setText(
            f"p = {confidence:.2f} on {decision.window:.2f} s of signal, "
            f"{1e3 * decision.latency:.0f} ms to decide"
            + (f", without {without}" if without else "")
        )
        self.bars.show_probabilities(decision.probabilities)
        self._paradigm.show_decision(decision)
        names = self._decoder.protocol.class_names
        self.history.add(decision.time, [decision.probabilities[name] for name in names])
        self._changed = True

    def show_symbol(self, decision: SymbolDecision) -> None:
        """Show the choice of a symbol."""
        if self._paradigm is not None:
            self._paradigm.show_symbol(decision)
        self._spelled += decision.symbol
        self.decision.setText(self._told_spelled)
        self.detail.setText(
            f"symbol {decision.symbol}: p = {decision.probability:.2f} after "
            f"{decision.n_flashes} flashes"
        )

    @property
    def _told_spelled(self) -> str:
        return self._spelled[-MOST_SPELLED:] or "–"

    def refresh(self) -> None:
        """Draw the curves, if there are new decisions."""
        if self._changed and self.isVisible():
            self.history.refresh()
            self._changed = False
