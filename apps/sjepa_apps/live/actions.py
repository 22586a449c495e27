"""Menus, buttons and keys of the live window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QBuffer, QIODevice, Qt
from PyQt6.QtGui import QAction, QKeySequence, QPixmap
from PyQt6.QtWidgets import QFileDialog, QInputDialog, QMainWindow, QMenu, QMessageBox

from sjepa_apps.live.connect.calibrate_dialog import RECORDINGS, CalibrateDialog
from sjepa_apps.live.connect.connector import Connector
from sjepa_apps.live.connect.view import ConnectView
from sjepa_apps.live.engine.commands import CommandRunner
from sjepa_apps.live.engine.recording import Recording, RecordingState, default_folder
from sjepa_apps.live.health.log_view import LogView
from sjepa_apps.live.keys import KeysDialog
from sjepa_apps.live.session import LiveSession
from sjepa_apps.live.settings import LiveSettings
from sjepa_apps.live.signals.store import save_signals
from sjepa_apps.live.signals.view import SignalsView
from sjepa_apps.live.status_line import StatusLine
from sjepa_apps.live.top_bar import TopBar
from sjepa_apps.live.trials.view import TrialsView
from sjepa_apps.ui.recent_decoders import RecentDecoders, RecentMenu
from sjepa_apps.ui.theme import ThemeName
from sjepa_online.amplifier import AS_DECLARED
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write
from sjepa_online.foreign_text import clean_text
from sjepa_online.resources import list_resources
from sjepa_online.stream import local_clock

VIEWS = ("Signals", "Connect", "Scalp", "Decoder", "Trials", "Health", "Log", "Analysis")
REPLAY_STREAM = "sjepa-online-replay"
PARTICIPANT_STREAM = "sjepa-online-participant"
#: Characters of a mark.
LONGEST_MARK = 200
DECODER_FILES = "Decoders (*.safetensors);;All files (*)"


@dataclass(frozen=True)
class ActionTargets:
    """The parts of the live window that its actions use.

    Attributes
    ----------
    session, settings, recent, connector
        State of the window, which outlives any view.
    signals, connect, trials, log, top, status
        Views.
    show_view : callable
        Takes the name of a view, one of ``VIEWS``, and brings it to the front.
    reset_layout : callable
    set_theme : callable
        Takes ``light`` or ``dark``.
    """

    session: LiveSession
    settings: LiveSettings
    recent: RecentDecoders
    connector: Connector
    signals: SignalsView
    connect: ConnectView
    trials: TrialsView
    log: LogView
    top: TopBar
    status: StatusLine
    show_view: Callable[[str], None]
    reset_layout: Callable[[], None]
    set_theme: Callable[[ThemeName], None]


class WindowActions:
    """Menus, buttons and keys of the live window.

    Parameters
    ----------
    window : QMainWindow
        Owns the actions, and is the parent of every dialog.
    targets : ActionTargets
    theme : {"light", "dark"}
        Theme of the window at first.
    """

    def __init__(self, window: QMainWindow, targets: ActionTargets, theme: ThemeName) -> None:
        self._window, self._targets, self._theme = window, targets, theme
        self._session = targets.session
        self._marks = 0
        folder = targets.settings.folder
        self.folder = Path(folder) if folder else default_folder()
        self.recording = Recording(window)
        self.commands = CommandRunner(window)
        self._awaited: dict[str, Path] = {}
        self._dialog: CalibrateDialog | None = None
        self._make_session_menu()
        self._make_view_menu()
        self._wire()

    def may_close(self) -> bool:
        """Return whether to close; ask first if a recording or a command would end with it."""
        running = [f"{title} is running; it ends without a decoder." for title in self._awaited]
        if self.recording.state is not RecordingState.IDLE:
            running.insert(0, f"A recording is running: {self.recording.path}")
        if not running:
            return True
        buttons = QMessageBox.StandardButton
        answer = QMessageBox.question(
            self._window,
            "Close",
            "\n".join([*running, "End it and close the window?"]),
            buttons.Close | buttons.Cancel,
            buttons.Cancel,
        )
        return answer == buttons.Close

    def close(self) -> None:
        """End the recording and all commands."""
        self.recording.close()
        self.commands.close()

    def refresh(self) -> None:
        """See what the recorder is doing."""
        self.recording.poll(self._session.received)
        self._show_recording()

    def toggle_recording(self) -> None:
        """Begin or end a recording."""
        if self.recording.state is RecordingState.RUNNING:
            self.recording.stop()
        elif self._session.stream is None:
            self._session.log("recording", "connect a stream first", "warning")
        else:
            self.recording.start(self.folder, self._session.stream)

    def mark(self) -> None:
        """Mark this moment."""
        self._marks += 1
        self._session.mark(f"mark {self._marks}")

    def mark_with_text(self) -> None:
        """Ask for a text, and mark the moment at which it was asked for."""
        now = local_clock()
        text, chosen = QInputDialog.getText(self._window, "Mark", "Text of the mark at this moment")
        if chosen and (cleaned := clean_text(text, LONGEST_MARK)):
            self._session.mark(cleaned, now)

    def remember_decoder(self, path: str) -> None:
        """Put a decoder at the top of those that were loaded lately."""
        self._targets.recent.add(path)
        self._recent_menu.fill()

    def show_keys(self) -> None:
        """Show every key and what it does."""
        dialog = KeysDialog(self._window.actions(), self._window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def load_decoder(self) -> None:
        """Ask for a decoder file, beside the one that is loaded."""
        decoder = self._session.decoder
        loaded = None if decoder is None else Path(decoder.path)
        begin = self.folder if loaded is None or not loaded.exists() else loaded
        path, _ = QFileDialog.getOpenFileName(
            self._window, "Load a decoder", str(begin), DECODER_FILES
        )
        if path:
            self._session.load_decoder(Path(path))

    def calibrate(self) -> None:
        """Ask what to calibrate from."""
        stream = self._session.stream
        selector, amplifier = None, AS_DECLARED
        if stream is not None:
            selector = stream.selector
            amplifier = self._targets.connect.amplifier_for(stream)
        dialog = CalibrateDialog(self.folder, selector, amplifier, self._window)
        decoder = self._session.decoder
        if decoder is not None:
            dialog.begin_with(decoder.protocol.name, decoder.name)
        dialog.accepted_command.connect(self._start_calibration)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        self._dialog = dialog

    def replay(self) -> None:
        """Ask for recordings to replay."""
        paths, _ = QFileDialog.getOpenFileNames(
            self._window, "Replay recordings", str(self.folder), RECORDINGS
        )
        if paths:
            self.run_replay(paths)

    def run_replay(self, sources: list[str]) -> None:
        """Replay recordings, and connect to them once they are there."""
        title = f"replay {Path(sources[0]).name}"
        name = REPLAY_STREAM + self._session.suffix
        self._targets.connector.ask_for(name)
        self.commands.run(title, ["replay", *sources, "--loop", "--name", name])

    def run_simulation(self, protocol: str) -> None:
        """Simulate a participant, and connect once he or she is there."""
        name = PARTICIPANT_STREAM + self._session.suffix
        self._targets.connector.ask_for(f"{name} (simulated)")
        arguments = ["simulate", "--paradigm", protocol, "--name", name]
        self.commands.run(f"simulate {protocol}", arguments)

    def save_picture(self) -> None:
        """Ask where to write a picture of the window."""
        # without the box that asks
        picture = self._window.grab()
        self._save("a picture", "live.png", "Pictures (*.png)", partial(save_picture, picture))

    def save_shown_signals(self) -> None:
        """Ask where to write the signals that are in view."""
        store = self._session.store
        if store is None:
            self._session.log("export", "there is no signal to save", "warning")
            return
        start, stop = self._targets.signals.span
        write = partial(save_signals, store, start, stop)
        self._save("the signals in view", "signals.csv", "Tables (*.csv)", write)

    def save_log(self) -> None:
        """Ask where to write the log."""
        self._save("the log", "log.csv", "Tables (*.csv)", self._targets.log.save)

    def save_trials(self) -> None:
        """Ask where to write the trials."""
        self._save("the trials", "trials.csv", "Tables (*.csv)", self._targets.trials.save)

    def choose_folder(self) -> None:
        """Ask where recordings and decoders go."""
        path = QFileDialog.getExistingDirectory(
            self._window, "Folder of recordings", str(self.folder)
        )
        if path:
            self.folder = Path(path)
            self._targets.settings.folder = path

    def toggle_theme(self) -> None:
        """Change between light and dark."""
        self._theme = "light" if self._theme == "dark" else "dark"
        self._targets.set_theme(self._theme)
        self._targets.settings.theme = self._theme
        self._dark.setChecked(self._theme == "dark")

    def _wire(self) -> None:
        targets, top = self._targets, self._targets.top
        top.record.clicked.connect(self.toggle_recording)
        top.mark.clicked.connect(self.mark)
        top.record.setToolTip("Record the streams as XDF (Ctrl+R)")
        top.mark.setToolTip(
            "Mark this moment in signals, log and recording (M; Shift+M: with text)"
        )
        self._add(None, "Record, or end the recording", "Ctrl+R", self.toggle_recording)
        self._add(None, "Mark this moment", "M", self.mark)
        self._add(None, "Mark this moment with a text", "Shift+M", self.mark_with_text)
        self._add(None, "This list of keys", "F1", self.show_keys)
        targets.connect.decoder_asked.connect(self.load_decoder)
        targets.log.export.clicked.connect(self.save_log)
        targets.trials.export.clicked.connect(self.save_trials)
        self.recording.changed.connect(self._recording_changed)
        self.recording.problem.connect(partial(self._tell_problem, "recording"))
        self.recording.recovered.connect(self._recording_recovered)
        self.recording.finished.connect(
            lambda path: self._session.log("recording", f"{path} is complete", "good")
        )
        self.commands.said.connect(lambda title, line: self._session.log(title, line))
        self.commands.ended.connect(self._command_ended)
        self.commands.changed.connect(self._fill_stop_menu)

    def _make_session_menu(self) -> None:
        menu = QMenu(self._window)
        self._add(menu, "&Load decoder …", "Ctrl+O", self.load_decoder)
        self._recent_menu = RecentMenu(
            "Recent &decoders",
            self._targets.recent,
            {"Load": self._session.load_decoder},
            menu,
        )
        menu.addMenu(self._recent_menu)
        menu.aboutToShow.connect(self._recent_menu.fill)
        self._add(menu, "&Calibrate …", "Ctrl+K", self.calibrate)
        menu.addSeparator()
        self._add(menu, "&Replay recordings …", "Ctrl+P", self.replay)
        self._add(menu, "Replay the &sample", "", lambda: self.run_replay(["sample:3"]))
        simulate = QMenu("Si&mulate a participant", menu)
        menu.addMenu(simulate)
        for name in sorted(list_resources("calibration", ".toml")):
            self._add(simulate, name, "", partial(self.run_simulation, name))
        self._stop_menu = QMenu("S&top", menu)
        menu.addMenu(self._stop_menu)
        self._fill_stop_menu()
        menu.addSeparator()
        self._add(menu, "&Folder of recordings …", "", self.choose_folder)
        self._add(menu, "Save a &picture …", "Ctrl+S", self.save_picture)
        self._add(menu, "Save the signals in &view …", "Ctrl+E", self.save_shown_signals)
        menu.addSeparator()
        self._add(menu, "&Quit", "Ctrl+Q", self._window.close)
        self._targets.top.session_menu.setMenu(menu)

    def _make_view_menu(self) -> None:
        targets, menu = self._targets, QMenu(self._window)
        signals = targets.signals
        for number, name in enumerate(VIEWS, 1):
            self._add(menu, name, f"Ctrl+{number}", partial(targets.show_view, name))
        menu.addSeparator()
        self._add(menu, "&Pause", "P", signals.pause.toggle)
        self._add(menu, "Larger traces", "+", lambda: signals.step_scale(-1))
        self._add(menu, "Smaller traces", "-", lambda: signals.step_scale(1))
        self._add(menu, "Shorter time base", "]", lambda: signals.step_time_base(-1))
        self._add(menu, "Longer time base", "[", lambda: signals.step_time_base(1))
        self._add(menu, "Choose channels …", "Ctrl+L", signals.choose_channels)
        self._add(menu, "Next channels", "PgDown", lambda: signals.turn_page(1))
        self._add(menu, "Channels before", "PgUp", lambda: signals.turn_page(-1))
        self._add(menu, "One channel, or all", "Z", signals.zoom)
        self._add(menu, "Cursor", "C", signals.canvas.toggle_cursor)
        self._add(menu, "Find in the log", "Ctrl+F", self._find)
        menu.addSeparator()
        self._dark = self._add(menu, "&Dark colours", "Ctrl+T", self.toggle_theme)
        self._dark.setCheckable(True)
        self._dark.setChecked(self._theme == "dark")
        self._add(menu, "Full screen", "F11", self._toggle_full_screen)
        self._add(menu, "Reset the layout", "", targets.reset_layout)
        targets.top.view_menu.setMenu(menu)

    def _add(self, menu: QMenu | None, text: str, keys: str, act: Callable[[], object]) -> QAction:
        action = QAction(text, self._window)
        if keys:
            action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda: act())
        # of the window too, so that its keys work while the menu is closed
        self._window.addAction(action)
        if menu is not None:
            menu.addAction(action)
        return action

    def _find(self) -> None:
        self._targets.show_view("Log")
        self._targets.log.search.setFocus()

    def _toggle_full_screen(self) -> None:
        window = self._window
        window.showNormal() if window.isFullScreen() else window.showFullScreen()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell the operator what cannot be written; everything else goes on."""
        try:
            yield
        except (InputError, OSError) as error:
            self._tell_problem("files", str(error))

    def _save(self, what: str, name: str, kinds: str, write: Callable[[Path], None]) -> None:
        """Ask for a file name, and write to it."""
        with self._telling():
            self.folder.mkdir(parents=True, exist_ok=True)
        path, _ = QFileDialog.getSaveFileName(
            self._window, f"Save {what}", str(self.folder / name), kinds
        )
        if not path:
            return
        with self._telling():
            write(Path(path))
            self._session.log("saved", path, "good")

    def _start_calibration(self, arguments: list[str], out: Path) -> None:
        with self._telling():
            self.folder.mkdir(parents=True, exist_ok=True)
            title = f"calibrate {out.name if out.stem != 'decoder' else out.parent.name}"
            self._awaited[title] = out
            self.commands.run(title, arguments)

    def _command_ended(self, title: str, code: int) -> None:
        out = self._awaited.pop(title, None)
        self._session.log(title, "is done" if code == 0 else f"has ended with exit code {code}",
                          "good" if code == 0 else "warning")  # fmt: skip
        if out is not None and code == 0:
            self._session.load_decoder(out)

    def _fill_stop_menu(self) -> None:
        self._stop_menu.clear()
        self._stop_menu.setEnabled(bool(self.commands.running))
        for command in self.commands.running:
            action = self._stop_menu.addAction(command.title.replace("&", "&&"))
            assert action is not None
            action.triggered.connect(lambda _, command=command: self.commands.stop(command))

    def _tell_problem(self, event: str, why: str) -> None:
        self._session.log(event, why, "bad")
        self._targets.top.show_problem(event, why)

    def _recording_recovered(self) -> None:
        self._session.log("recording", "the file grows again", "good")
        self._targets.top.show_problem("recording", "")

    def _recording_changed(self) -> None:
        state = self.recording.state
        if state is RecordingState.RUNNING:
            self._targets.top.show_problem("recording", "")
            self._session.log("recording", f"to {self.recording.path}", "good")
        self._show_recording()

    def _show_recording(self) -> None:
        self._targets.top.show_recording(self.recording.state)
        self._targets.status.show_recording(
            self.recording.state, self.recording.seconds, self.recording.n_bytes
        )


def save_picture(picture: QPixmap, path: Path) -> None:
    """Write a picture as PNG.

    Raises
    ------
    InputError
        There is nowhere to write it.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    atomic_write(path, buffer.data().data())
