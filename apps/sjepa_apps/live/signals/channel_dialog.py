"""A list of channels to choose from."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.ui.theme import GRID


class ChannelDialog(QDialog):
    """Choose channels one by one, or a group of them by a button.

    Parameters
    ----------
    names : collection of str
        All channels.
    chosen : collection of str
        Those that are chosen at first.
    groups : mapping of str to collection of str
        Channels by the text of a button that chooses exactly these.
    """

    def __init__(
        self,
        names: Collection[str],
        chosen: Collection[str],
        groups: Mapping[str, Collection[str]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Channels in view")
        self.resize(360, 460)
        self.list = QListWidget()
        self.list.setToolTip("Space chooses a channel or leaves it out")
        for name in names:
            item = QListWidgetItem(name)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            self.list.addItem(item)
        self._check(chosen)
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID)
        for text, members in {"All": names, "None": (), **groups}.items():
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(lambda _, members=members: self._check(members))
            buttons.addWidget(button)
        kinds = QDialogButtonBox.StandardButton
        self.box = QDialogButtonBox(kinds.Ok | kinds.Cancel)
        self.box.accepted.connect(self.accept)
        self.box.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(GRID)
        layout.addLayout(buttons)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.box)

    @property
    def chosen(self) -> tuple[str, ...]:
        """The channels that are checked."""
        items = (self.list.item(row) for row in range(self.list.count()))
        return tuple(
            item.text()
            for item in items
            if item is not None and item.checkState() == Qt.CheckState.Checked
        )

    def _check(self, names: Collection[str]) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            assert item is not None
            checked = Qt.CheckState.Checked if item.text() in names else Qt.CheckState.Unchecked
            item.setCheckState(checked)
