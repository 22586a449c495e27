"""What all pages of the session window share, and the list of the steps beside them."""

from __future__ import annotations

from PyQt6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from sjepa_apps.ui.theme import GRID, Theme, style_sheet
from sjepa_apps.ui.widgets import PlainLabel, State

STEPS = ("Stream and protocol", "Channels", "Practice", "Recording", "Training", "Result")
STEPS_WITHOUT_TRIALS = ("Stream and protocol", "Channels", "A minute of signal", "Result")


class StepList(QFrame):
    """Steps that are done, the one that is on, and those to come."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.setFixedWidth(26 * GRID)
        self._steps: tuple[str, ...] = STEPS
        self.labels = [PlainLabel() for _ in STEPS]
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3 * GRID, 3 * GRID, 2 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(PlainLabel("Calibration", "heading"))
        layout.addSpacing(GRID)
        for label in self.labels:
            layout.addWidget(label)
        layout.addStretch()
        self.go_to(STEPS[0])

    def set_steps(self, steps: tuple[str, ...]) -> None:
        """Show other steps, of which the first is on; there are no more than of a session."""
        self._steps = steps
        for number, label in enumerate(self.labels):
            label.setVisible(number < len(steps))
        self.go_to(steps[0])

    def go_to(self, current: str) -> None:
        """Show that the step of this name is on."""
        step = self._steps.index(current)
        for number, (label, name) in enumerate(zip(self.labels, self._steps, strict=False)):
            mark = "✓" if number < step else str(number + 1)
            label.setText(f"{mark}   {name}")
            label.set_state("good" if number < step else "")
            font = label.font()
            font.setBold(number == step)
            label.setFont(font)
            label.setEnabled(number <= step)


class Page(QWidget):
    """A page: title, explanation, content, message and buttons.

    Parameters
    ----------
    title, explanation : str
    primary, secondary : str
        Texts of the buttons; an empty text hides the second button.
    back : bool
        Whether there is a button to go back.
    """

    def __init__(
        self, title: str, explanation: str, primary: str, secondary: str = "", back: bool = False
    ) -> None:
        super().__init__()
        self.content = QVBoxLayout()
        self.content.setSpacing(2 * GRID)
        self.message = PlainLabel()
        self.message.setWordWrap(True)
        self.primary = QPushButton(primary)
        self.primary.setProperty("primary", True)
        self.primary.setDefault(True)
        self.secondary = QPushButton(secondary)
        self.secondary.setVisible(bool(secondary))
        self.back = QPushButton("Back")
        self.back.setVisible(back)
        for button in (self.primary, self.secondary):
            button.setMinimumWidth(14 * GRID)
        heading = PlainLabel(title, "figure")
        self.explanation = PlainLabel(explanation, "muted")
        self.explanation.setWordWrap(True)
        self.foot = foot = QHBoxLayout()
        foot.setSpacing(GRID)
        foot.addWidget(self.message, 1)
        foot.addWidget(self.back)
        foot.addWidget(self.secondary)
        foot.addWidget(self.primary)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4 * GRID, 3 * GRID, 4 * GRID, 3 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(heading)
        layout.addWidget(self.explanation)
        layout.addLayout(self.content, 1)
        layout.addLayout(foot)

    def tell(self, text: str, state: State = "") -> None:
        """Show a message beside the buttons."""
        self.message.setText(text)
        self.message.set_state(state)


def slim_bar() -> QProgressBar:
    """Return a progress bar without a text in it."""
    bar = QProgressBar()
    bar.setTextVisible(False)
    bar.setFixedHeight(GRID)
    return bar


def minutes(seconds: float) -> str:
    """Tell a time in words."""
    if seconds < 90:
        return f"{max(round(seconds), 0)} s"
    return f"{round(seconds / 60)} min"


def page_style(theme: Theme) -> str:
    """Return the style sheet of the session's windows."""
    return style_sheet(theme) + _STYLE.format(**vars(theme))


# rules that the live window's style sheet does not have
_STYLE = """
QProgressBar {{ background: {line}; border: none; border-radius: 4px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 4px; }}
QPlainTextEdit {{
    background: {panel}; border: 1px solid {line}; border-radius: 6px; padding: 4px;
}}
QLabel:disabled, QCheckBox:disabled {{ color: {muted}; }}
QCheckBox::indicator {{
    width: 12px; height: 12px; border: 1px solid {muted}; border-radius: 3px;
    background: {panel};
}}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; }}
QCheckBox::indicator:checked:disabled {{ background: {muted}; border-color: {muted}; }}
QCheckBox:focus {{ color: {accent}; }}
"""
