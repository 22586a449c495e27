"""The conductor carries out what the pages of the session window ask for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from PyQt6.QtCore import QObject, Qt, pyqtSignal

from sjepa_apps.session.checks import check_channels, require_enough_recorded
from sjepa_apps.session.completed_trials import remaining_trials
from sjepa_apps.session.controller import CalibrationSession
from sjepa_apps.session.facts import session_facts
from sjepa_apps.session.folder import SessionFolder
from sjepa_apps.session.presenter import Presenter, SessionStopped
from sjepa_apps.session_window.choices import Choices
from sjepa_apps.session_window.setup import SessionSetup, TrainingResult, UnlabelledResult
from sjepa_apps.session_window.without_trials import Alignment
from sjepa_apps.stimulus.presenter import QtPresenter
from sjepa_apps.stimulus.window import StimulusWindow
from sjepa_apps.ui.worker import TaskRunner
from sjepa_online.errors import InputError, OperationError
from sjepa_online.evaluation.report import advise, more_trials_help, write_report
from sjepa_online.stream import FrameOutlet, StimulusOutlet


class TrainingEnded(Exception):  # noqa: N818 - it is no error
    """The window was closed while a decoder was trained."""


class Conductor(QObject):
    """Carry out what the pages ask for, one task at a time.

    Parameters
    ----------
    setup : SessionSetup

    Signals
    -------
    checked
        A :class:`ChannelCheck`.
    told
        A message of the session.
    trial_begins
        Its number from 0, and the number of all.
    practising
        Practice trials begin.
    ended
        Practice and recording are over: why, in words; empty when all trials are recorded.
    counted
        What is recorded after a stop has been counted: why it cannot be trained on, in words;
        empty when it can.
    trained
        A :class:`TrainingResult`.
    fold_done
        Of the cross-validation, or the decoder is fitted.
    second_recorded
        Of the minute that makes a decoder without trials.
    unlabelled
        An :class:`UnlabelledResult`.
    refused
        What was asked for cannot be done: why.
    broken
        An error that nobody expects.
    idle
        Nothing is being done any more.
    """

    checked = pyqtSignal(object)
    told = pyqtSignal(str)
    trial_begins = pyqtSignal(int, int)
    practising = pyqtSignal()
    ended = pyqtSignal(str)
    counted = pyqtSignal(str)
    trained = pyqtSignal(object)
    fold_done = pyqtSignal()
    second_recorded = pyqtSignal()
    unlabelled = pyqtSignal(object)
    refused = pyqtSignal(str)
    broken = pyqtSignal(object)
    idle = pyqtSignal()

    def __init__(self, setup: SessionSetup) -> None:
        super().__init__()
        self.setup = setup
        self.folder = None if setup.resume is None else SessionFolder.open(setup.resume)
        self.choices: Choices | None = None
        self.stimulus: StimulusWindow | None = None
        self.result: TrainingResult | None = None
        self.result_unlabelled: UnlabelledResult | None = None
        self._alignment: Alignment | None = None
        self._practised = False
        self._confirmed = False
        # what is known of the participant's display
        self._display = ""
        self.durations: tuple[float, ...] = ()
        # what is open while the participant is shown something
        self._open = ExitStack()
        self._closing = False
        # what an end would interrupt, and how many trials are recorded, where that is known
        self._interruptible = ""
        self._n_recorded = 0 if self.folder is None else None
        self._worker = TaskRunner()
        self._worker.idle.connect(self.idle)

    @property
    def busy(self) -> bool:
        """Whether a task is running."""
        return self._worker.busy

    @property
    def unfinished(self) -> str:
        """The work that closing would interrupt, in words; empty if nothing would be lost."""
        if not self.busy or not self._interruptible:
            return ""
        if self._n_recorded is None:
            return f"{self._interruptible}."
        n_trials = self._chosen.n_trials
        return f"{self._interruptible}: {self._n_recorded} of {n_trials} trials are recorded."

    @property
    def will_practise(self) -> bool:
        """Whether practice trials come before the next recording."""
        begun = self.folder is not None and bool(self.folder.parts())
        return self._chosen.practice and not self._practised and not begun

    def where(self, number: int) -> str:
        """Tell the block of a trial, and the part of the recording, for people."""
        assert self.folder is not None
        told = []
        if self.folder.protocol.speller is None:
            size = len(self.folder.protocol.class_names)
            n_blocks = -(-len(self.durations) // size)
            told.append(f"block {number // size + 1} of {n_blocks}")
        if n_parts := len(self.folder.parts()):
            told.append(f"part {n_parts} of the recording")
        return "".join(f"{one}  ·  " for one in told)

    def press(self, key: Qt.Key) -> None:
        """Act on a key of the operator as on one of the participant."""
        if self.stimulus is not None and not self.stimulus.stopped:
            self.stimulus.press(key)

    def check(self) -> None:
        """Look at the channels of the chosen stream."""
        stream, amplifier = self._chosen.stream, self._chosen.amplifier
        self._worker.run(lambda: check_channels(stream, amplifier), self.checked.emit, self._refuse)

    def record(self) -> None:
        """Open the stimulus window, practise if wanted, and record the remaining trials."""
        choices = self._chosen
        stack = self._open = ExitStack()
        try:
            folder = self._open_folder(choices)
            window = StimulusWindow(
                folder.protocol, choices.display_options, confirmed=self._confirmed
            )
            stack.callback(window.close)
            self.stimulus = window
            report = window.open()
            markers = stack.enter_context(StimulusOutlet(folder.protocol_text))
            frames = stack.enter_context(FrameOutlet(report.refresh_rate))
            uids = (markers.uid, frames.uid)
            session = CalibrationSession(folder, choices.stream, uids, self.told.emit)
        except (InputError, OperationError, SessionStopped) as error:
            self._end(error)
            return
        window.connect(markers, frames)
        self.durations = tuple(trial.duration for trial in folder.schedule())
        for warning in report.warnings:
            self.told.emit(warning)
        practice = self.will_practise
        presenter = QtPresenter(window)
        self._interruptible = "The session is being recorded"
        self._worker.run(
            lambda: self._record(session, presenter, practice), lambda _: self._end(None), self._end
        )

    def stop(self) -> None:
        """End practice and recording; recorded trials are kept."""
        if self.stimulus is not None:
            self.stimulus.close()

    def record_more(self, n_trials: int) -> None:
        """Record so many trials more than there are."""
        folder = self.folder
        assert folder is not None
        schedule = folder.schedule()
        missing = remaining_trials(schedule, folder.recordings()[0], folder.protocol)
        n_recorded = len(schedule) - len(missing)
        self.choices = replace(self._chosen, n_trials=n_recorded + n_trials)
        self.record()

    def train(self) -> None:
        """Train on the recorded trials, save the decoder, and write the report."""
        self._interruptible = "A decoder is being trained"
        self._worker.run(self._train, self._keep, self._refuse)

    def align(self) -> None:
        """Record a minute of signal, and make a decoder of it without trials."""
        alignment = self._alignment = Alignment(self.setup, self._chosen, self.second_recorded.emit)
        self._interruptible = ""
        self._worker.run(alignment.make, self._keep_unlabelled, self._refuse)

    def stop_aligning(self) -> None:
        """End the minute of signal; nothing of it is kept."""
        if self._alignment is not None:
            self._alignment.stop()

    def ask_to_end(self) -> None:
        """Ask the running task to end soon."""
        self._closing = True
        self.stop()
        self.stop_aligning()

    def close(self) -> None:
        """End the running task, and wait for it."""
        self.ask_to_end()
        self._worker.close()
        self._open.close()

    @property
    def _chosen(self) -> Choices:
        assert self.choices is not None
        return self.choices

    def _open_folder(self, choices: Choices) -> SessionFolder:
        if self.folder is None:
            self.folder = SessionFolder.create(
                self.setup.folder,
                choices.paradigm,
                choices.stream,
                self.setup.seed,
                choices.n_trials,
                choices.amplifier,
                identity=choices.identity,
                pattern=self.setup.pattern,
                training=self.setup.training,
            )
        elif choices.n_trials != self.folder.state.n_trials:
            self.folder.set_n_trials(choices.n_trials)
        return self.folder

    def _record(self, session: CalibrationSession, presenter: Presenter, practice: bool) -> None:
        if practice:
            self.practising.emit()
            session.practise(presenter)
            self._practised = True
        session.record(presenter, self._begin_trial)

    def _begin_trial(self, number: int, n_trials: int) -> None:
        self._n_recorded = number
        self.trial_begins.emit(number, n_trials)

    def _end(self, error: Exception | None) -> None:
        self._open.close()
        if self.stimulus is not None:
            self._confirmed = self.stimulus.confirmed
            self._display = f"{self.stimulus.report}; {self.stimulus.frames}"
        self._interruptible = ""
        if self._closing:
            if error is not None:
                self._refuse(error, self.told.emit)
            return
        match error:
            case None:
                self.ended.emit("")
                return
            case SessionStopped():
                self.ended.emit("The session was stopped. What was recorded is kept.")
            case _:
                self._refuse(error, self.ended.emit)
        # a defect closes the window
        if not self._closing:
            told = self.counted.emit
            self._worker.run(self._why_not_train, told, lambda error: self._refuse(error, told))

    def _why_not_train(self) -> str:
        folder = self.folder
        if folder is None:
            return "Nothing is recorded yet."
        if self.setup.earlier:
            return ""
        try:
            require_enough_recorded(folder.recordings()[0], folder.protocol)
        except InputError as error:
            # names of classes, for people
            return f"{error.problem}. Recorded: {error.value}.".replace("_", " ")
        return ""

    def _train(self) -> TrainingResult:
        folder, choices = self.folder, self._chosen
        assert folder is not None
        session = CalibrationSession(folder, choices.stream, (), self.told.emit)
        trained = session.train(
            self.setup.request,
            dynamic_stopping=self.setup.dynamic_stopping,
            progress=self._fold_done,
            earlier=self.setup.earlier,
        )
        calibration = trained.calibration
        decoder, report = self.setup.decoder_file(folder.path), self.setup.report_file(folder.path)
        calibration.decoder.save(decoder)
        facts = session_facts(folder, choices.stream, trained.note, self._display)
        content = write_report(report, calibration, trained.recordings, facts)
        more = more_trials_help(content)
        return TrainingResult(calibration, decoder, report, advise(content), more, content.forehead)

    def _fold_done(self) -> None:
        if self._closing:
            raise TrainingEnded
        self.fold_done.emit()

    def _keep(self, result: TrainingResult) -> None:
        self.result = result
        self.trained.emit(result)

    def _keep_unlabelled(self, result: UnlabelledResult) -> None:
        self.result_unlabelled = result
        self.unlabelled.emit(result)

    def _refuse(self, error: Exception, tell: Callable[[str], None] | None = None) -> None:
        if isinstance(error, InputError | OperationError):
            (tell or self.refused.emit)(str(error))
        elif not isinstance(error, TrainingEnded | SessionStopped):
            self.broken.emit(error)
