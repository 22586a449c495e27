"""A protocol that is a file of the user's own."""

from __future__ import annotations

from PyQt6.QtWidgets import QComboBox, QFileDialog, QPushButton

PROTOCOL_FILES = "Protocols (*.toml);;All files (*)"


class OtherProtocol(QPushButton):
    """A button that adds a protocol's file to a box, and chooses it.

    Parameters
    ----------
    box : QComboBox
        Of names of protocols.
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
