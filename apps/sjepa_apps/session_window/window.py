"""The session window: steps on the left, the page of the current one on the right."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QGuiApplication
from PyQt6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QWidget,
)

from sjepa_apps.session_window.channels_page import ChannelsPage
from sjepa_apps.session_window.choices import Choices
from sjepa_apps.session_window.conductor import Conductor
from sjepa_apps.session_window.next_program import (
    decoding_arguments,
    display_arguments,
    start_program,
)
from sjepa_apps.session_window.page import (
    STEPS,
    STEPS_WITHOUT_TRIALS,
    Page,
    StepList,
    page_style,
)
from sjepa_apps.session_window.result_page import MORE_TRIALS, ResultPage, TrainingPage
from sjepa_apps.session_window.run.page import RunPage
from sjepa_apps.session_window.run.watched_run import WatchedRun
from sjepa_apps.session_window.run.watched_signal import WatchedSignal
from sjepa_apps.session_window.setup import (
    SessionOutcome,
    SessionSetup,
    TrainingResult,
    UnlabelledResult,
)
from sjepa_apps.session_window.setup_page import SetupPage
from sjepa_apps.session_window.unlabelled_page import UnlabelledPage
from sjepa_apps.ui.application import make_application, run_application
from sjepa_apps.ui.discovery import Discovery
from sjepa_apps.ui.recent_decoders import RecentDecoders, recent_file
from sjepa_apps.ui.theme import GRID, system_theme
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.errors import OperationError
from sjepa_online.stream import StreamDescription

# milliseconds between two looks at the streams and the display
_LOOK = 200
_OPENS = {"live": "The live window opens.", "feedback": "The window of the feedback opens."}


class SessionWindow(QMainWindow):
    """A calibration session, step by step.

    Parameters
    ----------
    setup : SessionSetup

    Attributes
    ----------
    error : Exception or None
        The unexpected error that has closed the window.

    Raises
    ------
    InputError
        The folder to go on with holds no session, or there is no such display.
    """

    def __init__(self, setup: SessionSetup) -> None:
        super().__init__()
        self.setWindowTitle("sjepa-online calibrate")
        self.resize(1120, 720)
        self.error: Exception | None = None
        self._ending = self._closed = False
        self.question = QMessageBox(self)
        self.conductor = Conductor(setup)
        self.steps = StepList()
        self.recent = RecentDecoders(recent_file())
        self.setup_page = SetupPage(setup, self.conductor.folder, self.recent)
        self.channels_page = ChannelsPage(system_theme())
        self.run_page = RunPage(system_theme())
        self.run = WatchedRun(self.run_page)
        self.unlabelled_page = UnlabelledPage(system_theme())
        self._checked_signal = WatchedSignal(self.channels_page.traces)
        self._aligned_signal = WatchedSignal(self.unlabelled_page.traces)
        self.training_page = TrainingPage()
        self.result_page = ResultPage()
        self.pages = QStackedWidget()
        for page in self._pages:
            self.pages.addWidget(page)
        middle = QWidget()
        layout = QHBoxLayout(middle)
        layout.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        layout.setSpacing(2 * GRID)
        layout.addWidget(self.steps)
        layout.addWidget(self.pages, 1)
        self.setCentralWidget(middle)
        self._follow_system()
        hints = QGuiApplication.styleHints()
        assert hints is not None
        hints.colorSchemeChanged.connect(self._follow_system)
        self._connect_pages()
        self._connect_conductor()
        self._prepare_question()
        self._discovery = Discovery()
        self._discovery.start()
        self._look = QTimer(self)
        self._look.timeout.connect(self._look_around)
        self._look.start(_LOOK)

    @property
    def _pages(self) -> tuple[Page, ...]:
        return (
            self.setup_page,
            self.channels_page,
            self.run_page,
            self.unlabelled_page,
            self.training_page,
            self.result_page,
        )

    @property
    def _watched(self) -> tuple[WatchedRun | WatchedSignal, ...]:
        return self.run, self._checked_signal, self._aligned_signal

    def outcome(self) -> SessionOutcome:
        """Return folder and result of the session.

        Raises
        ------
        Exception
            An unexpected error that has closed the window.
        """
        if self.error is not None:
            raise self.error
        conductor = self.conductor
        return SessionOutcome(conductor.folder, conductor.result, conductor.result_unlabelled)

    def end(self) -> None:
        """Wait for the running work without blocking, then close the window."""
        if self._ending:
            return
        self._ending = True
        # Qt refuses to close the window under it
        self.question.close()
        self._look.stop()
        self._discovery.ask_to_stop()
        for signal in self._watched:
            signal.end()
        self.conductor.ask_to_end()
        if self.conductor.busy:
            self._show_ending()
            self.conductor.idle.connect(self.end_at_once)
        else:
            self.end_at_once()

    def end_at_once(self) -> None:
        """End the running work, wait for it, and close the window."""
        self.end()
        self._closed = True
        self.conductor.close()
        self._discovery.stop()
        for signal in self._watched:
            signal.close()
        self.close()

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask first if unfinished work would be lost; then end all work."""
        assert event is not None
        unfinished = "" if self._ending else self.conductor.unfinished
        if unfinished:
            self.question.setText(f"{unfinished}\nEnd it? The session can go on another time.")
            self.question.open()
        else:
            self.end()
        event.setAccepted(self._closed)

    def _prepare_question(self) -> None:
        buttons = QMessageBox.StandardButton
        self.question.setWindowTitle("Close")
        self.question.setIcon(QMessageBox.Icon.Question)
        self.question.setTextFormat(Qt.TextFormat.PlainText)
        self.question.setStandardButtons(buttons.Close | buttons.Cancel)
        self.question.setDefaultButton(buttons.Cancel)
        self.question.finished.connect(self._answer)

    def _answer(self, button: int) -> None:
        if button == QMessageBox.StandardButton.Close:
            self.end()

    def _show_ending(self) -> None:
        page, content = self.pages.currentWidget(), self.centralWidget()
        assert isinstance(page, Page)
        assert content is not None
        page.tell("Ending …")
        content.setEnabled(False)

    # -- pages

    def _connect_pages(self) -> None:
        self.setup_page.chosen.connect(self._choose)
        self.setup_page.recent.chosen.connect(self._use)
        self.channels_page.secondary.clicked.connect(self._check)
        self.channels_page.primary.clicked.connect(self._get_ready)
        self.channels_page.back.clicked.connect(self._choose_again)
        self.run_page.back.clicked.connect(self._show_channels)
        self.run_page.primary.clicked.connect(self._record)
        self.run_page.secondary.clicked.connect(self.conductor.stop)
        self.run_page.key_pressed.connect(self.conductor.press)
        self.run_page.train.clicked.connect(self._train)
        self.unlabelled_page.back.clicked.connect(self._show_channels)
        self.unlabelled_page.primary.clicked.connect(self._align)
        self.unlabelled_page.secondary.clicked.connect(self._stop_aligning)
        self.training_page.primary.clicked.connect(self._train)
        self.training_page.secondary.clicked.connect(lambda: self._record_more(MORE_TRIALS))
        self.result_page.more_asked.connect(self._record_more)
        self.result_page.decode_asked.connect(lambda: self._use_result("live"))
        self.result_page.feedback_asked.connect(lambda: self._use_result("feedback"))
        self.result_page.secondary.clicked.connect(self._choose_again)
        self.result_page.primary.clicked.connect(self.end)

    def _connect_conductor(self) -> None:
        conductor = self.conductor
        conductor.checked.connect(self.channels_page.accept)
        conductor.second_recorded.connect(self.unlabelled_page.advance)
        conductor.unlabelled.connect(self._show_unlabelled)
        conductor.told.connect(self.run_page.add)
        conductor.practising.connect(self._practise)
        conductor.trial_begins.connect(self._show_trial)
        conductor.ended.connect(self._end_run)
        conductor.counted.connect(self.run_page.show_recorded)
        conductor.fold_done.connect(self.training_page.advance)
        conductor.trained.connect(self._show_result)
        conductor.refused.connect(self._refuse)
        conductor.broken.connect(self._break)

    def _show(self, page: Page, step: str) -> None:
        self.pages.setCurrentWidget(page)
        # Enter goes on
        page.primary.setFocus()
        self.steps.go_to(step)
        if page is not self.channels_page:
            self._checked_signal.end()

    def _choose_again(self) -> None:
        self.setup_page.recent.refresh()
        self.setup_page.keep(self.conductor.folder)
        self._show(self.setup_page, "Stream and protocol")

    def _choose(self, choices: Choices) -> None:
        self.conductor.choices = choices
        self.steps.set_steps(STEPS if choices.with_trials else STEPS_WITHOUT_TRIALS)
        self._show_channels()
        self._check()

    def _show_channels(self) -> None:
        """Show the channels, which are judged as long as they are seen."""
        choices = self.conductor.choices
        assert choices is not None
        self._aligned_signal.end()
        self.channels_page.begin()
        self._checked_signal.begin(choices.stream, choices.amplifier)
        self._show(self.channels_page, "Channels")

    def _check(self) -> None:
        self.channels_page.wait()
        self.conductor.check()

    def _get_ready(self) -> None:
        choices = self.conductor.choices
        assert choices is not None
        if not choices.with_trials:
            self._align()
            return
        self._show(self.run_page, "Practice" if self.conductor.will_practise else "Recording")

    def _align(self) -> None:
        choices = self.conductor.choices
        assert choices is not None
        self._show(self.unlabelled_page, "A minute of signal")
        self.unlabelled_page.begin()
        self._aligned_signal.begin(choices.stream, choices.amplifier)
        self.conductor.align()

    def _stop_aligning(self) -> None:
        self.unlabelled_page.stopping()
        self.conductor.stop_aligning()

    def _record(self) -> None:
        self._begin_run()
        self.conductor.record()

    def _record_more(self, n_trials: int) -> None:
        self._show(self.run_page, "Recording")
        self._begin_run()
        self.conductor.record_more(n_trials)

    def _begin_run(self) -> None:
        self.run_page.begin()
        choices = self.conductor.choices
        assert choices is not None
        self.run.begin(choices.stream, choices.amplifier)
        # the page is drawn before the display is measured
        QApplication.processEvents()

    def _practise(self) -> None:
        self.steps.go_to("Practice")
        self.run_page.show_practice()

    def _show_trial(self, number: int, n_trials: int) -> None:
        self.steps.go_to("Recording")
        where, durations = self.conductor.where(number), self.conductor.durations[number:]
        self.run.show_trial(number, n_trials, where, durations)

    def _end_run(self, why: str) -> None:
        self._look_at_run()
        self.run.end()
        if why:
            self.run_page.rest(why)
            self.activateWindow()
        else:
            self._train()

    def _train(self) -> None:
        self._show(self.training_page, "Training")
        # with earlier sessions and without
        self.training_page.begin(2 if self.conductor.setup.earlier else 1)
        self.conductor.train()

    def _show_result(self, result: TrainingResult) -> None:
        self.recent.add(result.decoder)
        self.result_page.show_result(result)
        self._show(self.result_page, "Result")

    def _show_unlabelled(self, result: UnlabelledResult) -> None:
        self._aligned_signal.end()
        self.recent.add(result.decoder)
        self.result_page.show_unlabelled(result)
        self._show(self.result_page, "Result")

    # -- what comes after

    def _use_result(self, command: str) -> None:
        """Use the decoder that was made, with the stream that made it."""
        conductor, decoder = self.conductor, self.result_page.decoder
        assert conductor.choices is not None
        assert decoder is not None
        stream, amplifier = conductor.choices.stream, conductor.choices.amplifier
        self._start(self.result_page, command, decoder, stream, amplifier)

    def _use(self, command: str, decoder: Path) -> None:
        """Use an earlier decoder, with the stream that is chosen."""
        page = self.setup_page
        self._start(page, command, decoder, page.stream, page.chosen_amplifier)

    def _start(
        self,
        page: Page,
        command: str,
        decoder: Path,
        stream: StreamDescription | None,
        amplifier: AmplifierProfile,
    ) -> None:
        selector = None if stream is None else stream.selector
        display = self.setup_page.display_options
        where = display_arguments(display) if command == "feedback" else []
        try:
            arguments = decoding_arguments(decoder, selector, amplifier, decoder.parent)
            start_program([command, *arguments, *where])
        except OperationError as error:
            page.tell(str(error), "bad")
        else:
            page.tell(f"{_OPENS[command]} This may take some seconds.")

    def _refuse(self, why: str) -> None:
        page = self.pages.currentWidget()
        assert isinstance(page, ChannelsPage | TrainingPage | UnlabelledPage)
        page.refuse(why)

    def _break(self, error: Exception) -> None:
        self.error = error
        self.end()

    # -- looks

    def _look_around(self) -> None:
        if self._discovery.found and self.pages.currentWidget() is self.setup_page:
            self.setup_page.show_streams(self._discovery.found.pop())
        if self._checked_signal.on:
            self.channels_page.show_signal(self._checked_signal.look())
        if self._aligned_signal.on:
            self.unlabelled_page.show_signal(self._aligned_signal.look())
        self._look_at_run()

    def _look_at_run(self) -> None:
        if self.pages.currentWidget() is self.run_page:
            self.run.look(self.conductor.stimulus)

    def _follow_system(self) -> None:
        theme = system_theme()
        self.setStyleSheet(page_style(theme))
        QApplication.setPalette(theme.palette())
        self.channels_page.set_theme(theme)
        self.unlabelled_page.set_theme(theme)
        self.run_page.set_theme(theme)


def run_session_window(setup: SessionSetup) -> SessionOutcome:
    """Show the window until it is closed.

    LSL must be configured, and a display must be there, see
    :func:`sjepa_apps.cli.windows.require_window`.

    Parameters
    ----------
    setup : SessionSetup

    Raises
    ------
    InputError
        The folder of ``resume`` holds no session, or there is no such display.
    """
    application = make_application()
    window = SessionWindow(setup)
    window.show()
    try:
        interrupted = run_application(application, window.end)
    finally:
        window.end_at_once()
    return replace(window.outcome(), interrupted=interrupted)
