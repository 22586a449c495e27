"""Fields for participant, session, run and notes."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLineEdit, QWidget

from sjepa_apps.session.identity import Identity
from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import PlainLabel

#: Letters that a field takes.
LONGEST = 300


class IdentityFields(QWidget):
    """Who is recorded.

    Parameters
    ----------
    identity : Identity
        What is shown at first.

    Signals
    -------
    changed
    """

    changed = pyqtSignal()

    def __init__(self, identity: Identity, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.participant = _field(identity.participant, "such as 01", "Participant")
        self.session = _field(identity.session, "such as 02", "Session")
        self.run = _field(identity.run, "the next free one", "Run")
        self.notes = _field(identity.notes, "notes, stored with the session", "Notes")
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setHorizontalSpacing(GRID)
        layout.setVerticalSpacing(GRID)
        fields = (self.participant, self.session, self.run)
        names = ("", "Session", "Run")
        for column, (name, field) in enumerate(zip(names, fields, strict=True)):
            if name:
                layout.addWidget(PlainLabel(name, "muted"), 0, 2 * column - 1)
            layout.addWidget(field, 0, 2 * column)
            layout.setColumnStretch(2 * column, 1)
        layout.addWidget(self.notes, 1, 0, 1, 5)
        for field in (*fields, self.notes):
            field.textChanged.connect(self.changed)

    @property
    def identity(self) -> Identity:
        """What the fields hold."""
        return Identity(
            participant=self.participant.text(),
            session=self.session.text(),
            run=self.run.text(),
            notes=self.notes.text(),
        )

    def keep(self, identity: Identity) -> None:
        """Show those of a session that has begun; they stay as they are."""
        fields = (self.participant, self.session, self.run, self.notes)
        texts = (identity.participant, identity.session, identity.run, identity.notes)
        for field, text in zip(fields, texts, strict=True):
            field.setText(text)
            field.setEnabled(False)


def _field(text: str, hint: str, name: str) -> QLineEdit:
    field = QLineEdit(text)
    field.setMaxLength(LONGEST)
    field.setPlaceholderText(hint)
    field.setAccessibleName(name)
    return field
