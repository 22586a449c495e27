"""``sjepa-online evaluate moabb``: our decoders in MOABB's own evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import typer

from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    SeedOption,
    WeightsOption,
    echo,
    print_json,
    say,
)
from sjepa_apps.cli.evaluate.comparison import CsvOption, PlotOption, check_results, make_requests

if TYPE_CHECKING:
    from sjepa_online.evaluation.moabb_statistics import PairedComparison
    from sjepa_online.evaluation.tables import Row

#: Scores of each decoder.
Scores = Mapping[str, Sequence[float]]


def moabb(
    dataset: Annotated[
        list[str],
        typer.Option(
            help="Name of a class in moabb.datasets; repeat for statistics over data sets."
        ),
    ],
    paradigm: ParadigmOption,
    subjects: Annotated[
        list[int] | None, typer.Option("--subjects", help="Subjects, by number; all by default.")
    ] = None,
    evaluation: Annotated[
        Literal["within-session", "cross-session"],
        typer.Option(help="Cross-validation in each session, or each session in turn as the test."),
    ] = "within-session",
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

    MOABB filters forwards and backwards, which no live decoder can do. Compare these scores with
    published ones, not with those of online decoding.
    """
    check_results(csv, plot, overwrite)
    from sjepa_online.data.moabb_reader import make_dataset
    from sjepa_online.evaluation.moabb_evaluation import evaluate_moabb
    from sjepa_online.evaluation.moabb_statistics import compare_decoders
    from sjepa_online.evaluation.plots import plot_scores, save_figure
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    # the shipped populations hold recordings that MOABB's data sets hold too
    requests = make_requests(decoder, weights, seed, device, population="none")
    rows = [
        row
        for found in [make_dataset(name) for name in dict.fromkeys(dataset)]
        for row in evaluate_moabb(
            found,
            protocol,
            requests,
            subjects=subjects or (),
            evaluation=evaluation,
            progress=say,
        )
    ]
    compared = compare_decoders(rows)
    scores = {
        request.name: [float(str(row["score"])) for row in rows if row["decoder"] == request.name]
        for request in requests
    }
    chance = 1 / len(protocol.classes)
    if json:
        described = {"dataset": ", ".join(dataset), "paradigm": protocol.name}
        print_json(
            described | {"evaluation": evaluation} | _document(scores, chance, compared, rows)
        )
    else:
        _print(scores, chance, compared)
    if csv is not None:
        write_csv(csv, rows)
    if plot is not None:
        save_figure(plot_scores(scores, "score", chance), plot)


def _document(
    scores: Scores, chance: float, compared: Sequence[PairedComparison], rows: Sequence[Row]
) -> dict[str, object]:
    return {
        "decoders": {
            name: {
                "score": float(np.mean(values)),
                "score_std": float(np.std(values)),
                "chance": chance,
            }
            for name, values in scores.items()
        },
        "comparisons": [comparison.to_json() for comparison in compared],
        "rows": list(rows),
    }


def _print(scores: Scores, chance: float, compared: Sequence[PairedComparison]) -> None:
    for name, values in scores.items():
        echo(
            f"{name}: {np.mean(values):.3f} +- {np.std(values):.3f} (chance {chance:.2f}, "
            f"{len(values)} sessions)"
        )
    for item in compared:
        echo(
            f"{item.dataset or 'all data sets'}: {item.better} over {item.worse}: effect "
            f"{item.effect:.2f} standard deviations, p = {item.p:.2g} (one-sided, "
            f"{item.n_subjects} subjects)"
        )
