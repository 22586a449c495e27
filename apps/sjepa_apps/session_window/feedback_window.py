"""The operator's window while a participant uses a decoder."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from PyQt6.QtCore import QObject, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QCloseEvent, QGuiApplication
from PyQt6.QtWidgets import QApplication, QMainWindow

from sjepa_apps.session.feedback import FeedbackRun
from sjepa_apps.session.presenter import SessionStopped
from sjepa_apps.session.selections import Selection, SelectionScore
from sjepa_apps.session_window.feedback_setup import FeedbackSetup
from sjepa_apps.session_window.next_program import (
    decoding_arguments,
    display_arguments,
    start_program,
)
from sjepa_apps.session_window.page import page_style
from sjepa_apps.session_window.run.page import RunPage
from sjepa_apps.session_window.run.watched_run import WatchedRun
from sjepa_apps.stimulus.presenter import QtPresenter
from sjepa_apps.stimulus.window import StimulusWindow
from sjepa_apps.ui.application import make_application, run_application
from sjepa_apps.ui.recent_decoders import RecentButton, RecentDecoders, recent_file
from sjepa_apps.ui.theme import Theme, system_theme
from sjepa_apps.ui.widgets import PlainLabel
from sjepa_apps.ui.worker import TaskRunner
from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import FrameOutlet, StimulusOutlet

#: Letters of a freely spelled text that are shown.
LONGEST_TEXT = 200
# milliseconds between two looks at the run
_LOOK = 200


class FeedbackPage(RunPage):
    """The page of a run, with what was chosen.

    Parameters
    ----------
    theme : Theme
    recent : RecentDecoders
        With which another run may begin.
    """

    def __init__(self, theme: Theme, recent: RecentDecoders) -> None:
        super().__init__(theme, "Feedback", "What was chosen so far is kept.")
        self.back.hide()
        self.again = RecentButton("Another run with", recent, {"Feedback": "feedback"})
        self.foot.insertWidget(self.foot.indexOf(self.back), self.again)
        self.again.hide()
        self.primary.setText("Close")
        self.primary.hide()
        self.score = PlainLabel("", "heading")
        self.score.setWordWrap(True)
        self.content.insertWidget(self.content.indexOf(self.left) + 1, self.score)

    def show_selections(self, selections: Sequence[Selection], told: str) -> None:
        """Show the last choice, and the score or the text so far."""
        if not selections:
            return
        last = selections[-1]
        chosen = last.selected or "nothing"
        verdict = "" if not last.target else ", right" if last.correct else ", wrong"
        after = "" if last.seconds is None else f" after {last.seconds:.1f} s"
        self.score.setText(f"Chosen: {chosen.replace('_', ' ')}{verdict}{after}.  {told}")
        self.score.set_state("" if not last.target else "good" if last.correct else "bad")

    def finish(self, why: str) -> None:
        """Show that the run is over, and why where it ended early."""
        self.running = False
        self.state.setText("Finished" if not why else "Stopped")
        self.left.setText("")
        self.alarm("")
        self.pause.setEnabled(False)
        self.secondary.setEnabled(False)
        self.again.refresh()
        self.again.show()
        self.primary.show()
        self.primary.setEnabled(True)
        self.primary.setFocus()
        self.tell(why, "warning" if why else "")


class FeedbackConductor(QObject):
    """Runs trials and the decoder beside the windows.

    Parameters
    ----------
    setup : FeedbackSetup

    Signals
    -------
    told
        A message for the operator.
    trial_begins
        Its number from 0, and the number of all.
    ended
        Why, in words; empty when all trials were shown.
    broken
        An error that nobody expects.
    """

    told = pyqtSignal(str)
    trial_begins = pyqtSignal(int, int)
    ended = pyqtSignal(str)
    broken = pyqtSignal(object)
    idle = pyqtSignal()

    def __init__(self, setup: FeedbackSetup) -> None:
        super().__init__()
        self.setup = setup
        self.stimulus: StimulusWindow | None = None
        self.selections: list[Selection] = []
        self.error: InputError | OperationError | None = None
        self._open = ExitStack()
        self._worker = TaskRunner()
        self._worker.idle.connect(self.idle)

    @property
    def busy(self) -> bool:
        """Whether the run is on."""
        return self._worker.busy

    def start(self) -> None:
        """Open the stimulus window, and begin."""
        setup = self.setup
        try:
            window = StimulusWindow(setup.protocol, setup.display_options)
            self._open.callback(window.close)
            self.stimulus = window
            report = window.open()
            markers = self._open.enter_context(StimulusOutlet(setup.protocol_text))
            frames = self._open.enter_context(FrameOutlet(report.refresh_rate))
        except (InputError, OperationError, SessionStopped) as error:
            self._end(error)
            return
        window.connect(markers, frames)
        for warning in report.warnings:
            self.told.emit(warning)
        presenter = QtPresenter(window)
        self._worker.run(
            lambda: self._run(presenter, markers, frames.uid), lambda _: self._end(None), self._end
        )

    def press(self, key: Qt.Key) -> None:
        """Act on a key of the operator as on one of the participant."""
        if self.stimulus is not None and not self.stimulus.stopped:
            self.stimulus.press(key)

    def stop(self) -> None:
        """End the run; what was chosen is kept."""
        if self.stimulus is not None:
            self.stimulus.close()

    def close(self) -> None:
        """End the run, and wait for it."""
        self.stop()
        self._worker.close()
        self._open.close()

    def _run(self, presenter: QtPresenter, markers: StimulusOutlet, frames: str) -> None:
        setup = self.setup
        presenter.show_message("One moment …")
        with FeedbackRun(
            setup.decoder,
            setup.stream,
            markers,
            setup.protocol,
            self.told.emit,
            setup.amplifier,
            adapt=setup.adapt,
            folder=setup.folder,
            others=(frames,),
            free=setup.free,
        ) as run:
            self.selections = run.selections
            run.run(presenter, setup.trials, self.trial_begins.emit)

    def _end(self, error: Exception | None) -> None:
        self._open.close()
        if error is not None and not isinstance(error, SessionStopped):
            if not isinstance(error, InputError | OperationError):
                self.broken.emit(error)
                return
            self.error = error
        stopped = error is not None or len(self.selections) < len(self.setup.trials)
        self.ended.emit(str(self.error or "The run was stopped.") if stopped else "")


class FeedbackWindow(QMainWindow):
    """The operator's window of a run with feedback; the run begins with it.

    Parameters
    ----------
    setup : FeedbackSetup

    Attributes
    ----------
    error : Exception or None
        The unexpected error that has closed the window.
    """

    def __init__(self, setup: FeedbackSetup) -> None:
        super().__init__()
        self.setWindowTitle("sjepa-online feedback")
        self.resize(1120, 720)
        self.error: Exception | None = None
        self._closed = False
        self._setup = setup
        self.conductor = FeedbackConductor(setup)
        self.recent = RecentDecoders(recent_file())
        self.page = FeedbackPage(system_theme(), self.recent)
        self.run = WatchedRun(self.page)
        self.setCentralWidget(self.page)
        self._follow_system()
        hints = QGuiApplication.styleHints()
        assert hints is not None
        hints.colorSchemeChanged.connect(self._follow_system)
        self._connect()
        self._look = QTimer(self)
        self._look.timeout.connect(self._look_around)

    def begin(self) -> None:
        """Begin the run."""
        self.recent.add(self._setup.decoder)
        self.page.begin()
        self.run.begin(self._setup.stream, self._setup.amplifier)
        self._look.start(_LOOK)
        QApplication.processEvents()
        self.conductor.start()

    def end(self) -> None:
        """End the run without blocking, then close the window."""
        self._closed = True
        self._look.stop()
        self.run.end()
        self.conductor.stop()
        if self.conductor.busy:
            self.page.tell("Ending …")
            self.conductor.idle.connect(self.end_at_once)
        else:
            self.end_at_once()

    def end_at_once(self) -> None:
        """End the run, wait for it, and close the window."""
        self._closed = True
        self._look.stop()
        self.conductor.close()
        self.run.close()
        self.close()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """End the run first."""
        assert event is not None
        if not self._closed:
            self.end()
        event.setAccepted(not self.conductor.busy)

    def _connect(self) -> None:
        conductor, page = self.conductor, self.page
        page.secondary.clicked.connect(conductor.stop)
        page.key_pressed.connect(conductor.press)
        page.primary.clicked.connect(self.end)
        page.again.chosen.connect(self._begin_another)
        conductor.told.connect(page.add)
        conductor.trial_begins.connect(self._show_trial)
        conductor.ended.connect(self._finish)
        conductor.broken.connect(self._break)

    def _show_trial(self, number: int, n_trials: int) -> None:
        if self._setup.free is not None:
            self.page.state.setText(f"Symbol {number + 1}")
            return
        durations = [trial.duration for trial in self._setup.trials[number:]]
        self.run.show_trial(number, n_trials, "", durations)

    def _look_around(self) -> None:
        self.run.look(self.conductor.stimulus)
        free = self._setup.free
        told = _told_text(free.text) if free is not None else self._told_score()
        self.page.show_selections(self.conductor.selections, told)

    def _told_score(self) -> str:
        selections = self.conductor.selections
        if not selections:
            return ""
        score = SelectionScore.of(selections, self._setup.protocol)
        return (
            f"{score.n_correct} of {score.n_trials} right (chance {score.chance:.2f}, "
            f"p = {score.p_value:.2g}, {score.bits_per_minute:.1f} bits a minute)"
        )

    def _finish(self, why: str) -> None:
        if self._closed:
            return
        self._look_around()
        self.run.end()
        self._look.stop()
        self.page.finish(why)
        folder = self._setup.folder
        if folder is not None:
            self.page.add(f"Results and recording: {folder.path}")
        self.activateWindow()

    def _begin_another(self, command: str, decoder: Path) -> None:
        """Begin a run with another decoder, in a window of its own."""
        setup = self._setup
        free = [] if setup.free is None else ["--free"]
        try:
            arguments = decoding_arguments(
                decoder, setup.stream.selector, setup.amplifier, decoder.parent
            )
            start_program([command, *arguments, *free, *display_arguments(setup.display_options)])
        except OperationError as error:
            self.page.tell(str(error), "bad")
        else:
            self.page.tell("Another window opens. This may take some seconds.")

    def _break(self, error: Exception) -> None:
        self.error = error
        self.end()

    def _follow_system(self) -> None:
        theme = system_theme()
        self.setStyleSheet(page_style(theme))
        QApplication.setPalette(theme.palette())
        self.page.set_theme(theme)


def _told_text(text: str) -> str:
    """Tell the end of a text, which may grow long."""
    return f"Text: {text}" if len(text) <= LONGEST_TEXT else f"Text: …{text[1 - LONGEST_TEXT :]}"


def run_feedback_window(setup: FeedbackSetup) -> tuple[list[Selection], bool]:
    """Show the window until it is closed.

    Parameters
    ----------
    setup : FeedbackSetup

    Returns
    -------
    selections : list of Selection
    interrupted : bool
        Whether Ctrl-C has closed the window.

    Raises
    ------
    InputError, OperationError
        The run has ended by an error.
    """
    application = make_application()
    window = FeedbackWindow(setup)
    window.show()
    QTimer.singleShot(0, window.begin)
    try:
        interrupted = run_application(application, window.end)
    finally:
        window.end_at_once()
    conductor = window.conductor
    if window.error is not None:
        raise window.error
    if conductor.error is not None and not conductor.selections and not interrupted:
        raise conductor.error
    return conductor.selections, interrupted
