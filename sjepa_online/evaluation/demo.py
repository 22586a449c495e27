"""The whole loop on this machine: calibrate on recorded sessions, decode another one live."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sjepa_online.data import load_sources
from sjepa_online.decoding import Decoder, DecoderRequest
from sjepa_online.errors import OperationError
from sjepa_online.online.events import EngineEvent, LiveDecision
from sjepa_online.online.live import LiveDecoder, use_one_thread
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.stream import Replay
from sjepa_online.training import N_FOLDS, calibrate

#: The protocol of the recordings that ship with the project.
SAMPLE_PROTOCOL = "ssvep-exo"
CALIBRATION_SOURCES = ["sample:1", "sample:2"]
LIVE_SOURCE = "sample:3"


@dataclass
class DemoOutcome:
    """The decisions on the replayed session.

    Attributes
    ----------
    correct : list of bool
        One entry a trial.
    latency_ms : list of float
        Latencies of decisions.
    lost : int
        Samples that did not arrive.
    """

    correct: list[bool] = field(default_factory=list)
    latency_ms: list[float] = field(default_factory=list)
    lost: int = 0


#: Decodes a replay until it is over.
DemoDecoding = Callable[[Decoder, Replay], DemoOutcome]
#: Shows progress: takes a title and the number of steps, gives what to call after each.
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


def run_demo(
    speed: float,
    progress: Progress,
    tell: Callable[[str], None],
    decode: DemoDecoding | None = None,
) -> dict[str, Any]:
    """Calibrate on the first sessions of the sample and decode the last one live over LSL.

    Parameters
    ----------
    speed : float
        Seconds of recording a second.
    progress, tell : callable
        Take what people want to know meanwhile.
    decode : callable or None
        What decodes the replay; None: this process, without a window.

    Returns
    -------
    dict
        The JSON document of ``demo``, without the duration.

    Raises
    ------
    OperationError
        No trial was decoded.
    """
    protocol = load_protocol(SAMPLE_PROTOCOL)
    tell("1 of 2: two recorded sessions of one person calibrate the decoder")
    with progress("Calibrating on two recorded sessions", N_FOLDS + 1) as advance:
        calibration = calibrate(
            load_sources(CALIBRATION_SOURCES),
            protocol,
            PreprocessorConfig(),
            DecoderRequest(),
            progress=advance,
        )
    (recording,) = load_sources([LIVE_SOURCE])
    seconds = recording.data.shape[1] / recording.sfreq / speed
    tell(f"2 of 2: the third session is replayed over LSL and decoded, for {seconds:.0f} s")
    # two demos on one machine must not see each other
    name = f"sjepa-online-demo-{os.getpid()}"
    trials = sum(protocol.class_of(label) is not None for label in recording.labels)
    with Replay([recording], name=name, speed=speed, wait_for_consumers=60.0) as replay:
        if decode is None:
            with progress("Decoding a third session live over LSL", trials) as advance:
                outcome = decode_headless(
                    calibration.decoder, replay, recording.data.shape[1], advance, tell
                )
        else:
            tell("The live window opens; close it after the replay to read the score")
            outcome = decode(calibration.decoder, replay)
    if not outcome.correct:
        raise OperationError("No trial was decoded: see the messages above")
    return {
        "paradigm": protocol.name,
        "source": LIVE_SOURCE,
        "n_calibration": calibration.decoder.calibration.n_trials,
        "n_decoded": len(outcome.correct),
        "accuracy": sum(outcome.correct) / len(outcome.correct),
        "chance": 1 / len(protocol.classes),
        "latency_ms": {
            "p50": float(np.percentile(outcome.latency_ms, 50)),
            "p99": float(np.percentile(outcome.latency_ms, 99)),
        },
        "samples_lost": outcome.lost,
    }


def decode_headless(
    decoder: Decoder,
    replay: Replay,
    n_samples: int,
    advance: Callable[[], None],
    tell: Callable[[str], None],
) -> DemoOutcome:
    """Decode a replay of ``n_samples`` in this process and compare with its labels.

    Parameters
    ----------
    decoder : Decoder
    replay : Replay
    n_samples : int
        Samples until it is over.
    advance : callable
        Called after each decision.
    tell : callable
        Takes what happens to stream and channels.

    Returns
    -------
    DemoOutcome
    """
    use_one_thread()
    outcome = DemoOutcome()
    with LiveDecoder.open(decoder, replay.name, replay.marker_name, mode="markers") as live:
        while live.signal.received < n_samples and not live.signal.lost:
            for event in live.poll():
                if isinstance(event, LiveDecision):
                    outcome.correct.append(event.label == event.truth)
                    outcome.latency_ms.append(1e3 * event.latency)
                    advance()
                elif isinstance(event, EngineEvent):
                    tell(event.detail)
        outcome.lost = n_samples - live.signal.received
    return outcome
