"""The list of a session's steps, with the one that is on."""

from __future__ import annotations

from PyQt6.QtWidgets import QFrame, QVBoxLayout, QWidget

from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import PlainLabel

STEPS = ("Stream and protocol", "Channels", "Practice", "Recording", "Training", "Result")


class StepList(QFrame):
    """Steps that are done, the one that is on, and those to come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setFixedWidth(26 * GRID)
        self.labels = [PlainLabel() for _ in STEPS]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 2 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(PlainLabel("Calibration", "heading"))
        layout.addSpacing(GRID)
        for label in self.labels:
            layout.addWidget(label)
        layout.addStretch()
        self.go_to(0)

    def go_to(self, step: int) -> None:
        """Show that this step is on."""
        for number, (label, name) in enumerate(zip(self.labels, STEPS, strict=True)):
            mark = "✓" if number < step else str(number + 1)
            label.setText(f"{mark}   {name}")
            label.set_state("good" if number < step else "")
            font = label.font()
            font.setBold(number == step)
            label.setFont(font)
            label.setEnabled(number <= step)
