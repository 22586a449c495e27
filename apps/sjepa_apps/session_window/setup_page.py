"""The first page: protocol, stream and display."""

from __future__ import annotations

from datetime import datetime

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QGuiApplication
from PyQt6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QSpinBox,
    QTableWidgetItem,
    QWidget,
)

from sjepa_apps.session.checks import require_enough_trials
from sjepa_apps.session.folder import SESSIONS, SessionFolder, planned_trials
from sjepa_apps.session.identity import new_path
from sjepa_apps.session_window.choices import Choices
from sjepa_apps.session_window.identity_fields import IdentityFields
from sjepa_apps.session_window.page import Page, minutes
from sjepa_apps.session_window.setup import SessionSetup
from sjepa_apps.stimulus.display import DisplayOptions
from sjepa_apps.stimulus.frame_window import find_screen
from sjepa_apps.ui.discovery import signals_among
from sjepa_apps.ui.electrode_table import ElectrodeTable
from sjepa_apps.ui.recent_decoders import RecentButton, RecentDecoders
from sjepa_apps.ui.stream_check import UNITS, check_stream, worst
from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import Choices as ChoiceBox
from sjepa_apps.ui.widgets import PlainLabel, ProtocolFileButton, make_table, plain_tip
from sjepa_online.amplifier import AmplifierProfile, describe
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.resources import list_resources
from sjepa_online.schedule import make_schedule
from sjepa_online.stream import StreamDescription

_COLUMNS = ("Stream", "Channels", "Rate", "Unit", "Host")
_NO_STREAM = (
    "No EEG stream is in sight. Start the amplifier's LSL program; streams appear here by "
    "themselves. Without an amplifier: sjepa-online simulate --paradigm {paradigm}"
)


class SetupPage(Page):
    """Protocol, stream and display.

    Parameters
    ----------
    setup : SessionSetup
        What is chosen at first.
    folder : SessionFolder or None
        Of the session to go on with.
    recent : RecentDecoders
        Which can be used in place of a session.

    Signals
    -------
    chosen
        :class:`~sjepa_apps.session_window.choices.Choices`.
    """

    chosen = pyqtSignal(object)

    def __init__(
        self, setup: SessionSetup, folder: SessionFolder | None, recent: RecentDecoders
    ) -> None:
        super().__init__(
            "Stream and protocol",
            "What the participant sees, what is recorded, and on which display.",
            "Check channels",
            "Decode without calibration",
        )
        self.secondary.setToolTip("A minute of signal makes the decoder; no trial is shown")
        self.recent = RecentButton(
            "Recent decoders", recent, {"Decode now": "live", "Feedback": "feedback"}
        )
        self.foot.insertWidget(self.foot.indexOf(self.back), self.recent)
        self._setup = setup
        self._folder = folder
        self._streams: list[StreamDescription] = []
        self._protocol: Protocol | None = None
        # whether trials can be recorded, and whether a decoder without can be made
        self._sound = self._named = False
        self.protocol = ChoiceBox()
        self.other_protocol = ProtocolFileButton(self.protocol)
        self.about = PlainLabel("", "muted")
        self.about.setWordWrap(True)
        self.trials = QSpinBox()
        self.trials.setRange(1, 9999)
        self.trials.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.trials.setFixedWidth(10 * GRID)
        self.practice = QCheckBox("Practice trials first")
        self._practice_wanted = setup.practice and folder is None
        self.table = make_table(_COLUMNS, stretched=0)
        self.unit = ChoiceBox()
        self.unit.addItems(list(UNITS))
        self.unit.setToolTip("Unit of the EEG, where the stream declares none or a wrong one")
        self.identity = IdentityFields(setup.identity)
        self.electrodes = QPushButton("Electrodes …")
        self.electrodes.setToolTip("Say which channel is which electrode (also saved)")
        self._amplifiers: dict[str, AmplifierProfile] = {}
        self.display = ChoiceBox()
        self.windowed = QCheckBox("In a window, to try it out")
        self.windowed.setChecked(setup.display_options.windowed)
        self.photodiode = QCheckBox("Photodiode patch in the lower left corner")
        self.photodiode.setChecked(setup.display_options.photodiode)
        self.sound = QCheckBox("Sound cues")
        self.sound.setChecked(setup.display_options.sound)
        self._lay_out()
        self._fill_protocols()
        self._fill_unit()
        self._fill_displays()
        self.show_streams([])
        self.protocol.currentTextChanged.connect(self._read_protocol)
        self.trials.valueChanged.connect(self._plan)
        self.table.itemSelectionChanged.connect(self._judge)
        self.unit.currentIndexChanged.connect(self._judge)
        self.electrodes.clicked.connect(self._edit_electrodes)
        self.primary.clicked.connect(lambda: self._choose(with_trials=True))
        self.secondary.clicked.connect(lambda: self._choose(with_trials=False))
        self.identity.changed.connect(self._plan)
        if folder is not None:
            self.identity.keep(folder.state.identity)
        self._read_protocol()

    def show_streams(self, streams: list[StreamDescription]) -> None:
        """Show the streams in sight; the chosen one stays chosen."""
        wanted = self._wanted()
        self._streams = signals_among(streams)
        self.table.blockSignals(True)
        self.table.setRowCount(len(self._streams))
        for row, stream in enumerate(self._streams):
            cells = (
                stream.name,
                str(stream.n_channels),
                f"{stream.sfreq:g} Hz" if stream.sfreq else "irregular",
                stream.unit or "not declared",
                stream.host,
            )
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(plain_tip(f"source id {stream.source_id or 'none'}"))
                self.table.setItem(row, column, item)
        rows = [row for row, one in enumerate(self._streams) if wanted in one.selectors]
        only = 0 if len(self._streams) == 1 and not wanted else -1
        self.table.setCurrentCell(rows[0] if len(rows) == 1 else only, 0)
        self.table.blockSignals(False)
        self._judge()

    @property
    def stream(self) -> StreamDescription | None:
        """The stream that is chosen."""
        row = self.table.currentRow()
        return self._streams[row] if 0 <= row < len(self._streams) else None

    @property
    def chosen_unit(self) -> str | None:
        """Unit that replaces what the stream declares."""
        return UNITS[self.unit.currentText()]

    @property
    def chosen_amplifier(self) -> AmplifierProfile:
        """What is known of the amplifier beside what the stream declares."""
        stream = self.stream
        edited = None if stream is None else self._amplifiers.get(stream.selector)
        return describe(edited or self._setup.amplifier, unit=self.chosen_unit)

    def _edit_electrodes(self) -> None:
        stream = self.stream
        if stream is None:
            return
        table = ElectrodeTable(stream, self.chosen_amplifier, self)
        if table.exec():
            self._amplifiers[stream.selector] = table.profile
            self._judge()

    @property
    def paradigm(self) -> str:
        """Name or path of the protocol that is chosen."""
        return self.protocol.currentText()

    def keep(self, folder: SessionFolder | None) -> None:
        """Go on with this session, whose protocol and unit stay as they are."""
        if folder is None:
            return
        if self._folder is None:
            self._folder = folder
            self.identity.keep(folder.state.identity)
            self.protocol.blockSignals(True)
            self.protocol.clear()
            self._fill_protocols()
            self.protocol.blockSignals(False)
            self._fill_unit()
            self._read_protocol()
        self.trials.setValue(folder.state.n_trials)

    def _lay_out(self) -> None:
        form = QGridLayout()
        form.setHorizontalSpacing(2 * GRID)
        form.setVerticalSpacing(GRID)
        rows = (
            ("Protocol", _side_by_side(self.protocol, self.other_protocol)),
            ("Participant", _side_by_side(self.identity)),
            ("Trials", _side_by_side(self.trials, self.practice)),
            ("", _side_by_side(self.about)),
            ("Display", _side_by_side(self.display)),
            ("", _side_by_side(self.windowed, self.photodiode, self.sound)),
            ("Unit", _side_by_side(self.unit, self.electrodes)),
        )
        for row, (name, fields) in enumerate(rows):
            form.addWidget(PlainLabel(name, "muted"), row, 0)
            form.addLayout(fields, row, 1)
        form.setColumnStretch(1, 1)
        self.content.addLayout(form)
        self.content.addWidget(self.table, 1)

    def _fill_protocols(self) -> None:
        if self._folder is not None:
            self.protocol.addItem(self._folder.protocol.name)
            self.protocol.setEnabled(False)
            self.other_protocol.setEnabled(False)
            return
        names = [name for name in list_resources("calibration", ".toml") if _shows(name)]
        paradigm = self._setup.paradigm
        self.protocol.addItems(list(dict.fromkeys([*names, paradigm])))
        self.protocol.setCurrentText(paradigm)

    def _fill_unit(self) -> None:
        state = None if self._folder is None else self._folder.state
        unit = (self._setup.amplifier if state is None else state.described).unit
        self.unit.setCurrentIndex(list(UNITS.values()).index(unit))
        self.unit.setEnabled(self._folder is None)

    def _fill_displays(self) -> None:
        screens = QGuiApplication.screens()
        for number, screen in enumerate(screens, start=1):
            size = screen.geometry()
            self.display.addItem(
                f"{number}: {screen.name() or 'display'}, {size.width()} × {size.height()}, "
                f"{screen.refreshRate():.4g} Hz"
            )
        chosen = screens.index(find_screen(self._setup.display_options.display))
        self.display.setCurrentIndex(chosen)

    def _read_protocol(self) -> None:
        """Read the protocol, show its errors, and propose a number of trials."""
        try:
            self._protocol = self._load()
            practises = len(make_schedule(self._protocol, self._setup.seed, practice=True)) > 0
            n_trials = self._n_trials(self._protocol)
        except InputError as error:
            self._protocol = None
            self._refuse(error)
            return
        self.practice.setEnabled(practises)
        self.practice.setChecked(practises and self._practice_wanted)
        self.trials.blockSignals(True)
        self.trials.setValue(n_trials)
        self.trials.blockSignals(False)
        self._plan()

    def _load(self) -> Protocol:
        return load_protocol(self.paradigm) if self._folder is None else self._folder.protocol

    def _n_trials(self, protocol: Protocol) -> int:
        if self._setup.n_trials is not None:
            return self._setup.n_trials
        if self._folder is not None:
            return self._folder.state.n_trials
        return len(planned_trials(protocol, self._setup.seed))

    def _plan(self) -> None:
        """Show the duration of the trials, or why they cannot be used."""
        if self._protocol is None:
            return
        try:
            where = self._where()
        except InputError as error:
            self._refuse(error)
            return
        self._named = True
        seed = self._setup.seed if self._folder is None else self._folder.state.seed
        trials = planned_trials(self._protocol, seed, self.trials.value())
        try:
            if not self._setup.earlier:
                require_enough_trials(trials, self._protocol)
        except InputError as error:
            self._refuse(error, named=True)
            return
        total = sum(trial.duration for trial in trials)
        told = f"About {total / len(trials):.3g} s a trial, {minutes(total)} in all."
        self.about.setText(f"{told} {where}")
        self.about.set_state("")
        self._sound = True
        self._judge()

    def _where(self) -> str:
        """Tell where the session goes."""
        assert self._protocol is not None
        if self._folder is not None:
            return f"Goes on in {self._folder.path}."
        path = self._setup.folder or new_path(
            SESSIONS,
            self.identity.identity,
            self._protocol.name,
            self._setup.pattern,
            datetime.now(),
        )
        return f"Folder: {path}"

    def _refuse(self, error: InputError, *, named: bool = False) -> None:
        self.about.setText(str(error))
        self.about.set_state("bad")
        self._sound, self._named = False, named
        self._judge()

    def _judge(self) -> None:
        stream = self.stream
        self.primary.setEnabled(False)
        self.secondary.setEnabled(False)
        self.electrodes.setEnabled(stream is not None and self._folder is None)
        if not self._streams:
            self.tell(_NO_STREAM.format(paradigm=self.paradigm))
        elif stream is None:
            self.tell(f"{len(self._streams)} streams are in sight: choose the one to record.")
        else:
            findings = check_stream(stream, None, self.chosen_amplifier)
            state = worst(findings)
            said = [finding.text for finding in findings if finding.state == state != "good"]
            nobody = "It is simulated: nobody is recorded. " if stream.simulated else ""
            self.tell(nobody + " ".join(said), "" if state == "good" else state)
            self.primary.setEnabled(state != "bad" and self._sound)
            # a session that has begun goes on with trials
            self.secondary.setEnabled(state != "bad" and self._named and self._folder is None)

    def _wanted(self) -> str:
        chosen = self.stream
        if chosen is not None:
            return chosen.selectors[1]
        if self._setup.stream is None and self._folder is not None:
            return self._folder.state.stream.selector
        return self._setup.stream or ""

    @property
    def display_options(self) -> DisplayOptions:
        """Where stimuli are to be shown."""
        return DisplayOptions(
            self.display.currentIndex() + 1,
            self.windowed.isChecked(),
            self.photodiode.isChecked(),
            self.sound.isChecked(),
        )

    def _choose(self, *, with_trials: bool) -> None:
        stream = self.stream
        if stream is None:
            return
        self.chosen.emit(
            Choices(
                self.paradigm,
                stream,
                self.chosen_amplifier,
                self.trials.value(),
                self.practice.isChecked(),
                self.display_options,
                self.identity.identity,
                with_trials,
            )
        )


def _side_by_side(*fields: QWidget) -> QHBoxLayout:
    """Lay out fields in a row; the only one takes all of it."""
    row = QHBoxLayout()
    row.setSpacing(3 * GRID)
    for field in fields:
        row.addWidget(field)
    if len(fields) > 1:
        row.addStretch()
    return row


def _shows(name: str) -> bool:
    """Return whether to list a protocol: it has a presentation, or errors to be shown."""
    try:
        return load_protocol(name).presentation is not None
    except InputError:
        return True
