"""The list of all keys."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QTableWidgetItem, QVBoxLayout, QWidget

from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import make_table

#: Keys that belong to a view, beside those of the window's actions.
VIEW_KEYS = (
    ("Tab, Shift+Tab", "Next control, the one before"),
    ("← → ↑ ↓ in Signals", "Move the cursor; choose its channel"),
    ("← → ↑ ↓, Enter on the scalp", "Choose an electrode; force it bad, good, automatic"),
    ("Enter in Connect", "Connect the chosen stream"),
    ("Alt+S, Alt+V", "Session menu, View menu"),
)


class KeysDialog(QDialog):
    """Every key, and what it does.

    Parameters
    ----------
    actions : sequence of QAction
        Those with a key are listed.
    """

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        self.resize(560, 560)
        self.table = make_table(("Key", "What it does"), stretched=1)
        rows = [
            (one.shortcut().toString(QKeySequence.SequenceFormat.NativeText), _plain(one.text()))
            for one in actions
            if not one.shortcut().isEmpty()
        ]
        for key, text in (*rows, *VIEW_KEYS):
            row = self.table.rowCount()
            self.table.insertRow(row)
            self.table.setItem(row, 0, QTableWidgetItem(key))
            self.table.setItem(row, 1, QTableWidgetItem(text))
        box = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.addWidget(self.table)
        layout.addWidget(box)


def _plain(text: str) -> str:
    """Return the text of an action without the mark of its letter."""
    return text.replace("&", "").removesuffix(" …")
