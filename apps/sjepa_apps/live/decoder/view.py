"""What the decoder thinks: the decision, the classes, the last minute."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sjepa_apps.live.decoder.class_bars import ClassBars
from sjepa_apps.live.decoder.paradigm_views import ParadigmView, SpellerView, paradigm_view
from sjepa_apps.ui.plots import TimePlot
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import ElidedLabel, PlainLabel, panel
from sjepa_online.online.events import DecoderReady, LiveDecision, SymbolDecision

#: Seconds of probabilities that are drawn.
MINUTE = 60.0
#: Symbols of a speller that stand in the heading.
MOST_SPELLED = 16


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
        """Draw the curves, where there is something new."""
        if self._changed and self.isVisible():
            self.history.refresh()
            self._changed = False
