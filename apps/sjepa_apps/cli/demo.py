"""``sjepa-online demo``: the whole loop on this machine, with no hardware."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from sjepa_apps.cli.common import (
    JsonOption,
    LslScope,
    configure_lsl,
    print_json,
    progress_bar,
    say,
)
from sjepa_online.errors import InputError, OperationError

#: The protocol of the recordings that ship with the project.
SAMPLE_PROTOCOL = "ssvep-exo"
CALIBRATION_SOURCES = ["sample:1", "sample:2"]
LIVE_SOURCE = "sample:3"


def demo(
    paradigm: Annotated[
        str, typer.Option("--paradigm", "-p", help="Protocol of the demo; ssvep-exo.")
    ] = SAMPLE_PROTOCOL,
    headless: Annotated[bool, typer.Option(help="Open no window.")] = False,
    speed: Annotated[
        float, typer.Option(min=0.1, max=8.0, help="Seconds of recording in a second.")
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
    configure_lsl(LslScope.MACHINE)
    started = time.monotonic()
    result = run_demo(speed)
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


def run_demo(speed: float) -> dict[str, Any]:
    """Run the loop and return the JSON document of the demo, without its duration."""
    import numpy as np

    from sjepa_online.data import load_sources
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.online import SymbolDecision
    from sjepa_online.online.live import LiveDecision, LiveDecoder, use_one_thread
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.stream import MarkerInlet, Replay, SignalInlet, resolve_stream
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
    trials = sum(protocol.class_of(label) is not None for label in recording.labels)
    use_one_thread()
    decisions: list[LiveDecision] = []
    replay = Replay([recording], name="sjepa-online-demo", speed=speed, wait_for_consumers=20.0)
    with (
        progress_bar("Decoding a third session live over LSL", trials) as advance,
        replay,
        SignalInlet(resolve_stream(replay.name)) as signal,
        MarkerInlet(resolve_stream(replay.marker_name, kind="markers")) as markers,
    ):
        live = LiveDecoder(calibration.decoder, signal, markers, mode="markers")
        n_samples = recording.data.shape[1]
        while signal.received < n_samples and not signal.lost:
            for result in live.poll():
                if isinstance(result, LiveDecision):
                    decisions.append(result)
                    advance()
                elif not isinstance(result, SymbolDecision):
                    say(result.detail)
    if not decisions:
        raise OperationError("No trial was decoded: see the messages above")
    latencies = 1e3 * np.array([result.latency for result in decisions])
    correct = [result.decision.label == result.decision.truth for result in decisions]
    return {
        "paradigm": protocol.name,
        "source": LIVE_SOURCE,
        "n_calibration": calibration.decoder.calibration.n_trials,
        "n_decoded": len(decisions),
        "accuracy": float(np.mean(correct)),
        "chance": 1 / len(protocol.classes),
        "latency_ms": {
            "p50": float(np.percentile(latencies, 50)),
            "p99": float(np.percentile(latencies, 99)),
        },
        "samples_lost": n_samples - signal.received,
    }
