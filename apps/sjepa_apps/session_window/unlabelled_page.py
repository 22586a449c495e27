"""The page of a decoder without labelled trials: a minute of signal, counted down."""

from __future__ import annotations

from sjepa_apps.session_window.page import Page, slim_bar
from sjepa_apps.session_window.run.signal_watch import SignalState
from sjepa_apps.session_window.run.trace_strip import TraceStrip
from sjepa_apps.ui.theme import Theme
from sjepa_apps.ui.widgets import PlainLabel
from sjepa_online.stream.stretch import ALIGNMENT_SECONDS


class UnlabelledPage(Page):
    """Countdown, traces, and why there is no decoder.

    Parameters
    ----------
    theme : Theme
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__(
            "A minute of signal",
            "The participant sits still with open eyes and does nothing; no trial is shown. The "
            "signal alone aligns the decoder.",
            "Record again",
            "Stop",
            back=True,
        )
        self.state = PlainLabel("", "decision")
        self.progress = slim_bar()
        self.progress.setRange(0, ALIGNMENT_SECONDS)
        self.traces = TraceStrip(theme)
        self.content.addWidget(self.state)
        self.content.addWidget(self.progress)
        self.content.addWidget(self.traces, 1)
        self._running = False

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.traces.set_theme(theme)

    def begin(self) -> None:
        """Show that the minute begins."""
        self._running = True
        self.progress.setValue(0)
        self.primary.setEnabled(False)
        self.back.setEnabled(False)
        self.secondary.setEnabled(True)
        self.secondary.setFocus()
        self.state.setText("Getting ready")
        self.tell("")

    def advance(self) -> None:
        """Show that another second is recorded."""
        self.progress.setValue(self.progress.value() + 1)
        left = ALIGNMENT_SECONDS - self.progress.value()
        self.state.setText(f"{left} s left" if left else "Making the decoder")

    def stopping(self) -> None:
        """Show that it ends soon."""
        self.secondary.setEnabled(False)
        self.state.setText("Stopping")

    def show_signal(self, signal: SignalState) -> None:
        """Show the traces, and a loss of the signal."""
        self.traces.show_picture(signal.picture, signal.problem)
        if self._running:
            self.tell(signal.problem if signal.lost else "", "bad")

    def refuse(self, why: str) -> None:
        """Show why there is no decoder."""
        self._running = False
        self.state.setText("No decoder")
        self.secondary.setEnabled(False)
        self.back.setEnabled(True)
        self.primary.setEnabled(True)
        self.primary.setFocus()
        self.tell(why, "bad")
