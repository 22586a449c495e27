"""Streams in sight, their check against the decoder, and buttons to connect one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.ui.discovery import markers_among, signals_among, suitable_markers
from sjepa_apps.ui.electrode_table import ElectrodeTable
from sjepa_apps.ui.stream_check import UNITS, check_stream, worst
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, ElidedLabel, PlainLabel, State, make_table, plain_tip
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, describe
from sjepa_online.online.events import DecoderReady, Mode
from sjepa_online.stream import StreamDescription

#: Pixels: streams are chosen by a click, so their rows are higher than those of other tables.
ROW_HEIGHT = 30
COLUMNS = ("Stream", "Channels", "Rate", "Unit", "Host", "Fit")
CHECK_WORDS: dict[State, str] = {
    "good": "fits",
    "warning": "fits, with warnings",
    "bad": "does not fit",
    "": "–",
}
SIGNS: dict[State, str] = {"good": "✓", "warning": "!", "bad": "✗", "": "·"}
MODES: dict[str, Mode | None] = {
    "as the decoder needs": None,
    "continuously": "sliding",
    "at markers": "markers",
}
AUTOMATIC = "automatic"
NONE = "none"


class ConnectView(QWidget):
    """Streams come and go by themselves; one of them is connected.

    Signals
    -------
    connect_asked
        Stream, marker stream or None, mode or None, amplifier profile.
    disconnect_asked, decoder_asked
    """

    connect_asked = pyqtSignal(object, object, object, object)
    disconnect_asked = pyqtSignal()
    decoder_asked = pyqtSignal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._streams: list[StreamDescription] = []
        self._shown: list[StreamDescription] = []
        self._decoder: DecoderReady | None = None
        self._connected: StreamDescription | None = None
        self._waiting = ""
        self.table = make_table(COLUMNS, stretched=0)
        self.table.setToolTip("Streams that LSL sees on the network; double-click connects")
        rows = self.table.verticalHeader()
        assert rows is not None
        rows.setDefaultSectionSize(ROW_HEIGHT)
        self.name = ElidedLabel("Looking for streams …", "heading")
        self.findings = PlainLabel()
        self.findings.setWordWrap(True)
        self.markers = Choices()
        self.markers.setToolTip("Marker stream: what the truth and the times of trials come from")
        self.mode = Choices()
        self.mode.addItems(list(MODES))
        self.mode.setToolTip("When a window is decoded: eight times a second, or at each marker")
        self._said = AS_DECLARED
        self.unit = Choices()
        self.unit.addItems(list(UNITS))
        self.unit.setToolTip("Unit of the samples, where the stream declares none or a wrong one")
        self.connect_button = QPushButton("Connect")
        self.connect_button.setProperty("primary", True)
        self.connect_button.setToolTip("Show and decode the chosen stream (Enter)")
        self.disconnect_button = QPushButton("Disconnect")
        self.disconnect_button.setToolTip("Stop showing and decoding")
        self.decoder = ElidedLabel("none")
        self.decoder_button = QPushButton("Load …")
        self.decoder_button.setToolTip("Load another decoder without stopping (Ctrl+O)")
        self.electrodes_button = QPushButton("Electrodes …")
        self.electrodes_button.setToolTip("Say which channel is which electrode (also saved)")
        self._known: dict[str, AmplifierProfile] = {}
        self._lay_out()
        self.electrodes_button.clicked.connect(self._edit_electrodes)
        self.table.itemSelectionChanged.connect(self._describe)
        self.table.itemActivated.connect(self._connect)
        self.unit.currentIndexChanged.connect(self._describe)
        self.connect_button.clicked.connect(self._connect)
        self.disconnect_button.clicked.connect(self.disconnect_asked)
        self.decoder_button.clicked.connect(self.decoder_asked)
        self._fill_markers()
        self._describe()

    def _lay_out(self) -> None:
        form = QGridLayout()
        form.setHorizontalSpacing(2 * GRID)
        form.setVerticalSpacing(GRID)
        for row, (text, control) in enumerate(
            (("Markers", self.markers), ("Decide", self.mode), ("Unit", self.unit))
        ):
            form.addWidget(PlainLabel(text, "muted"), row, 0)
            form.addWidget(control, row, 1, 1, 1 if control is self.unit else 2)
        form.addWidget(self.electrodes_button, 2, 2)
        form.addWidget(PlainLabel("Decoder", "muted"), 3, 0)
        form.addWidget(self.decoder, 3, 1)
        form.addWidget(self.decoder_button, 3, 2)
        form.setColumnStretch(1, 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        buttons.addWidget(self.connect_button, 1)
        buttons.addWidget(self.disconnect_button, 1)
        side = QVBoxLayout()
        side.setSpacing(2 * GRID)
        side.addLayout(form)
        side.addLayout(buttons)
        side.addStretch()
        below = QHBoxLayout()
        below.setContentsMargins(2 * GRID, GRID, 2 * GRID, 2 * GRID)
        below.setSpacing(4 * GRID)
        told = QVBoxLayout()
        told.setSpacing(GRID)
        told.addWidget(self.name)
        told.addWidget(self.findings)
        told.addStretch()
        below.addLayout(told, 1)
        below.addLayout(side, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(GRID)
        layout.addWidget(self.table, 1)
        layout.addLayout(below)

    @property
    def chosen(self) -> StreamDescription | None:
        """The stream whose row is selected."""
        row = self.table.currentRow()
        return self._shown[row] if 0 <= row < len(self._shown) else None

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self._fill()

    def show_streams(self, streams: list[StreamDescription]) -> None:
        """Show the streams in sight; the chosen one stays chosen."""
        self._streams = streams
        self._fill()
        self._fill_markers()

    def show_decoder(self, decoder: DecoderReady | None) -> None:
        """Compare the streams with another decoder."""
        self._decoder = decoder
        if decoder is not None:
            self.decoder.setText(f"{Path(decoder.path).name} ({decoder.name})")
        self._fill()

    def show_connected(self, stream: StreamDescription | None) -> None:
        """Tell which stream is connected."""
        self._connected = stream
        if stream is not None:
            self.table.setCurrentCell(-1, -1)
        self._fill()

    def restore(
        self,
        markers: str | None,
        mode: Mode | None,
        unit: str | None,
        amplifier: AmplifierProfile = AS_DECLARED,
        known: Mapping[str, AmplifierProfile] | None = None,
    ) -> None:
        """Restore the choices of the last time, or take those of the command line.

        Parameters
        ----------
        markers : str or None
            Marker stream.
        mode : {"sliding", "markers"} or None
        unit : str or None
            Of the EEG.
        amplifier : AmplifierProfile
            Of the command line.
        known : mapping of str to AmplifierProfile, optional
            Descriptions by stream, from earlier times.
        """
        self._known = dict(known or {})
        self.mode.setCurrentIndex(list(MODES.values()).index(mode))
        self._said = amplifier
        self.unit.setCurrentIndex(list(UNITS.values()).index(unit))
        if markers is not None:
            self._fill_markers(markers)

    def show_waiting(self, told: str) -> None:
        """Show which stream is awaited; empty for none."""
        self._waiting = told
        self._describe()

    def _fill(self) -> None:
        chosen = self.chosen or self._connected
        self._shown = signals_among(self._streams)
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._shown))
        for row, stream in enumerate(self._shown):
            state = worst(check_stream(stream, self._decoder, self.amplifier_for(stream)))
            mark = "●  " if self._is_connected(stream) else ""
            verdict = CHECK_WORDS[state] if self._decoder is not None or state == "bad" else "–"
            cells = (
                f"{mark}{stream.name}",
                str(stream.n_channels),
                f"{stream.sfreq:g} Hz" if stream.sfreq else "irregular",
                stream.unit or "not declared",
                stream.host,
                verdict,
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tip(f"{stream.name}, source id {stream.source_id or 'none'}"))
                if column == len(COLUMNS) - 1:
                    item.setForeground(self._state_colour(state))
                self.table.setItem(row, column, item)
        row = next((n for n, one in enumerate(self._shown) if _same(one, chosen)), -1)
        if row < 0 and self._shown:
            row = 0
        self.table.setCurrentCell(row, 0)
        self.table.blockSignals(False)
        self._describe()

    def _fill_markers(self, wanted: str = "") -> None:
        """List the marker streams; the chosen one stays chosen, even out of sight."""
        wanted = wanted or self.markers.currentText() or AUTOMATIC
        names = [one.name for one in markers_among(self._streams)]
        texts = [
            one.name if names.count(one.name) == 1 else one.selector
            for one in markers_among(self._streams)
        ]
        self.markers.blockSignals(True)
        self.markers.clear()
        self.markers.addItems(list(dict.fromkeys((AUTOMATIC, NONE, *texts, wanted))))
        self.markers.setCurrentText(wanted)
        self.markers.blockSignals(False)

    def _state_colour(self, state: State) -> QColor:
        theme = self._theme
        colours = {"good": theme.good, "warning": theme.warning, "bad": theme.bad}
        return QColor(colours.get(state, theme.muted))

    def _describe(self) -> None:
        stream = self.chosen
        is_signal = stream is not None and stream.is_kind("signal")
        self.connect_button.setEnabled(is_signal)
        self.electrodes_button.setEnabled(is_signal)
        self.disconnect_button.setEnabled(self._connected is not None)
        waiting = [f"{SIGNS['']}  {self._waiting}"] if self._waiting else []
        if stream is None:
            self.name.setText("No stream is in sight")
            start = (
                "Start the amplifier's LSL program, or replay a recording (Session menu). "
                "Streams appear here by themselves."
            )
            self.findings.setText("\n".join([*waiting, start]))
            return
        findings = check_stream(stream, self._decoder, self.amplifier_for(stream))
        lines = waiting + [f"{SIGNS[finding.state]}  {finding.text}" for finding in findings]
        if stream.simulated:
            lines.append(f"{SIGNS['']}  It is simulated: nobody is recorded.")
        self.name.setText(stream.name)
        self.findings.setText("\n".join(lines))

    def open_stream(self, stream: StreamDescription) -> None:
        """Ask for a stream with the choices as they are."""
        self.connect_asked.emit(
            stream, self.markers_for(stream), self.chosen_mode, self.amplifier_for(stream)
        )

    def _connect(self) -> None:
        stream = self.chosen
        if stream is not None and stream.is_kind("signal"):
            self.open_stream(stream)

    @property
    def chosen_mode(self) -> Mode | None:
        """When a window is decoded; None leaves it to the paradigm."""
        return MODES[self.mode.currentText()]

    def amplifier_for(self, stream: StreamDescription) -> AmplifierProfile:
        """Return the description of a stream's amplifier: today's, or that of the last time.

        Parameters
        ----------
        stream : StreamDescription

        Returns
        -------
        amplifier : AmplifierProfile
        """
        known = self._known.get(stream.selector, AS_DECLARED)
        return describe(known if self._said == AS_DECLARED else self._said, unit=self.chosen_unit)

    @property
    def known(self) -> dict[str, AmplifierProfile]:
        """What the operator has said of each stream, by its selector."""
        return dict(self._known)

    def remember_amplifier(self, stream: StreamDescription, amplifier: AmplifierProfile) -> None:
        """Use this for the stream from now on, and offer it the next time."""
        self._known[stream.selector] = amplifier
        self._said = AS_DECLARED
        self._fill()

    def _edit_electrodes(self) -> None:
        stream = self.chosen
        if stream is None:
            return
        table = ElectrodeTable(stream, self.amplifier_for(stream), self)
        if table.exec():
            self.remember_amplifier(stream, table.profile)

    @property
    def chosen_unit(self) -> str | None:
        """Unit that replaces the declared one; None for that."""
        return UNITS[self.unit.currentText()]

    def markers_for(self, stream: StreamDescription) -> StreamDescription | None:
        """Return the marker stream to use with a signal.

        Parameters
        ----------
        stream : StreamDescription
            The signal.

        Returns
        -------
        markers : StreamDescription or None
            None where there is not exactly one.
        """
        chosen = self.markers.currentText()
        if chosen == NONE:
            return None
        if chosen == AUTOMATIC:
            return suitable_markers(stream, self._streams)
        fitting = [one for one in self._streams if chosen in one.selectors]
        fitting = [one for one in fitting if one.is_kind("markers")]
        return fitting[0] if len(fitting) == 1 else None

    def _is_connected(self, stream: StreamDescription) -> bool:
        return _same(stream, self._connected)


def _same(stream: StreamDescription, other: StreamDescription | None) -> bool:
    """Return whether two descriptions are of the same source, restarted or not."""
    return other is not None and (
        stream.uid == other.uid
        or (stream.name, stream.source_id, stream.host) == (other.name, other.source_id, other.host)
    )
