"""Where the views are: docks around the centre, each of which keeps its share of the window."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import PlainLabel

_RIGHT = Qt.DockWidgetArea.RightDockWidgetArea
_BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
_HORIZONTAL, _VERTICAL = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
#: Share of the window's width that the docks on the right take at first.
WIDTH = 0.34
#: Share of its height that the first and the second of them take at first.
HEIGHTS = (0.44, 0.56)
#: Share of its height that the docks below take at first.
HEIGHT_BELOW = 0.26
#: A dock may be as small as this (pixels); what does not fit into it scrolls.
LEAST_WIDTH, LEAST_HEIGHT = 200, 90


class DockTitle(QWidget):
    """What a dock is held by; Qt's own buttons are too small and faint.

    Parameters
    ----------
    dock : QDockWidget
    """

    def __init__(self, dock: QDockWidget) -> None:
        super().__init__(dock)
        self.float_button = _button("↗", "Let this view float, or dock it again")
        self.close_button = _button("×", "Close this view; the View menu brings it back")
        self.float_button.clicked.connect(lambda: dock.setFloating(not dock.isFloating()))
        self.close_button.clicked.connect(dock.close)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 8, 4)
        layout.setSpacing(2)
        layout.addWidget(PlainLabel(dock.windowTitle(), "title"))
        layout.addStretch()
        layout.addWidget(self.float_button)
        layout.addWidget(self.close_button)


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setProperty("flat", True)
    return button


def _scrolled(view: QWidget) -> QScrollArea:
    """Let a view scroll where its dock is too small for it, rather than cut it."""
    area = QScrollArea()
    area.setWidget(view)
    area.setWidgetResizable(True)
    area.setFrameShape(QScrollArea.Shape.NoFrame)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setMinimumSize(LEAST_WIDTH, LEAST_HEIGHT)
    return area


class ViewLayout:
    """Two docks to the right of the centre, more behind the second, and below it docks as tabs.

    Parameters
    ----------
    window : QMainWindow
    right, behind, below : dict of str to QWidget
        Views by their titles.

    Attributes
    ----------
    docks : dict of str to QDockWidget
        By title.
    """

    def __init__(
        self,
        window: QMainWindow,
        right: dict[str, QWidget],
        behind: dict[str, QWidget],
        below: dict[str, QWidget],
    ) -> None:
        self._window = window
        window.setDockNestingEnabled(True)
        window.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        window.setCorner(Qt.Corner.BottomRightCorner, _RIGHT)
        self._right = [self._add(title, view, _RIGHT) for title, view in right.items()]
        self._below = [self._add(title, view, _BOTTOM) for title, view in below.items()]
        self._behind = [self._add(title, view, _RIGHT) for title, view in behind.items()]
        docks = (*self._right, *self._behind, *self._below)
        self.docks = {dock.windowTitle(): dock for dock in docks}
        for dock in self._behind:
            window.tabifyDockWidget(self._right[-1], dock)
        self._right[-1].raise_()
        for before, after in zip(self._below, self._below[1:], strict=False):
            window.tabifyDockWidget(before, after)
        self._below[0].raise_()
        self._first = window.saveState()
        self._take_first_sizes()

    def reset(self) -> None:
        """Put every view back where it was at first."""
        self._window.restoreState(self._first)
        self._right[-1].raise_()
        self._below[0].raise_()
        self._take_first_sizes()

    @property
    def width_share(self) -> float | None:
        """Share of the window's width on the right; None where nothing is there."""
        dock = self._right[0]
        there = dock.isVisible() and not dock.isFloating()
        return dock.width() / self._window.width() if there else None

    def take_width_share(self, share: float) -> None:
        """Give the docks on the right this share of the window's width."""
        width = round(share * self._window.width())
        self._window.resizeDocks(self._right[:1], [width], _HORIZONTAL)

    def keep_shares(self, before: QSize, now: QSize) -> None:
        """Let every view keep its share of the window; Qt would give all to the centre."""
        wider, higher = now.width() / before.width(), now.height() / before.height()
        for docks, orientation, factor in (
            (self._right[:1], _HORIZONTAL, wider),
            (self._right, _VERTICAL, higher),
            (self._below[:1], _VERTICAL, higher),
        ):
            side = QDockWidget.width if orientation == _HORIZONTAL else QDockWidget.height
            if all(dock.isVisible() for dock in docks):
                sizes = [round(factor * side(dock)) for dock in docks]
                self._window.resizeDocks(docks, sizes, orientation)

    def _add(self, title: str, view: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self._window)
        dock.setObjectName(title)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        margins = (0, 0, GRID, 0) if area == _RIGHT else (GRID, 0, 0, 0)
        layout.setContentsMargins(*margins)
        layout.addWidget(_scrolled(view))
        dock.setWidget(holder)
        # below, its tab is its title
        dock.setTitleBarWidget(DockTitle(dock) if area == _RIGHT else QWidget())
        self._window.addDockWidget(area, dock)
        return dock

    def _take_first_sizes(self) -> None:
        height, resize = self._window.height(), self._window.resizeDocks
        self.take_width_share(WIDTH)
        resize(self._right, [round(share * height) for share in HEIGHTS], _VERTICAL)
        resize(self._below[:1], [round(HEIGHT_BELOW * height)], _VERTICAL)
