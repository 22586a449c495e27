"""``sjepa-online evaluate corruption``: decoding while electrodes fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    PopulationOption,
    SeedOption,
    TestOption,
    TrainOption,
    WeightsOption,
    echo,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import (
    CsvOption,
    PlotOption,
    SeedsOption,
    check_results,
    load_comparison,
    make_requests,
)
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.evaluation.bad_channels.corruption import CorruptionScores, CorruptionSettings


FaultName = Literal["noise", "flat", "drift", "mains", "pop", "swap", "dropped", "rail", "gain"]


@describes_signal(files=True)
def corruption(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
    kind: Annotated[
        FaultName, typer.Option(help="Fault that the corrupted channels have.")
    ] = "noise",
    gain: Annotated[
        float, typer.Option(min=1, help="With --kind gain: factor of the amplitude.")
    ] = 10.0,
    fractions: Annotated[
        str,
        typer.Option(
            help="Shares of the channels that are corrupted, with commas between; or 'each': no "
            "channel, then each channel alone."
        ),
    ] = "0,0.125,0.25,0.5",
    draws: Annotated[
        int, typer.Option(min=1, help="Random choices of the channels per share and seed.")
    ] = 5,
    detection: Annotated[
        Literal["monitor", "known"],
        typer.Option(help="Bad channels are found by the monitor, or known in advance."),
    ] = "monitor",
    seeds: SeedsOption = 1,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    csv: CsvOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Score decoders while channels are bad, with and without an estimate of their signal."""
    shares = parse_fractions(fractions)
    check_results(csv, plot, overwrite)
    from sjepa_online.evaluation.bad_channels.corruption import (
        CorruptionSettings,
        Side,
        evaluate_corruption,
        n_steps,
        to_json,
    )
    from sjepa_online.evaluation.plots import plot_corruption, save_figure
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig

    settings = CorruptionSettings(kind, shares, draws, detection, gain)
    protocol = load_protocol(paradigm)
    requests = make_requests(decoder, weights, seed, device, population)
    compared = load_comparison(protocol, train, test, requests, amplifier)
    training = Side(compared.train, compared.training)
    testing = Side(compared.test, compared.testing)
    steps = seeds * n_steps(settings, len(compared.training.ch_names))
    results = {}
    with progress_bar(f"Decoding with {kind} channels", steps * len(requests)) as advance:
        for request in compared.requests:
            results[request.name] = evaluate_corruption(
                training, testing, PreprocessorConfig(), request, settings, seeds, advance
            )
    measure, chance = measure_of(protocol)
    if json:
        judged = {"measure": measure, "chance": chance, "n_test": len(compared.testing.y)}
        print_json(to_json(settings, results) | judged)
    else:
        typer.echo(f"{measure}, chance {chance:.2f}, {len(compared.testing.y)} trials")
        for name, result in results.items():
            _print_table(name, settings, result)
    if csv is not None:
        write_csv(csv, [row for name, result in results.items() for row in result.rows(name)])
    if plot is not None:
        realised = results[requests[0].name].realised
        curves = {name: result.curves for name, result in results.items()}
        save_figure(plot_corruption(curves, realised, f"{measure}, {settings}", chance), plot)


def parse_fractions(text: str) -> tuple[float, ...] | Literal["each"]:
    """Read ``0,0.25,0.5`` or ``each``.

    Parameters
    ----------
    text : str

    Returns
    -------
    fractions : tuple of float, or "each"

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
            "These fractions are not all numbers from 0 to below 1",
            value=text,
            remedy="Write them with commas between, as in --fractions 0,0.125,0.25,0.5, or 'each'.",
        )
    return fractions


def _print_table(name: str, settings: CorruptionSettings, result: CorruptionScores) -> None:
    from statistics import fmean, pstdev

    shares = "".join(f"{share:>14.3f}" for share in result.realised)
    echo(f"{name}, {settings}: share {shares}")
    for label, rows in result.curves.items():
        told = "".join(f"  {fmean(draws):.3f} +- {pstdev(draws):.2f}" for draws in rows)
        echo(f"  {label:>8}{told}")
