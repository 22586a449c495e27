"""A live stream through the engine: pull, decode, publish, and time it."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.markers import SELECTED, StimulusMarker
from sjepa_online.online.engine import STEP, Engine, Mode
from sjepa_online.online.events import Decision, EngineEvent, SymbolDecision
from sjepa_online.signal import require_plausible_amplitude
from sjepa_online.stream import (
    Chunk,
    ClockJump,
    DecisionOutlet,
    Gap,
    Marker,
    MarkerInlet,
    ProbabilityOutlet,
    SignalInlet,
    StreamEvent,
    local_clock,
)

#: Seconds that a marker may be ahead of the signal: a late reader has so much signal before it.
AHEAD = 60.0
#: Seconds between looks for the marker stream, which may send nothing for long.
LOOK_EVERY = 1.0
#: Seconds of signal whose amplitude is compared with the declared unit.
CHECKED_SECONDS = 2.0


def use_one_thread() -> None:
    """Let linear algebra in this process run in one thread, for as long as it lives.

    A decision is made of small matrices: several threads would spend their time, and a second
    core, waiting for each other.
    """
    torch.set_num_threads(1)
    threadpool_limits(limits=1)


@dataclass(frozen=True, slots=True)
class LiveDecision:
    """A decision, and how late it is.

    Attributes
    ----------
    decision : Decision
    latency : float
        Seconds from the arrival of the last needed sample in this process to the published
        decision.
    end_to_end : float
        Seconds from the timestamp of that sample to the published decision.
    """

    decision: Decision
    latency: float
    end_to_end: float


LiveResult = LiveDecision | SymbolDecision | EngineEvent | StreamEvent


class LiveDecoder:
    """Decode an LSL stream and publish what comes out.

    Parameters
    ----------
    decoder : Decoder
    signal : SignalInlet
    markers : MarkerInlet or None
        Needed to decode locked to markers.
    mode, step
        As for :class:`Engine`.
    probabilities, decisions : outlets or None
        Where to publish; None publishes nothing.

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
        mode: Mode = "sliding",
        step: float = STEP,
        probabilities: ProbabilityOutlet | None = None,
        decisions: DecisionOutlet | None = None,
    ) -> None:
        if mode == "markers" and markers is None:
            raise InputError(
                "Decoding locked to markers needs a marker stream",
                value="none",
                remedy="Name it, or decode in a sliding window.",
            )
        picks = decoder.match_channels(signal.ch_names).picks
        self._unit = signal.unit_of([signal.ch_names[index] for index in picks])
        self.engine = Engine(
            decoder, signal.ch_names, signal.sfreq, self._unit, mode=mode, step=step
        )
        self.signal = signal
        self.markers = markers
        self._picks = picks
        self._probabilities = probabilities
        self._decisions = decisions
        self._unchecked: list[Chunk] | None = []
        self._left_out = False
        self._next_look = 0.0

    def poll(self, timeout: float = 0.1) -> list[LiveResult]:
        """Take what has arrived, decode and publish it.

        Signal at another rate than the declared one is not decoded.

        Parameters
        ----------
        timeout : float
            How long to wait for a sample (s).

        Raises
        ------
        InputError
            The signal's amplitude contradicts its declared unit.
        """
        chunk = self.signal.pull(timeout)
        arrival = time.perf_counter()
        results: list[LiveResult] = [*chunk.events, *self._look(), *self._take_markers(chunk)]
        self._check_amplitude(chunk)
        if len(chunk.timestamps) == 0:
            return results
        if self.signal.rate_is_wrong:
            return results + self._leave_out(chunk)
        breaks = [event.index for event in chunk.events if isinstance(event, Gap | ClockJump)]
        if self._left_out:
            self._left_out = False
            breaks.insert(0, 0)
        for result in self.engine.results(chunk.data, chunk.timestamps, breaks):
            if isinstance(result, Decision):
                results.append(self._publish(result, arrival))
                continue
            if isinstance(result, SymbolDecision) and self._decisions is not None:
                selected = StimulusMarker(SELECTED, result.symbol)
                self._decisions.push(str(selected), result.time)
            results.append(result)
        return results

    def _look(self) -> list[StreamEvent]:
        """Look once a second whether the markers are still in sight."""
        if self.markers is None or local_clock() < self._next_look:
            return []
        self._next_look = local_clock() + LOOK_EVERY
        return self.markers.look()

    def _take_markers(self, chunk: Chunk) -> list[EngineEvent]:
        """Hand the markers over but for those whose time is none of the signal's clock."""
        # while no sample comes they stay in the inlet: nothing tells how far ahead they are
        if self.markers is None or len(chunk.timestamps) == 0:
            return []
        ignored = []
        now = float(chunk.timestamps[-1])
        for marker in self.markers.pull():
            if -math.inf < marker.time <= now + AHEAD:
                self.engine.push_marker(marker.label, marker.time)
            else:
                ignored.append(_ignored(marker, now))
        return ignored

    def _leave_out(self, chunk: Chunk) -> list[LiveResult]:
        """Decode nothing of a signal whose rate is wrong: all its frequencies would be."""
        if self._left_out:
            return []
        self._left_out = True
        declared, sent = self.signal.sfreq, self.signal.effective_sfreq
        detail = (
            f"the stream declares {declared:g} Hz but sends {sent:.4g} Hz: "
            "nothing is decided until its rate is right"
        )
        return [EngineEvent(float(chunk.timestamps[-1]), "not-decoded", detail)]

    def _publish(self, decision: Decision, arrival: float) -> LiveDecision:
        if self._probabilities is not None:
            self._probabilities.push(list(decision.probabilities.values()), decision.time)
        if self._decisions is not None:
            self._decisions.push(decision.label, decision.time)
        return LiveDecision(decision, time.perf_counter() - arrival, local_clock() - decision.time)

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


def _ignored(marker: Marker, now: float) -> EngineEvent:
    return EngineEvent(
        now,
        "marker-ignored",
        f"the marker {marker.label!r} is left out: its time is {marker.time:.3f} s, the signal's "
        f"{now:.3f} s, so they are of two clocks",
    )
