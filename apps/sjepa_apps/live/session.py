"""Everything between the streams and the views: what is open, decoded, marked and logged."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from PyQt6.QtCore import QObject, pyqtSignal

from sjepa_apps.live.engine.client import EngineClient
from sjepa_apps.live.quality import ChannelQuality
from sjepa_apps.live.signals.display_filter import DisplaySettings
from sjepa_apps.live.signals.reader import (
    MarkerReader,
    StreamReader,
    lasting_selector,
    shown_channels,
    waits_for_consumer,
)
from sjepa_apps.live.signals.store import Line, SignalStore
from sjepa_apps.live.trials.model import TrialLog
from sjepa_apps.ui.channel_states import CHOICE_WORDS, ChannelStates
from sjepa_apps.ui.discovery import Discovery
from sjepa_apps.ui.widgets import State
from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.online.commands import (
    ChooseChannel,
    CloseStream,
    LoadDecoder,
    OpenStream,
    UseMarkers,
)
from sjepa_online.online.events import (
    Channels,
    DecoderReady,
    Decoding,
    EngineEvent,
    EngineReady,
    Event,
    Health,
    LiveDecision,
    Mode,
    Refused,
    SymbolDecision,
    from_stream,
)
from sjepa_online.signal.channel_quality.monitor import Choice
from sjepa_online.stream import Gap, MarkOutlet, StreamDescription, StreamEvent, local_clock

#: Seconds without a sample after which the window says so.
SILENT_AFTER = 0.7
#: Seconds that the engine may take to open a stream, once it has a decoder, before the window
#: does.
ENGINE_FIRST = 8.0
#: Name of the stream of the operator's marks.
MARKS = "sjepa-online-marks"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A line of the log."""

    event: str
    detail: str
    state: State = ""
    when: datetime = field(default_factory=datetime.now)


class LiveSession(QObject):
    """Streams, engine, marks and log of a window.

    Parameters
    ----------
    suffix : str
        Ends the names of what is published: every window on a machine has its own.

    Signals
    -------
    streams_changed, stream_changed, decoder_changed, decoding_changed, decided, symbol_decided,
    states_changed, health_changed, trials_changed, logged, engine_ready, engine_ended, fell_silent
        What they say, with what it is about.
    """

    streams_changed = pyqtSignal()
    stream_changed = pyqtSignal()
    decoder_changed = pyqtSignal()
    decoding_changed = pyqtSignal()
    decided = pyqtSignal(object)
    symbol_decided = pyqtSignal(object)
    states_changed = pyqtSignal()
    health_changed = pyqtSignal(object)
    trials_changed = pyqtSignal()
    logged = pyqtSignal(object)
    engine_ready = pyqtSignal()
    engine_ended = pyqtSignal(str)
    fell_silent = pyqtSignal()

    def __init__(self, suffix: str = "", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.suffix = suffix
        self.streams: list[StreamDescription] = []
        self.stream: StreamDescription | None = None
        self.markers: StreamDescription | None = None
        self.store: SignalStore | None = None
        self.decoder: DecoderReady | None = None
        self.decoding: Decoding | None = None
        self.health: Health | None = None
        self.states = ChannelStates()
        #: What the window finds of the channels itself, decoder or not.
        self.quality: ChannelQuality | None = None
        #: Whether nothing has arrived for so long that what was known is of the past.
        self._stale = False
        self.trials: TrialLog | None = None
        #: What the engine waits for before it decodes, in words.
        self.waiting = ""
        #: Whether a decoder may adapt to the trials that it decodes.
        self.adapt = True
        self.received = self.missing = self.n_gaps = 0
        self._heard = self._opened = 0.0
        self._loading = False
        #: The stream that forced channels are of, as it is found again.
        self._chosen_for = ""
        self._reader: StreamReader | None = None
        #: What is known of the amplifier beside what its stream declares.
        self._amplifier = AS_DECLARED
        self._marker_reader: MarkerReader | None = None
        #: Readers of earlier streams that are about to end.
        self._leaving: list[StreamReader | MarkerReader] = []
        self._discovery = Discovery()
        #: Tells whether what is replayed is over, so that silence is no fault.
        self.replay_ended: Callable[[], bool] = lambda: False
        self._marks = MarkOutlet(MARKS + suffix)
        self.engine = EngineClient(suffix, self)
        self.engine.received.connect(self._take_message)
        self.engine.said.connect(lambda line: self.log("engine", line, "warning"))
        self.engine.ended.connect(self._engine_ended)

    def start(self) -> None:
        """Look for streams, and start the engine."""
        self._discovery.start()
        self.engine.start()

    def close(self) -> None:
        """End all threads and processes; each takes a moment, so all are asked first."""
        self._discovery.ask_to_stop()
        self.engine.ask_to_stop()
        self._leave_readers()
        self._discovery.stop()
        self.engine.stop()
        for reader in self._leaving:
            reader.stop()
        self._marks.close()

    @property
    def silence(self) -> float | None:
        """Seconds since the last sample; None without a stream, and while one is opened."""
        if self._reader is None or not self._reader.begun:
            return None
        return time.monotonic() - self._heard

    @property
    def opening(self) -> bool:
        """Whether a stream is about to be shown."""
        return self._reader is not None and not self._reader.begun

    @property
    def failed(self) -> bool:
        """Whether reading has ended with an unexpected error."""
        return self._reader is not None and self._reader.begun and not self._reader.is_alive()

    @property
    def silent(self) -> bool:
        """Whether a stream is open and sends nothing."""
        silence = self.silence
        return silence is not None and silence > SILENT_AFTER

    @property
    def finished(self) -> bool:
        """Whether nothing arrives because the replayed recording is over."""
        return self.silent and self.replay_ended()

    def log(self, event: str, detail: str, state: State = "") -> None:
        """Add a line to the log."""
        self.logged.emit(LogEntry(event, detail, state))

    def open_stream(
        self,
        stream: StreamDescription,
        markers: StreamDescription | None,
        mode: Mode | None,
        amplifier: AmplifierProfile,
        display: DisplaySettings,
    ) -> None:
        """Show and decode a stream; one that is open is closed."""
        self._leave_readers()
        self._forget_choices(stream)
        self.markers = None
        self._amplifier = amplifier
        self._show(stream, display)
        self._stale = False
        self.received = self.missing = self.n_gaps = 0
        self._opened = time.monotonic()
        self.engine.send(
            OpenStream(
                selector=self._selector(stream),
                markers=None if markers is None else self._selector(markers),
                mode=mode,
                amplifier=amplifier,
                adapt=self.adapt,
            )
        )
        self.log("connected", f"{stream.name} on {stream.host}", "good")
        if markers is not None:
            self._read_markers(markers)
        self._forget_decoding()
        self.stream_changed.emit()
        if not (self.engine.has_decoder and waits_for_consumer(stream)):
            self._start_reader()

    def _show(self, stream: StreamDescription, display: DisplaySettings) -> None:
        """Make what holds, judges and reads the signal of a stream."""
        self.stream = stream
        self.store = SignalStore(shown_channels(stream, self._amplifier), stream.sfreq, display)
        self.quality = ChannelQuality(self.store.channels, stream)
        self._reader = StreamReader(stream)

    def _show_changed(self, reader: StreamReader, stream: StreamDescription) -> None:
        """Show a stream that is back with other channels; the engine follows it by itself."""
        assert self.store is not None
        assert self.quality is not None
        reader.ask_to_stop()
        self._leaving.append(reader)
        decoded = self.quality.decoded
        self._show(stream, self.store.display)
        self.quality.decoded = decoded
        detail = f"{stream.name} is back with other labels, order or unit, and is shown by them"
        self.log("stream", detail, "warning")
        self.stream_changed.emit()
        self._start_reader()

    def _forget_choices(self, stream: StreamDescription) -> None:
        """Judge all channels automatically again if the stream is another one."""
        lasting = lasting_selector(stream)
        if self.engine.forced and self._chosen_for not in ("", lasting):
            named = ", ".join(self.engine.forced)
            self.log("operator", f"{named}: {CHOICE_WORDS['automatic']}, as the stream is another")
            for channel in self.engine.forced:
                self.engine.send(ChooseChannel(channel=channel, choice="automatic"))
        self._chosen_for = lasting

    def use_markers(self, markers: StreamDescription) -> None:
        """Take the markers, too, of a stream that has come since the signal was connected."""
        self._read_markers(markers)
        self.engine.send(UseMarkers(selector=self._selector(markers)))
        self.trials_changed.emit()

    def _read_markers(self, markers: StreamDescription) -> None:
        self.markers = markers
        self._marker_reader = MarkerReader(markers)
        self._marker_reader.start()
        self.log("markers", f"from {markers.name} on {markers.host}", "good")

    def close_stream(self) -> None:
        """Stop showing and decoding."""
        if self.stream is None:
            return
        self._leave_readers()
        self.log("disconnected", self.stream.name)
        self.stream = self.markers = self.store = self.quality = None
        self.engine.send(CloseStream())
        self._forget_decoding()
        self.stream_changed.emit()

    def load_decoder(self, path: Path) -> None:
        """Change to another decoder once it is read; the one before goes on until then."""
        self.log("loading", str(path))
        self._loading = self.engine.running
        self.engine.send(LoadDecoder(path=str(path.resolve())))

    def choose(self, channel: str, choice: Choice) -> None:
        """Force a channel bad or good, or judge it automatically again."""
        self.engine.send(ChooseChannel(channel=channel, choice=choice))
        if self.decoding is None:
            self._show_states()
        self.log("operator", f"{channel}: {CHOICE_WORDS[choice]}")

    def mark(self, text: str, time: float | None = None) -> None:
        """Mark a moment, or this one: in the signals, the log and the recording."""
        now = local_clock() if time is None else time
        self._marks.push(text, now)
        self._add_line(Line(now, text, "mark"))
        self.log("mark", text)

    def restart_engine(self) -> None:
        """Start the engine again, with the same decoder and stream."""
        self.log("engine", "is being started again")
        self.engine.start()

    def poll(self) -> None:
        """Take in what the threads have found since the last time."""
        self._tell_problems(self._discovery.problems)
        if self._discovery.found:
            streams = self._discovery.found.pop()
            if streams != self.streams:
                self.streams = streams
                self.streams_changed.emit()
        if self.opening and not self._loading and time.monotonic() > self._opened + ENGINE_FIRST:
            self._start_reader()
        if self._reader is not None and self.store is not None:
            self._take_chunks(self._reader, self.store)
        if self._marker_reader is not None:
            self._take_markers(self._marker_reader)
        if self.silent != self._stale:
            self._stale = self.silent
            self._show_states()
            if self._stale:
                self.fell_silent.emit()

    def _start_reader(self) -> None:
        """Show the stream, once the engine has it: a replay begins with its first consumer."""
        if self._reader is not None and not self._reader.begun:
            self._heard = time.monotonic()
            self._reader.start()

    def _take_chunks(self, reader: StreamReader, store: SignalStore) -> None:
        judged, changed = False, reader.changed
        while reader.chunks:
            chunk = reader.chunks.popleft()
            self.received += len(chunk.timestamps)
            if len(chunk.timestamps):
                self._heard = time.monotonic()
            store.append(chunk)
            judged = (self.quality is not None and self.quality.take(chunk)) or judged
            for event in chunk.events:
                self._take_stream_event(event)
        if judged:
            self._show_states()
        self._tell_problems(reader.problems)
        if changed is not None:
            self._show_changed(reader, changed)

    def _show_states(self) -> None:
        """Tell the state of the channels, which nobody knows while nothing arrives."""
        if self._stale or self.quality is None:
            self.states = ChannelStates()
        else:
            self.states = self.quality.states(self.engine.choices)
        if self.store is not None:
            self.store.set_bad(self.states.bad_rows(self.store.channels.names))
        self.states_changed.emit()

    def _take_markers(self, reader: MarkerReader) -> None:
        while reader.markers:
            marker = reader.markers.popleft()
            self._add_line(Line(marker.time, marker.label, "marker"))
            if self.trials is not None and self.trials.add_marker(marker.label, marker.time):
                self.trials_changed.emit()
        self._tell_problems(reader.problems)

    def _tell_problems(self, problems: deque[str]) -> None:
        while problems:
            self.log("stream", problems.popleft(), "bad")

    def _take_stream_event(self, event: StreamEvent) -> None:
        if isinstance(event, Gap):
            self.missing += event.missing
            self.n_gaps += 1
        self._add_line(Line(event.time, from_stream(event).event.replace("-", " "), "event"))
        # the engine has an inlet of its own and tells the same while it decodes
        if self.decoding is None:
            self.log("stream", event.detail, "warning")

    def _take_message(self, message: Event) -> None:
        match message:
            case EngineReady():
                self.engine_ready.emit()
            case LiveDecision():
                if self.trials is not None and self.trials.add_decision(message):
                    self.trials_changed.emit()
                self.decided.emit(message)
            case SymbolDecision():
                if self.trials is not None and self.trials.add_symbol(message):
                    self.trials_changed.emit()
                self._log_symbol(message)
                self.symbol_decided.emit(message)
            case Channels():
                if self.quality is not None:
                    self.quality.decoded = message.channels
                self._show_states()
            case Health():
                self.health = message
                if not self._stale:
                    self.health_changed.emit(message)
            case EngineEvent():
                self._take_happening(message)
            case Refused():
                self._take_refusal(message)
            case DecoderReady():
                # after a restart of the engine the same decoder goes on
                again = self.decoder is not None and self.decoder.path == message.path
                self.decoder = message
                self._forget_decoding(keep_trials=again)
                self._loading, self._opened = False, time.monotonic()
                self.log("decoder", f"{message.name} for {message.protocol.name} is loaded", "good")
                self.decoder_changed.emit()
            case Decoding():
                self._begin_trials(message)
                self.decoding, self.waiting = message, ""
                self._start_reader()
                self.log("decoding", f"{message.stream}, {message.mode}", "good")
                self.decoding_changed.emit()

    def _log_symbol(self, decided: SymbolDecision) -> None:
        state: State = ""
        truth = ""
        if decided.truth is not None:
            state = "good" if decided.truth == decided.symbol else "warning"
            truth = f", asked for {decided.truth}"
        self.log(
            "symbol",
            f"{decided.symbol}{truth}: p = {decided.probability:.2f}, {decided.n_flashes} flashes",
            state,
        )

    def _take_refusal(self, refused: Refused) -> None:
        """Show a stream that is not decoded; a decoder that is refused changes nothing."""
        self._start_reader()
        if refused.command == "open-stream":
            self._forget_decoding(keep_trials=True)
        else:
            self._loading = False
        self.log("refused", refused.reason, "bad")

    def _begin_trials(self, decoding: Decoding) -> None:
        """Keep the trials of a stream that has only been away."""
        if self.decoder is None or self.trials is not None:
            return
        self.trials = TrialLog(self.decoder.protocol, decoding.mode, decoding.step, decoding.delay)
        self.trials_changed.emit()

    def _take_happening(self, happened: EngineEvent) -> None:
        quiet = happened.event in ("channel-good", "channels-settled", "stream-recovered")
        self.log(happened.event, happened.detail, "good" if quiet else "warning")
        if happened.event.startswith("waiting"):
            self.waiting = happened.event.replace("-", " ")
            self.decoding_changed.emit()
        if happened.event == "waiting-for-markers":
            self._start_reader()
        if happened.event.startswith("channel"):
            self._add_line(Line(happened.time, _in_short(happened), "event"))

    def _add_line(self, line: Line) -> None:
        if self.store is not None:
            self.store.lines.append(line)

    def _forget_decoding(self, *, keep_trials: bool = False) -> None:
        self.decoding = self.health = None
        self.waiting = ""
        if self.quality is not None:
            self.quality.decoded = ()
        self._show_states()
        if not keep_trials:
            self.trials = None
            self.trials_changed.emit()
        self.decoding_changed.emit()

    def _engine_ended(self, why: str) -> None:
        self.log("engine", f"has ended ({why}); the signals and a recording go on", "bad")
        self._forget_decoding(keep_trials=True)
        self._loading = False
        self._start_reader()
        self.engine_ended.emit(why)

    def _selector(self, stream: StreamDescription) -> str:
        """Return what picks the stream even after a restart, where nothing else is called so."""
        lasting = lasting_selector(stream)
        same = [one for one in self.streams if lasting_selector(one) == lasting]
        return lasting if len(same) < 2 else stream.uid

    def _leave_readers(self) -> None:
        """Let the readers end by themselves: waiting for them would hold up the window."""
        for reader in (self._reader, self._marker_reader):
            if reader is not None:
                reader.ask_to_stop()
                self._leaving.append(reader)
        self._leaving = [reader for reader in self._leaving if reader.is_alive()]
        self._reader = self._marker_reader = None


def _in_short(happened: EngineEvent) -> str:
    """Return what stands over a line in the signals: the channel, which the detail begins with."""
    states = {"channel-bad": "bad", "channel-good": "good", "channel-scaled": "scaled"}
    if happened.event not in states:
        return happened.event.replace("-", " ")
    return f"{happened.detail.split(' ')[0]} {states[happened.event]}"
