"""``sjepa-online evaluate``: how well and how fast, on the user's own recordings and machine."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from sjepa_apps.cli.checks import check_decoder_name, check_paradigm
from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    EarlyOption,
    JsonOption,
    ParadigmOption,
    PopulationOption,
    SeedOption,
    TestOption,
    TrainOption,
    WeightsOption,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.comparison import load_comparison, make_requests
from sjepa_apps.cli.corruption import corruption
from sjepa_apps.cli.display import display
from sjepa_apps.cli.grid import grid
from sjepa_apps.cli.learning_curve import learning_curve
from sjepa_apps.cli.moabb import moabb
from sjepa_apps.cli.monitor import monitor
from sjepa_apps.cli.results import (
    CsvOption,
    OverwriteOption,
    PlotOption,
    SeedsOption,
    check_results,
)
from sjepa_apps.cli.spelling import spelling
from sjepa_apps.cli.windows import paint_offscreen_without_display

app = typer.Typer(help="Scores, latency, and comparisons.", no_args_is_help=True)
app.command()(corruption)
app.command()(display)
app.command("learning-curve")(learning_curve)
app.command()(grid)
app.command()(moabb)
app.command()(monitor)
app.command()(spelling)


@app.command()
def scores(
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
    seeds: SeedsOption = 1,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    early_stopping: EarlyOption = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    csv: CsvOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Train decoders on some recordings and test them on others, side by side."""
    check_results(csv, plot, overwrite)
    from sjepa_online.evaluation.early import evaluate_early
    from sjepa_online.evaluation.plots import plot_scores, save_figure
    from sjepa_online.evaluation.scores import evaluate_scores
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    requests = make_requests(decoder, weights, seed, device, population)
    compared = load_comparison(protocol, train, test, requests)
    training, testing, requests = compared.training, compared.testing, compared.requests
    steps = len(requests) * (seeds + early_stopping)
    entries = {}
    with progress_bar("Evaluating", steps) as advance:
        results = evaluate_scores(training, testing, requests, seeds, advance)
        for request in requests:
            seconds = protocol.window.start + protocol.window.length
            entry = results[request.name].to_json(len(protocol.classes), seconds)
            if early_stopping:
                entry["early"] = evaluate_early(training, testing, request)
                advance()
            entries[request.name] = entry
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "classes": list(protocol.class_names),
                "n_train": len(training.y),
                "n_test": len(testing.y),
                "sfreq": compared.sfreq,
                "n_channels": len(training.ch_names),
                "decoders": entries,
            }
        )
    else:
        _print_scores(entries)
    if csv is not None:
        write_csv(csv, [row for name, result in results.items() for row in result.rows(name)])
    if plot is not None:
        seeded = {name: result.score for name, result in results.items()}
        save_figure(plot_scores(seeded, *measure_of(protocol)), plot)


def _print_scores(entries: dict[str, dict[str, Any]]) -> None:
    for name, entry in entries.items():
        area = f", AUC {entry['roc_auc']:.3f}" if "roc_auc" in entry else ""
        typer.echo(
            f"{name}: accuracy {entry['accuracy']:.3f} +- {entry['accuracy_std']:.3f}{area}, "
            f"{entry['itr_bits_per_min']:.1f} bits/min, fitted in {entry['fit_s']:.1f} s"
        )
        if "early" in entry:
            typer.echo(
                f"  deciding early: accuracy {entry['early']['accuracy']:.3f} after "
                f"{entry['early']['decision_s']:.1f} s, "
                f"{entry['early']['itr_bits_per_min']:.1f} bits/min"
            )


@app.command()
def latency(
    paradigm: Annotated[
        str,
        typer.Option(
            "--paradigm", "-p", callback=check_paradigm, help="Protocol whose window is decoded."
        ),
    ] = "mi",
    decoder: Annotated[
        str, typer.Option(callback=check_decoder_name, help="Decoder to time.")
    ] = "pre-local",
    channels: Annotated[int, typer.Option(min=1, max=62, help="Channels of the stream.")] = 62,
    sfreq: Annotated[
        float, typer.Option(min=100.0, max=4000.0, help="Rate of the stream in Hz.")
    ] = 1000.0,
    seconds: Annotated[
        float, typer.Option(min=1.0, max=86400.0, help="How long to decode.")
    ] = 60.0,
    weights: WeightsOption = "default",
    device: DeviceOption = "auto",
    with_window: Annotated[
        bool, typer.Option("--with-window", help="Decode in the live window, and time it as well.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Time decisions on a simulated stream through real LSL."""
    from sjepa_online.decoding import DecoderRequest
    from sjepa_online.decoding.sjepa import choose_device
    from sjepa_online.evaluation.latency import TimedDecoding, measure_latency
    from sjepa_online.protocol import load_protocol

    request = DecoderRequest(decoder, weights, 0, choose_device(device))
    decode: TimedDecoding | None = None
    if with_window:
        paint_offscreen_without_display()
        from sjepa_apps.live.benchmark import decode_in_window

        decode = decode_in_window
    with progress_bar("Decoding simulated noise over LSL", round(seconds)) as advance:
        result = measure_latency(
            load_protocol(paradigm), request, channels, sfreq, seconds, advance, decode
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
    if with_window:
        window = result["window"]
        typer.echo(
            f"window: {window['frames_per_s']:.1f} frames a second, longest gap "
            f"{window['longest_gap_ms']:.0f} ms, memory grew by "
            f"{window['memory_growth_mb']:.1f} MB, {100 * window['cpu_share']:.0f} % of a core"
        )
