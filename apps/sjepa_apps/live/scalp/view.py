"""The scalp: quality of the electrodes, and the patterns of the decoder."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from sjepa_apps.ui.channel_states import NEXT_CHOICE, ChannelStates
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, ElidedLabel, panel
from sjepa_online.online.events import DecoderReady

QUALITY = "amplitude against calibration"
#: A channel of so many times its usual amplitude has the full colour.
FULL_COLOUR = 4.0
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
        self.summary = ElidedLabel("No decoder is loaded.", "muted")
        frame = panel()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
        layout.setSpacing(GRID // 2)
        bar = QHBoxLayout()
        bar.addWidget(self.summary, 1)
        bar.addWidget(self.shown)
        layout.addLayout(bar)
        layout.addWidget(self.canvas, 1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.canvas.set_theme(theme)

    def show_decoder(self, decoder: DecoderReady) -> None:
        """Show the electrodes of another decoder."""
        self._decoder = decoder
        self.canvas.set_channels(decoder.ch_names)
        self.shown.blockSignals(True)
        self.shown.clear()
        self.shown.addItem(QUALITY)
        for pattern in decoder.patterns:
            self.shown.addItem(pattern.title)
        self.shown.blockSignals(False)
        self._show_summary(decoder)
        self._show_values()

    def show_states(self, states: ChannelStates) -> None:
        """Show which electrodes are bad."""
        self._states = states
        self.canvas.set_states(states)
        if self._decoder is None:
            return
        self._show_summary(self._decoder)
        if self.shown.currentText() == QUALITY:
            self._show_values()

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

    def _show_summary(self, decoder: DecoderReady) -> None:
        n, bad = len(decoder.ch_names), self._states.bad
        told = f"{n} electrodes"
        if self._states.reports:
            told = f"{n - len(bad)} of {n} good" + (f", bad: {', '.join(bad)}" if bad else "")
        self.summary.setText(told)

    def _show_values(self) -> None:
        if self._decoder is None:
            return
        index = self.shown.currentIndex() - 1
        if index >= 0:
            self.canvas.set_values(np.array(self._decoder.patterns[index].values), SIGNS)
            return
        if not self._states.reports:
            self.canvas.set_values(None)
            return
        ratios = np.array([self._ratio(name) for name in self._decoder.ch_names])
        with np.errstate(divide="ignore"):
            values = np.log(ratios) / np.log(FULL_COLOUR)
        self.canvas.set_values(np.clip(values, -1, 1), LOUDNESS)

    def _ratio(self, name: str) -> float:
        report = self._states.get(name)
        return np.nan if report is None or report.amplitude is None else report.amplitude
