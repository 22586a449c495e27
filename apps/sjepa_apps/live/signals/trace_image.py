"""Traces as a scrolling picture, so that a frame paints only new samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PyQt6 import sip
from PyQt6.QtCore import QLineF, QRect, QRectF
from PyQt6.QtGui import QColor, QImage, QPainter, QPen

from sjepa_apps.live.signals.store import BadHistory, History

Floats = NDArray[np.float64]

#: Above so many samples a pixel, a column shows their extremes instead of each.
SAMPLES_PER_COLUMN = 4.0
#: A good trace may leave its lane by so many lanes, a bad one by fewer: it must not cover all
#: others. Beyond that nothing is drawn: a line along the edge would look like an amplifier's limit.
OVERLAP, BAD_OVERLAP = 3.0, 0.5


@dataclass(frozen=True)
class TraceLayout:
    """How traces are laid out.

    Attributes
    ----------
    width, height : int
        Size of the picture in device pixels.
    ratio : float
        Device pixels a pixel of the screen's coordinates.
    samples_per_column : float
        Samples of the stream for each column of device pixels.
    scale : float
        µV from the middle of a lane to its edge.
    colours : tuple of str
        One a channel, from the top.
    background : str
    bad_colour : str
        Of the stretches in which a channel was bad.
    rows : tuple of int or None
        The channels from the top; None for all.
    """

    width: int
    height: int
    ratio: float
    samples_per_column: float
    scale: float
    colours: tuple[str, ...]
    background: str
    bad_colour: str = "#ff0000"
    rows: tuple[int, ...] | None = None


class TraceImage:
    """A ring of pixel columns: column ``c`` of the signal is painted at ``c % width``.

    Column ``c`` shows the samples from ``c`` to ``c + 1`` times ``samples_per_column``.

    Parameters
    ----------
    layout : TraceLayout
    history : History
        What is painted, in µV.
    bad : BadHistory or None
        When each channel was bad; None for never.
    """

    def __init__(
        self, layout: TraceLayout, history: History, bad: BadHistory | None = None
    ) -> None:
        self.layout = layout
        self._history, self._bad = history, bad
        self._rows = slice(None) if layout.rows is None else np.array(layout.rows, dtype=np.intp)
        self._image = QImage(layout.width, layout.height, QImage.Format.Format_RGB32)
        self._image.fill(QColor(layout.background))
        self._centres = np.zeros((len(layout.colours), 1))
        #: The first column that is not painted yet.
        self.stop = 0

    def centre(self, centres: Floats) -> None:
        """Take these levels (µV), shape (channels,), for the middles of the lanes."""
        self._centres = np.nan_to_num(centres)[self._rows, np.newaxis]

    def recolour(self, colours: tuple[str, ...]) -> None:
        """Paint what comes next in these colours."""
        self.layout = TraceLayout(**{**vars(self.layout), "colours": colours})

    def advance(self, stop: int) -> None:
        """Paint the columns up to ``stop``; those that have scrolled out are left out."""
        first = max(self.stop, stop - self.layout.width)
        if stop <= first:
            return
        painter = QPainter(self._image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.layout.width
        while first < stop:
            # up to the edge of the picture, and then from its other edge on
            last = min(stop, (first // width + 1) * width)
            self._paint(painter, first, last)
            first = last
        painter.end()
        self.stop = stop

    def draw(self, painter: QPainter, target: QRectF, stop: int | None = None) -> None:
        """Copy the picture so that the column before ``stop`` is at the right edge."""
        width, height = self.layout.width, self.layout.height
        at = (self.stop if stop is None else stop) % width
        ratio = self.layout.ratio
        older = QRectF(target.left(), target.top(), (width - at) / ratio, target.height())
        newer = QRectF(older.right(), target.top(), at / ratio, target.height())
        painter.drawImage(older, self._image, QRectF(QRect(at, 0, width - at, height)))
        painter.drawImage(newer, self._image, QRectF(QRect(0, 0, at, height)))

    def _paint(self, painter: QPainter, first: int, last: int) -> None:
        """Paint columns that lie side by side in the picture."""
        place = first % self.layout.width
        painter.setClipRect(QRect(place, 0, last - first, self.layout.height))
        painter.fillRect(painter.clipBoundingRect(), QColor(self.layout.background))
        # one column more on the left joins the lines
        x, values = self._points(first - 1, last)
        bad = self._bad_at(x, len(values))
        y = self._lanes(values, bad)
        x = x - first + place
        width = max(1.0, self.layout.ratio)
        for colour in dict.fromkeys(self.layout.colours):
            rows = [row for row, one in enumerate(self.layout.colours) if one == colour]
            painter.setPen(QPen(QColor(colour), width))
            _draw_lines(painter, x, y[rows], ~bad[rows])
        if bad.any():
            painter.setPen(QPen(QColor(self.layout.bad_colour), width))
            _draw_lines(painter, x, y, bad)

    def _points(self, first: int, last: int) -> tuple[Floats, Floats]:
        """Return positions in columns ``(n,)`` and values ``(channels, n)`` of the points."""
        step = self.layout.samples_per_column
        if step <= SAMPLES_PER_COLUMN:
            start, stop = int(np.floor(first * step)), int(np.ceil(last * step)) + 1
            x = np.arange(start, stop) / step
            return x, self._history.get(start, stop, self._rows).astype(np.float64)
        bounds = np.ceil(np.arange(first, last + 1) * step).astype(np.int64)
        samples = self._history.get(int(bounds[0]), int(bounds[-1]), self._rows)
        places = bounds[:-1] - bounds[0]
        low = np.fmin.reduceat(samples, places, axis=1)
        high = np.fmax.reduceat(samples, places, axis=1)
        columns = np.arange(first, last)
        x = np.column_stack([columns + 0.25, columns + 0.75]).ravel()
        # up in every other column, down in the others: no line crosses a column twice
        rising = columns % 2 == 0
        values = np.stack([np.where(rising, low, high), np.where(rising, high, low)], axis=2)
        return x, values.reshape(len(samples), -1).astype(np.float64)

    def _bad_at(self, x: Floats, n_rows: int) -> NDArray[np.bool_]:
        """Return which channels were bad at positions in columns, shape (channels, n)."""
        if self._bad is None:
            return np.zeros((n_rows, len(x)), dtype=bool)
        places = np.floor(x * self.layout.samples_per_column).astype(np.int64)
        return self._bad.at(np.maximum(places, 0), self._rows)

    def _lanes(self, values: Floats, bad: NDArray[np.bool_]) -> Floats:
        """Return the vertical positions (device pixels) of values; NaN too far from their lanes."""
        lane = self.layout.height / len(values)
        offset = (values - self._centres) / self.layout.scale
        middle = (np.arange(len(values))[:, np.newaxis] + 0.5) * lane
        farthest = np.where(bad, 1 + 2 * BAD_OVERLAP, 1 + 2 * OVERLAP)
        with np.errstate(invalid="ignore"):
            within = np.abs(offset) <= farthest
        return np.where(within, middle - offset * lane / 2, np.nan)


def _draw_lines(painter: QPainter, x: Floats, y: Floats, drawn: NDArray[np.bool_]) -> None:
    """Draw a line to each point that is to be drawn, except where a value is missing."""
    n_channels, n_points = y.shape
    if n_points < 2:
        return
    ends = np.empty((n_channels, n_points - 1, 4))
    ends[..., 0], ends[..., 1] = x[:-1], y[:, :-1]
    ends[..., 2], ends[..., 3] = x[1:], y[:, 1:]
    ends = ends[drawn[:, 1:] & np.isfinite(ends).all(axis=2)]
    if len(ends):
        # an array of Qt's own lines, written through its memory: a list would cost far more
        lines: Any = sip.array(QLineF, len(ends))  # type: ignore[call-arg] # the stubs lack it
        memory: Any = sip.voidptr(lines, ends.nbytes)
        np.frombuffer(memory, dtype=np.float64)[:] = ends.ravel()
        painter.drawLines(lines)
