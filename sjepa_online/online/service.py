"""The live service: commands in, events out, for a process beside a window.

It waits for what is not there yet, goes on with what is, and tells both. A program that only
decodes one stream needs no service: see :class:`sjepa_online.online.live.LiveDecoder`.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import psutil
import torch

from sjepa_online.decoding import Decoder, load_decoder
from sjepa_online.errors import InputError, OperationError
from sjepa_online.online.commands import (
    ChooseChannel,
    CloseStream,
    Command,
    LoadDecoder,
    OpenStream,
    UseMarkers,
)
from sjepa_online.online.engine import STEP
from sjepa_online.online.events import (
    ChannelReport,
    Channels,
    DecoderReady,
    Decoding,
    EngineEvent,
    EngineReady,
    Event,
    Health,
    Mode,
    Pattern,
    Refused,
)
from sjepa_online.online.live import LiveDecoder
from sjepa_online.online.mode import choose_mode
from sjepa_online.online.publication import Publication
from sjepa_online.signal.channel_quality.monitor import Choice
from sjepa_online.stream import (
    MarkerInlet,
    SignalInlet,
    StreamDescription,
    StreamLost,
    local_clock,
    resolve_stream,
)

#: Seconds between reports of the channels, and of the service's health.
CHANNELS_EVERY = 0.5
HEALTH_EVERY = 1.0
#: Seconds within which markers that are in sight are found; shorter, while they are waited for,
#: so that the signal does not pile up.
MARKERS_WITHIN, MARKERS_AGAIN = 2.0, 0.5
WAITING_FOR_MARKERS = "waiting-for-markers"
#: Seconds for which one turn waits for a sample, or for a command while there is no stream.
TURN = 0.1


class LiveService:
    """Carry out commands and decode in between.

    Parameters
    ----------
    send : callable
        Takes each event.
    suffix : str
        Ends the names of the streams that are published.
    find_patterns : callable
        Gives the spatial patterns of a decoder, which are told when it is loaded.
    """

    def __init__(
        self,
        send: Callable[[Event], None],
        suffix: str = "",
        find_patterns: Callable[[Decoder], tuple[Pattern, ...]] = lambda _: (),
    ) -> None:
        self._send = send
        self._suffix = suffix
        self._find_patterns = find_patterns
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="loader")
        self._loading: tuple[str, Future[tuple[Decoder, DecoderReady]]] | None = None
        self._decoder: Decoder | None = None
        self._request: OpenStream | None = None
        self._signal: SignalInlet | None = None
        self._live: LiveDecoder | None = None
        self._inlets, self._outlets = ExitStack(), ExitStack()
        self._choices: dict[str, Choice] = {}
        self._told = ""
        self._next_channels = self._next_health = 0.0

    def run(self, commands: queue.Queue[Command | None]) -> None:
        """Work until the queue of commands gives None.

        Parameters
        ----------
        commands : queue of Command
            None ends the service.
        """
        self._send(EngineReady())
        try:
            while True:
                idle = self._signal is None
                try:
                    command = commands.get(timeout=TURN) if idle else commands.get_nowait()
                except queue.Empty:
                    self.turn()
                    continue
                if command is None:
                    return
                self.carry_out(command)
        finally:
            self._close_stream()
            # a decoder that is being read is of no use any more
            self._loader.shutdown(wait=False, cancel_futures=True)

    def carry_out(self, command: Command) -> None:
        """Carry out a command.

        Parameters
        ----------
        command : Command
        """
        match command:
            case LoadDecoder(path=path):
                self._loading = (path, self._loader.submit(self._load, path))
            case OpenStream():
                self._close_stream()
                self._request = command
            case UseMarkers(selector=selector):
                if self._request is not None:
                    self._request = self._request.model_copy(update={"markers": selector})
                    self._change_mode(self._request)
            case CloseStream():
                self._close_stream()
                self._request = None
            case ChooseChannel(channel=channel, choice=choice):
                self._choices[channel] = choice
                self._apply_choices()

    def turn(self) -> None:
        """Decode the samples that have arrived, and report."""
        self._take_decoder()
        # a replay begins with its first consumer: nothing of it is to pass while a decoder loads
        if self._request is not None and self._signal is None and self._loading is None:
            self._open_stream(self._request)
        if self._signal is not None and self._live is None:
            self._idle(self._signal)
        if self._live is not None:
            self._poll(self._live)
        self._report()

    def _idle(self, signal: SignalInlet) -> None:
        """Keep an inlet empty that nothing is decoded from, and see whether that can change."""
        try:
            events = signal.pull(TURN).events
        except OperationError as error:
            self._happened("stream-closed", str(error))
            self._close_stream()
            return
        if any(isinstance(one, StreamLost) and not one.recoverable for one in events):
            self._close_stream()
        elif self._told == WAITING_FOR_MARKERS and self._decoder and self._request:
            self._begin(self._decoder, signal, self._request)

    def _load(self, path: str) -> tuple[Decoder, DecoderReady]:
        decoder = load_decoder(path)
        calibration = decoder.calibration
        scores = calibration.cross_validation.get(decoder.name, {})
        ready = DecoderReady(
            path=path,
            name=decoder.name,
            protocol=decoder.protocol,
            ch_names=decoder.ch_names,
            sfreq=calibration.sfreq,
            device=_device_name(),
            accuracy=scores.get("accuracy"),
            patterns=self._find_patterns(decoder),
        )
        return decoder, ready

    def _take_decoder(self) -> None:
        """Change to a decoder that has been loaded; the previous one decodes until then."""
        if self._loading is None or not self._loading[1].done():
            return
        (path, future), self._loading = self._loading, None
        try:
            decoder, ready = future.result()
            if self._live is not None:
                self._check_replacement(decoder, self._live.signal)
        except (InputError, OSError) as error:
            self._send(Refused(command="load-decoder", reason=f"{path}: {error}"))
            return
        self._decoder = decoder
        self._send(ready)
        self._stop_decoding()
        if self._request is not None and self._signal is not None:
            self._begin(decoder, self._signal, self._request)

    @staticmethod
    def _needs_stream(decoder: Decoder, request: OpenStream, signal: SignalInlet) -> bool:
        """Tell whether windows begin at the markers of a stream, not at the signal's own codes."""
        chosen = request.markers is not None and request.amplifier.trigger is None
        in_steps = _mode(decoder, request, signal) == "sliding"
        return not in_steps and (chosen or not signal.has_codes)

    def _check_replacement(self, decoder: Decoder, signal: SignalInlet) -> None:
        """Make sure that decoding goes on with another decoder, before it is interrupted."""
        decoder.match_channels(signal.ch_names)
        if self._request is not None and self._needs_stream(decoder, self._request, signal):
            _find_markers(self._request, MARKERS_WITHIN)

    def _open_stream(self, request: OpenStream) -> None:
        """Open the stream that is asked for; one that is not in sight is looked for again."""
        try:
            stream = resolve_stream(request.selector, 1.0)
        except InputError as error:
            self._tell_once("waiting-for-stream", str(error))
            return
        try:
            self._signal = self._inlets.enter_context(
                SignalInlet(stream, amplifier=request.amplifier)
            )
        except (InputError, OperationError) as error:
            self._refuse_stream(error)
            return
        if self._decoder is not None:
            self._begin(self._decoder, self._signal, request)

    def _begin(self, decoder: Decoder, signal: SignalInlet, request: OpenStream) -> None:
        """Decode from now on, or once the markers are there that are needed for it."""
        mode = _mode(decoder, request, signal)
        sfreq = 1 / STEP if mode == "sliding" else 0.0
        try:
            decoder.match_channels(signal.ch_names)
            needs_stream = self._needs_stream(decoder, request, signal)
            markers = self._open_markers(request) if needs_stream else None
            if needs_stream and markers is None:
                return
            publication = Publication(decoder.classes, sfreq, self._suffix)
            self._live = LiveDecoder(
                decoder,
                signal,
                markers,
                mode=request.mode,
                publication=self._outlets.enter_context(publication),
                adapt=request.adapt,
            )
        except (InputError, OperationError) as error:
            self._refuse_stream(error)
            return
        self._told = ""
        self._apply_choices()
        delay = self._live.engine.delay
        self._send(Decoding(stream=signal.stream.name, mode=mode, step=STEP, delay=delay))

    def _change_mode(self, request: OpenStream) -> None:
        """Begin anew where markers that have come change when a window is decoded."""
        if self._live is None or self._signal is None or self._decoder is None:
            return
        if _mode(self._decoder, request, self._signal) != self._live.mode:
            self._stop_decoding()
            self._begin(self._decoder, self._signal, request)

    def _open_markers(self, request: OpenStream) -> MarkerInlet | None:
        """Open the marker stream; None, where it is not in sight, to try again."""
        again = self._told == WAITING_FOR_MARKERS
        try:
            stream = _find_markers(request, MARKERS_AGAIN if again else MARKERS_WITHIN)
        except InputError as error:
            self._tell_once(WAITING_FOR_MARKERS, str(error))
            return None
        return self._outlets.enter_context(MarkerInlet(stream))

    def _poll(self, live: LiveDecoder) -> None:
        try:
            events = live.poll(TURN)
        except InputError as error:
            self._refuse_stream(error)
            return
        except OperationError as error:
            self._happened("stream-closed", str(error))
            self._close_stream()
            return
        for event in events:
            self._send(event)
        if live.ended:
            self._close_stream()

    def _apply_choices(self) -> None:
        if self._live is None:
            return
        for channel, choice in self._choices.items():
            if channel in self._live.engine.decoder.ch_names:
                self._live.engine.choose(channel, choice)

    def _refuse_stream(self, error: InputError | OperationError) -> None:
        """Say why a stream is not decoded, and wait for another command or decoder."""
        self._stop_decoding()
        self._send(Refused(command="open-stream", reason=str(error)))
        if self._signal is None:
            self._request = None

    def _close_stream(self) -> None:
        self._stop_decoding()
        self._signal = None
        self._inlets.close()

    def _stop_decoding(self) -> None:
        self._live, self._told = None, ""
        self._outlets.close()

    def _tell_once(self, event: str, detail: str) -> None:
        if event != self._told:
            self._told = event
            self._happened(event, detail)

    def _happened(self, event: str, detail: str) -> None:
        self._send(EngineEvent(local_clock(), event, detail))

    def _report(self) -> None:
        now = time.monotonic()
        if self._live is not None and now >= self._next_channels:
            self._next_channels = now + CHANNELS_EVERY
            self._send(channel_states(self._live))
        if self._signal is not None and now >= self._next_health:
            self._next_health = now + HEALTH_EVERY
            self._send(self._health(self._signal))

    def _health(self, signal: SignalInlet) -> Health:
        return Health(
            sfreq=signal.effective_sfreq,
            received=signal.received,
            lost=signal.lost,
            clock_offset=signal.clock_offset,
            cpu=self._process.cpu_percent() / 100,
            memory=self._process.memory_info().rss / 2**20,
            gpu=torch.cuda.memory_allocated() / 2**20 if _uses_gpu() else None,
        )


def channel_states(live: LiveDecoder) -> Channels:
    """Return the state of every channel of the decoder, those that the stream lacks last.

    Parameters
    ----------
    live : LiveDecoder

    Returns
    -------
    Channels
    """
    history = live.engine.history
    states = () if history.monitor is None else history.monitor.states
    found = [
        ChannelReport(
            channel=state.channel,
            bad=state.bad,
            reasons=state.reasons,
            choice=state.choice,
            amplitude=state.measures.get("amplitude"),
        )
        for state in states
    ]
    absent = [
        ChannelReport(
            channel=channel,
            bad=True,
            reasons=("the stream lacks it",),
            choice="automatic",
            amplitude=None,
        )
        for channel in history.absent
    ]
    return Channels(channels=(*found, *absent))


def _mode(decoder: Decoder, request: OpenStream, signal: SignalInlet) -> Mode:
    return choose_mode(decoder, request.mode, request.markers is not None or signal.has_codes)


def _find_markers(request: OpenStream, wait: float) -> StreamDescription:
    if request.markers is None:
        raise InputError(
            "There is no marker stream to decode after",
            value="none is in sight, or none is chosen",
            remedy="Start its source; of several, choose one under Connect.",
        )
    return resolve_stream(request.markers, wait, "markers")


def _uses_gpu() -> bool:
    return bool(torch.cuda.is_initialized())  # type: ignore[no-untyped-call]


def _device_name() -> str:
    return torch.cuda.get_device_name() if _uses_gpu() else "CPU"
