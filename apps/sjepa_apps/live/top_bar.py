"""The bar at the top: stream, decoder, what went wrong, and the session's buttons."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

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
        #: What is wrong, by what it concerns; the newest is shown.
        self._problems: dict[str, str] = {}
        self.dismiss = QToolButton()
        self.dismiss.setText("×")
        self.dismiss.setProperty("flat", True)
        self.dismiss.setToolTip("Hide this message; the log keeps it")
        self.dismiss.clicked.connect(self._dismiss)
        self.restart = QPushButton("Restart engine")
        self.restart.setToolTip("Start the engine again with the same stream and decoder")
        self.restart.clicked.connect(self.restart_asked)
        self.restart.hide()
        self.record = QPushButton("Record")
        self.mark = QPushButton("Mark")
        self.session_menu, self.view_menu = _menu_button("&Session"), _menu_button("&View")
        texts = QVBoxLayout()
        texts.setSpacing(0)
        texts.addWidget(self.stream)
        texts.addWidget(self.decoder)
        banner = QHBoxLayout()
        banner.setContentsMargins(0, GRID // 2, 0, 0)
        banner.addWidget(self.problem, 1)
        banner.addWidget(self.dismiss)
        self.banner = QWidget()
        self.banner.setLayout(banner)
        self.banner.hide()
        row = QWidget()
        row.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        whole = QVBoxLayout(row)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        layout = QHBoxLayout()
        layout.setSpacing(GRID)
        whole.addLayout(layout)
        whole.addWidget(self.banner)
        layout.addLayout(texts, 3)
        for button in (self.restart, self.record, self.mark, self.session_menu, self.view_menu):
            layout.addWidget(button)
        self.addWidget(row)

    def show_stream(self, stream: StreamDescription | None) -> None:
        """Tell which stream is open."""
        self.show_problem("refused", "")
        if stream is None:
            self.stream.setText("No stream")
            return
        simulated = ", simulated" if stream.simulated else ""
        n = stream.n_channels
        channels = f"{n} channel{'s' if n > 1 else ''}"
        self.stream.setText(f"{stream.name}: {channels}, {stream.sfreq:g} Hz{simulated}")

    def show_decoder(self, decoder: DecoderReady) -> None:
        """Tell which decoder is loaded."""
        self.show_problem("refused", "")
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
        self.show_problem("refused", reason)

    def show_engine_ended(self, why: str) -> None:
        """Tell that the engine has ended, and offer to start it again."""
        self.restart.show()
        self.show_problem("engine", f"The engine has ended ({why})")

    def show_decoding(self) -> None:
        """Tell that the stream is decoded again."""
        self.restart.hide()
        self.show_problem("engine", "")
        self.show_problem("refused", "")

    def show_problem(self, about: str, text: str) -> None:
        """Tell of a problem until it is over, which an empty text says.

        Parameters
        ----------
        about : str
            What it concerns: ``recording``, ``engine``, ``refused``, ``files``.
        text : str
        """
        self._problems.pop(about, None)
        if text:
            self._problems[about] = text
        self._show_newest()

    def _dismiss(self) -> None:
        self._problems.clear()
        self._show_newest()

    def _show_newest(self) -> None:
        text = next(reversed(self._problems.values()), "")
        self.problem.setText(text)
        self.banner.setVisible(bool(text))


def _menu_button(text: str) -> QToolButton:
    """Return a button that opens a menu at once, and is up again when it closes."""
    button = QToolButton()
    button.setText(f"{text} ▾")
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    button.setProperty("menu", True)
    return button
