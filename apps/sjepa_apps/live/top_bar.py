"""The bar at the top: stream, decoder, what went wrong, and the session's buttons."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QToolBar, QVBoxLayout, QWidget

from sjepa_apps.live.engine.recording import RecordingState
from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import ElidedLabel, set_property
from sjepa_online.online.events import DecoderReady
from sjepa_online.stream import StreamDescription


class TopBar(QToolBar):
    """Who is being decoded by what; and the buttons.

    Signals
    -------
    restart_asked
        The engine is to be started again.
    """

    restart_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Session", parent)
        self.setObjectName("TopBar")
        self.setMovable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self.stream = ElidedLabel("No stream", "heading")
        self.decoder = ElidedLabel("No decoder is loaded", "muted")
        self.problem = ElidedLabel("")
        self.problem.set_state("bad")
        self.problem.hide()
        self.restart = QPushButton("Restart engine")
        self.restart.setToolTip("Start the engine again with the same stream and decoder")
        self.restart.clicked.connect(self.restart_asked)
        self.restart.hide()
        self.record = QPushButton("Record")
        self.mark = QPushButton("Mark")
        self.session_menu = QPushButton("&Session")
        self.view_menu = QPushButton("&View")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self.stream)
        texts.addWidget(self.decoder)
        row = QWidget()
        row.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(GRID)
        layout.addLayout(texts, 3)
        layout.addWidget(self.problem, 2)
        for button in (self.restart, self.record, self.mark, self.session_menu, self.view_menu):
            layout.addWidget(button)
        self.addWidget(row)

    def show_stream(self, stream: StreamDescription | None) -> None:
        """Tell which stream is open."""
        self._tell("")
        if stream is None:
            self.stream.setText("No stream")
            return
        simulated = ", simulated" if stream.simulated else ""
        self.stream.setText(
            f"{stream.name}: {stream.n_channels} channels, {stream.sfreq:g} Hz{simulated}"
        )

    def show_decoder(self, decoder: DecoderReady) -> None:
        """Tell which decoder is loaded."""
        self._tell("")
        score = "" if decoder.accuracy is None else f", {decoder.accuracy:.2f} in cross-validation"
        self.decoder.setText(
            f"{decoder.name} for {decoder.protocol.name} ({Path(decoder.path).name}{score})"
        )

    def show_recording(self, state: RecordingState) -> None:
        """Show on the button what the recorder is doing."""
        texts = {
            RecordingState.IDLE: "Record",
            RecordingState.STARTING: "Starting …",
            RecordingState.RUNNING: "Stop recording",
            RecordingState.STOPPING: "Stopping …",
        }
        self.record.setText(texts[state])
        self.record.setEnabled(state in (RecordingState.IDLE, RecordingState.RUNNING))
        set_property(self.record, "recording", state is RecordingState.RUNNING)

    def show_refusal(self, reason: str) -> None:
        """Tell why something could not be done."""
        self._tell(reason)

    def show_engine_ended(self, why: str) -> None:
        """Tell that the engine has ended, and offer to start it again."""
        self.restart.show()
        self._tell(f"The engine has ended ({why})")

    def show_decoding(self) -> None:
        """Tell that all is well again."""
        self.restart.hide()
        self._tell("")

    def _tell(self, problem: str) -> None:
        """Tell of a problem; without one, stream and decoder have the room."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
