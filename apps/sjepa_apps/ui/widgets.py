"""Small widgets that every view uses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from PyQt6.QtCore import QPointF, QRect, QSize, Qt
from PyQt6.QtGui import QPainter, QPaintEvent, QPalette, QPen
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFileDialog,
    QFrame,
    QHeaderView,
    QLabel,
    QPushButton,
    QSizePolicy,
    QTableView,
    QTableWidget,
    QWidget,
)

from sjepa_online.foreign_text import clean_text
from sjepa_online.protocol import ClassSpecification, Protocol

State = Literal["", "good", "warning", "bad"]

#: Height (pixels) of a row of a table.
ROW_HEIGHT = 22
#: Pixels on either side of the text of a cell, its own margin included.
CELL_PADDING = 11
#: Where a line may be broken: a space without width; words that need it, and their pieces.
_BREAK = "\u200b"
_LONG_WORD, _PIECE = re.compile(r"\S{40,}"), re.compile(r"[^/\\_-]{0,19}[/\\_-]|.{20}")
PROTOCOL_FILES = "Protocols (*.toml);;All files (*)"


class PlainLabel(QLabel):
    """A label that shows any text as it is: no markup, no control characters.

    Parameters
    ----------
    text : str
    role : str
        ``muted``, ``heading``, ``figure`` or ``decision``; empty for usual text.
    """

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        if role:
            self.setProperty(role, True)
        self.setText(text)

    def setText(self, text: str | None) -> None:  # noqa: N802 - Qt's name
        """Show a text."""
        shown = "\n".join(clean_text(line, 1000) for line in (text or "").split("\n"))
        super().setText(_breakable(shown) if self.wordWrap() else shown)

    def text(self) -> str:
        """Return the text that is shown."""
        return super().text().replace(_BREAK, "")

    def setWordWrap(self, on: bool) -> None:  # noqa: N802 - Qt's name
        """Break lines, in words too that are longer than any: paths would widen the window."""
        super().setWordWrap(on)
        self.setText(self.text())

    def set_state(self, state: State) -> None:
        """Colour the text by a state."""
        set_property(self, "state", state)


def _breakable(text: str) -> str:
    """Return a text whose long words, such as paths, may be broken."""
    return _LONG_WORD.sub(lambda found: _PIECE.sub(rf"\g<0>{_BREAK}", found.group()), text)


class WrappedLabel(PlainLabel):
    """A label of some lines, whatever its width: Qt would ask for the height of many short ones.

    Parameters
    ----------
    text, role : str
        As of :class:`PlainLabel`.
    n_lines : int
        Lines that there is room for.
    """

    def __init__(self, text: str = "", role: str = "", n_lines: int = 2) -> None:
        self._n_lines = n_lines
        super().__init__(text, role)
        self.setWordWrap(True)
        self.setMinimumWidth(1)

    def sizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the height of the lines."""
        return QSize(200, self._n_lines * self.fontMetrics().lineSpacing() + 2)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 - Qt's name
        """Ask for the height of the lines."""
        return self.sizeHint()

    def hasHeightForWidth(self) -> bool:  # noqa: N802 - Qt's name
        """Return False."""
        return False


class ElidedLabel(PlainLabel):
    """A label that cuts what does not fit, and shows all of it on hover."""

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None) -> None:
        self._full = ""
        super().__init__(text, role, parent)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str | None) -> None:  # noqa: N802 - Qt's name
        """Show a text."""
        self._full = clean_text(text or "", 1000)
        self.setToolTip(plain_tip(self._full))
        self._fit()

    def resizeEvent(self, event: object) -> None:  # noqa: N802 - Qt's name
        """Cut anew."""
        self._fit()

    def _fit(self) -> None:
        fitting = self.fontMetrics().elidedText(
            self._full, Qt.TextElideMode.ElideRight, max(self.width(), 24)
        )
        super().setText(fitting)


class Choices(QComboBox):
    """A box to choose from; its arrow has the colour of the text."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # a narrow window cuts the text of a box rather than anything beside it
        self.setMinimumWidth(64)

    def paintEvent(self, event: QPaintEvent | None) -> None:  # noqa: N802 - Qt's name
        """Draw the arrow, which the style sheet leaves out."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.PlaceholderText), 1.5))
        x, y = self.width() - 14.0, self.height() / 2.0
        painter.drawPolyline(QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2))
        painter.end()


class ProtocolFileButton(QPushButton):
    """A button that adds a protocol file of the user to a box, and selects it there.

    Parameters
    ----------
    box : QComboBox
        Names of protocols.
    """

    def __init__(self, box: QComboBox) -> None:
        super().__init__("Other file …")
        self._box = box
        self.clicked.connect(self._ask)

    def _ask(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Protocol", "", PROTOCOL_FILES)
        if path:
            if self._box.findText(path) < 0:
                self._box.addItem(path)
            self._box.setCurrentText(path)


def class_label(spec: ClassSpecification) -> str:
    """Return the name of a class for people: a frequency with its unit, no underscores."""
    if spec.frequency is not None:
        return f"{spec.frequency:.4g} Hz"
    return spec.name.replace("_", " ")


def class_labels(protocol: Protocol) -> dict[str, str]:
    """Return the names of a protocol's classes for people, by the names in it."""
    return {spec.name: class_label(spec) for spec in protocol.classes}


def set_property(widget: QWidget, name: str, value: object) -> None:
    """Set a property that the style sheet reads, and have it read again where it changes."""
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style = widget.style()
    assert style is not None
    style.unpolish(widget)
    style.polish(widget)


def plain_tip(text: str) -> str:
    """Return text that a tool tip shows as it is: Qt guesses whether a tip is markup."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<span>{escaped}</span>" if text else ""


def panel(parent: QWidget | None = None) -> QFrame:
    """Return a frame with the background of a panel."""
    frame = QFrame(parent)
    frame.setProperty("panel", True)
    return frame


def style_table(table: QTableView, stretched: int) -> None:
    """Show whole rows without a grid; the column ``stretched`` takes the remaining width."""
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setShowGrid(False)
    # the tabulator leaves a table, or the keyboard would be caught in it
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.setTextElideMode(Qt.TextElideMode.ElideRight)
    rows, header = table.verticalHeader(), table.horizontalHeader()
    assert rows is not None
    assert header is not None
    rows.hide()
    rows.setDefaultSectionSize(ROW_HEIGHT)
    header.setHighlightSections(False)
    header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
    header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)


class WrappedRows:
    """Keep the rows of a table as high as the text of its wrapped columns.

    Qt does so by itself, but measures all rows again for every cell that changes.

    Parameters
    ----------
    table : QTableWidget
    columns : sequence of int
        They share the width that the other columns leave.
    """

    def __init__(self, table: QTableWidget, columns: Sequence[int]) -> None:
        self._table, self._columns = table, tuple(columns)
        table.setWordWrap(True)
        table.setTextElideMode(Qt.TextElideMode.ElideNone)
        # the bar would come when the rows are measured, and make their columns narrower
        table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        header = table.horizontalHeader()
        assert header is not None
        for column in range(table.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        for column in columns:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.sectionResized.connect(self._resized)

    def fit(self) -> None:
        """Fit columns and rows to what the cells hold now."""
        table = self._table
        for column in range(table.columnCount()):
            if column not in self._columns:
                header = table.horizontalHeader()
                assert header is not None
                needed = max(table.sizeHintForColumn(column), header.sectionSizeHint(column))
                # numbers come and go; the columns stay where they are
                if needed > table.columnWidth(column):
                    table.setColumnWidth(column, needed)
        self._fit_rows()

    def _resized(self, column: int, before: int, now: int) -> None:
        if column in self._columns:
            self._fit_rows()

    def _fit_rows(self) -> None:
        metrics, table = self._table.fontMetrics(), self._table
        wrap = Qt.TextFlag.TextWordWrap.value
        for row in range(table.rowCount()):
            height = ROW_HEIGHT
            for column in self._columns:
                item = table.item(row, column)
                if item is not None and item.text():
                    room = max(table.columnWidth(column) - 2 * CELL_PADDING, 1)
                    box = metrics.boundingRect(QRect(0, 0, room, 10_000), wrap, item.text())
                    height = max(height, box.height() + 6)
            if table.rowHeight(row) != height:
                table.setRowHeight(row, height)


def make_table(columns: Sequence[str], stretched: int) -> QTableWidget:
    """Return an empty table whose columns fit their cells, except the one that is stretched."""
    table = QTableWidget(0, len(columns))
    table.setHorizontalHeaderLabels(list(columns))
    style_table(table, stretched)
    header = table.horizontalHeader()
    assert header is not None
    for column in range(len(columns)):
        if column != stretched:
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    return table
