"""``sjepa-online evaluate grid``: the paper's heads, strategies and weights, ranked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sjepa_apps.cli.checks import check_sources
from sjepa_apps.cli.common import (
    DeviceOption,
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    SeedOption,
    echo,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import CsvOption, PlotOption, SeedsOption, check_results

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile

DEFAULT_WEIGHTS = ("default", "random")


@describes_signal(files=True)
def grid(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    data: Annotated[
        list[str],
        typer.Option(
            "--data",
            callback=check_sources,
            help="Recordings (SOURCE...); each session is cross-validated by itself.",
        ),
    ],
    weights: Annotated[
        list[str] | None,
        typer.Option(
            "--weights",
            help="Weights to compare; repeat for several. By default `default` and `random`.",
        ),
    ] = None,
    seeds: SeedsOption = 1,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    csv: CsvOption = None,
    plot: PlotOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Rank and score three heads by two strategies by weights, as the paper does.

    `--plot results.png` writes results-ranks.png and results-scores.png.
    """
    kinds = () if plot is None else ("ranks", "scores")
    plots = [plot.with_stem(f"{plot.stem}-{kind}") for kind in kinds if plot is not None]
    check_results(csv, None, overwrite)
    for path in plots:
        check_results(None, path, overwrite)
    from sjepa_online.data import load_sources
    from sjepa_online.evaluation.grid import evaluate_grid, group_sessions, make_grid
    from sjepa_online.evaluation.plots import plot_ranks, plot_scores, save_figure
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol
    from sjepa_online.signal import PreprocessorConfig

    protocol = load_protocol(paradigm)
    pipelines = make_grid(weights or DEFAULT_WEIGHTS)
    recordings = load_sources(data, amplifier)
    n_runs = len(group_sessions(recordings)) * len(pipelines) * seeds
    with progress_bar("Cross-validating", n_runs) as advance:
        result = evaluate_grid(
            recordings,
            protocol,
            PreprocessorConfig(),
            pipelines,
            seed=seed,
            n_seeds=seeds,
            device=device,
            progress=advance,
        )
    measure, chance = measure_of(protocol)
    document = {
        "paradigm": protocol.name,
        "measure": measure,
        "chance": chance,
        "seeds": seeds,
        **result.to_json(),
    }
    if json:
        print_json(document)
    else:
        _print(document)
    if csv is not None:
        write_csv(csv, result.rows())
    if plots:
        names = [pipeline.name for pipeline in pipelines]
        ranks = {name: result.ranks[..., i].ravel().tolist() for i, name in enumerate(names)}
        scores = {name: result.scores[..., i].ravel().tolist() for i, name in enumerate(names)}
        save_figure(plot_ranks(ranks, len(result.groups)), plots[0])
        save_figure(plot_scores(scores, measure, chance), plots[1])


def _print(document: dict[str, Any]) -> None:
    entries = document["pipelines"]
    for name in sorted(entries, key=lambda name: float(entries[name]["mean_rank"])):
        entry = entries[name]
        echo(
            f"{name}: mean rank {entry['mean_rank']:.2f}, "
            f"{document['measure']} {entry['score']:.3f} +- {entry['score_std']:.3f} "
            f"(chance {document['chance']:.2f}, {len(document['groups'])} sessions)"
        )
