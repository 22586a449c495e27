"""What the pages of the analysis share: a plot, a map of the head, and when they are drawn."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QResizeEvent
from PyQt6.QtWidgets import QBoxLayout, QVBoxLayout, QWidget

from sjepa_apps.live.signals.store import SignalStore
from sjepa_apps.ui.channel_states import known_electrodes
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, WrappedLabel
from sjepa_online.protocol import Protocol

Floats = NDArray[np.float64]

#: Curves of single channels at most; of more channels the median is drawn.
MOST_CURVES = 8


@dataclass(frozen=True)
class Shown:
    """What is analysed.

    Attributes
    ----------
    store : SignalStore
    rows : tuple of int
        The channels in view.
    protocol : Protocol or None
        Of the decoder that is loaded.
    """

    store: SignalStore
    rows: tuple[int, ...]
    protocol: Protocol | None

    @property
    def names(self) -> tuple[str, ...]:
        """All channels of the stream."""
        return self.store.channels.names

    @property
    def good_rows(self) -> list[int]:
        """The channels in view that are not bad; all in view where none is good."""
        bad = self.store.is_bad
        return [row for row in self.rows if not bad[row]] or list(self.rows)

    @property
    def title(self) -> str:
        """Tell which channels a mean is of."""
        rows = self.good_rows
        if len(rows) == 1:
            return self.names[rows[0]]
        return f"mean of {len(rows)} channels"


def whole_rows(values: Floats) -> Floats:
    """Return the channels without a missing value; one that lacks all where there is none."""
    whole = values[np.isfinite(values).reshape(len(values), -1).all(axis=1)]
    return whole if len(whole) else np.full((1, *values.shape[1:]), np.nan)


class AnalysisPage(QWidget):
    """A plot with a map of the head beside it, or below it where the page is narrow.

    Parameters
    ----------
    theme : Theme
    bottom, left : str
        Captions of the axes.
    """

    #: The page's name in the box that chooses it.
    title = ""

    def __init__(self, theme: Theme, bottom: str, left: str) -> None:
        super().__init__()
        self._theme = theme
        self._captions = (bottom, left)
        self.plot: Any = pg.PlotWidget()
        self.plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.plot.setMenuEnabled(False)
        self.plot.setMouseEnabled(False, False)
        self.plot.hideButtons()
        self.plot.setMinimumSize(150, 90)
        # half of a label at an end of an axis stands beyond it
        self.plot.getPlotItem().layout.setContentsMargins(1, 8, 12, 1)
        self.told = WrappedLabel("", "muted")
        self.mapped = Choices()
        self.mapped.setToolTip("What the map of the head shows")
        self.mapped.currentIndexChanged.connect(self._redraw_map)
        self.scalp = ScalpCanvas(theme)
        self.scalp.setMinimumSize(110, 90)
        self.scalp.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._values: Floats = np.empty((0, 0))
        self._rows: list[int] = []
        self._names: tuple[str, ...] | None = None
        head = QVBoxLayout()
        head.setSpacing(2)
        head.addWidget(self.mapped)
        head.addWidget(self.scalp, 1)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.setSpacing(GRID)
        self._body.addWidget(self.plot, 3)
        self._body.addLayout(head, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(self._body, 1)
        layout.addWidget(self.told)
        self.set_theme(theme)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for little space; the layout adds the rest."""
        return QSize(300, 180)

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Put the head beside the plot, or below it."""
        wide = self.width() >= 1.1 * self.height()
        directions = QBoxLayout.Direction
        self._body.setDirection(directions.LeftToRight if wide else directions.TopToBottom)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.scalp.set_theme(theme)
        self.plot.setBackground(theme.panel)
        for name, caption in zip(("bottom", "left"), self._captions, strict=True):
            axis = self.plot.getAxis(name)
            axis.setPen(pg.mkPen(theme.line))
            axis.setTextPen(pg.mkPen(theme.muted))
            axis.setStyle(tickLength=-4)
            axis.enableAutoSIPrefix(False)
            if caption:
                self.plot.setLabel(name, caption, color=theme.muted)
        self.plot.showGrid(x=True, y=True, alpha=0.2)

    def begin(self, shown: Shown | None) -> None:
        """Begin anew with another stream, decoder or reference; None for no stream."""
        self.plot.clear()
        self.told.setText("")
        names = () if shown is None else shown.names
        known = known_electrodes(names)
        self._rows = [row for row, name in enumerate(names) if name in known]
        electrodes = tuple(known.values())
        if electrodes != self._names:
            self._names = electrodes
            self.scalp.set_channels(electrodes)
        self._values = np.empty((0, 0))
        self.scalp.set_values(None)

    @abstractmethod
    def update_from(self, shown: Shown) -> None:
        """Compute and draw anew."""

    def offer_maps(self, texts: list[str]) -> None:
        """Offer these maps; the chosen one stays where it can."""
        if texts == [self.mapped.itemText(index) for index in range(self.mapped.count())]:
            return
        chosen = self.mapped.currentText()
        self.mapped.blockSignals(True)
        self.mapped.clear()
        self.mapped.addItems(texts)
        self.mapped.setCurrentText(chosen if chosen in texts else (texts or [""])[0])
        self.mapped.blockSignals(False)

    def show_maps(self, values: Floats, bad: NDArray[np.bool_], unit: str, signed: bool) -> None:
        """Show the chosen one of maps, shape (channels, maps).

        Parameters
        ----------
        values : ndarray, shape (channels, maps)
        bad : ndarray of bool, shape (channels,)
            Channels that the maps leave out.
        unit : str
        signed : bool
            Whether 0 is the middle; otherwise the median over channels is.
        """
        self._values = np.where(bad[:, np.newaxis], np.nan, values)[self._rows]
        self._unit, self._signed = unit, signed
        self._redraw_map()

    def curve_colour(self, index: int) -> QColor:
        """Return the colour of a class or of a channel by its place."""
        return self._theme.class_colour(index)

    def _redraw_map(self) -> None:
        index = self.mapped.currentIndex()
        if not 0 <= index < self._values.shape[1]:
            self.scalp.set_values(None)
            return
        values = self._values[:, index]
        known = values[np.isfinite(values)]
        if not len(known):
            self.scalp.set_values(None)
            return
        middle = 0.0 if self._signed else float(np.median(known))
        farthest = float(np.abs(known - middle).max()) or 1.0
        lowest = -farthest if self._signed else max(middle - farthest, float(known.min()))
        marks = (middle + farthest, middle, lowest)
        key = tuple(f"{mark:.3g} {self._unit}" for mark in marks)
        self.scalp.set_values((values - middle) / farthest, key)
