"""Which channel of a stream is which electrode, edited as a table with the signal beside it."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from PyQt6.QtWidgets import (
    QCheckBox,
    QCompleter,
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QInputDialog,
    QLineEdit,
    QPushButton,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import Choices, PlainLabel, make_table, plain_tip
from sjepa_apps.ui.worker import Worker
from sjepa_online.amplifier import (
    AS_DECLARED,
    AmplifierProfile,
    fitting_profile,
    list_profiles,
    load_profile,
    pick_channels,
    save_profile,
)
from sjepa_online.amplifier.profile import LEFT_OUT
from sjepa_online.errors import InputError, OperationError
from sjepa_online.signal.montage import electrode_names, standard_names
from sjepa_online.stream import SignalInlet, StreamDescription

COLUMNS = ("", "Channel", "Electrode", "Use", "Signal")
#: Seconds of signal that are shown, and the points that they are drawn with.
SECONDS, POINTS = 2.0, 120
#: Milliseconds between two pictures of the signal.
EVERY = 200
ROW_HEIGHT = 30
AS_IT_IS = "as the stream declares"


class SignalReader(Worker):
    """Read the last seconds of all channels of a stream until :meth:`stop`."""

    def __init__(self, stream: StreamDescription) -> None:
        super().__init__(f"preview of {stream.name}")
        self._stream = stream
        self._chunks: deque[NDArray[np.float64]] = deque(maxlen=200)

    def work(self) -> None:
        """Read; a stream that does not answer leaves the pictures empty."""
        try:
            with SignalInlet(self._stream, recover=False) as inlet:
                while not self._ended.is_set():
                    chunk = inlet.pull(0.1)
                    if chunk.data.size:
                        self._chunks.append(chunk.data)
        except (InputError, OperationError) as error:
            self.problems.append(str(error))

    def latest(self) -> NDArray[np.float64]:
        """Return the last seconds of the signal.

        Returns
        -------
        signal : ndarray, shape (channels, samples)
            Empty at the beginning.
        """
        chunks = list(self._chunks)
        if not chunks:
            return np.empty((self._stream.n_channels, 0))
        n = round(SECONDS * (self._stream.sfreq or 250.0))
        return np.concatenate(chunks, axis=1)[:, -n:]


class TraceView(QWidget):
    """The last seconds of one channel, scaled to its own range."""

    def __init__(self) -> None:
        super().__init__()
        self.values = np.empty(0)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Return the size of a row."""
        return QSize(28 * GRID, ROW_HEIGHT)

    def show_values(self, values: NDArray[np.float64]) -> None:
        """Draw other values.

        Parameters
        ----------
        values : ndarray, shape (samples,)
        """
        step = max(1, len(values) // POINTS)
        self.values = np.nan_to_num(values[::step])
        self.update()

    def paintEvent(self, _: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the line; one that does not change lies in the middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Text), 1.0))
        area = QRectF(self.rect()).adjusted(4, 5, -4, -5)
        if len(self.values) > 1:
            low, high = np.percentile(self.values, [1, 99])
            share = (self.values - low) / (high - low) if high > low else np.full(POINTS, 0.5)
            xs = np.linspace(area.left(), area.right(), len(share))
            ys = area.bottom() - np.clip(share, 0, 1) * area.height()
            points = [QPointF(x, y) for x, y in zip(xs, ys, strict=True)]
            painter.drawPolyline(QPolygonF(points))
        painter.end()


class ElectrodeTable(QDialog):
    """Say which channel is which electrode, and which are used.

    Parameters
    ----------
    stream : StreamDescription
    profile : AmplifierProfile
        As it is known so far.
    reader : SignalReader or None
        Of the signal beside the table; by default one of the stream.
    """

    def __init__(
        self,
        stream: StreamDescription,
        profile: AmplifierProfile = AS_DECLARED,
        parent: QWidget | None = None,
        reader: SignalReader | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(f"Electrodes of {stream.name}")
        self._stream = stream
        self._profile = profile
        self.profiles = Choices()
        self.profiles.addItems([AS_IT_IS, *list_profiles()])
        self.profiles.setToolTip("Start from a profile of an amplifier")
        self.table = make_table(COLUMNS, stretched=4)
        self.electrodes: list[QLineEdit] = []
        self.used: list[QCheckBox] = []
        self.traces: list[TraceView] = []
        self.told = PlainLabel()
        self.told.setWordWrap(True)
        self.save_button = QPushButton("Save as profile …")
        kinds = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self._fill_rows()
        self._lay_out()
        self._propose()
        self.profiles.currentTextChanged.connect(self._take_profile)
        self.save_button.clicked.connect(self._ask_name)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._reader = SignalReader(stream) if reader is None else reader
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_signal)
        self.finished.connect(self._end)

    def exec(self) -> int:
        """Show the table until it is closed; the signal is read meanwhile.

        Returns
        -------
        code : int
            Qt's result of the dialog.
        """
        self._reader.start()
        self._timer.start(EVERY)
        return super().exec()

    @property
    def profile(self) -> AmplifierProfile:
        """What the table says, with all else that was known.

        Raises
        ------
        InputError
            A name is no electrode's, one is there twice, or none is used.
        """
        channels = tuple(
            field.text().strip() or LEFT_OUT if box.isChecked() else LEFT_OUT
            for field, box in zip(self.electrodes, self.used, strict=True)
        )
        made = self._profile.model_copy(update={"channels": channels, "fits": None})
        checked = AmplifierProfile.model_validate(made.model_dump())
        pick_channels(self._stream.declaration, checked)
        return checked

    def _fill_rows(self) -> None:
        self.table.setRowCount(self._stream.n_channels)
        header = self.table.verticalHeader()
        assert header is not None
        header.setDefaultSectionSize(ROW_HEIGHT)
        completer = QCompleter(electrode_names(), self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        for row, label in enumerate(self._stream.declaration.labels):
            for column, text in ((0, str(row + 1)), (1, label or "–")):
                item = QTableWidgetItem(text)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled)
                item.setToolTip(plain_tip(text))
                self.table.setItem(row, column, item)
            field, box, trace = QLineEdit(), QCheckBox(), TraceView()
            field.setCompleter(completer)
            field.setMinimumWidth(9 * GRID)
            field.textChanged.connect(self._judge)
            box.toggled.connect(self._judge)
            for column, widget in ((2, field), (3, box), (4, trace)):
                self.table.setCellWidget(row, column, widget)
            self.electrodes.append(field)
            self.used.append(box)
            self.traces.append(trace)

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.setSpacing(GRID)
        above.addWidget(PlainLabel("Start from", "muted"))
        above.addWidget(self.profiles, 1)
        above.addWidget(self.save_button)
        layout = QVBoxLayout(self)
        layout.setSpacing(2 * GRID)
        layout.addLayout(above)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.told)
        layout.addWidget(self.buttons)
        self.resize(QSize(90 * GRID, 80 * GRID))

    def _propose(self) -> None:
        """Begin with what is known; where nothing is, with the profile that fits."""
        fitting = fitting_profile(self._stream.declaration)
        if self._profile.channels is None and fitting is not None:
            self.profiles.setCurrentText(fitting)
            self._take_profile(fitting)
        else:
            self._show(self._profile)

    def _take_profile(self, name: str) -> None:
        try:
            chosen = AS_DECLARED if name == AS_IT_IS else load_profile(name)
        except InputError as error:
            self.told.setText(str(error))
            self.told.set_state("bad")
            return
        self._profile = chosen
        self._show(chosen)

    def _show(self, profile: AmplifierProfile) -> None:
        """Show the electrodes of a profile, or of the labels where it names none."""
        labels = self._stream.declaration.labels
        try:
            picked = pick_channels(self._stream.declaration, profile)
        except InputError:
            names = [name or "" for name in standard_names(labels)]
        else:
            chosen = dict(zip(picked.rows.tolist(), picked.ch_names, strict=True))
            names = [chosen.get(row, "") for row in range(len(labels))]
        for name, field, box in zip(names, self.electrodes, self.used, strict=True):
            field.setText(name)
            box.setChecked(bool(name))
        self._judge()

    def _judge(self) -> None:
        """Tell what is wrong with the table, and let it be taken where nothing is."""
        try:
            n = sum(name != LEFT_OUT for name in self.profile.channels or ())
        except ValueError as error:
            problem = error.problem if isinstance(error, InputError) else _first_line(error)
            self.told.setText(problem)
            self.told.set_state("bad")
        else:
            self.told.setText(f"{n} of {self._stream.n_channels} channels are used.")
            self.told.set_state("good")
        sound = self.told.property("state") == "good"
        self.save_button.setEnabled(sound)
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert ok is not None
        ok.setEnabled(sound)

    def _show_signal(self) -> None:
        for trace, values in zip(self.traces, self._reader.latest(), strict=True):
            trace.show_values(values)
        if self._reader.problems:
            self.told.setText(self._reader.problems.popleft())
            self.told.set_state("warning")

    def _ask_name(self) -> None:
        name, given = QInputDialog.getText(self, "Save as profile", "Name of the profile:")
        if given:
            self.save(name.strip())

    def save(self, name: str) -> None:
        """Save the table among the user's profiles.

        Parameters
        ----------
        name : str
            Of the profile.
        """
        try:
            path = save_profile(self.profile, name)
        except ValueError as error:
            self.told.setText(str(error))
            self.told.set_state("bad")
            return
        self.told.setText(f"Saved: {path}")
        self.told.set_state("good")

    def _end(self) -> None:
        self._timer.stop()
        self._reader.stop()


def _first_line(error: ValueError) -> str:
    """Return what pydantic says is wrong, in a line."""
    told = [line.strip() for line in str(error).split("\n")]
    found = next((line for line in told if line.startswith("Value error")), told[0])
    return found.removeprefix("Value error, ").partition(" [type=")[0]
