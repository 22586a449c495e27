"""The stimulus window: trials frame by frame, messages between them, and the keyboard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

from PyQt6.QtCore import QEventLoop, QRectF, QSizeF, Qt, QTimer
from PyQt6.QtGui import QColor, QPainter

from sjepa_apps.session.presenter import UNMONITORED, PresentedTrial, SessionStopped, TrialMonitor
from sjepa_apps.stimulus import theme
from sjepa_apps.stimulus.display import DisplayOptions, DisplayReport, check_rate, judge_display
from sjepa_apps.stimulus.frame_window import Pacer, find_screen, make_frame_window, show_on
from sjepa_apps.stimulus.frames import FrameCount, FramePlanner, TrialPlayer, check_display
from sjepa_apps.stimulus.messages import (
    FLICKER_WARNING,
    PAUSE_MESSAGE,
    STOP_QUESTION,
    Message,
    draw_message,
    waiting_message,
)
from sjepa_apps.stimulus.realtime_priority import RealtimePriority
from sjepa_apps.stimulus.scenes import Scene, make_scene
from sjepa_apps.stimulus.shown import Activity, ShownState
from sjepa_apps.stimulus.sound import CueSounds
from sjepa_online.errors import OperationError
from sjepa_online.markers import END, PAUSE
from sjepa_online.protocol import Imagery, Protocol
from sjepa_online.schedule import ScheduledTrial
from sjepa_online.stream import FrameOutlet, StimulusOutlet, local_clock

#: Frames that are swapped to measure the refresh rate, after others that settle the display.
MEASURED_FRAMES = 90
SETTLING_FRAMES = 20
#: Seconds within which a display must have swapped them.
MEASURE_TIMEOUT = 20.0
#: What both are told where the stimuli do not fill the display.
IN_A_WINDOW = "The stimuli are in a window, to try them out. For recordings show them full screen."
_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_PATCH_KINDS = ("stimulation", "imagery", "flash")


class StimulusWindow:
    """Window that shows a session to its participant, full screen but to try it out.

    It lives in the GUI thread, and so do all its methods;
    :class:`~sjepa_apps.stimulus.presenter.QtPresenter` calls them from others. What is asked
    for takes a future, which gets its result when the participant has seen it through, or
    :class:`~sjepa_apps.session.presenter.SessionStopped`.

    Keys: Enter goes on, Space pauses and resumes, Escape pauses and asks; in a pause it stops.

    Parameters
    ----------
    protocol : Protocol
        What is shown.
    display_options : DisplayOptions
        Where it opens.
    confirmed : bool
        The participant has confirmed the warning about flicker before, or nobody looks at the
        display.

    Attributes
    ----------
    report : DisplayReport or None
        What :meth:`open` has found out about the display.
    frames : FrameCount
        Frames shown in the trials so far.
    stopped : bool
        Whether the session was stopped or the window closed.
    confirmed : bool
        Whether no warning about flicker is shown any more.
    n_pauses, n_repeats : int
        Pauses so far, and trials that were begun again.

    Raises
    ------
    InputError
        The protocol does not say what a session shows.
    """

    def __init__(
        self, protocol: Protocol, display_options: DisplayOptions, *, confirmed: bool = False
    ) -> None:
        self.report: DisplayReport | None = None
        self.frames = FrameCount()
        self.stopped = False
        self._protocol = protocol
        self._display_options = display_options
        self.confirmed = confirmed or isinstance(protocol.presentation, Imagery)
        self._scene = make_scene(protocol)
        # draws the same, smaller, for the operator
        self._copy = make_scene(protocol)
        self._sounds = CueSounds(display_options.sound)
        self.n_pauses = self.n_repeats = 0
        self._begun: set[tuple[bool, int]] = set()
        self._markers: StimulusOutlet | None = None
        self._frame_outlet: FrameOutlet | None = None
        self._planner = FramePlanner(0.0)
        self._player: TrialPlayer | None = None
        self._monitor = UNMONITORED
        self._ended = False
        self._playing = False
        self._interrupted = False
        self._priority = RealtimePriority()
        self._swap_times: list[float] | None = None
        self._message = Message()
        self._view: Callable[[QPainter, Scene], None] = self._draw_screen
        self._overlay: Message | None = None
        self._pending: Future[Any] | None = None
        self._held: Callable[[], None] | None = None
        self._then: Callable[[], None] | None = None
        self._error: Exception | None = None
        self.frame_window = make_frame_window(self)
        self.frame_window.setTitle("sjepa-online stimulus")
        self._pacer = Pacer(self.frame_window)

    # -- display

    def open(self) -> DisplayReport:
        """Open the window and measure the display.

        Raises
        ------
        InputError
            There is no such display, or it is too slow for the protocol.
        OperationError
            The display does not show frames.
        SessionStopped
            The window was closed meanwhile.
        """
        display_options = self._display_options
        screen = find_screen(display_options.display)
        nominal = check_rate(screen.refreshRate())
        show_on(screen, self.frame_window, display_options.windowed)
        size = screen.geometry()
        name = f"{screen.name() or 'Display'} ({size.width()} by {size.height()})"
        report = judge_display(name, nominal, self._swap_freely())
        warnings = report.warnings + check_display(self._protocol, report.refresh_rate)
        if display_options.windowed:
            warnings += (IN_A_WINDOW,)
        warnings += self._sounds.warnings
        self.report = replace(report, warnings=warnings)
        self._planner = FramePlanner(report.refresh_rate)
        self._pacer.keep_to(None if report.vsync else report.refresh_rate)
        self._message = Message()
        self.frame_window.update()
        return self.report

    def connect(self, markers: StimulusOutlet, frames: FrameOutlet) -> None:
        """Send markers and frame times through these from now on."""
        self._markers, self._frame_outlet = markers, frames

    def close(self) -> None:
        """Close the window; a trial or message on it ends with ``SessionStopped``."""
        self.frame_window.close()

    # -- for the operator

    @property
    def shown(self) -> ShownState:
        """What the participant sees now."""
        player, trial = self._player, None
        if self._playing:
            assert player is not None
            trial = player.trial
        activity: Activity = "message"
        if self._overlay is not None:
            activity = "stop question" if self._overlay is STOP_QUESTION else "pause"
        elif self._playing:
            activity = "trial"
        elif self._then is not None:
            activity = "waiting"
        return ShownState(
            activity,
            "" if trial is None else trial.target,
            "" if trial is None or player is None else player.phase.kind,
            self._message.title or self._message.text,
            self.n_pauses,
            self.n_repeats,
        )

    def draw_copy(self, painter: QPainter, size: QSizeF, ratio: float) -> None:
        """Draw what the participant sees now, for a display of this size; flicker stands still."""
        self._guard(partial(self._draw_copy, painter, size, ratio))

    def press(self, key: Qt.Key) -> None:
        """Act on a key of the operator as on one of the participant."""
        self.pressed(key)

    def _swap_freely(self) -> list[float]:
        """Swap frames as fast as the display allows and return when (s)."""
        times: list[float] = []
        future: Future[None] = Future()
        loop = QEventLoop()
        future.add_done_callback(lambda _: loop.quit())
        limit = QTimer()
        limit.setSingleShot(True)
        limit.timeout.connect(
            lambda: self._fail(
                OperationError(
                    f"The display has shown only {len(times)} frames in {MEASURE_TIMEOUT} s, too "
                    "few to measure its refresh rate"
                )
            )
        )
        limit.start(int(1e3 * MEASURE_TIMEOUT))
        self._pending, self._swap_times = future, times
        self._message = Message(text="Measuring the display …")
        self._pacer.keep_to(None)
        self._pacer.start()
        if not future.done():
            loop.exec()
        limit.stop()
        self._swap_times = None
        future.result()
        return times[SETTLING_FRAMES:]

    # -- what a session asks for

    def ask(self, start: Callable[[], None], future: Future[Any]) -> None:
        """Do ``start``, after the pause if there is one; ``future`` gets what comes of it."""
        if self._error is not None:
            future.set_exception(self._error)
        elif self.stopped:
            future.set_exception(SessionStopped())
        else:
            self._pending = future
            if self._overlay is None:
                self._guard(start)
            else:
                self._held = start

    def present(self, trial: ScheduledTrial, monitor: TrialMonitor = UNMONITORED) -> None:
        """Show a trial; before the first one that flickers, a warning to be confirmed."""
        self._monitor, self._ended = monitor, False
        if not self.confirmed:
            self._show(FLICKER_WARNING, partial(self._confirm, trial))
            return
        if self.report is None or self._markers is None or self._frame_outlet is None:
            raise OperationError("The stimulus window is not open, or not connected to its outlets")
        self._count_repeat(trial)
        counts = self._planner.plan(trial)
        self._player = TrialPlayer(trial, counts, self.report.refresh_rate)
        self._view = self._draw_trial
        self._then = None
        self._playing = True
        self._priority.start()
        self._pacer.start()

    def show_message(self, text: str, wait: bool) -> None:
        """Show a text; with ``wait``, and with the instruction, until Enter is pressed."""
        if wait:
            message = waiting_message(text, self._scene.instruction)
            self._show(message, partial(self._resolve, None))
        else:
            self._show(Message(text=text), None)
            self._resolve(None)

    def show_feedback(self, selected: str, correct: bool | None) -> None:
        """Show what a decoder has chosen in the last trial."""
        colour = {True: theme.GOOD, False: theme.BAD, None: theme.ACCENT}[correct]
        self._view = self._draw_screen
        self._message = Message(text=selected)
        if self._player is not None:
            self._scene.choose(self._player.trial, selected)
            self._sounds.play("feedback")
            self._view = partial(self._draw_feedback, self._player.trial, selected, colour)
        self.frame_window.update()
        self._resolve(None)

    def show_text(self, text: str, keys: Mapping[str, str]) -> None:
        """Keep a freely spelled text above the matrix."""
        self._scene.set_text(text, keys)
        self._resolve(None)

    # -- what the frame window tells

    def paint(self, painter: QPainter, size: QSizeF, ratio: float) -> None:
        """Draw the frame that is due."""
        self._guard(partial(self._paint, painter, size, ratio))

    def swapped(self) -> None:
        """Stamp the frame and go on to the next."""
        self._guard(partial(self._swapped, local_clock()))

    def pressed(self, key: Qt.Key) -> None:
        """Act on a key."""
        if self._swap_times is None:
            self._guard(partial(self._pressed, key))

    def hidden(self) -> None:
        """Pause a trial that the participant can no longer see."""
        if self._playing:
            self._guard(partial(self._interrupt, PAUSE_MESSAGE))

    def closing(self) -> None:
        """End the trial or message that is shown."""
        self._guard(self._leave_trial)
        self._pacer.stop()
        self.stopped = True
        self._then = self._held = None
        self._reject(SessionStopped())

    def _paint(self, painter: QPainter, size: QSizeF, ratio: float) -> None:
        self._scene.resize(size, ratio)
        if self._overlay is not None:
            self._draw_words(painter, self._scene, self._overlay)
        else:
            self._view(painter, self._scene)

    def _draw_copy(self, painter: QPainter, size: QSizeF, ratio: float) -> None:
        self._copy.resize(size, ratio)
        self._copy.take_state(self._scene)
        if self._overlay is not None:
            self._draw_words(painter, self._copy, self._overlay)
        else:
            self._view(painter, self._copy)

    def _swapped(self, time: float) -> None:
        if self._swap_times is not None:
            self._swap_times.append(time)
            if len(self._swap_times) < SETTLING_FRAMES + MEASURED_FRAMES:
                self._pacer.next()
            else:
                self._resolve(None)
        elif self._playing:
            self._frame_shown(time)

    def _frame_shown(self, time: float) -> None:
        player, markers, frames = self._player, self._markers, self._frame_outlet
        assert player is not None
        assert markers is not None
        assert frames is not None
        kind, first = player.phase.kind, player.index == 0
        shown = player.shown(time)
        if first:
            self._sounds.play(kind)
        if shown.marker:
            markers.push(shown.marker, time)
        frames.push([time], [shown.late])
        self._ended = self._ended or shown.marker == END
        if player.finished:
            self._end_trial(completed=True)
        elif self._monitor.broken():
            self._leave_trial()
            self._end_trial(completed=False)
        elif self._monitor.decided():
            if not self._ended:
                markers.push(END, time)
            self._end_trial(completed=True)
        else:
            self._pacer.next()

    def _pressed(self, key: Qt.Key) -> None:
        if key == Qt.Key.Key_Escape:
            self.close() if self._overlay is not None else self._interrupt(STOP_QUESTION)
        elif self._overlay is not None:
            if key == Qt.Key.Key_Space or key in _ENTER:
                self._go_on()
        elif self._then is not None:
            if key in _ENTER:
                then = self._then
                # seen until the session asks for what comes next
                self._show(Message(text="One moment …"), None)
                then()
        elif key == Qt.Key.Key_Space:
            self._interrupt(PAUSE_MESSAGE)

    # -- trials

    def _confirm(self, trial: ScheduledTrial) -> None:
        self.confirmed = True
        self.present(trial, self._monitor)

    def _count_repeat(self, trial: ScheduledTrial) -> None:
        """Take note whether a trial has been begun before."""
        key = (trial.practice, trial.number)
        self.n_repeats += key in self._begun
        self._begun.add(key)

    def _interrupt(self, message: Message) -> None:
        """Show a message over everything else; a trial that is interrupted is over."""
        self._leave_trial()
        self.n_pauses += 1
        self._overlay = message
        self.frame_window.update()

    def _go_on(self) -> None:
        self._overlay = None
        held, self._held = self._held, None
        if held is not None:
            held()
        elif self._interrupted:
            self._end_trial(completed=False)
        self.frame_window.update()

    def _leave_trial(self) -> None:
        if self._playing:
            self._playing = False
            self._interrupted = True
            self._pacer.stop()
            self._priority.stop()
            assert self._markers is not None
            self._markers.push(PAUSE, local_clock())

    def _end_trial(self, *, completed: bool) -> None:
        player = self._player
        assert player is not None
        self._playing = self._interrupted = False
        self._priority.stop()
        self.frames.shown += player.n_frames
        self.frames.late += player.n_late
        if not completed:
            self._message = Message()
            self._view = self._draw_screen
            self.frame_window.update()
        self._resolve(
            PresentedTrial(
                player.trial, tuple(player.onsets), completed, player.n_frames, player.n_late
            )
        )

    # -- screens

    def _show(self, message: Message, then: Callable[[], None] | None) -> None:
        self._message, self._then = message, then
        self._view = self._draw_screen
        if then is not None:
            # the operator may have clicked elsewhere
            self.frame_window.requestActivate()
        self.frame_window.update()

    def _draw_screen(self, painter: QPainter, scene: Scene) -> None:
        self._draw_words(painter, scene, self._message)

    def _draw_words(self, painter: QPainter, scene: Scene, message: Message) -> None:
        words = theme.picture(
            scene.area, scene.ratio, lambda canvas: draw_message(canvas, scene.size, message)
        )
        painter.drawPixmap(0, 0, words)

    def _draw_feedback(
        self,
        trial: ScheduledTrial,
        selected: str,
        colour: QColor,
        painter: QPainter,
        scene: Scene,
    ) -> None:
        scene.draw_feedback(painter, trial, selected, colour)

    def _draw_trial(self, painter: QPainter, scene: Scene) -> None:
        player = self._player
        assert player is not None
        seconds = player.index / self._planner.refresh_rate
        if scene is self._copy:
            seconds = 0.0
        else:
            scene.follow(self._monitor.probabilities(), player.phase, seconds)
        scene.draw(painter, player.trial, player.phase, seconds)
        if self._display_options.photodiode and player.phase.kind in _PATCH_KINDS:
            side = 8 * scene.unit
            corner = QRectF(0, scene.size.height() - side, side, side)
            painter.fillRect(corner, theme.LIGHT)

    # -- results

    def _guard(self, act: Callable[[], None]) -> None:
        """Hand an error to whoever waits: one that reaches Qt ends the process."""
        try:
            act()
        except Exception as error:  # noqa: BLE001 - raised again where the session waits
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._pacer.stop()
        self._playing = False
        self._priority.stop()
        self._error = error
        self._reject(error)

    def _resolve(self, result: Any) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.set_result(result)

    def _reject(self, error: Exception) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.set_exception(error)
