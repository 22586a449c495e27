"""A live stream through the engine: pull, decode, publish, and time it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.decoding import Decoder, load_decoder
from sjepa_online.errors import InputError, OperationError
from sjepa_online.online.engine import STEP, Engine
from sjepa_online.online.events import (
    Decision,
    EngineEvent,
    LiveDecision,
    LiveEvent,
    Mode,
    SymbolDecision,
    from_stream,
)
from sjepa_online.online.marker_feed import MarkerFeed
from sjepa_online.online.mode import choose_mode, find_markers, stops_dynamically
from sjepa_online.online.publication import Publication
from sjepa_online.signal import require_plausible_amplitude
from sjepa_online.stream import (
    Chunk,
    ClockJump,
    Gap,
    MarkerInlet,
    SignalInlet,
    StreamLost,
    local_clock,
    resolve_stream,
)
from sjepa_online.stream.background import Background
from sjepa_online.stream.closing import Closing
from sjepa_online.validation import check_type

#: Seconds between looks for the marker stream, which may send nothing for long.
LOOK_EVERY = 1.0
#: Seconds of signal whose amplitude is compared with the declared unit.
CHECKED_SECONDS = 2.0
#: Seconds that a turn waits for a sample.
TURN = 0.1


def use_one_thread() -> None:
    """Limit the linear algebra of this process to one thread.

    A decision is made of small matrices: several threads would spend their time, and a second
    core, waiting for each other.
    """
    torch.set_num_threads(1)
    threadpool_limits(limits=1)


class LiveDecoder(Closing):
    """Decode an LSL stream, publish the decisions, and report every event.

    Iterate over it, or call :meth:`poll` from a loop of your own, or let :meth:`in_thread` call a
    function of yours.

    Parameters
    ----------
    decoder : Decoder
    signal : SignalInlet
    markers : MarkerInlet or None
        Needed to decode after markers.
    mode : {"sliding", "markers"} or None
        Decode every ``step`` seconds, or after each marker of a trial; None: as
        :func:`~sjepa_online.online.mode.choose_mode` says.
    step : float
        Seconds between decisions in sliding mode.
    publication : Publication or None
        Where to publish; None publishes nothing.
    adapt : bool
        As for :class:`~sjepa_online.online.engine.Engine`.

    Attributes
    ----------
    engine : Engine
    mode : {"sliding", "markers"}
    ended : str
        Why nothing will ever come again from the stream; empty while something may.

    Raises
    ------
    InputError
        The stream lacks too many channels of the decoder, or a unit, or markers are needed.
    """

    def __init__(
        self,
        decoder: Decoder,
        signal: SignalInlet,
        markers: MarkerInlet | None = None,
        *,
        mode: Mode | None = None,
        step: float = STEP,
        publication: Publication | None = None,
        adapt: bool = True,
    ) -> None:
        has_markers = markers is not None or signal.has_codes
        self.mode = choose_mode(decoder, mode, has_markers)
        if self.mode == "markers" and not has_markers:
            raise InputError(
                "There is no marker stream to decode after",
                value="markers=None",
                remedy="Name a marker stream, or decode in a sliding window.",
            )
        picks = decoder.match_channels(signal.ch_names).picks
        self._unit = signal.unit_of([signal.ch_names[index] for index in picks])
        self.engine = Engine(
            decoder,
            signal.ch_names,
            signal.sfreq,
            self._unit,
            mode=self.mode,
            step=step,
            adapt=adapt,
        )
        self.signal = signal
        self.markers = markers
        self.ended = ""
        self._feed = MarkerFeed(markers, self.engine, signal.amplifier) if has_markers else None
        self._picks = picks
        self._publication = publication
        self._unchecked: list[Chunk] | None = []
        self._left_out = False
        chosen_by_user = mode == "sliding"
        self._told_mode = self.mode == "markers" or chosen_by_user or not stops_dynamically(decoder)
        self._next_look = 0.0
        self._notes = signal.notes
        self._opened = ExitStack()

    @classmethod
    def open(
        cls,
        decoder: Decoder | str | Path,
        stream: str | None = None,
        markers: str | None = None,
        *,
        mode: Mode | None = None,
        step: float = STEP,
        amplifier: AmplifierProfile = AS_DECLARED,
        wait: float = 10.0,
        publish: str | None = None,
        recover_markers: bool = True,
        adapt: bool = True,
    ) -> Self:
        """Find the streams, open them, and decode.

        Parameters
        ----------
        decoder : Decoder or path
        stream : str or None
            Name, source id or uid of the EEG stream; None: the only one in sight.
        markers : str or None
            The same of the marker stream, where markers are needed or can be used.
        mode, step
            As for the class.
        amplifier : AmplifierProfile
            What is known beside what the stream declares: channels, unit, markers, codes.
        wait : float
            Seconds to wait for a stream.
        publish : str or None
            Publish under the usual names, followed by this text; None publishes nothing.
        recover_markers : bool
            Wait for a marker stream that is lost; without it the loss ends decoding.
        adapt : bool
            As for the class.

        Returns
        -------
        LiveDecoder
            Close it, or use it in a ``with`` statement, which closes what was opened here.

        Raises
        ------
        InputError
            The decoder cannot be loaded, a stream is not in sight, or more than one fits, or the
            decoder does not fit it.
        OperationError
            A stream does not answer.
        """
        if publish is not None:
            check_type("publish", publish, str, 'Pass a text, "" for the usual names, or None.')
        loaded = decoder if isinstance(decoder, Decoder) else load_decoder(decoder)
        with ExitStack() as stack:
            eeg = resolve_stream(stream, wait, prefers=amplifier.prefers)
            signal = stack.enter_context(SignalInlet(eeg, amplifier=amplifier))
            described = None
            if amplifier.trigger is None or markers is not None:
                selector = markers or amplifier.marker_stream
                described = find_markers(loaded, mode, selector, wait, signal.has_codes)
            inlet = None
            if described is not None:
                inlet = stack.enter_context(MarkerInlet(described, recover=recover_markers))
            publication = None
            if publish is not None:
                sfreq = 1 / step if inlet is None else 0.0
                publication = stack.enter_context(Publication(loaded.classes, sfreq, publish))
            live = cls(
                loaded, signal, inlet, mode=mode, step=step, publication=publication, adapt=adapt
            )
            live._opened = stack.pop_all()
        return live

    def close(self) -> None:
        """Close the streams that :meth:`open` has opened."""
        self._opened.close()

    def __iter__(self) -> Iterator[LiveEvent]:
        """Yield every event as it comes, until the stream has ended for good."""
        return self.events()

    def events(self, seconds: float = float("inf")) -> Iterator[LiveEvent]:
        """Yield every event as it comes.

        Parameters
        ----------
        seconds : float
            End after so long, even while nothing comes.

        Yields
        ------
        LiveDecision, SymbolDecision or EngineEvent

        Raises
        ------
        InputError
            The signal's amplitude contradicts its declared unit.
        OperationError
            The markers are lost for good, or the source's timestamps are no numbers.
        """
        end = time.monotonic() + seconds
        while not self.ended and (left := end - time.monotonic()) > 0:
            yield from self.poll(min(TURN, left))

    def in_thread(self, callback: Callable[[LiveEvent], object]) -> DecodingThread:
        """Decode in a thread for as long as a ``with`` statement lasts.

        Parameters
        ----------
        callback : callable
            Called in that thread with every event. The next samples wait until it returns.

        Returns
        -------
        DecodingThread
            Enter it. An error in the thread is raised at the end of the ``with`` statement.
        """
        return DecodingThread(self, callback)

    def poll(self, timeout: float = TURN) -> list[LiveEvent]:
        """Decode and publish the samples that have arrived.

        Signal at another rate than the declared one is not decoded, nor is one whose timestamps
        stand still.

        Parameters
        ----------
        timeout : float
            How long to wait for a sample (s).

        Returns
        -------
        list of LiveDecision, SymbolDecision or EngineEvent

        Raises
        ------
        InputError, OperationError
            As for :meth:`events`.
        """
        chunk = self.signal.pull(timeout)
        arrival = time.perf_counter()
        events: list[LiveEvent] = [*self._notice(chunk), *self._look(), *self._take_markers(chunk)]
        self._check_amplitude(chunk)
        if len(chunk.timestamps) == 0:
            return events
        if self.signal.rate_is_wrong or self.signal.frozen:
            return events + self._leave_out(chunk)
        breaks = [event.index for event in chunk.events if isinstance(event, Gap | ClockJump)]
        if self._left_out:
            self._left_out = False
            breaks.insert(0, 0)
        for result in self.engine.results(chunk.data, chunk.timestamps, breaks):
            if isinstance(result, Decision):
                events.append(self._publish(result, arrival))
                continue
            if isinstance(result, SymbolDecision) and self._publication is not None:
                self._publication.push_symbol(result)
            events.append(result)
        return events

    def _notice(self, chunk: Chunk) -> list[EngineEvent]:
        """Return what happened to the stream, under its public name."""
        for event in chunk.events:
            if isinstance(event, StreamLost) and not event.recoverable:
                self.ended = event.detail
        return [from_stream(event) for event in chunk.events]

    def _look(self) -> list[EngineEvent]:
        """Look once a second whether markers are in sight, and whether names are taken."""
        now = local_clock()
        if now < self._next_look:
            return []
        self._next_look = now + LOOK_EVERY
        events = [] if self.markers is None else [from_stream(one) for one in self.markers.look()]
        events += [EngineEvent(now, "channels-left-out", note) for note in self._notes]
        self._notes = ()
        if not self._told_mode:
            self._told_mode = True
            detail = "windows are decoded whole: they end early only when they begin at markers"
            events.append(EngineEvent(now, "whole-windows", detail))
        return events if self._publication is None else events + self._publication.look()

    def _take_markers(self, chunk: Chunk) -> list[EngineEvent]:
        # while no sample comes they stay in the inlet: nothing tells how far ahead they are
        if self._feed is None or len(chunk.timestamps) == 0:
            return []
        now = float(chunk.timestamps[-1])
        # a code that stands for nothing in a stream with markers of its own is no news
        codes = chunk.markers if self.markers is None else ()
        return self._feed.take(now, codes, self.signal.clock_shift)

    def _leave_out(self, chunk: Chunk) -> list[EngineEvent]:
        """Decode nothing of a signal whose rate or times are wrong."""
        told, self._left_out = self._left_out or self.signal.frozen, True
        if told:
            return []
        declared, sent = self.signal.sfreq, self.signal.effective_sfreq
        detail = (
            f"the stream declares {declared:g} Hz but sends {sent:.4g} Hz: "
            "nothing is decided until its rate is right"
        )
        return [EngineEvent(float(chunk.timestamps[-1]), "not-decoded", detail)]

    def _publish(self, decision: Decision, arrival: float) -> LiveDecision:
        if self._publication is not None:
            self._publication.push_decision(decision)
        return LiveDecision(
            decision.time,
            decision.label,
            decision.probabilities,
            decision.bad_channels,
            decision.onset,
            decision.truth,
            decision.window,
            decision.lit,
            latency=time.perf_counter() - arrival,
            end_to_end=local_clock() - decision.time,
            symbols=self.engine.symbol_probabilities,
        )

    def _check_amplitude(self, chunk: Chunk) -> None:
        """Compare the first seconds with the unit; while they are flat, the next ones."""
        if self._unchecked is None:
            return
        self._unchecked.append(chunk)
        n_samples = sum(part.data.shape[1] for part in self._unchecked)
        if n_samples >= CHECKED_SECONDS * self.signal.sfreq:
            data = np.concatenate([part.data for part in self._unchecked], axis=1)[self._picks]
            self._unchecked = None
            finding = require_plausible_amplitude(data, self._unit, self.signal.sfreq)
            if finding.verdict == "flat":
                self._unchecked = []


class DecodingThread(Background):
    """Decodes in a thread within a ``with`` statement, and calls a function with every event.

    Parameters
    ----------
    live : LiveDecoder
    callback : callable
    """

    def __init__(self, live: LiveDecoder, callback: Callable[[LiveEvent], object]) -> None:
        self._live, self._callback = live, callback
        self._stopped = False

    def run(self) -> None:
        """Decode until stopped.

        Raises
        ------
        OperationError
            The stream has ended for good.
        """
        while not self._stopped:
            for event in self._live.poll():
                self._callback(event)
            if self._live.ended:
                raise OperationError(f"Nothing is left to decode: {self._live.ended}")

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopped = True
