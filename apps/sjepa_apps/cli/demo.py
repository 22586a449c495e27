"""``sjepa-online demo``: the whole loop on this machine, with no hardware."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sjepa_apps.cli.common import (
    JsonOption,
    configure_lsl,
    print_json,
    progress_bar,
    say,
)
from sjepa_apps.cli.windows import display_problem, has_packages
from sjepa_online.errors import InputError, OperationError

if TYPE_CHECKING:
    from sjepa_online.decoding import Decoder
    from sjepa_online.stream import Replay

#: The protocol of the recordings that ship with the project.
SAMPLE_PROTOCOL = "ssvep-exo"
CALIBRATION_SOURCES = ["sample:1", "sample:2"]
LIVE_SOURCE = "sample:3"


@dataclass
class DemoOutcome:
    """What decoding the replayed session gave.

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


def demo(
    paradigm: Annotated[
        str, typer.Option("--paradigm", "-p", help="Protocol of the demo; ssvep-exo.")
    ] = SAMPLE_PROTOCOL,
    headless: Annotated[bool, typer.Option(help="Open no window.")] = False,
    speed: Annotated[
        float,
        typer.Option(min=0.1, max=8.0, help="Seconds of recording per second: 1 is real time."),
    ] = 4.0,
    json: JsonOption = False,
) -> None:
    """Calibrate on two recorded sessions, decode a third live over LSL, compare with the truth."""
    if paradigm != SAMPLE_PROTOCOL:
        raise InputError(
            "The demo replays the recordings that ship with the project",
            value=f"--paradigm {paradigm}",
            remedy=f"Leave it out or say {SAMPLE_PROTOCOL}; `replay` takes any recording.",
        )
    configure_lsl("machine")
    started = time.monotonic()
    result = run_demo(speed, in_window=not headless and _can_show())
    result["seconds"] = time.monotonic() - started
    if json:
        print_json(result)
        return
    typer.echo(
        f"{result['n_decoded']} trials decoded live: accuracy {result['accuracy']:.2f} "
        f"(chance {result['chance']:.2f}), decision latency {result['latency_ms']['p50']:.1f} ms "
        f"(p99 {result['latency_ms']['p99']:.1f} ms), {result['samples_lost']} samples lost, "
        f"{result['seconds']:.0f} s in all."
    )


def _can_show() -> bool:
    problem = display_problem() if has_packages() else "PyQt6 and pyqtgraph are not installed"
    if problem:
        say(f"No window opens here ({problem}): the demo goes on without.")
    return not problem


def run_demo(speed: float, *, in_window: bool = False) -> dict[str, Any]:
    """Run the loop and return the JSON document of the demo, without its duration.

    In the live window it goes on until the window is closed.
    """
    import numpy as np

    from sjepa_online.data import load_sources
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.stream import Replay
    from sjepa_online.training import N_FOLDS, calibrate

    protocol = load_protocol(SAMPLE_PROTOCOL)
    with progress_bar("Calibrating on two recorded sessions", N_FOLDS + 1) as advance:
        calibration = calibrate(
            load_sources(CALIBRATION_SOURCES),
            protocol,
            PreprocessorConfig(),
            DecoderRequest(),
            progress=advance,
        )
    (recording,) = load_sources([LIVE_SOURCE])
    # two demos on one machine must not see each other
    name = f"sjepa-online-demo-{os.getpid()}"
    replay = Replay([recording], name=name, speed=speed, wait_for_consumers=60.0)
    trials = sum(protocol.class_of(label) is not None for label in recording.labels)
    with replay:
        if in_window:
            from sjepa_apps.live.demo import decode_in_window

            outcome = decode_in_window(calibration.decoder, replay)
        else:
            outcome = _decode_headless(calibration.decoder, replay, recording.data.shape[1], trials)
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


def _decode_headless(
    decoder: Decoder, replay: Replay, n_samples: int, n_trials: int
) -> DemoOutcome:
    from sjepa_online.online import SymbolDecision
    from sjepa_online.online.live import LiveDecision, LiveDecoder, use_one_thread
    from sjepa_online.stream import MarkerInlet, SignalInlet, resolve_stream

    use_one_thread()
    outcome = DemoOutcome()
    with (
        progress_bar("Decoding a third session live over LSL", n_trials) as advance,
        SignalInlet(resolve_stream(replay.name)) as signal,
        MarkerInlet(resolve_stream(replay.marker_name, kind="markers")) as markers,
    ):
        live = LiveDecoder(decoder, signal, markers, mode="markers")
        while signal.received < n_samples and not signal.lost:
            for result in live.poll():
                if isinstance(result, LiveDecision):
                    outcome.correct.append(result.decision.label == result.decision.truth)
                    outcome.latency_ms.append(1e3 * result.latency)
                    advance()
                elif not isinstance(result, SymbolDecision):
                    say(result.detail)
    outcome.lost = n_samples - signal.received
    return outcome
