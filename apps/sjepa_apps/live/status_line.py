"""One line that tells at a glance whether all is well."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QWidget

from sjepa_apps.live.engine.recording import RecordingState
from sjepa_apps.live.health.view import HealthView, told_percentiles
from sjepa_apps.live.session import LiveSession
from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import ElidedLabel, PlainLabel
from sjepa_online.foreign_text import clean_text

#: Characters of a stream's name that have room.
NAME_LENGTH = 40
#: Bad channels that are named, before their number alone is told.
NAMED = 6


class StatusLine(QWidget):
    """Data, losses, latency, bad channels, recording."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.data = PlainLabel("● no stream")
        self.data.setToolTip("Whether samples arrive")
        self.lost = PlainLabel("", "muted")
        self.lost.setToolTip("Samples that gaps left out")
        self.latency = PlainLabel("", "muted")
        self.latency.setToolTip("Latency of decisions: median and 99th percentile")
        self.bad = ElidedLabel("")
        self.recording = PlainLabel("")
        self.recording.setToolTip("Whether the streams are being recorded")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(GRID, 2, GRID, 4)
        layout.setSpacing(3 * GRID)
        for label in (self.data, self.lost, self.latency):
            layout.addWidget(label)
        layout.addWidget(self.bad, 1)
        layout.addWidget(self.recording)

    def refresh(self, session: LiveSession, health: HealthView) -> None:
        """Show how things stand."""
        self._show_data(session)
        stream = session.stream
        self.lost.setText("" if stream is None else f"{session.missing} samples lost")
        self.lost.set_state("warning" if session.missing else "")
        told = told_percentiles(health.decision_ms)
        current = session.decoding is not None and not session.silent
        self.latency.setText(f"latency p50 / p99 {told}" if current and told != "–" else "")
        self._show_channels(session)

    def _show_channels(self, session: LiveSession) -> None:
        """Tell which channels are bad; nothing is known of them while nothing arrives."""
        bad = session.states.told_bad(NAMED)
        if session.silent:
            told = "channels unknown while no data arrives"
        elif not session.states.reports:
            told = ""
        else:
            told = f"bad: {bad}" if bad else "all channels good"
        self.bad.setText(told)
        self.bad.set_state("bad" if bad else "")

    def show_recording(self, state: RecordingState, seconds: float, n_bytes: int) -> None:
        """Show how long and how large the recording is."""
        if state is RecordingState.RUNNING:
            minutes, rest = divmod(int(seconds), 60)
            self.recording.setText(f"● recording {minutes}:{rest:02d}, {n_bytes / 1e6:.1f} MB")
            self.recording.set_state("bad")
        else:
            self.recording.setText("" if state is RecordingState.IDLE else f"{state.value} …")
            self.recording.set_state("")

    def _show_data(self, session: LiveSession) -> None:
        name = "" if session.stream is None else clean_text(session.stream.name, NAME_LENGTH)
        if session.stream is None:
            self.data.setText("● no stream")
            self.data.set_state("")
        elif session.opening:
            self.data.setText(f"● {name}: connecting")
            self.data.set_state("warning")
        elif session.silent and session.finished:
            self.data.setText("● the recording has ended")
            self.data.set_state("good")
        elif session.silent:
            assert session.silence is not None
            self.data.setText(f"● no data for {session.silence:.0f} s")
            self.data.set_state("bad")
        else:
            doing = "decoding" if session.decoding else "shown only"
            self.data.setText(f"● {name}: {doing}")
            self.data.set_state("good" if session.decoding else "warning")
