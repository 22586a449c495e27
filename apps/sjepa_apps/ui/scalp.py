"""Electrodes on a head seen from above, with a map of values between them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, QSizeF, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PyQt6.QtWidgets import QToolTip, QWidget

from sjepa_apps.ui.channel_states import ChannelStates
from sjepa_apps.ui.theme import Theme
from sjepa_apps.ui.widgets import plain_tip
from sjepa_online.signal import flat_positions

Floats = NDArray[np.float64]

#: The map has so many points along a side, enough for what is smooth.
MAP_POINTS = 72
#: Head radii from the middle to the tip of the nose, and to what is drawn around an electrode.
NOSE, RIM = 1.17, 0.03
#: Width (head radii) of the Gaussian by which values spread.
SPREAD = 0.28
#: Names smaller than this (pixels) are left out; the tool tip tells them.
SMALLEST_NAME, LARGEST_NAME = 7, 13
LARGEST_DISC = 0.13
#: The cross of a bad electrode reaches so many radii of its disc.
CROSS = 1.45
#: Height of a line of the key (pixels).
KEY_LINE = 17
_MIDDLE = int(Qt.AlignmentFlag.AlignVCenter)


class ScalpCanvas(QWidget):
    """A head with electrodes.

    Signals
    -------
    channel_clicked
        Name of the electrode.
    """

    channel_clicked = pyqtSignal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumSize(180, 160)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._theme = theme
        self._names: tuple[str, ...] = ()
        self._positions: Floats = np.empty((0, 2))
        self._weights: Floats = np.empty((0, 0))
        self._values: Floats | None = None
        self._key: tuple[str, ...] = ()
        self._states = ChannelStates()
        self._map: QImage | None = None
        self._fonts: list[QFont | None] | None = None
        self._focused = 0
        self._disc = LARGEST_DISC
        self._extent = (NOSE, NOSE)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self._theme = theme
        self._map = None
        self.update()

    def set_channels(self, names: tuple[str, ...]) -> None:
        """Show these electrodes, by their names in the 10-05 system."""
        self._names = names
        self._positions = flat_positions(names) if names else np.empty((0, 2))
        self._weights = _map_weights(self._positions)
        self._disc = _disc_radius(self._positions)
        farthest = np.abs(self._positions).max(axis=0, initial=0.0) + CROSS * self._disc + RIM
        self._extent = (max(float(farthest[0]), NOSE), max(float(farthest[1]), NOSE))
        self._values = self._map = self._fonts = None
        self._focused = 0
        self.update()

    def set_states(self, states: ChannelStates) -> None:
        """Colour the electrodes by their states."""
        self._states = states
        self.update()

    def set_values(self, values: Floats | None, key: tuple[str, ...] = ()) -> None:
        """Show a map of values (channels,) from -1 to 1; NaN where a channel tells nothing.

        ``key`` says what 1, 0 and -1 are.
        """
        self._values, self._key = values, key
        self._map = None
        self.update()

    def position_of(self, name: str) -> QPointF:
        """Return where an electrode is in the widget."""
        x, y = self._positions[self._names.index(name)]
        return self._to_widget(float(x), float(y))

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the head."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._draw_head(painter)
        # bad ones last, and their names over their neighbours
        for index, name in sorted(enumerate(self._names), key=lambda one: self._is_bad(one[1])):
            self._draw_electrode(painter, index, name)
        for name, box in self.names_beside().items():
            self._draw_name_beside(painter, box, name)
        if self._values is not None and self._key:
            self._draw_key(painter)
        painter.end()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Fit the names to the new size."""
        self._fonts = None

    def mousePressEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell which electrode was clicked."""
        assert event is not None
        name = self.electrode_at(event.position())
        if name is not None and event.button() == Qt.MouseButton.LeftButton:
            self._focused = self._names.index(name)
            self.channel_clicked.emit(name)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Tell the state of the electrode under the pointer, and why."""
        assert event is not None
        name = self.electrode_at(event.position())
        if name is None:
            QToolTip.hideText()
            return
        where = event.globalPosition().toPoint()
        QToolTip.showText(where, plain_tip(self._states.describe(name)), self)

    def step_focus(self, step: int) -> None:
        """Move the keyboard's choice of an electrode."""
        if self._names:
            self._focused = (self._focused + step) % len(self._names)
            self.update()

    def press_focused(self) -> None:
        """Act as if the electrode of the keyboard's choice were clicked."""
        if self._names:
            self.channel_clicked.emit(self._names[self._focused])

    def electrode_at(self, point: QPointF) -> str | None:
        """Return the electrode at a point."""
        for index, name in enumerate(self._names):
            x, y = self._positions[index]
            place = self._to_widget(float(x), float(y))
            reach = max(self._radius, 8.0)
            if np.hypot(place.x() - point.x(), place.y() - point.y()) <= reach:
                return name
        return None

    @property
    def _unit(self) -> float:
        """Pixels of a head radius."""
        across, along = self._extent
        return min(self.width() / across, self.height() / along) / 2

    @property
    def _radius(self) -> float:
        return self._disc * self._unit

    def _to_widget(self, x: float, y: float) -> QPointF:
        return QPointF(self.width() / 2 + x * self._unit, self.height() / 2 - y * self._unit)

    def _draw_head(self, painter: QPainter) -> None:
        theme, unit = self._theme, self._unit
        centre = self._to_widget(0.0, 0.0)
        pen = QPen(QColor(theme.muted), 1.5)
        painter.setPen(pen)
        painter.setBrush(QColor(theme.raised))
        for side in (-1, 1):
            painter.drawEllipse(self._to_widget(side * 1.04, 0.0), 0.07 * unit, 0.2 * unit)
        nose = QPainterPath(self._to_widget(-0.13, 0.98))
        nose.lineTo(self._to_widget(0.0, 1.14))
        nose.lineTo(self._to_widget(0.13, 0.98))
        painter.drawPath(nose)
        painter.drawEllipse(centre, unit, unit)
        if self._values is not None and len(self._names) > 2:
            painter.save()
            inside = QPainterPath()
            inside.addEllipse(centre, unit - 1, unit - 1)
            painter.setClipPath(inside)
            if self._map is None:
                self._map = self._paint_map(self._values)
            box = QRectF(centre.x() - unit, centre.y() - unit, 2 * unit, 2 * unit)
            painter.drawImage(box, self._map)
            painter.restore()
            painter.setPen(pen)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(centre, unit, unit)

    def _paint_map(self, values: Floats) -> QImage:
        """Colour the points between the electrodes by weighted means of the values."""
        known = np.isfinite(values)
        weights = self._weights[:, known]
        total = weights.sum(axis=1)
        field = np.divide(weights @ values[known], total, out=np.zeros_like(total), where=total > 0)
        # far from every electrode nothing is known
        opacity = np.clip(total / 0.5, 0.0, 1.0) * np.clip(np.abs(field) * 1.2, 0, 1) * 0.75
        warm, cool = QColor(self._theme.classes[1]), QColor(self._theme.classes[0])
        pixels = np.empty((MAP_POINTS * MAP_POINTS, 4), dtype=np.uint8)
        for positive, colour in ((True, warm), (False, cool)):
            rows = (field > 0) == positive
            pixels[rows, :3] = (colour.blue(), colour.green(), colour.red())
        pixels[:, 3] = 255 * opacity
        image = QImage(
            pixels.tobytes(), MAP_POINTS, MAP_POINTS, 4 * MAP_POINTS, QImage.Format.Format_ARGB32
        )
        return image.copy()

    def _is_bad(self, name: str) -> bool:
        report = self._states.get(name)
        return report is not None and report.bad

    def _draw_electrode(self, painter: QPainter, index: int, name: str) -> None:
        theme, radius = self._theme, self._radius
        x, y = self._positions[index]
        place = self._to_widget(float(x), float(y))
        report, bad = self._states.get(name), self._is_bad(name)
        chosen = report is not None and report.choice != "automatic"
        colour = QColor(theme.bad if bad else theme.good if report is not None else theme.muted)
        if bad:
            arm = CROSS * radius * np.sqrt(0.5)
            painter.setPen(QPen(colour, max(2.0, radius / 4)))
            painter.drawLine(place - QPointF(arm, arm), place + QPointF(arm, arm))
            painter.drawLine(place - QPointF(arm, -arm), place + QPointF(arm, -arm))
        painter.setPen(QPen(QColor(theme.ink if chosen else theme.panel), 2.0 if chosen else 1.0))
        painter.setBrush(colour)
        painter.drawEllipse(place, radius, radius)
        if self.hasFocus() and index == self._focused:
            painter.setPen(QPen(QColor(theme.accent), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawEllipse(place, radius + 3, radius + 3)
        if self._fonts is None:
            self._fonts = [self._fitting_font(one) for one in self._names]
        if (font := self._fonts[index]) is not None:
            painter.setFont(font)
            painter.setPen(QColor(theme.panel))
            box = QRectF(place.x() - radius, place.y() - radius, 2 * radius, 2 * radius)
            painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), name)

    def names_beside(self) -> dict[str, QRectF]:
        """Return where names of bad electrodes stand whose discs are too small for them.

        No two overlap: where there is no room, the tool tip tells the name.
        """
        fonts = self._fonts or [self._fitting_font(one) for one in self._names]
        metrics, reach = QFontMetricsF(self._font_beside()), CROSS * self._radius
        placed: dict[str, QRectF] = {}
        for index, name in enumerate(self._names):
            if fonts[index] is not None or not self._is_bad(name):
                continue
            width = metrics.horizontalAdvance(name) + 6
            place = self.position_of(name)
            corners = (
                QPointF(reach, -8),
                QPointF(-reach - width, -8),
                QPointF(-width / 2, -reach - 16),
                QPointF(-width / 2, reach),
            )
            boxes = (QRectF(place + corner, QSizeF(width, 16)) for corner in corners)
            free = (
                box
                for box in boxes
                if QRectF(self.rect()).contains(box)
                and not any(box.intersects(other) for other in placed.values())
            )
            if (box := next(free, None)) is not None:
                placed[name] = box
        return placed

    def _font_beside(self) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(11)
        font.setBold(True)
        return font

    def _draw_name_beside(self, painter: QPainter, box: QRectF, name: str) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.panel))
        painter.drawRoundedRect(box, 3, 3)
        painter.setFont(self._font_beside())
        painter.setPen(QColor(self._theme.bad))
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), name)

    def _fitting_font(self, name: str) -> QFont | None:
        """Return the font in which a name fits into its disc; None where none does."""
        font = QFont(self.font())
        font.setBold(True)
        for size in range(min(int(self._radius * 0.75), LARGEST_NAME), SMALLEST_NAME - 1, -1):
            font.setPixelSize(size)
            if QFontMetricsF(font).horizontalAdvance(name) <= 1.9 * self._radius:
                return font
        return None

    def _leaves_room(self, corner: QRectF) -> bool:
        """Tell whether nothing is drawn in the corner at the lower left."""
        away = corner.topRight() - self._to_widget(0.0, 0.0)
        if np.hypot(away.x(), away.y()) < self._unit:
            return False
        reach = CROSS * self._radius
        near = corner.adjusted(-reach, -reach, reach, reach)
        return not any(near.contains(self._to_widget(x, y)) for x, y in self._positions.tolist())

    def _draw_key(self, painter: QPainter) -> None:
        """Tell in a corner what the colours of the map mean, where the head leaves room."""
        theme = self._theme
        font = QFont(self.font())
        font.setPixelSize(11)
        metrics = QFontMetricsF(font)
        width = 24 + max(metrics.horizontalAdvance(text) for text in self._key)
        height = KEY_LINE * len(self._key)
        if not self._leaves_room(QRectF(0, self.height() - height, width, height)):
            return
        painter.setFont(font)
        colours = (theme.classes[1], theme.raised, theme.classes[0])
        for line, (text, colour) in enumerate(zip(self._key, colours, strict=True)):
            top = self.height() - height + line * KEY_LINE
            painter.setPen(QPen(QColor(theme.line), 1))
            painter.setBrush(QColor(colour))
            painter.drawRect(QRectF(1.5, top + 3.5, 10, 10))
            painter.setPen(QColor(theme.muted))
            painter.drawText(QRectF(18, top, width, KEY_LINE), _MIDDLE, text)


def _disc_radius(positions: Floats) -> float:
    """Return the radius (head radii) of discs that do not overlap."""
    if len(positions) < 2:
        return LARGEST_DISC
    distances = np.linalg.norm(positions[:, np.newaxis] - positions, axis=-1)
    np.fill_diagonal(distances, np.inf)
    return float(min(LARGEST_DISC, 0.49 * distances.min()))


def _map_weights(positions: Floats) -> Floats:
    """Return Gaussian weights (points, electrodes) of the map's points."""
    side = np.linspace(-1, 1, MAP_POINTS)
    x, y = np.meshgrid(side, -side)
    points = np.column_stack([x.ravel(), y.ravel()])
    distances = np.linalg.norm(points[:, np.newaxis] - positions[np.newaxis], axis=-1)
    weights: Floats = np.exp(-0.5 * (distances / SPREAD) ** 2)
    return weights
