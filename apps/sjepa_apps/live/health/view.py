"""How the decoding is doing: latencies, samples, clock, processor."""

from __future__ import annotations

from collections import deque

import numpy as np
from PyQt6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from sjepa_apps.ui.plots import TimePlot
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import PlainLabel, State, panel
from sjepa_online.online.events import Health, LiveDecision

#: Decisions that percentiles are taken from: the last ten minutes of eight a second.
WINDOW = 4800
#: Seconds of latencies that are drawn.
DRAWN = 120.0
FIGURES = (
    (
        "decision",
        "Decision latency",
        "Median / 99th percentile, from the last needed sample in the process to the decision",
    ),
    (
        "end_to_end",
        "End to end",
        "Median / 99th percentile, from the timestamp of the last sample to the decision",
    ),
    ("rate", "Effective rate", "Samples a second that really come"),
    ("lost", "Samples lost", "Samples that gaps left out, of all"),
    ("gaps", "Gaps", "Places at which samples are missing"),
    ("clock", "Clock offset", "From the source's clock to this machine's"),
    ("cpu", "CPU", "Share of one core: engine / window"),
    ("memory", "Memory", "Resident memory: engine / window"),
    ("device", "Device", "Where the decoder runs"),
    (
        "frames",
        "Frames",
        "Frames a second of the signals, and the longest gap between two in the last minute",
    ),
)


class HealthView(QWidget):
    """Figures on the left, the trace of the latencies on the right."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.decision_ms: deque[float] = deque(maxlen=WINDOW)
        self.end_to_end_ms: deque[float] = deque(maxlen=WINDOW)
        self._changed = False
        self.figures: dict[str, PlainLabel] = {}
        self._captions: dict[str, PlainLabel] = {}
        grid = QGridLayout()
        grid.setHorizontalSpacing(2 * GRID)
        grid.setVerticalSpacing(GRID // 2)
        for index, (name, title, tip) in enumerate(FIGURES):
            row, column = divmod(index, 2)
            caption, value = PlainLabel(title, "muted"), PlainLabel("–")
            caption.setToolTip(tip)
            value.setToolTip(tip)
            grid.addWidget(caption, row, 2 * column)
            grid.addWidget(value, row, 2 * column + 1)
            self.figures[name] = value
            self._captions[name] = caption
        grid.setRowStretch(len(FIGURES), 1)
        self.trace = TimePlot(theme, DRAWN, "ms")
        self.trace.setToolTip("Decision latency and end-to-end latency (ms)")
        self._restart_trace()
        frame = panel()
        inner = QHBoxLayout(frame)
        inner.setContentsMargins(2 * GRID, GRID, GRID, GRID)
        inner.setSpacing(2 * GRID)
        inner.addLayout(grid)
        inner.addWidget(self.trace, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.trace.set_theme(theme)
        self.trace.recolour([theme.class_colour(0), theme.class_colour(1)])
        # the captions are the legend of the trace
        for index, name in enumerate(("decision", "end_to_end")):
            colour = theme.class_colour(index).name()
            self._captions[name].setStyleSheet(f"color: {colour}; font-weight: 600;")

    def begin(self) -> None:
        """Begin anew with another stream or decoder."""
        self.decision_ms.clear()
        self.end_to_end_ms.clear()
        self._restart_trace()
        for value in self.figures.values():
            value.setText("–")
            value.set_state("")

    def stand_still(self) -> None:
        """Show that nothing arrives; latencies and losses so far are kept for when it does."""
        for name in ("decision", "end_to_end", "rate", "clock"):
            self._set(name, "–")

    def add_decision(self, decision: LiveDecision) -> None:
        """Take note of a decision's latencies."""
        self.decision_ms.append(1e3 * decision.latency)
        self.end_to_end_ms.append(1e3 * decision.end_to_end)
        self.trace.add(decision.time, [self.decision_ms[-1], self.end_to_end_ms[-1]])
        self._changed = True

    def show_losses(self, received: int, missing: int, gaps: int) -> None:
        """Show what the window itself has received, whatever becomes of the engine."""
        self._set("lost", f"{missing} of {received + missing}", "warning" if missing else "")
        self._set("gaps", str(gaps), "warning" if gaps else "")

    def show_health(self, health: Health, device: str, window: tuple[float, float]) -> None:
        """Show the engine's figures, and CPU share and memory (MB) of the window."""
        self._set("rate", f"{health.sfreq:.2f} Hz", "bad" if health.lost else "")
        offset = health.clock_offset
        self._set("clock", "–" if offset is None else f"{1e3 * offset:+.2f} ms")
        self._set("cpu", f"{100 * health.cpu:.0f} % / {100 * window[0]:.0f} %")
        self._set("memory", f"{health.memory:.0f} / {window[1]:.0f} MB")
        gpu = "" if health.gpu is None else f", {health.gpu:.0f} MB"
        self._set("device", f"{device}{gpu}")

    def show_frames(self, rate: float, longest: float) -> None:
        """Show frames a second, and the longest gap (s) between two lately."""
        self._set("frames", f"{rate:.0f} /s, gap ≤ {1e3 * longest:.0f} ms")

    def refresh(self) -> None:
        """Show percentiles and trace, if there are new decisions."""
        if not self.isVisible():
            return
        self.trace.refresh()
        if not self._changed:
            return
        self._changed = False
        self._set("decision", told_percentiles(self.decision_ms))
        self._set("end_to_end", told_percentiles(self.end_to_end_ms))

    def _restart_trace(self) -> None:
        self.trace.set_curves([self._theme.class_colour(0), self._theme.class_colour(1)])

    def _set(self, name: str, text: str, state: State = "") -> None:
        self.figures[name].setText(text)
        self.figures[name].set_state(state)


def told_percentiles(milliseconds: deque[float]) -> str:
    """Return median and 99th percentile in words."""
    if not milliseconds:
        return "–"
    middle, high = np.percentile(np.array(milliseconds), [50, 99])
    return f"{middle:.1f} / {high:.1f} ms"
