"""The traces with their names, times, markers and events, painted frame by frame."""

from __future__ import annotations

import math
from functools import lru_cache

from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QHideEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PyQt6.QtWidgets import QToolTip, QWidget

from sjepa_apps.live.signals.channel_labels import LEAST_WIDTH, labels_width, paint_names
from sjepa_apps.live.signals.cursor import Cursor, CursorView
from sjepa_apps.live.signals.frames import FrameMeter
from sjepa_apps.live.signals.store import Line, SignalStore
from sjepa_apps.live.signals.trace_image import TraceImage, TraceLayout
from sjepa_apps.ui.channel_states import ChannelStates
from sjepa_apps.ui.theme import Theme
from sjepa_apps.ui.widgets import plain_tip

AXIS = 22
HEAD = 20
#: Right of the traces, where the bar of the scale stands: it must not cover the newest samples.
MARGIN = 58
NAME_SIZE = 11
#: More markers than this in view are drawn faintly.
MANY_LINES = 12
#: Labels of lines are as wide at most (pixels), and so many are kept.
LABEL_WIDTH, KEPT_LABELS = 120, 256


class SignalCanvas(QWidget):
    """Scrolling traces.

    Signals
    -------
    channel_clicked
        Name of the channel, when it was clicked.
    zoom_asked
        Name of the channel that is to be shown alone, or no longer.
    scrolled
        Seconds by which the wheel asks to look back (positive) or forward.
    """

    channel_clicked = pyqtSignal(str)
    zoom_asked = pyqtSignal(str)
    scrolled = pyqtSignal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(320, 200)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("Left and right move the cursor, up and down choose its channel (C hides)")
        self.cursor_line = Cursor()
        self._rows: tuple[int, ...] = ()
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.frames = FrameMeter()
        self._theme = theme
        self._store: SignalStore | None = None
        self._states = ChannelStates()
        self._seconds = 10.0
        self._scale = 50.0
        self._still: float | None = None
        self._back = 0.0
        self._notice = ""
        self._image: TraceImage | None = None
        self._labels: QPixmap | None = None
        self._labels_width = LEAST_WIDTH
        self._axis: QPixmap | None = None
        self._label = lru_cache(KEPT_LABELS)(self._fit_label)
        self._colours: tuple[str, ...] = ()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self.rebuild()

    def show_store(self, store: SignalStore | None) -> None:
        """Show another stream, or none."""
        self._store = store
        self._still, self._back = None, 0.0
        self._rows = () if store is None else tuple(range(len(store.channels.names)))
        self.cursor_line.hide()
        self.rebuild()

    def show_rows(self, rows: tuple[int, ...]) -> None:
        """Show these channels of the stream, by their rows."""
        self._rows = rows
        self.rebuild()

    @property
    def names(self) -> tuple[str, ...]:
        """The channels in view, from the top."""
        if self._store is None:
            return ()
        return tuple(self._store.channels.names[row] for row in self._rows)

    def set_view(self, seconds: float, scale: float) -> None:
        """Change the time base (s) and the scale (µV from the middle to the edge of a lane)."""
        self._seconds, self._scale = seconds, scale
        self.rebuild()

    def set_states(self, states: ChannelStates) -> None:
        """Colour the channels by their states."""
        self._states = states
        colours = self._channel_colours()
        if colours != self._colours:
            self._colours = colours
            self._labels = None
            if self._image is not None:
                self._image.recolour(colours)

    def set_notice(self, text: str) -> None:
        """Show a line of text over the traces; nothing for an empty one."""
        if bool(text) != bool(self._notice):
            self._axis = None
        if text != self._notice:
            self._notice = text
            self.update()

    def look_at(self, stop: float | None, back: float = 0.0) -> None:
        """Stand still at a place among the samples; None follows the stream.

        Parameters
        ----------
        stop : float or None
            The place at the right edge.
        back : float
            How far (s) it lies before the place at which the view was paused.
        """
        self._still, self._back = stop, back
        self.rebuild()

    def rebuild(self) -> None:
        """Paint everything anew at the next frame."""
        self._image = self._labels = self._axis = None
        if self._store is not None:
            self._labels_width = labels_width(self.names, self._lane_height, self._font(NAME_SIZE))
        self.update()

    def tick(self) -> None:
        """Paint what has arrived since the last frame."""
        if self._store is not None and self._still is None:
            self._advance()
        self.update()

    @property
    def area(self) -> QRectF:
        """Where the traces are."""
        left = self._labels_width
        return QRectF(
            left, HEAD, max(self.width() - left - MARGIN, 16), self.height() - HEAD - AXIS
        )

    @property
    def _lane_height(self) -> float:
        assert self._store is not None
        return (self.height() - HEAD - AXIS) / max(len(self._rows), 1)

    @property
    def span(self) -> tuple[int, int]:
        """Places of the first sample in view, and of the first after it."""
        assert self._store is not None
        newest = self._store.shown.stop
        stop = newest if self._still is None else min(int(self._still), newest)
        start = stop - round(self._seconds * self._store.sfreq)
        return max(start, self._store.shown.start), stop

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Copy the picture of the traces, and draw what stands over it."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        if self._store is not None:
            if self._image is None:
                self._advance()
            assert self._image is not None
            self._image.draw(painter, self.area)
            self._draw_axis(painter)
            self._draw_lines(painter, self._store)
            self._draw_labels(painter)
            self._draw_scale(painter)
            self.cursor_line.draw(painter, self._cursor_view())
        if self._notice:
            self._draw_notice(painter)
        painter.end()
        self.frames.frame()

    def hideEvent(self, event: QHideEvent | None) -> None:  # noqa: N802 - Qt's name
        """Count no gap while another tab is in front."""
        self.frames.pause()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Fit the picture to the new size."""
        self.rebuild()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell which channel's name was clicked; in the traces, place the cursor."""
        assert event is not None
        self.setFocus()
        name = self.channel_at(event.position())
        left = event.button() == Qt.MouseButton.LeftButton
        if name is not None and left and event.position().x() <= self._labels_width:
            self.channel_clicked.emit(name)
        elif name is not None and left:
            self._point_at(event.position())

    def mouseDoubleClickEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Show a channel alone, or all again."""
        assert event is not None
        name = self.channel_at(event.position())
        if name is not None and event.position().x() > self._labels_width:
            self.zoom_asked.emit(name)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell the state of the channel under the pointer, over its name."""
        assert event is not None
        name = self.channel_at(event.position())
        if name is None or event.position().x() > self._labels_width:
            QToolTip.hideText()
            if name is not None:
                self._point_at(event.position())
            return
        QToolTip.showText(
            event.globalPosition().toPoint(), plain_tip(self._states.describe(name)), self
        )

    def wheelEvent(self, event: QWheelEvent | None) -> None:  # noqa: N802 - Qt's name
        """Look back and forward in time."""
        assert event is not None
        self.scrolled.emit(event.angleDelta().y() / 120 * self._seconds / 10)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:  # noqa: N802 - Qt's name
        """Move the cursor."""
        assert event is not None
        steps = {
            Qt.Key.Key_Left: (-1, 0),
            Qt.Key.Key_Right: (1, 0),
            Qt.Key.Key_Up: (0, -1),
            Qt.Key.Key_Down: (0, 1),
        }
        step = steps.get(Qt.Key(event.key()))
        if step is None or not self._rows:
            super().keyPressEvent(event)
            return
        self.cursor_line.step(step, len(self._rows))
        self.update()

    def toggle_cursor(self) -> None:
        """Show the cursor, or hide it."""
        self.cursor_line.toggle()
        self.update()

    def _point_at(self, point: QPointF) -> None:
        area = self.area
        row = int((point.y() - area.top()) / area.height() * len(self._rows))
        self.cursor_line.place((point.x() - area.left()) / area.width(), row)
        self.update()

    def _cursor_view(self) -> CursorView:
        assert self._store is not None
        assert self._image is not None
        stop = self._image.stop * self._image.layout.samples_per_column
        newest = self._store.shown.stop - 2.0
        return CursorView(
            area=self.area,
            names=self.names,
            rows=self._rows,
            store=self._store,
            start=stop - self._seconds * self._store.sfreq,
            stop=stop,
            newest=newest,
            theme=self._theme,
            font=self._font(12),
        )

    def channel_at(self, point: QPointF) -> str | None:
        """Return the channel whose lane is at a point."""
        area = self.area
        if self._store is None or not area.top() <= point.y() < area.bottom():
            return None
        names = self.names
        if not names:
            return None
        return names[int((point.y() - area.top()) / area.height() * len(names))]

    def _channel_colours(self) -> tuple[str, ...]:
        if self._store is None:
            return ()
        return tuple(
            self._theme.muted if self._states.is_unused(name) else self._theme.trace
            for name in self.names
        )

    def _advance(self) -> None:
        assert self._store is not None
        stop = self._last_column()
        if self._image is None:
            self._colours = self._channel_colours()
            self._image = TraceImage(self._layout(), self._store.shown, self._store.bad)
            self._image.centre(self._store.centres())
            self._image.stop = stop - self._image.layout.width
        elif stop // self._image.layout.width > self._image.stop // self._image.layout.width:
            # raw traces find their middle again once a screen
            self._image.centre(self._store.centres())
        self._image.advance(stop)

    def _layout(self) -> TraceLayout:
        assert self._store is not None
        ratio = self.devicePixelRatioF()
        width = max(int(self.area.width() * ratio), 8)
        return TraceLayout(
            width=width,
            height=max(int(self.area.height() * ratio), 8),
            ratio=ratio,
            samples_per_column=self._seconds * self._store.sfreq / width,
            scale=self._scale,
            colours=self._colours,
            background=self._theme.panel,
            bad_colour=self._theme.bad,
            rows=self._rows,
        )

    def _last_column(self) -> int:
        """Return the column up to which all samples are there, or up to which to look back."""
        assert self._store is not None
        newest = self._store.shown.stop - 2.0
        step = (
            self._seconds
            * self._store.sfreq
            / max(int(self.area.width() * self.devicePixelRatioF()), 8)
        )
        return math.floor((newest if self._still is None else min(self._still, newest)) / step)

    def _draw_axis(self, painter: QPainter) -> None:
        area = self.area
        grid = faint(QColor(self._theme.line), 0.6)
        for x, _ in self._ticks():
            # a filled rectangle costs a tenth of a line
            painter.fillRect(QRectF(x, area.top(), 1, area.height()), grid)
        if self._axis is None:
            self._axis = self._paint_axis()
        painter.drawPixmap(QPointF(0, area.bottom()), self._axis)

    def _ticks(self) -> list[tuple[float, float]]:
        """Return positions (pixels) and seconds before the right edge."""
        step = next(one for one in (0.2, 0.5, 1, 2, 5, 10) if self._seconds / one <= 10)
        n_ticks = int(self._seconds / step + 1e-9) + 1
        width = self.area.width() / self._seconds
        return [(self.area.right() - n * step * width, n * step) for n in range(n_ticks)]

    def _paint_axis(self) -> QPixmap:
        """Paint the seconds before now, or before the moment at which the view was paused."""
        area, theme = self.area, self._theme
        pixmap = self._blank(self.width(), AXIS)
        painter = QPainter(pixmap)
        painter.setFont(self._font(11))
        painter.fillRect(QRectF(area.left(), 0, area.width(), 1), QColor(theme.line))
        painter.setPen(QColor(theme.muted))
        for x, seconds in self._ticks():
            ago = seconds + self._back
            # where nothing arrives, the newest sample is not of now
            newest = "last" if self._notice else "now"
            text = newest if ago == 0 else f"−{ago:.3g} s"
            # the outermost labels stay within the traces
            left = min(max(x - 40, area.left() - 22), area.right() - 70)
            where = Qt.AlignmentFlag.AlignRight if seconds == 0 else Qt.AlignmentFlag.AlignHCenter
            painter.drawText(QRectF(left, 3, 80, AXIS - 4), int(where), text)
        painter.end()
        return pixmap

    def _blank(self, width: float, height: float) -> QPixmap:
        ratio = self.devicePixelRatioF()
        pixmap = QPixmap(int(width * ratio), int(height * ratio))
        pixmap.setDevicePixelRatio(ratio)
        pixmap.fill(QColor(self._theme.panel))
        return pixmap

    def _draw_lines(self, painter: QPainter, store: SignalStore) -> None:
        """Draw markers and events where they happened, with their labels above."""
        if store.last_time is None or self._image is None:
            return
        area, theme = self.area, self._theme
        painter.setFont(self._font(11))
        taken = area.right() + 1
        shown = self._lines_in_view(store, self._image)
        # many markers, as in a speller, must not hide the traces
        opacity = 0.9 if len(shown) <= MANY_LINES else 0.35
        for line, ago in shown:
            x = area.right() - ago / self._seconds * area.width()
            colour = QColor(
                {"marker": theme.marker, "event": theme.event}.get(line.kind, theme.accent)
            )
            painter.fillRect(
                QRectF(x, HEAD - 4, 1, area.bottom() - HEAD + 4), faint(colour, opacity)
            )
            painter.setPen(colour)
            text, width = self._label(line.text)
            if x + 3 + width < taken:
                painter.drawText(QPointF(x + 3, HEAD - 7), text)
                taken = x - 2

    def _lines_in_view(self, store: SignalStore, image: TraceImage) -> list[tuple[Line, float]]:
        """Return the lines in view, the newest first, and their seconds before the right edge."""
        end = store.time_at(image.stop * image.layout.samples_per_column)
        # up to a thousand at every frame, so little is done for those out of view
        start = end - self._seconds
        return [
            (line, end - line.time) for line in reversed(store.lines) if start <= line.time <= end
        ]

    def _fit_label(self, text: str) -> tuple[str, float]:
        metrics = QFontMetricsF(self._font(11))
        # a marker is a word for programs
        readable = text.replace("_", " ")
        fitting = metrics.elidedText(readable, Qt.TextElideMode.ElideRight, LABEL_WIDTH)
        return fitting, metrics.horizontalAdvance(fitting)

    def _draw_labels(self, painter: QPainter) -> None:
        if self._labels is None:
            self._labels = self._paint_labels()
        painter.drawPixmap(0, 0, self._labels)

    def _paint_labels(self) -> QPixmap:
        assert self._store is not None
        pixmap = self._blank(self._labels_width, self.height() - AXIS)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font(NAME_SIZE))
        painter.translate(0, self.area.top())
        paint_names(painter, self.names, self._states, self._theme, self._lane_height)
        painter.end()
        return pixmap

    def _draw_scale(self, painter: QPainter) -> None:
        """Draw a bar as high as the scale says."""
        assert self._store is not None
        area, theme = self.area, self._theme
        lane = self._lane_height
        # a bar of whole scales that is high enough to be seen
        times = next((n for n in (1, 2, 5, 10, 20, 50) if n * lane / 2 >= 12), 100)
        height = min(times * lane / 2, area.height())
        painter.setFont(self._font(11))
        right, middle = area.right() + 8, area.center().y()
        painter.setPen(QPen(QColor(theme.ink), 2))
        painter.drawLine(QPointF(right, middle - height / 2), QPointF(right, middle + height / 2))
        box = QRectF(right + 5, middle - 18, self.width() - right - 5, 36)
        where = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
        text = f"{times * self._scale:g}\n{self._store.channels.unit}"
        painter.drawText(box, int(where), text)

    def _draw_notice(self, painter: QPainter) -> None:
        painter.setFont(self._font(14))
        metrics = QFontMetricsF(painter.font())
        area = self.area if self._store is not None else QRectF(self.rect())
        width = min(metrics.horizontalAdvance(self._notice) + 32, area.width() - 16)
        box = QRectF(area.center().x() - width / 2, area.center().y() - 20, width, 40)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(self._theme.line), 1))
        painter.setBrush(QColor(self._theme.raised))
        painter.drawRoundedRect(box, 6, 6)
        painter.setPen(QColor(self._theme.ink))
        text = metrics.elidedText(self._notice, Qt.TextElideMode.ElideRight, width - 16)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

    def _font(self, size: int) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(size)
        return font


def faint(colour: QColor, opacity: float) -> QColor:
    """Return the colour with some transparency."""
    result = QColor(colour)
    result.setAlphaF(opacity)
    return result
