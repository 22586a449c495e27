"""The signals with their controls: time base, scale, filter, pause and looking back."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QScrollBar, QVBoxLayout, QWidget

from sjepa_apps.live.signals.canvas import SignalCanvas
from sjepa_apps.live.signals.display_filter import FILTERS
from sjepa_apps.live.signals.store import SignalStore
from sjepa_apps.ui.channel_states import ChannelStates
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, PlainLabel

TIME_BASES = (2, 5, 10, 20, 30)
SCALES = (5, 10, 20, 50, 100, 200, 500, 1000, 5000)
#: A typical peak fills this share of half a lane; low lanes may overlap.
FILLED, FILLED_LOW = 0.9, 2.0
#: With more channels than this lanes are low.
MANY_CHANNELS = 20
#: Seconds after which filters have settled, and between two looks at the amplitude.
SETTLED, LOOK_EVERY = 3.0, 3.0


class SignalsView(QWidget):
    """Traces and their controls.

    Signals
    -------
    channel_clicked
        Name of a channel that was clicked.
    """

    channel_clicked = pyqtSignal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = SignalCanvas(theme)
        self.canvas.channel_clicked.connect(self.channel_clicked)
        self.canvas.scrolled.connect(self._wheel)
        self._store: SignalStore | None = None
        self._scale_is_chosen = False
        self._next_look, self._fitting = SETTLED, 0
        self._paused_at = 0
        self.time_base = Choices()
        for seconds in TIME_BASES:
            self.time_base.addItem(f"{seconds} s", float(seconds))
        self.time_base.setToolTip("Seconds of signal across the view ([, ])")
        self.scale = Choices()
        for scale in SCALES:
            self.scale.addItem(f"± {scale} µV", float(scale))
        self.scale.setToolTip(
            "µV from the middle of a lane to its edge (+, -); follows the signal until it is chosen"
        )
        self.filter = Choices()
        self.filter.addItems(list(FILTERS))
        self.filter.setToolTip("Filter of this view only; decoding has its own (0.5-40 Hz)")
        self.pause = QPushButton("Pause")
        self.pause.setCheckable(True)
        self.pause.setToolTip("Stand still and look back; recording and decoding go on (P)")
        self.back = QScrollBar(Qt.Orientation.Horizontal)
        self.back.setToolTip("Seconds to look back")
        self.back.hide()
        self.time_base.setCurrentIndex(TIME_BASES.index(10))
        self.scale.setCurrentIndex(SCALES.index(50))
        self.time_base.currentIndexChanged.connect(self._apply_view)
        self.scale.currentIndexChanged.connect(self._apply_view)
        self.scale.activated.connect(self._scale_chosen)
        self.filter.currentTextChanged.connect(self._apply_filter)
        self.pause.toggled.connect(self._apply_pause)
        self.back.valueChanged.connect(self._apply_back)
        self._lay_out()

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(GRID, GRID, GRID, 0)
        bar.setSpacing(GRID)
        for text, control in (
            ("Time", self.time_base),
            ("Scale", self.scale),
            ("Filter", self.filter),
        ):
            bar.addWidget(PlainLabel(text, "muted"))
            bar.addWidget(control)
        bar.addStretch()
        bar.addWidget(self.pause)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(GRID // 2)
        layout.addLayout(bar)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(self.back)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.canvas.set_theme(theme)

    def show_store(self, store: SignalStore | None) -> None:
        """Show another stream, or none; the scale is found again unless it was chosen."""
        self.pause.setChecked(False)
        self._store = store
        self._next_look, self._fitting = SETTLED, 0
        if store is not None and store.filter_name != self.filter.currentText():
            store.set_filter(self.filter.currentText())  # type: ignore[arg-type]
        self.canvas.show_store(store)

    def set_states(self, states: ChannelStates) -> None:
        """Colour the channels by their states."""
        self.canvas.set_states(states)

    def tick(self) -> None:
        """Paint a frame."""
        if self._store is not None and not self._scale_is_chosen:
            self._follow_amplitude(self._store)
        self.canvas.tick()

    @property
    def span(self) -> tuple[int, int]:
        """Places of the first sample in view, and of the first after it."""
        return self.canvas.span

    def step_scale(self, step: int) -> None:
        """Choose the next larger (1) or smaller (-1) scale."""
        self._scale_chosen()
        _step(self.scale, step)

    def step_time_base(self, step: int) -> None:
        """Choose the next longer (1) or shorter (-1) time base."""
        _step(self.time_base, step)

    def _follow_amplitude(self, store: SignalStore) -> None:
        """Take the scale that fits, once two looks in a row agree on it."""
        elapsed = store.shown.stop / store.sfreq
        if elapsed < self._next_look or self.pause.isChecked():
            return
        self._next_look = elapsed + LOOK_EVERY
        amplitude = store.amplitude()
        if amplitude is None:
            return
        low = len(store.channels.names) > MANY_CHANNELS
        wanted = amplitude / (FILLED_LOW if low else FILLED)
        fitting = next((one for one in SCALES if one >= wanted), SCALES[-1])
        if fitting == self._fitting:
            self.scale.setCurrentIndex(SCALES.index(fitting))
        self._fitting = fitting

    def _scale_chosen(self) -> None:
        self._scale_is_chosen = True

    def _apply_view(self) -> None:
        self.canvas.set_view(self.time_base.currentData(), self.scale.currentData())

    def _apply_filter(self, name: str) -> None:
        if self._store is not None:
            self._store.set_filter(name)  # type: ignore[arg-type]
            self.canvas.rebuild()

    def _apply_pause(self, paused: bool) -> None:
        self.pause.setText("Resume" if paused else "Pause")
        self.back.setVisible(paused and self._store is not None)
        if self._store is None:
            return
        if not paused:
            self.canvas.look_at(None)
            return
        self._paused_at = self._store.shown.stop
        longest = max(int(10 * (self._store.seconds - self.time_base.currentData())), 0)
        self.back.setRange(-longest, 0)
        self.back.setPageStep(int(10 * self.time_base.currentData()))
        self.back.setValue(0)
        self._apply_back()

    def _apply_back(self) -> None:
        if self._store is None or not self.pause.isChecked():
            return
        back = -self.back.value() / 10
        self.canvas.look_at(self._paused_at - back * self._store.sfreq, back)

    def _wheel(self, seconds: float) -> None:
        if not self.pause.isChecked() and seconds > 0:
            self.pause.setChecked(True)
        self.back.setValue(self.back.value() - round(10 * seconds))


def _step(box: QComboBox, step: int) -> None:
    box.setCurrentIndex(min(max(box.currentIndex() + step, 0), box.count() - 1))
