"""The operator's view while the participant is shown something."""

from __future__ import annotations

from datetime import datetime

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QKeySequence, QShortcut
from PyQt6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from sjepa_apps.session_window.page import Page, minutes, slim_bar
from sjepa_apps.session_window.run.participant_copy import ParticipantCopy
from sjepa_apps.session_window.run.signal_watch import SignalState
from sjepa_apps.session_window.run.trace_strip import TraceStrip
from sjepa_apps.stimulus.display import DisplayReport
from sjepa_apps.stimulus.frames import FrameCount
from sjepa_apps.stimulus.shown import ShownState
from sjepa_apps.ui.channel_states import ChannelStates, judged_states
from sjepa_apps.ui.scalp import ScalpCanvas
from sjepa_apps.ui.theme import GRID, Theme
from sjepa_apps.ui.widgets import ElidedLabel, PlainLabel, State, panel

#: Share of late frames from which the operator should do something.
MANY_LATE = 0.001
#: Height (pixels) of the log, of which all can be read by scrolling.
LOG_HEIGHT = 72
#: Bad electrodes that are named with their faults.
MOST_NAMED = 3
_PHASES = {
    "fixation": "fixation",
    "cue": "cue",
    "stimulation": "flicker",
    "imagery": "imagery",
    "flash": "flashes",
    "between": "flashes",
    "rest": "rest",
}
_KEYS = (
    "The participant's keys: Enter goes on, Space pauses, Esc stops. Here: P pauses and goes on, "
    "Esc stops."
)
_OPENING = "Opening the stimulus window"
_KEPT = "Everything is recorded as it comes, so a session that ends early can go on later."


class RunPage(Page):
    """Progress, what the participant sees, the signal, the display, and a log.

    Parameters
    ----------
    theme : Theme
    title : str
    kept : str
        What becomes of a run that ends early.

    Signals
    -------
    key_pressed
        ``Qt.Key.Key_Space`` to pause and go on, ``Qt.Key.Key_Escape`` to stop.
    """

    key_pressed = pyqtSignal(object)

    def __init__(
        self, theme: Theme, title: str = "Practice and recording", kept: str = _KEPT
    ) -> None:
        super().__init__(title, f"{_KEYS} {kept}", "Start", "Stop", back=True)
        self.state = PlainLabel("Ready", "decision")
        self.clock = PlainLabel("", "heading")
        self.left = PlainLabel("", "muted")
        self.alert = PlainLabel("", "heading")
        self.alert.setWordWrap(True)
        self.progress = slim_bar()
        self.copy = ParticipantCopy()
        self.cue = ElidedLabel("–", "heading")
        self.traces = TraceStrip(theme)
        self.scalp = ScalpCanvas(theme)
        self.electrodes = PlainLabel("–")
        self.electrodes.setWordWrap(True)
        self.display = ElidedLabel("not measured yet")
        self.frames = ElidedLabel("–")
        self.log = QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(500)
        self.log.setFixedHeight(LOG_HEIGHT)
        self.pause = QPushButton("Pause")
        self.pause.setMinimumWidth(14 * GRID)
        self.pause.setEnabled(False)
        self.train = QPushButton("Train with what is recorded")
        self.recorded = PlainLabel("", "muted")
        self.recorded.setWordWrap(True)
        self.train.hide()
        self.recorded.hide()
        self.secondary.setEnabled(False)
        self.running = False
        self._shown_names: tuple[str, ...] = ()
        self._lay_out()
        self.pause.clicked.connect(lambda: self.key_pressed.emit(Qt.Key.Key_Space))
        for keys, key in (("P", Qt.Key.Key_Space), ("Escape", Qt.Key.Key_Escape)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda key=key: self.key_pressed.emit(key))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.state, 1)
        top.addWidget(self.clock)
        self.content.setSpacing(GRID)
        self.content.addLayout(top)
        self.content.addWidget(self.progress)
        self.content.addWidget(self.left)
        self.content.addWidget(self.alert)
        views = QHBoxLayout()
        views.setSpacing(GRID)
        views.addWidget(_titled("The participant sees", self.copy, self.cue), 3)
        views.addWidget(_titled("Signal, as it is decoded", self.traces), 5)
        views.addWidget(_titled("Electrodes", self.scalp, self.electrodes), 2)
        self.content.addLayout(views, 1)
        training = QHBoxLayout()
        training.setSpacing(2 * GRID)
        training.addWidget(self.train)
        training.addWidget(self.recorded, 1)
        self.content.addLayout(training)
        facts = QGridLayout()
        facts.setHorizontalSpacing(2 * GRID)
        facts.setVerticalSpacing(2)
        facts.setColumnStretch(1, 1)
        for row, (name, value) in enumerate((("Display", self.display), ("Frames", self.frames))):
            facts.addWidget(PlainLabel(name, "muted"), row, 0)
            facts.addWidget(value, row, 1)
        self.content.addLayout(facts)
        self.content.addWidget(self.log)
        self.foot.insertWidget(self.foot.indexOf(self.secondary), self.pause)
        self.setTabOrder(self.pause, self.secondary)

    def set_theme(self, theme: Theme) -> None:
        """Change the colours."""
        self.traces.set_theme(theme)
        self.scalp.set_theme(theme)

    def begin(self) -> None:
        """Show that a run begins."""
        self.running = True
        self.state.setText(_OPENING)
        self.primary.setEnabled(False)
        self.back.setEnabled(False)
        self.secondary.setEnabled(True)
        self.train.hide()
        self.recorded.hide()
        self.alarm("")
        self.tell("")

    def show_practice(self) -> None:
        """Show that practice trials are on."""
        self.state.setText("Practice")

    def show_trial(self, number: int, n_trials: int, where: str, seconds: float) -> None:
        """Show that a trial begins.

        Parameters
        ----------
        number : int
            From 0; ``n_trials`` when all are over.
        n_trials : int
        where : str
            Its block, and the part of the recording.
        seconds : float
            Of all trials to come.
        """
        self.progress.setRange(0, n_trials)
        self.progress.setValue(number)
        if number < n_trials:
            self.state.setText(f"Trial {number + 1} of {n_trials}")
            self.show_left(where, seconds)
        else:
            self.state.setText("Finishing the recording")
            self.left.setText("")

    def show_left(self, where: str, seconds: float) -> None:
        """Show where the session is, and the time that the trials to come take."""
        self.left.setText(f"{where}{minutes(seconds)} left, without pauses")

    def show_clock(self, since: float | None) -> None:
        """Show the time of day, and how long (s) the run has lasted."""
        told = f"{datetime.now():%H:%M:%S}"
        if since is not None:
            told = f"{int(since // 60)}:{int(since % 60):02d} since the start  ·  {told}"
        self.clock.setText(told)

    def show_frames(self, report: DisplayReport | None, frames: FrameCount) -> None:
        """Show the quality of the display."""
        if report is not None:
            self.display.setText(str(report))
        self.frames.setText(str(frames))
        many = frames.late > MANY_LATE * max(frames.shown, 1)
        self.frames.set_state("warning" if many else "")

    def show_shown(self, shown: ShownState) -> None:
        """Show what the participant is shown, and whether somebody has paused."""
        paused = shown.activity in ("pause", "stop question")
        self.pause.setText("Go on" if paused else "Pause")
        self.pause.setEnabled(self.running and shown.activity != "waiting")
        if shown.activity == "waiting" and self.state.text() == _OPENING:
            self.state.setText("Waiting for the participant")
        if shown.target:
            self.cue.setText(f"{_words(shown.target)}: {_PHASES.get(shown.phase, shown.phase)}")
        elif paused:
            self.cue.setText("paused")
        else:
            self.cue.setText(shown.message.split("\n")[0] or "–")

    def show_signal(self, signal: SignalState) -> None:
        """Show the traces and the state of the electrodes."""
        self.traces.show_picture(signal.picture, signal.problem)
        names = tuple(verdict.channel for verdict in signal.verdicts)
        if names and names != self._shown_names:
            self._shown_names = names
            self.scalp.set_channels(names)
        states = judged_states(signal.verdicts, signal.impedances)
        self.scalp.set_states(states)
        if not names:
            self.electrodes.setText("not known")
            self.electrodes.set_state("")
        elif states.bad:
            self.electrodes.setText(f"{len(states.bad)} of {len(names)} bad: {_told(states)}")
            self.electrodes.set_state("warning")
        else:
            self.electrodes.setText(f"All {len(names)} are good")
            self.electrodes.set_state("good")

    def show_nothing(self) -> None:
        """Let nothing of a run that is over stay in sight as if it were current."""
        self.copy.show_copy_of(None)
        self.cue.setText("–")
        self.show_signal(SignalState(problem="Nothing runs: the signal is not read."))

    def alarm(self, text: str, state: State = "") -> None:
        """Show a pause, a loss or a repeat in large letters; an empty text shows none."""
        self.alert.setText(text)
        self.alert.set_state(state)

    def rest(self, why: str) -> None:
        """Show that nothing runs, and why."""
        self.running = False
        self.state.setText("Stopped")
        self.left.setText("")
        self.alarm("")
        self.primary.setText("Go on")
        self.pause.setEnabled(False)
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
        self.log.appendPlainText(f"{datetime.now():%H:%M:%S}  {message}")


def _told(states: ChannelStates) -> str:
    """Name the bad electrodes, the first ones with what is wrong."""
    bad = states.bad[:MOST_NAMED]
    told = [f"{name} ({states.reports[name].reasons[0]})" for name in bad]
    rest = len(states.bad) - len(bad)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


def _words(name: str) -> str:
    return name.replace("_", " ") if len(name) > 1 else name


def _titled(title: str, *widgets: QWidget) -> QWidget:
    """Put widgets below each other into a panel with a title; the first one grows."""
    box = panel()
    inside = QVBoxLayout(box)
    inside.setContentsMargins(GRID, GRID, GRID, GRID)
    inside.setSpacing(GRID // 2)
    inside.addWidget(PlainLabel(title, "muted"))
    for number, widget in enumerate(widgets):
        inside.addWidget(widget, 0 if number else 1)
    return box
