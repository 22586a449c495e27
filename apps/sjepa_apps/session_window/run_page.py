"""The operator's view of practice and recording."""

from __future__ import annotations

from PyQt6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout

from sjepa_apps.session_window.page import Page, minutes, slim_bar
from sjepa_apps.stimulus.display import DisplayReport
from sjepa_apps.stimulus.frames import FrameCount
from sjepa_apps.ui.theme import GRID
from sjepa_apps.ui.widgets import PlainLabel, panel

#: Share of late frames from which the operator should do something.
MANY_LATE = 0.001


class RunPage(Page):
    """Progress of the session, quality of the display, and a log."""

    def __init__(self) -> None:
        super().__init__(
            "Practice and recording",
            "The participant's keys: Enter goes on, Space pauses, Escape stops. Everything is "
            "recorded as it comes, so a session that ends early can go on later.",
            "Start",
            "Stop",
            back=True,
        )
        self.state = PlainLabel("Ready", "decision")
        self.left = PlainLabel("", "muted")
        self.progress = slim_bar()
        self.display = PlainLabel("not measured yet")
        self.frames = PlainLabel("–")
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(500)
        self.train = QPushButton("Train with what is recorded")
        self.recorded = PlainLabel("", "muted")
        self.recorded.setWordWrap(True)
        self.train.hide()
        self.recorded.hide()
        self.secondary.setEnabled(False)
        self._lay_out()

    def _lay_out(self) -> None:
        self.content.addWidget(self.state)
        self.content.addWidget(self.progress)
        self.content.addWidget(self.left)
        facts = QHBoxLayout()
        facts.setSpacing(2 * GRID)
        for title, value in (("Display", self.display), ("Frames", self.frames)):
            box = panel()
            inside = QVBoxLayout(box)
            inside.setContentsMargins(2 * GRID, GRID, 2 * GRID, GRID)
            inside.addWidget(PlainLabel(title, "muted"))
            value.setWordWrap(True)
            inside.addWidget(value)
            inside.addStretch()
            facts.addWidget(box, 1)
        self.content.addLayout(facts)
        training = QHBoxLayout()
        training.setSpacing(2 * GRID)
        training.addWidget(self.train)
        training.addWidget(self.recorded, 1)
        self.content.addLayout(training)
        self.content.addWidget(self.log, 1)

    def begin(self) -> None:
        """Show that a run begins."""
        self.state.setText("Opening the stimulus window")
        self.primary.setEnabled(False)
        self.back.setEnabled(False)
        self.secondary.setEnabled(True)
        self.train.hide()
        self.recorded.hide()
        self.tell("")

    def show_practice(self) -> None:
        """Show that practice trials are on."""
        self.state.setText("Practice")

    def show_trial(self, number: int, n_trials: int, seconds: float) -> None:
        """Show that trial ``number``, from 0, begins, and the seconds that all to come take."""
        self.progress.setRange(0, n_trials)
        self.progress.setValue(number)
        if number < n_trials:
            self.state.setText(f"Trial {number + 1} of {n_trials}")
            self.left.setText(f"{minutes(seconds)} left, without pauses")
        else:
            self.state.setText("Finishing the recording")
            self.left.setText("")

    def show_frames(self, report: DisplayReport | None, frames: FrameCount) -> None:
        """Show the quality of the display."""
        if report is not None:
            self.display.setText(str(report))
        self.frames.setText(str(frames))
        many = frames.late > MANY_LATE * max(frames.shown, 1)
        self.frames.set_state("warning" if many else "")

    def rest(self, why: str) -> None:
        """Show that nothing runs, and why."""
        self.state.setText("Stopped")
        self.left.setText("")
        self.primary.setText("Go on")
        self.secondary.setEnabled(False)
        self.train.setEnabled(False)
        self.train.show()
        self.recorded.setText("Reading what is recorded …")
        self.recorded.show()
        self.tell(why, "warning")

    def show_recorded(self, why_not_train: str) -> None:
        """Let the operator choose what comes next; a reason forbids to train."""
        self.primary.setEnabled(True)
        self.primary.setFocus()
        self.back.setEnabled(True)
        self.train.setEnabled(not why_not_train)
        self.recorded.setText(why_not_train)

    def add(self, message: str) -> None:
        """Add a message to the log."""
        self.log.appendPlainText(message)
