"""The scalp: quality of the electrodes, and the patterns of the decoder."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sjepa_apps.ui.channel_states import (
    NEXT_CHOICE,
    ChannelStates,
    ChannelSummary,
    known_electrodes,
)
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, ElidedLabel, panel
from sjepa_online.online.events import DecoderReady

QUALITY = "amplitude against calibration"
AMONG = "amplitude against the others"
#: A channel of so many times its usual amplitude has the full colour.
FULL_COLOUR = 4.0
#: Bad electrodes for which the remedy is told.
N_REMEDIES = 1
#: What the colours of the map mean, from the largest value to the smallest.
LOUDNESS = ("louder", "as usual", "quieter")
SIGNS = ("positive", "nothing", "negative")


class ScalpView(QWidget):
    """A scalp map, and a box that chooses its content.

    Signals
    -------
    choice_asked
        Channel, and what to do with it.
    """

    choice_asked = pyqtSignal(str, str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._decoder: DecoderReady | None = None
        #: Electrodes of the stream that is shown; None for those of the decoder.
        self._stream_names: tuple[str, ...] | None = None
        self._names: tuple[str, ...] = ()
        self._states = ChannelStates()
        self.canvas = ScalpCanvas(theme)
        self.canvas.channel_clicked.connect(self._clicked)
        self.shown = Choices()
        self.shown.addItem(QUALITY)
        self.shown.setToolTip(
            "Colours between the electrodes: amplitude against the calibration, or where the "
            "sources lie that the decoder reads"
        )
        self.shown.currentIndexChanged.connect(self._show_values)
        self.summary = ElidedLabel("No stream is connected", "muted")
        self.remedy = ElidedLabel("", "muted")
        self.remedy.hide()
        frame = panel()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(GRID // 2)
        bar = QHBoxLayout()
        bar.addWidget(self.summary, 1)
        bar.addWidget(self.shown)
        layout.addLayout(bar)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.remedy)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.canvas.set_theme(theme)

    def show_decoder(self, decoder: DecoderReady) -> None:
        """Show the electrodes of another decoder."""
        self._decoder = decoder
        self._show_electrodes()

    def show_stream(self, names: tuple[str, ...] | None) -> None:
        """Show the electrodes of a stream that is not decoded; None: those of the decoder."""
        known = None if names is None else tuple(known_electrodes(names).values())
        if known != self._stream_names:
            self._stream_names = known
            self._show_electrodes()

    def _show_electrodes(self) -> None:
        decoder = self._decoder if self._stream_names is None else None
        decoded = () if decoder is None else decoder.ch_names
        self._names = decoded if self._stream_names is None else self._stream_names
        self.canvas.set_channels(self._names)
        self.shown.blockSignals(True)
        self.shown.clear()
        self.shown.addItem(AMONG if decoder is None else QUALITY)
        for pattern in () if decoder is None else decoder.patterns:
            self.shown.addItem(pattern.title)
        self.shown.blockSignals(False)
        self._show_summary()
        self._show_values()

    def show_states(self, states: ChannelStates) -> None:
        """Show which electrodes are bad."""
        self._states = states
        self.canvas.set_states(states)
        self._show_summary()
        if self.shown.currentIndex() <= 0:
            self._show_values()

    def show_silence(self, told: str) -> None:
        """Tell why nothing is known of the electrodes; empty where it is."""
        if told and not self._states.reports:
            self.summary.setText(told)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Choose an electrode with the arrow keys, and act on it with Enter."""
        assert event is not None
        match event.key():
            case Qt.Key.Key_Right | Qt.Key.Key_Down:
                self.canvas.step_focus(1)
            case Qt.Key.Key_Left | Qt.Key.Key_Up:
                self.canvas.step_focus(-1)
            case Qt.Key.Key_Return | Qt.Key.Key_Enter:
                self.canvas.press_focused()
            case _:
                super().keyPressEvent(event)

    def _clicked(self, channel: str) -> None:
        report = self._states.get(channel)
        # a channel that the decoder does not use is neither bad nor good
        if report is not None:
            self.choice_asked.emit(report.channel, NEXT_CHOICE[report.choice])

    def _show_summary(self) -> None:
        """Tell how many electrodes are good, which are not, and what to do about the first."""
        reports = [self._states.get(name) for name in self._names]
        bad = [one.channel for one in reports if one is not None and one.bad]
        n = len(self._names)
        told = f"{n} electrodes" if n else "No electrode has a known name"
        if any(one is not None for one in reports):
            named = f", bad: {', '.join(bad)}" if bad else ""
            told = f"{n - len(bad)} of {n} good{named}"
        self.summary.setText(told)
        remedies = self._states.remedies(N_REMEDIES)
        self.remedy.setText(" ".join(remedies))
        self.remedy.setVisible(bool(remedies))

    def _show_values(self) -> None:
        index = self.shown.currentIndex() - 1
        if index >= 0 and self._decoder is not None:
            self.canvas.set_values(np.array(self._decoder.patterns[index].values), SIGNS)
            return
        if not self._states.reports:
            self.canvas.set_values(None)
            return
        ratios = np.array([self._ratio(name) for name in self._names])
        with np.errstate(divide="ignore"):
            values = np.log(ratios) / np.log(FULL_COLOUR)
        self.canvas.set_values(np.clip(values, -1, 1), LOUDNESS)

    def _ratio(self, name: str) -> float:
        report = self._states.get(name)
        relative = report.relative if isinstance(report, ChannelSummary) else None
        return np.nan if relative is None else relative
