"""``sjepa-online evaluate learning-curve``: how many calibration trials are worth recording."""

from __future__ import annotations

import numpy as np

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
from sjepa_apps.cli.evaluate.comparison import (
    CsvOption,
    PlotOption,
    SeedsOption,
    check_results,
    load_comparison,
    make_requests,
)


def learning_curve(
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
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
    """Train on an increasing number of trials, and test on other recordings."""
    check_results(csv, plot, overwrite)
    from sjepa_online.evaluation import learning_curve as curves
    from sjepa_online.evaluation.plots import plot_curves, save_figure
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    requests = make_requests(decoder, weights, seed, device, population)
    compared = load_comparison(protocol, train, test, requests)
    training, testing, requests = compared.training, compared.testing, compared.requests
    shares = curves.usable_shares(training.y, protocol.class_names)
    n_fits = len(shares) * len(requests) * seeds
    with progress_bar("Evaluating", n_fits) as advance:
        points = curves.learning_curve(training, testing, requests, seeds, advance)
    sizes = [point.n_trials for point in points]
    scores = {
        request.name: [point.scores[request.name].score for point in points] for request in requests
    }
    measure, chance = measure_of(protocol)
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "measure": measure,
                "chance": chance,
                "n_trials": sizes,
                "n_test": len(testing.y),
                "decoders": scores,
            }
        )
    else:
        for name, values in scores.items():
            told = ", ".join(
                f"{size}: {np.mean(one):.3f}" for size, one in zip(sizes, values, strict=True)
            )
            echo(f"{name}: {measure} by trials {told} (chance {chance:.2f})")
    if csv is not None:
        write_csv(
            csv,
            [
                {"n_trials": point.n_trials, **row}
                for point in points
                for name, result in point.scores.items()
                for row in result.rows(name)
            ],
        )
    if plot is not None:
        curve = {name: (sizes, values) for name, values in scores.items()}
        save_figure(plot_curves(curve, measure, chance), plot)
