"""``sjepa-online evaluate transfer``: how populations of imagery decode new people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from sjepa_apps.cli.checks import check_weights
from sjepa_apps.cli.common import (
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    TestOption,
    TrainOption,
    decoder_option,
    echo,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import CsvOption, SeedsOption, check_results, load_sides
from sjepa_apps.cli.evaluate.spelling import parse_counts

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.evaluation.transfer import TransferScore


def _check_starts(names: list[str] | None) -> list[str] | None:
    for name in names or ():
        if name not in ("cosines", "noise"):
            check_weights(name)
    return names


@describes_signal(files=True)
def transfer(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    start: Annotated[
        list[str] | None,
        decoder_option(
            callback=_check_starts,
            metavar="W",
            help="First convolution: cosines, noise, or weights (name, file or random). Repeat "
            "it to compare; cosines and default by default.",
            show_default=False,
        ),
    ] = None,
    people: Annotated[
        str, typer.Option(metavar="N,N,...", help="Numbers of people who train.")
    ] = "5,10,20,40",
    trials: Annotated[
        str, decoder_option(metavar="N,N,...", help="Numbers of labelled trials; 0: no label.")
    ] = "0,10,30",
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="With the most people.")] = 12,
    seeds: SeedsOption = 3,
    csv: CsvOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Train populations of imagery on some people, and decode others.

    The people of --test are told apart as in `population`; the last recording
    of each tests, the others align and calibrate. Every start is trained on the
    same people and as long.
    """
    check_results(csv, None, overwrite)
    sizes = parse_counts(people, "--people", 2) or []
    counts = parse_counts(trials, "--trials", 0) or []
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.evaluation.transfer import evaluate_transfer, read_test_person
    from sjepa_online.protocol import load_protocol
    from sjepa_online.training.imagery_population import group_by_person

    protocol, starts = load_protocol(paradigm), start or ["cosines", "default"]
    training, testing = (group_by_person(side) for side in load_sides(train, test, amplifier))
    tested = [read_test_person(name, own, protocol) for name, own in testing.items()]
    with progress_bar("Training", len(starts) * len(sizes) * seeds) as advance:
        scores = evaluate_transfer(
            training,
            tested,
            protocol,
            starts,
            sizes,
            counts,
            n_seeds=seeds,
            epochs=epochs,
            progress=advance,
        )
    rows = [score._asdict() for score in scores]
    chance = 1 / len(protocol.classes)
    if json:
        print_json({"paradigm": protocol.name, "chance": chance, "scores": rows})
    else:
        _tell(scores, starts, sizes, counts)
        echo(f"chance {chance:.2f}")
    if csv is not None:
        write_csv(csv, rows)


def _tell(
    scores: Sequence[TransferScore], starts: list[str], sizes: list[int], counts: list[int]
) -> None:
    """Print a line for each start, number of people and number of labelled trials."""
    from sjepa_online.evaluation.transfer import difference

    for size in sizes:
        for count in counts:
            for start in starts:
                cell = [one for one in scores if one[:3] == (start, size, count)]
                means = [
                    np.mean([one.accuracy for one in cell if one.seed == seed])
                    for seed in sorted({one.seed for one in cell})
                ]
                told = f"{size} people, {count} labels, {start}: {np.mean(means):.3f}"
                told += f" (seeds: standard deviation {np.std(means):.3f})"
                if start != starts[0]:
                    less = difference(scores, start, starts[0], size, count)
                    told += f", {less.mean:+.3f} [{less.low:+.3f} {less.high:+.3f}] to {starts[0]}"
                echo(told)
