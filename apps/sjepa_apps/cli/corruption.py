"""``sjepa-online evaluate corruption``: decoding while electrodes fail."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

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
)
from sjepa_apps.cli.comparison import load_sides
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.evaluation.corruption import CorruptionScores, CorruptionSettings


class FaultName(StrEnum):
    """What is wrong with the channels."""

    NOISE = "noise"
    FLAT = "flat"
    DRIFT = "drift"
    MAINS = "mains"
    POP = "pop"
    SWAP = "swap"
    DROPPED = "dropped"
    RAIL = "rail"
    GAIN = "gain"


class DetectionName(StrEnum):
    """Who says which channels are bad."""

    MONITOR = "monitor"
    KNOWN = "known"


def corruption(
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
    kind: Annotated[FaultName, typer.Option(help="What is wrong.")] = FaultName.NOISE,
    gain: Annotated[
        float, typer.Option(min=1, help="Times its amplitude, for the kind gain.")
    ] = 100.0,
    fractions: Annotated[
        str,
        typer.Option(
            help="Shares of the channels, with commas between; or 'each': none, and each channel "
            "by itself."
        ),
    ] = "0,0.125,0.25,0.5",
    draws: Annotated[int, typer.Option(min=1, help="Draws of the channels a share.")] = 5,
    detection: Annotated[
        DetectionName, typer.Option(help="Let the monitor find them, or tell the decoder.")
    ] = DetectionName.MONITOR,
    weights: WeightsOption = "default",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    plot: Annotated[Path | None, typer.Option(help="PNG or SVG file to draw.")] = None,
    json: JsonOption = False,
) -> None:
    """Score decoders while a share of the channels is corrupted, and what compensates for it."""
    from sjepa_online.decoding import DEFAULT_DECODER, DecoderRequest
    from sjepa_online.evaluation.corruption import (
        CorruptionSettings,
        evaluate_corruption,
        n_steps,
        plot_corruption,
        to_json,
    )
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig, pick_eeg_channels

    settings = CorruptionSettings(
        kind.value, parse_fractions(fractions), draws, detection.value, gain
    )
    protocol = load_protocol(paradigm)
    requests = [
        DecoderRequest(name, weights, seed, device) for name in decoder or [DEFAULT_DECODER]
    ]
    training, testing = load_sides(train, test)
    n_channels = len(pick_eeg_channels(training[0].ch_names).eeg)
    total = len(requests) * n_steps(settings, n_channels)
    results = {}
    with progress_bar(f"Decoding with {kind.value} channels", total) as advance:
        for request in requests:
            results[request.name] = evaluate_corruption(
                training, testing, protocol, PreprocessorConfig(), request, settings, advance
            )
    if plot is not None:
        plot_corruption(plot, settings, results)
    if json:
        print_json(to_json(settings, results))
        return
    for name, result in results.items():
        _print_table(name, settings, result)


def parse_fractions(text: str) -> tuple[float, ...] | Literal["each"]:
    """Read ``0,0.25,0.5`` or ``each``.

    Raises
    ------
    InputError
        Something is not a number from 0 to below 1.
    """
    if text == "each":
        return "each"
    try:
        fractions = tuple(float(part) for part in text.split(","))
    except ValueError:
        fractions = (-1.0,)
    if not all(0 <= fraction < 1 for fraction in fractions):
        raise InputError(
            "Fractions are numbers from 0 to below 1 with commas between, or 'each'",
            value=text,
            remedy="For example --fractions 0,0.125,0.25,0.5.",
        )
    return fractions


def _print_table(name: str, settings: CorruptionSettings, result: CorruptionScores) -> None:
    from statistics import fmean, pstdev

    shares = "".join(f"{fraction:>14.3f}" for fraction in result.fractions)
    typer.echo(f"{name}, {settings}: share {shares}")
    for label, rows in (*result.strategies.items(), ("oracle", result.oracle)):
        told = "".join(f"  {fmean(draws):.3f} +- {pstdev(draws):.2f}" for draws in rows)
        typer.echo(f"  {label:>8}{told}")
