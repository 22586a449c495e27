"""``sjepa-online evaluate moabb``: our decoders in MOABB's own evaluations."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import numpy as np
import typer

from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    JsonOption,
    ParadigmOption,
    SeedOption,
    WeightsOption,
    print_json,
    say,
)
from sjepa_apps.cli.comparison import make_requests
from sjepa_apps.cli.results import (
    CsvOption,
    OverwriteOption,
    PlotOption,
    check_results,
)


class Evaluation(StrEnum):
    """Which of MOABB's evaluations."""

    WITHIN_SESSION = "within-session"
    CROSS_SESSION = "cross-session"


def moabb(
    dataset: Annotated[str, typer.Option(help="Name of a class in moabb.datasets.")],
    paradigm: ParadigmOption,
    subjects: Annotated[
        list[int] | None, typer.Option("--subjects", help="Subjects; all if not given.")
    ] = None,
    evaluation: Annotated[
        Evaluation,
        typer.Option(help="Cross-validation in each session, or each session in turn as the test."),
    ] = Evaluation.WITHIN_SESSION,
    decoder: DecodersOption = None,
    weights: WeightsOption = "default",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    csv: CsvOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Run MOABB's own evaluation with our decoders.

    MOABB filters without delay, forwards and backwards, which no live decoder can: the scores
    compare with those that others report, not with what decoding online reaches.
    """
    check_results(csv, plot, overwrite)
    from sjepa_online.data.moabb_reader import make_dataset
    from sjepa_online.evaluation.moabb_evaluation import evaluate_moabb
    from sjepa_online.evaluation.plots import plot_scores, save_figure
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    # the shipped populations hold recordings that MOABB's data sets hold too
    requests = make_requests(decoder, weights, seed, device, population="none")
    rows = evaluate_moabb(
        make_dataset(dataset),
        protocol,
        requests,
        subjects=subjects or (),
        evaluation=evaluation.value,
        progress=say,
    )
    scores = {
        request.name: [float(str(row["score"])) for row in rows if row["decoder"] == request.name]
        for request in requests
    }
    measure, chance = measure_of(protocol)
    if json:
        print_json(
            {
                "dataset": dataset,
                "paradigm": protocol.name,
                "evaluation": evaluation.value,
                "measure": measure,
                "chance": chance,
                "decoders": {
                    name: {"score": float(np.mean(values)), "score_std": float(np.std(values))}
                    for name, values in scores.items()
                },
                "rows": list(rows),
            }
        )
    else:
        for name, values in scores.items():
            typer.echo(
                f"{name}: {np.mean(values):.3f} +- {np.std(values):.3f} ({len(values)} sessions)"
            )
    if csv is not None:
        write_csv(csv, rows)
    if plot is not None:
        save_figure(plot_scores(scores, measure, chance), plot)
