"""What goes on in the head: spectra, responses and rhythms of the channels in view."""

from __future__ import annotations

import time

from PyQt6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from sjepa_apps.live.analysis.page import AnalysisPage, Shown
from sjepa_apps.live.analysis.spectrum_pages import SpectrumPage, StimulusPage, WaterfallPage
from sjepa_apps.live.analysis.trial_pages import ResponsePage, RhythmPage
from sjepa_apps.live.signals.references import Reference
from sjepa_apps.live.signals.store import SignalStore
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, ElidedLabel, panel
from sjepa_online.protocol import Protocol

#: Seconds between two computations; nothing is computed while the view is hidden.
EVERY = 0.5
NO_SIGNAL = "No stream is connected"


class AnalysisView(QWidget):
    """Pages of which one is open, and computed, at a time.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pages: tuple[AnalysisPage, ...] = (
            SpectrumPage(theme),
            WaterfallPage(theme),
            ResponsePage(theme),
            StimulusPage(theme),
            RhythmPage(theme),
        )
        self.kind = Choices()
        self.kind.addItems([page.title for page in self.pages])
        self.kind.setToolTip("What is analysed, of the channels that Signals shows")
        self.state = ElidedLabel(NO_SIGNAL, "muted")
        self.stack = QStackedWidget()
        for page in self.pages:
            self.stack.addWidget(page)
        self.kind.currentIndexChanged.connect(self._turn)
        self._shown: Shown | None = None
        self._reference: Reference | None = None
        self._protocol: Protocol | None = None
        self._next = 0.0
        frame = panel()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(GRID, GRID, GRID, GRID)
        layout.setSpacing(GRID // 2)
        bar = QHBoxLayout()
        bar.addWidget(self.kind)
        bar.addWidget(self.state, 1)
        layout.addLayout(bar)
        layout.addWidget(self.stack, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        for page in self.pages:
            page.set_theme(theme)
        self._begin(self._shown)

    def show_protocol(self, protocol: Protocol) -> None:
        """Take the classes and frequencies of another decoder."""
        self._protocol = protocol
        if self._shown is not None:
            self._begin(Shown(self._shown.store, self._shown.rows, protocol))

    def refresh(
        self, store: SignalStore | None, rows: tuple[int, ...], silence: float | None
    ) -> None:
        """Compute the open page anew, if it is to be seen and it is time.

        Parameters
        ----------
        store : SignalStore or None
            None where no stream is connected.
        rows : tuple of int
            Channels in view.
        silence : float or None
            Seconds for which nothing has arrived, where that is a fault.
        """
        self._follow(store, rows)
        if not self.isVisible() or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY
        if store is None or self._shown is None:
            self._tell(NO_SIGNAL, warns=False)
        elif silence is not None:
            self._tell(f"Not current: no data for {silence:.0f} s", warns=True)
        elif store.last_time is None:
            self._tell("Waiting for data", warns=False)
        else:
            eye = store.display.reference
            self._tell("" if eye == "as recorded" else f"reference: {eye}", warns=False)
            page = self.stack.currentWidget()
            assert isinstance(page, AnalysisPage)
            page.update_from(self._shown)

    def _follow(self, store: SignalStore | None, rows: tuple[int, ...]) -> None:
        """Begin anew where the stream or the reference is another one."""
        reference = None if store is None else store.display.reference
        before = None if self._shown is None else self._shown.store
        if store is not before or reference != self._reference:
            self._reference = reference
            self._begin(None if store is None else Shown(store, rows, self._protocol))
        elif store is not None and self._shown is not None and rows != self._shown.rows:
            self._shown = Shown(store, rows, self._protocol)

    def _begin(self, shown: Shown | None) -> None:
        self._shown = shown
        for page in self.pages:
            page.begin(shown)

    def _turn(self, index: int) -> None:
        self.stack.setCurrentIndex(index)
        self._next = 0.0

    def _tell(self, text: str, *, warns: bool) -> None:
        self.state.setText(text)
        self.state.set_state("warning" if warns else "")
