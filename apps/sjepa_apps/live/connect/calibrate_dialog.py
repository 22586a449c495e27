"""What to calibrate from: a form for the command ``calibrate``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QWidget,
)

from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import Choices, PlainLabel, ProtocolFileButton
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, to_toml
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import safe_name
from sjepa_online.resources import list_resources

DECODERS = ("auto", "pre-local", "filter-bank", "riemann")
RECORDINGS = "Recordings (*.xdf *.fif *.edf *.bdf *.gdf *.vhdr *.set);;All files (*)"


class CalibrateDialog(QDialog):
    """Choose protocol, recordings or a session, and decoder; the window stays usable.

    Parameters
    ----------
    folder : Path
        Where decoders and sessions go.
    stream : str or None
        Selector of the stream that is connected.
    amplifier : AmplifierProfile
        What was said of it beside what it declares.
    parent : QWidget or None

    Signals
    -------
    accepted_command
        Arguments of the command, and the path of the decoder file that it writes; None for a
        session, which has a folder of its own.
    """

    accepted_command = pyqtSignal(list, object)

    def __init__(
        self,
        folder: Path,
        stream: str | None,
        amplifier: AmplifierProfile = AS_DECLARED,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Calibrate")
        self.setMinimumWidth(560)
        self._folder, self._stream, self._amplifier = folder, stream, amplifier
        self.protocol = Choices()
        self.protocol.addItems(sorted(list_resources("calibration", ".toml")))
        self.other = ProtocolFileButton(self.protocol)
        self.decoder = Choices()
        self.decoder.addItems(DECODERS)
        self.from_recordings = QRadioButton("from &recordings")
        self.from_session = QRadioButton("in a &session with the participant, now")
        self.from_session.setEnabled(stream is not None)
        self.from_session.setToolTip("Opens the calibration session on the connected stream")
        self.from_recordings.setChecked(True)
        group = QButtonGroup(self)
        group.addButton(self.from_recordings)
        group.addButton(self.from_session)
        self.sources = QLineEdit()
        self.sources.setPlaceholderText("files or sources, as in sample:1; sample:2")
        self.browse = QPushButton("Add …")
        self.start = QPushButton("Calibrate")
        self.start.setProperty("primary", True)
        self.start.setDefault(True)
        self.cancel = QPushButton("Cancel")
        self.problem = PlainLabel()
        self.problem.setWordWrap(True)
        self.problem.set_state("bad")
        self.problem.hide()
        self._lay_out()
        self.browse.clicked.connect(self._add)
        self.cancel.clicked.connect(self.reject)
        self.start.clicked.connect(self._accept)
        self.sources.textChanged.connect(self._check)
        self.from_recordings.toggled.connect(self._check)
        self._check()

    def begin_with(self, protocol: str, decoder: str) -> None:
        """Choose a protocol and a decoder at first, where they are among the choices."""
        self.protocol.setCurrentText(protocol)
        self.decoder.setCurrentText(decoder)

    def _lay_out(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 3 * GRID, 2 * GRID)
        layout.setHorizontalSpacing(2 * GRID)
        layout.setVerticalSpacing(GRID + GRID // 2)
        layout.addWidget(PlainLabel("Protocol", "muted"), 0, 0)
        layout.addWidget(self.protocol, 0, 1)
        layout.addWidget(self.other, 0, 2)
        layout.addWidget(PlainLabel("Decoder", "muted"), 1, 0)
        layout.addWidget(self.decoder, 1, 1, 1, 2)
        layout.addWidget(PlainLabel("Trials", "muted"), 2, 0)
        layout.addWidget(self.from_recordings, 2, 1, 1, 2)
        layout.addWidget(self.sources, 3, 1)
        layout.addWidget(self.browse, 3, 2)
        layout.addWidget(self.from_session, 4, 1, 1, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addStretch()
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.start)
        layout.addWidget(self.problem, 5, 0, 1, 3)
        layout.addLayout(buttons, 6, 0, 1, 3)
        layout.setColumnStretch(1, 1)

    def command(self) -> tuple[list[str], Path | None]:
        """Return the arguments of the command, and the decoder file that it writes."""
        protocol = self.protocol.currentText()
        arguments = ["calibrate", "--paradigm", protocol]
        arguments += ["--decoder", self.decoder.currentText()]
        if self.from_session.isChecked():
            assert self._stream is not None
            now = f"{datetime.now():%Y%m%d_%H%M%S}"
            folder = self._folder / f"session_{now}"
            arguments += ["--stream", self._stream, "--folder", str(folder)]
            if self._amplifier != AS_DECLARED:
                # beside the session, whose folder must be new
                arguments += ["--amplifier", str(self._folder / f"amplifier_{now}.toml")]
            return arguments, folder / "decoder.safetensors"
        name = f"{safe_name(Path(protocol).stem)}_{datetime.now():%Y%m%d_%H%M%S}.safetensors"
        out = self._folder / name
        for source in self._named_sources():
            arguments += ["--from", source]
        return [*arguments, "--out", str(out)], out

    def _named_sources(self) -> list[str]:
        return [source.strip() for source in self.sources.text().split(";") if source.strip()]

    def _check(self) -> None:
        from_files = self.from_recordings.isChecked()
        self.sources.setEnabled(from_files)
        self.browse.setEnabled(from_files)
        self.start.setEnabled(not from_files or bool(self._named_sources()))

    def _add(self) -> None:
        paths, _ = QFileDialog.getOpenFileNames(
            self, "Recordings to calibrate from", str(self._folder), RECORDINGS
        )
        self.sources.setText("; ".join([*self._named_sources(), *paths]))

    def _accept(self) -> None:
        arguments, out = self.command()
        try:
            self._write_profile(arguments)
        except (InputError, OSError) as error:
            self.problem.setText(f"The amplifier's profile cannot be written: {error}")
            self.problem.show()
            return
        self.accepted_command.emit(arguments, out)
        self.accept()

    def _write_profile(self, arguments: list[str]) -> None:
        if "--amplifier" in arguments:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = Path(arguments[arguments.index("--amplifier") + 1])
            atomic_write(path, to_toml(self._amplifier).encode())
