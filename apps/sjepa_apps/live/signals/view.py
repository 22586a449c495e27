"""The signals with their controls: time, scale, channels, and filters that are for the eye only."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QPushButton,
    QScrollBar,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.live.signals.canvas import SignalCanvas
from sjepa_apps.live.signals.channel_dialog import ChannelDialog
from sjepa_apps.live.signals.channel_pages import PAGE_SIZES, ChannelPages
from sjepa_apps.live.signals.display_filter import BANDS, NOTCHES, Band, DisplaySettings
from sjepa_apps.live.signals.references import Reference, available_references
from sjepa_apps.live.signals.store import SignalStore
from sjepa_apps.ui.channel_states import ChannelStates
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, ElidedLabel, PlainLabel

TIME_BASES = (2, 5, 10, 20, 30)
SCALES = (5, 10, 20, 50, 100, 200, 500, 1000, 5000)
#: A typical peak fills this share of half a lane; low lanes may overlap.
FILLED, FILLED_LOW = 0.9, 2.0
#: With more channels than this lanes are low.
MANY_CHANNELS = 20
#: Seconds after which filters have settled, and between two looks at the amplitude.
SETTLED, LOOK_EVERY = 3.0, 3.0
OWN_BAND = "own band"
EYE_ONLY = "For the eye only: recording and decoding are not concerned"


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
        self._make_filters()
        self._make_channels()
        self.pause = QPushButton("Pause")
        self.pause.setCheckable(True)
        self.pause.setToolTip("Stand still and look back; recording and decoding go on (P)")
        self.back = QScrollBar(Qt.Orientation.Horizontal)
        self.back.setToolTip("Seconds to look back")
        self.back.hide()
        self.reach = PlainLabel("", "muted")
        self.reach.hide()
        self.time_base.setCurrentIndex(TIME_BASES.index(10))
        self.scale.setCurrentIndex(SCALES.index(50))
        self.time_base.currentIndexChanged.connect(self._apply_view)
        self.scale.currentIndexChanged.connect(self._apply_view)
        self.scale.activated.connect(self._scale_chosen)
        self.pause.toggled.connect(self._apply_pause)
        self.back.valueChanged.connect(self._apply_back)
        self._lay_out()

    def _make_filters(self) -> None:
        self.filter = Choices()
        self.filter.addItems([*BANDS, OWN_BAND])
        self.filter.setToolTip(f"Band of the traces. {EYE_ONLY} (it has its own, 0.5-40 Hz)")
        self.low, self.high = _frequency_box(1.0), _frequency_box(20.0)
        self.low.setToolTip("Lower edge of the band (Hz)")
        self.high.setToolTip("Upper edge of the band (Hz)")
        self.notch = Choices()
        self.notch.addItems(list(NOTCHES))
        self.notch.setToolTip(f"Take the mains out of the traces. {EYE_ONLY}")
        self.reference = Choices()
        self.reference.addItems(list(available_references((), 0)))
        self.reference.setToolTip(f"What is subtracted from each trace. {EYE_ONLY}")
        for box in (self.filter, self.notch, self.reference):
            box.currentTextChanged.connect(self._apply_display)
        for edge in (self.low, self.high):
            edge.hide()
            edge.editingFinished.connect(self._apply_display)

    def _make_channels(self) -> None:
        self.pages = ChannelPages()
        self._states = ChannelStates()
        self.channels = QPushButton("Channels")
        self.channels.setToolTip("Choose which channels are in view (Ctrl+L)")
        self.channels.clicked.connect(self.choose_channels)
        self.page_size = Choices()
        self.page_size.addItems(list(PAGE_SIZES))
        self.page_size.setToolTip("Channels on a page")
        self.page_size.currentTextChanged.connect(self._apply_page_size)
        self.earlier, self.later = QPushButton("▲"), QPushButton("▼")
        self.earlier.setToolTip("Page before (Page up)")
        self.later.setToolTip("Next page (Page down)")
        for button in (self.earlier, self.later):
            button.setProperty("small", True)
        self.earlier.clicked.connect(lambda: self.turn_page(-1))
        self.later.clicked.connect(lambda: self.turn_page(1))
        self.canvas.zoom_asked.connect(self.zoom)

    def _lay_out(self) -> None:
        view = _bar(("", self.time_base), ("", self.scale), ("", self.channels))
        for control in (self.page_size, self.earlier, self.later):
            view.addWidget(control)
        view.addStretch()
        view.addWidget(self.pause)
        eye = _bar(("Filter", self.filter))
        eye.addWidget(self.low)
        eye.addWidget(self.high)
        for text, control in (("Notch", self.notch), ("Reference", self.reference)):
            eye.addWidget(PlainLabel(text, "muted"))
            eye.addWidget(control)
        eye.addWidget(ElidedLabel("for the eye only", "muted"), 1)
        below = QHBoxLayout()
        below.setContentsMargins(GRID, 0, GRID, 0)
        below.addWidget(self.back, 1)
        below.addWidget(self.reach)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(1, 1, 1, 1)
        layout.setSpacing(GRID // 2)
        layout.addLayout(view)
        layout.addLayout(eye)
        layout.addWidget(self.canvas, 1)
        layout.addLayout(below)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.canvas.set_theme(theme)

    def show_store(self, store: SignalStore | None) -> None:
        """Show another stream, or none; the scale is found again unless it was chosen."""
        self.pause.setChecked(False)
        self._store = store
        self._next_look, self._fitting = SETTLED, 0
        self._offer_references(store)
        if store is not None and store.display != self.display:
            store.set_display(self.display)
        self.canvas.show_store(store)
        names = () if store is None else store.channels.names
        if names != self.pages.names:
            size = self.pages.size
            self.pages = ChannelPages(names)
            self.pages.set_size(size)
        self._show_rows()

    def set_states(self, states: ChannelStates) -> None:
        """Colour the channels by their states."""
        self._states = states
        self.canvas.set_states(states)

    @property
    def display(self) -> DisplaySettings:
        """How the traces are to be shown."""
        reference: Reference = self.reference.currentText()  # type: ignore[assignment]
        return DisplaySettings(self._band, NOTCHES[self.notch.currentText()], reference)

    @property
    def _band(self) -> Band:
        if self.filter.currentText() != OWN_BAND:
            return BANDS[self.filter.currentText()]
        low, high = self.low.value(), self.high.value()
        # an edge of 0 is none, and a band that is turned around is meant the other way
        low, high = min(low, high), max(low, high)
        return low or None, high or None

    def choose_channels(self) -> None:
        """Ask which channels are to be in view."""
        names = self.pages.names
        groups = {"Bad": [name for name in names if self._is_bad(name)]}
        if any(self._states.is_unused(name) for name in names):
            groups["Decoded"] = [name for name in names if not self._states.is_unused(name)]
        dialog = ChannelDialog(names, self.pages.chosen, groups, self)
        if dialog.exec():
            self.pages.choose(dialog.chosen)
            self._show_rows()
        dialog.deleteLater()

    def turn_page(self, step: int) -> None:
        """Show a later (1) or an earlier (-1) page of channels."""
        if self.pages.names:
            self.pages.turn(step)
            self._show_rows()

    def zoom(self, name: str | None = None) -> None:
        """Show a channel alone, that of the cursor unless one is named; all again if it is."""
        names = self.canvas.names
        if not names or name not in (None, *self.pages.names):
            return
        alone = name or names[min(self.canvas.cursor_line.row, len(names) - 1)]
        self.pages.alone = None if self.pages.alone is not None else alone
        self._show_rows()

    def _is_bad(self, name: str) -> bool:
        report = self._states.get(name)
        return report is not None and report.bad

    def _apply_page_size(self, text: str) -> None:
        self.pages.set_size(PAGE_SIZES[text])
        self._show_rows()

    def _show_rows(self) -> None:
        pages = self.pages
        self.channels.setText(f"{pages.describe()} ch." if pages.names else "no channel")
        turns = pages.n_pages > 1 or pages.alone is not None
        self.earlier.setEnabled(turns)
        self.later.setEnabled(turns)
        self.canvas.show_rows(pages.rows if pages.names else ())

    def _offer_references(self, store: SignalStore | None) -> None:
        """Offer the references that a stream allows; the chosen one stays where it can."""
        channels = None if store is None else store.channels
        offered = (
            available_references((), 0)
            if channels is None
            else available_references(channels.names, len(channels.mastoids))
        )
        chosen = self.reference.currentText()
        self.reference.blockSignals(True)
        self.reference.clear()
        self.reference.addItems(list(offered))
        self.reference.setCurrentText(chosen if chosen in offered else offered[0])
        self.reference.blockSignals(False)

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

    def _apply_display(self) -> None:
        own = self.filter.currentText() == OWN_BAND
        self.low.setVisible(own)
        self.high.setVisible(own)
        if self._store is not None and self._store.display != self.display:
            self._store.set_display(self.display)
            self.canvas.rebuild()

    def _apply_pause(self, paused: bool) -> None:
        self.pause.setText("Resume" if paused else "Pause")
        self.back.setVisible(paused and self._store is not None)
        self.reach.setVisible(paused and self._store is not None)
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
        self.reach.setText(
            f"{back:.1f} s back of {-self.back.minimum() / 10:.0f} s; older: in recordings"
        )
        self.canvas.look_at(self._paused_at - back * self._store.sfreq, back)

    def _wheel(self, seconds: float) -> None:
        if not self.pause.isChecked() and seconds > 0:
            self.pause.setChecked(True)
        self.back.setValue(self.back.value() - round(10 * seconds))


def _step(box: QComboBox, step: int) -> None:
    box.setCurrentIndex(min(max(box.currentIndex() + step, 0), box.count() - 1))


def _bar(*controls: tuple[str, QWidget]) -> QHBoxLayout:
    """Return a row of controls with their captions."""
    bar = QHBoxLayout()
    bar.setContentsMargins(GRID, GRID // 2, GRID, 0)
    bar.setSpacing(GRID)
    for text, control in controls:
        if text:
            bar.addWidget(PlainLabel(text, "muted"))
        bar.addWidget(control)
    return bar


def _frequency_box(value: float) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(0.0, 200.0)
    box.setDecimals(1)
    box.setSuffix(" Hz")
    box.setValue(value)
    # the style sheet leaves the arrows of a box without a shape; up and down work all the same
    box.setButtonSymbols(QDoubleSpinBox.ButtonSymbols.NoButtons)
    box.setMaximumWidth(76)
    return box
