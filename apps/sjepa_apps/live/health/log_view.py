"""The event log: filterable, exportable."""

from __future__ import annotations

import csv
import io
from collections import deque
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, Qt
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QTableView, QVBoxLayout, QWidget

from sjepa_apps.live.session import LogEntry
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import Choices, panel, plain_tip, style_table
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import clean_text, csv_cell

COLUMNS = ("Time", "Event", "Detail")
#: Lines that are kept; two hours hold far fewer.
MOST_LINES = 20_000
EVERYTHING, WARNINGS = "everything", "warnings only"


class LogModel(QAbstractTableModel):
    """The newest lines that pass the filter, the newest first."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.entries: deque[LogEntry] = deque(maxlen=MOST_LINES)
        self._shown: list[LogEntry] = []
        self._theme = theme
        self._text, self._warnings = "", False

    def add(self, entry: LogEntry) -> None:
        """Add a line."""
        self.entries.append(entry)
        if self._passes(entry):
            self.beginInsertRows(QModelIndex(), 0, 0)
            self._shown.insert(0, entry)
            self.endInsertRows()
        if len(self._shown) > MOST_LINES:
            self.set_filter(self._text, self._warnings)

    def set_filter(self, text: str, warnings: bool) -> None:
        """Show the lines that hold a text; only those that warn, where that is asked for."""
        self.beginResetModel()
        self._text, self._warnings = text.lower(), warnings
        self._shown = [entry for entry in reversed(self.entries) if self._passes(entry)]
        self.endResetModel()

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.beginResetModel()
        self._theme = theme
        self.endResetModel()

    def to_csv(self) -> str:
        """Return the lines that are shown, the oldest first."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["time", "event", "detail"])
        for entry in reversed(self._shown):
            writer.writerow([entry.when.isoformat(), csv_cell(entry.event), csv_cell(entry.detail)])
        return text.getvalue()

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return how many lines are shown."""
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802 - Qt's
        """Return the number of columns."""
        return len(COLUMNS)

    def headerData(  # noqa: N802 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the name of a column."""
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return COLUMNS[section]
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a cell's text, colour or tool tip."""
        entry = self._shown[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            event = entry.event.replace("-", " ")
            cells = (f"{entry.when:%H:%M:%S}", event, clean_text(entry.detail, 1000))
            return cells[index.column()]
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain_tip(clean_text(entry.detail, 1000))
        if role == Qt.ItemDataRole.ForegroundRole:
            theme = self._theme
            if index.column() == 1:
                states = {"good": theme.good, "warning": theme.warning, "bad": theme.bad}
                return QColor(states.get(entry.state, theme.muted))
            return QColor(theme.muted if index.column() == 0 else theme.ink)
        return None

    def _passes(self, entry: LogEntry) -> bool:
        if self._warnings and entry.state not in ("warning", "bad"):
            return False
        return self._text in f"{entry.event} {entry.detail}".lower()


class LogView(QWidget):
    """The log with its filter."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = LogModel(theme)
        self.table = QTableView()
        self.table.setModel(self.model)
        style_table(self.table, 2)
        self.table.setColumnWidth(0, 92)
        self.table.setColumnWidth(1, 148)
        self.search = QLineEdit()
        self.search.setPlaceholderText("Filter by text (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.level = Choices()
        self.level.addItems([EVERYTHING, WARNINGS])
        self.level.setToolTip("Which lines are shown")
        self.export = QPushButton("Export …")
        self.export.setToolTip("Write the lines that are shown as CSV")
        self.search.textChanged.connect(self._filter)
        self.level.currentIndexChanged.connect(self._filter)
        bar = QHBoxLayout()
        bar.setContentsMargins(GRID, GRID // 2, GRID, 0)
        bar.setSpacing(GRID)
        bar.addWidget(self.search, 1)
        bar.addWidget(self.level)
        bar.addWidget(self.export)
        frame = panel()
        inner = QVBoxLayout(frame)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.setSpacing(GRID // 2)
        inner.addLayout(bar)
        inner.addWidget(self.table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(frame)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.model.set_theme(theme)

    def save(self, path: Path) -> None:
        """Write the lines that are shown."""
        atomic_write(path, self.model.to_csv().encode())

    def _filter(self) -> None:
        self.model.set_filter(self.search.text(), self.level.currentText() == WARNINGS)
