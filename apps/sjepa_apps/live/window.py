"""The live window: its views, their layout, and the timers that refresh them."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
from PyQt6.QtCore import QByteArray, Qt, QTimer
from PyQt6.QtGui import QCloseEvent, QResizeEvent
from PyQt6.QtWidgets import QApplication, QMainWindow, QTabWidget, QVBoxLayout, QWidget

from sjepa_apps.live.actions import ActionTargets, WindowActions
from sjepa_apps.live.analysis.view import AnalysisView
from sjepa_apps.live.connect.connector import Connector
from sjepa_apps.live.connect.view import ConnectView
from sjepa_apps.live.decoder.view import DecoderView
from sjepa_apps.live.health.log_view import LogView
from sjepa_apps.live.health.view import HealthView
from sjepa_apps.live.layout import ViewLayout
from sjepa_apps.live.scalp.view import ScalpView
from sjepa_apps.live.session import LiveSession, LogEntry
from sjepa_apps.live.settings import LiveSettings, save_settings
from sjepa_apps.live.signals.view import SignalsView
from sjepa_apps.live.status_line import StatusLine
from sjepa_apps.live.top_bar import TopBar
from sjepa_apps.live.trials.view import TrialsView
from sjepa_apps.ui.recent_decoders import RecentDecoders, recent_file
from sjepa_apps.ui.theme import GRID, THEMES, ThemeName, style_sheet, system_theme
from sjepa_apps.ui.widgets import panel
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.errors import InputError
from sjepa_online.online.events import Health, LiveDecision, Mode
from sjepa_online.stream import StreamDescription

#: Milliseconds between frames of the signals: 40 a second, so that 30 remain on a busy machine.
FRAME = 25
#: Milliseconds between updates of curves and figures.
REFRESH = 250
DEFAULT_SIZE = (1280, 800)


@dataclass(frozen=True)
class LiveOptions:
    """Options of the command line.

    Attributes
    ----------
    decoder : Path or None
    stream, markers : str or None
        Selectors as for :func:`sjepa_online.stream.resolve_stream`; None for what was connected
        the last time.
    amplifier : AmplifierProfile
        What is known beside what the stream declares.
    mode : {"sliding", "markers"} or None
    adapt : bool
        Let a decoder that adapts take in each trial, without its class.
    theme : {"light", "dark"} or None
    remember : bool
        Keep choices and layout for the next time.
    replay_ended : callable or None
        Tells whether the recording that is replayed is over, so that silence is no fault.
    """

    decoder: Path | None = None
    stream: str | None = None
    markers: str | None = None
    amplifier: AmplifierProfile = AS_DECLARED
    mode: Mode | None = None
    adapt: bool = True
    theme: ThemeName | None = None
    remember: bool = True
    replay_ended: Callable[[], bool] | None = None


class LiveWindow(QMainWindow):
    """The window.

    Parameters
    ----------
    options : LiveOptions
    settings : LiveSettings
        Of the last time; what ``options`` says comes first.
    number : int
        1 for the first window on this machine, 2 for one beside it, and so on.
    """

    def __init__(self, options: LiveOptions, settings: LiveSettings, number: int = 1) -> None:
        super().__init__()
        self.settings = settings
        self._number = number
        self._remembers = options.remember
        self.recent = RecentDecoders(recent_file() if options.remember else None)
        name = options.theme or settings.theme
        theme = self.theme = THEMES[name] if name else system_theme()
        self.session = LiveSession("" if number == 1 else f"-{number}", self)
        self.session.adapt = options.adapt
        if options.replay_ended is not None:
            self.session.replay_ended = options.replay_ended
        self.signals = SignalsView(theme)
        self.connect_view = ConnectView(theme)
        self.scalp = ScalpView(theme)
        self.decoder = DecoderView(theme)
        self.analysis = AnalysisView(theme)
        self.trials = TrialsView(theme)
        self.health = HealthView(theme)
        self.log = LogView(theme)
        self.status = StatusLine()
        self.top = TopBar()
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._settled = self._ends = False
        self._lay_out()
        self._wire()
        wanted = options.stream or settings.stream
        self.connector = Connector(
            self.session, self.connect_view, wanted, wanted is None and options.decoder is not None
        )
        self.controls = WindowActions(self, self._targets(), theme.name)
        self._frame_timer = self._timer(FRAME, self._frame)
        self._frame_timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._refresh_timer = self._timer(REFRESH, self._refresh)
        self.set_theme(theme.name)
        self._restore_layout()
        mode = options.mode or settings.mode
        said = options.amplifier
        unit = said.unit or settings.unit
        self.connect_view.restore(
            options.markers or settings.markers, mode, unit, said, settings.amplifiers
        )
        self._begin(options)

    def _targets(self) -> ActionTargets:
        return ActionTargets(
            session=self.session,
            settings=self.settings,
            recent=self.recent,
            connector=self.connector,
            signals=self.signals,
            connect=self.connect_view,
            trials=self.trials,
            log=self.log,
            top=self.top,
            status=self.status,
            show_view=self.show_view,
            reset_layout=self.reset_layout,
            set_theme=self.set_theme,
        )

    def _begin(self, options: LiveOptions) -> None:
        self.tabs.setCurrentIndex(1)
        self.session.start()
        path = options.decoder or (Path(self.settings.decoder) if self.settings.decoder else None)
        if path is not None:
            self.session.load_decoder(path)
        self._frame_timer.start()
        self._refresh_timer.start()
        self.connector.look()

    def _timer(self, milliseconds: int, act: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setInterval(milliseconds)
        timer.timeout.connect(act)
        return timer

    def _lay_out(self) -> None:
        number = "" if self._number == 1 else f" ({self._number})"
        self.setWindowTitle(f"sjepa-online live{number}")
        self.resize(*DEFAULT_SIZE)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for view, title in ((self.signals, "Signals"), (self.connect_view, "Connect")):
            self.tabs.addTab(_in_panel(view), title)
        centre = QWidget()
        layout = QVBoxLayout(centre)
        layout.setContentsMargins(GRID, 0, 0, 0)
        layout.addWidget(self.tabs)
        self.setCentralWidget(centre)
        self.addToolBar(self.top)
        self._views = ViewLayout(
            self,
            right={"Scalp": self.scalp, "Decoder": self.decoder},
            behind={"Analysis": self.analysis},
            below={"Trials": self.trials, "Health": self.health, "Log": self.log},
        )
        self.docks = self._views.docks
        self._focus: dict[str, QWidget] = {
            "Signals": self.signals.canvas,
            "Connect": self.connect_view.table,
            "Scalp": self.scalp.canvas,
            "Decoder": self.decoder,
            "Analysis": self.analysis.kind,
            "Trials": self.trials.table,
            "Health": self.health,
            "Log": self.log.table,
        }
        self.decoder.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.health.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        status = self.statusBar()
        assert status is not None
        status.setSizeGripEnabled(False)
        status.addWidget(self.status, 1)

    def _wire(self) -> None:
        session = self.session
        session.stream_changed.connect(self._stream_changed)
        session.decoder_changed.connect(self._decoder_changed)
        session.decoding_changed.connect(self._decoding_changed)
        session.decided.connect(self._decided)
        session.symbol_decided.connect(self.decoder.show_symbol)
        session.states_changed.connect(self._states_changed)
        session.health_changed.connect(self._health_changed)
        session.trials_changed.connect(self._trials_changed)
        session.logged.connect(self._logged)
        session.engine_ready.connect(self._engine_ready)
        session.engine_ended.connect(self.top.show_engine_ended)
        session.fell_silent.connect(self._fell_silent)
        self.signals.channel_clicked.connect(self.scalp.canvas.channel_clicked)
        self.scalp.choice_asked.connect(session.choose)
        self.connect_view.connect_asked.connect(self._open)
        self.connect_view.disconnect_asked.connect(session.close_stream)
        self.top.restart_asked.connect(session.restart_engine)

    def set_theme(self, name: ThemeName) -> None:
        """Change between light and dark."""
        self.theme = THEMES[name]
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(self.theme.palette())
        application.setStyleSheet(style_sheet(self.theme))
        for view in (
            self.signals,
            self.connect_view,
            self.scalp,
            self.decoder,
            self.analysis,
            self.trials,
            self.health,
            self.log,
        ):
            view.set_theme(self.theme)

    def show_view(self, name: str) -> None:
        """Bring a view to the front, wherever it is."""
        if name in self.docks:
            self.docks[name].show()
            self.docks[name].raise_()
        else:
            self.tabs.setCurrentIndex(("Signals", "Connect").index(name))
        # keys act on what was just asked for
        self._focus[name].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def reset_layout(self) -> None:
        """Put every view back where it was at first."""
        self._views.reset()

    def resizeEvent(self, event: QResizeEvent | None) -> None:  # noqa: N802 - Qt's name
        """Let every view keep its share of the window."""
        assert event is not None
        super().resizeEvent(event)
        # until it has settled the window takes the size and the layout that it had the last time
        if self._settled and event.oldSize() != event.size():
            self._views.keep_shares(event.oldSize(), event.size())

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802 - Qt's name
        """Ask first if something runs; then save the choices and end everything."""
        assert event is not None
        may_close = self._ends or self.controls.may_close()
        # Ctrl-C may have closed the question
        if not (may_close or self._ends):
            event.ignore()
            return
        self._frame_timer.stop()
        self._refresh_timer.stop()
        try:
            self.controls.close()
            if self._remembers:
                self._remember()
        finally:
            self.session.close()
        event.accept()

    def end(self) -> None:
        """Close without a question, and whatever box is open: as at Ctrl-C."""
        self._ends = True
        box, closed = QApplication.activeModalWidget(), None
        # while one is open, Qt refuses to close the window under it
        while box is not None and box is not closed:
            box.close()
            box, closed = QApplication.activeModalWidget(), box
        self.close()

    def _open(
        self,
        stream: StreamDescription,
        markers: StreamDescription | None,
        mode: Mode | None,
        amplifier: AmplifierProfile,
    ) -> None:
        self.session.open_stream(stream, markers, mode, amplifier, self.signals.display)
        self.tabs.setCurrentIndex(0)

    def _stream_changed(self) -> None:
        session = self.session
        self.signals.show_store(session.store)
        self.top.show_stream(session.stream)
        self._show_electrodes()
        self.decoder.begin()
        self.decoder.stand_still("waiting for a whole window of signal")

    def _decoder_changed(self) -> None:
        decoder = self.session.decoder
        assert decoder is not None
        self.connect_view.show_decoder(decoder)
        self.scalp.show_decoder(decoder)
        self.decoder.show_decoder(decoder)
        self.analysis.show_protocol(decoder.protocol)
        self.top.show_decoder(decoder)
        self.controls.remember_decoder(decoder.path)

    def _show_electrodes(self) -> None:
        """Show the electrodes of the decoder while it decodes, before that those of the stream."""
        store = self.session.store
        shown = None if store is None or self.session.decoding is not None else store
        self.scalp.show_stream(None if shown is None else shown.channels.names)

    def _decoding_changed(self) -> None:
        self._show_electrodes()
        if self.session.decoding is not None:
            self.top.show_decoding()
            self.decoder.stand_still("waiting for a whole window of signal")
        else:
            # figures of a while ago would pass for those of now
            self.health.begin()
            self.decoder.stand_still(self._why_not())

    def _engine_ready(self) -> None:
        self.top.show_decoding()
        self._decoding_changed()

    def _why_not(self) -> str:
        """Tell why nothing is decoded."""
        if not self.session.engine.running:
            return "the engine has ended"
        if self.session.stream is None:
            return "no stream is connected"
        return self.session.waiting or "nothing is decoded"

    def _trials_changed(self) -> None:
        waiting = self.session.stream is not None and self.session.markers is None
        why = "waiting for markers" if waiting else "no trial with a known truth yet"
        self.trials.show_log(self.session.trials, why)

    def _decided(self, decision: LiveDecision) -> None:
        self.decoder.show_decision(decision)
        self.health.add_decision(decision)

    def _states_changed(self) -> None:
        self.signals.set_states(self.session.states)
        self.scalp.show_states(self.session.states)

    def _health_changed(self, health: Health) -> None:
        decoder = self.session.decoder
        device = "–" if decoder is None else decoder.device
        window = (self._process.cpu_percent() / 100, self._process.memory_info().rss / 2**20)
        self.health.show_health(health, device, window)

    def _logged(self, entry: LogEntry) -> None:
        self.log.model.add(entry)
        if entry.event == "refused":
            self.top.show_refusal(entry.detail)

    def _frame(self) -> None:
        self.session.poll()
        if self.tabs.currentIndex() == 0:
            self._show_notice()
            self.signals.tick()

    def _show_notice(self) -> None:
        session = self.session
        if session.stream is None:
            none = "No stream is connected: choose one under Connect"
            self.signals.canvas.set_notice(self.connector.waiting or none)
        elif session.opening:
            self.signals.canvas.set_notice("Connecting …")
        elif session.finished:
            self.signals.canvas.set_notice(f"The recording has ended{self._told_score()}")
        elif session.failed:
            self.signals.canvas.set_notice("Reading has failed, see the log: connect again")
        elif session.silent:
            self.signals.canvas.set_notice(
                f"No data for {session.silence:.0f} s: waiting for the stream to come back"
            )
        else:
            self.signals.canvas.set_notice("")

    def _told_score(self) -> str:
        """Tell how many trials were right, where there were any."""
        log = self.session.trials
        if log is None or not log.trials:
            return ""
        n_right = sum(trial.correct for trial in log.trials)
        return f": {n_right} of {len(log.trials)} trials right. Close the window to go on"

    def _fell_silent(self) -> None:
        """Take back what was known a moment ago."""
        self.health.stand_still()

    def _refresh(self) -> None:
        if not self._settled and self.settings.width_share is not None:
            # Qt keeps the widths of docks in pixels, on whatever screen the window comes back
            self._views.take_width_share(self.settings.width_share)
        self._settled = True
        if self.session.silent:
            why = "the recording has ended" if self.session.finished else "no data arrives"
            self.decoder.stand_still(why)
            self.scalp.show_silence(f"Unknown: {why}")
        self.decoder.refresh()
        silence = self.session.silence if self.session.silent else None
        self.analysis.refresh(self.session.store, self.signals.pages.rows, silence)
        self.health.refresh()
        if (session := self.session).stream is not None:
            self.health.show_losses(session.received, session.missing, session.n_gaps)
        frames = self.signals.canvas.frames
        self.health.show_frames(frames.rate, frames.recent_gap)
        self.status.refresh(self.session, self.health)
        self.controls.refresh()

    def _remember(self) -> None:
        session, view = self.session, self.connect_view
        stream = session.stream
        self.settings.stream = (
            stream.selectors[1] if stream else self.connector.wanted or self.settings.stream
        )
        self.settings.markers = view.markers.currentText()
        self.settings.mode, self.settings.unit = view.chosen_mode, view.chosen_unit
        self.settings.amplifiers = view.known
        if session.decoder is not None:
            self.settings.decoder = session.decoder.path
        self.settings.geometry = base64.b64encode(self.saveGeometry().data()).decode()
        self.settings.width_share = self._views.width_share
        self.settings.docks = base64.b64encode(self.saveState().data()).decode()
        try:
            save_settings(self.settings)
        except (InputError, OSError) as error:
            # the log goes with the window
            sys.stderr.write(f"The window's choices are not kept: {error}\n")

    def _restore_layout(self) -> None:
        if self.settings.geometry:
            self.restoreGeometry(QByteArray.fromBase64(self.settings.geometry.encode()))
            self.restoreState(QByteArray.fromBase64(self.settings.docks.encode()))


def _in_panel(view: QWidget) -> QWidget:
    frame = panel()
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(view)
    return frame
