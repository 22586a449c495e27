"""``sjepa-online evaluate``: how well and how fast, on the user's own recordings and machine."""

from __future__ import annotations

from typing import Annotated

import typer

from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    JsonOption,
    ParadigmOption,
    SeedOption,
    TestOption,
    TrainOption,
    WeightsOption,
    print_json,
    progress_bar,
    say,
)
from sjepa_apps.cli.corruption import corruption
from sjepa_apps.cli.monitor import monitor

app = typer.Typer(help="Scores, latency, and comparisons.", no_args_is_help=True)
app.command()(corruption)
app.command()(monitor)

SeedsOption = Annotated[int, typer.Option(min=1, help="Number of seeds.")]


@app.command()
def scores(
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
    seeds: SeedsOption = 1,
    weights: WeightsOption = "default",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Train decoders on some recordings and test them on others, side by side."""
    from sjepa_online.data import load_sources, make_trials
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest
    from sjepa_online.evaluation.scores import evaluate_scores
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig

    protocol = load_protocol(paradigm)
    requests = [
        DecoderRequest(name, weights, seed, device)
        for name in decoder or [DEFAULT_DECODER, "riemann"]
    ]
    preprocessing = PreprocessorConfig()
    training = make_trials(load_sources(train), protocol, preprocessing)
    recordings = load_sources(test)
    testing = make_trials(recordings, protocol, preprocessing, training.ch_names)
    for reason in (*training.dropped, *testing.dropped):
        say(f"left out: {reason}")
    with progress_bar("Evaluating", len(requests) * seeds) as advance:
        results = evaluate_scores(training, testing, requests, seeds, advance)
    classes = protocol.class_names
    entries = {
        name: result.to_json(len(classes), protocol.window.start + protocol.window.length)
        for name, result in results.items()
    }
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "classes": list(classes),
                "n_train": len(training.y),
                "n_test": len(testing.y),
                "sfreq": recordings[0].sfreq,
                "n_channels": len(training.ch_names),
                "decoders": entries,
            }
        )
        return
    for name, entry in entries.items():
        area = f", AUC {entry['roc_auc']:.3f}" if "roc_auc" in entry else ""
        typer.echo(
            f"{name}: accuracy {entry['accuracy']:.3f} +- {entry['accuracy_std']:.3f}{area}, "
            f"{entry['itr_bits_per_min']:.1f} bits/min, fitted in {entry['fit_s']:.1f} s"
        )


@app.command()
def latency(
    paradigm: Annotated[
        str, typer.Option("--paradigm", "-p", help="Protocol whose window is decoded.")
    ] = "mi",
    decoder: Annotated[str, typer.Option(help="Decoder to time.")] = "pre-local",
    channels: Annotated[int, typer.Option(min=1, help="Channels of the stream.")] = 62,
    sfreq: Annotated[float, typer.Option(help="Rate of the stream in Hz.")] = 1000.0,
    seconds: Annotated[float, typer.Option(min=1.0, help="How long to decode.")] = 60.0,
    weights: WeightsOption = "default",
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Time decisions on a simulated stream through real LSL."""
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.decoding.sjepa import choose_device
    from sjepa_online.evaluation.latency import measure_latency
    from sjepa_online.protocol import load_protocol

    request = DecoderRequest(decoder, weights, 0, choose_device(device))
    with progress_bar("Decoding simulated noise over LSL", round(seconds)) as advance:
        result = measure_latency(
            load_protocol(paradigm), request, channels, sfreq, seconds, advance
        )
    if json:
        print_json(result)
        return
    for name in ("decision_ms", "end_to_end_ms"):
        told = ", ".join(f"{key} {value:.2f}" for key, value in result[name].items())
        typer.echo(f"{name}: {told}")
    typer.echo(
        f"{result['decisions']} decisions, {result['samples_received']} of "
        f"{result['samples_sent']} samples, {100 * result['cpu_share']:.0f} % of a core"
    )
