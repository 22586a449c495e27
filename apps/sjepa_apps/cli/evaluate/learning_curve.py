"""``sjepa-online evaluate learning-curve``: how many calibration trials are worth recording."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

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
    decoder_option,
    echo,
    print_json,
    progress_bar,
    say,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import (
    Comparison,
    CsvOption,
    PlotOption,
    SeedsOption,
    check_results,
    load_comparison,
    make_requests,
)
from sjepa_apps.cli.evaluate.spelling import parse_counts

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.decoding import DecoderRequest, EpochClassifier
    from sjepa_online.evaluation.scores import DecoderScores
    from sjepa_online.evaluation.tables import Row

    #: Scores of each decoder along its curve; None where it had too few labels.
    Points = dict[str, list[DecoderScores | None]]


@describes_signal(files=True)
def learning_curve(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    train: TrainOption,
    test: TestOption,
    decoder: DecodersOption = None,
    trials: Annotated[
        str | None,
        decoder_option(metavar="N,N,...", help="Numbers of labelled trials; 0: no label at all."),
    ] = None,
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
    """Train on an increasing number of trials, and test on other recordings.

    The first trials in the order of recording. At 0 the signal of the training
    recordings aligns the decoder, and no label is used.
    """
    check_results(csv, plot, overwrite)
    counts = parse_counts(trials, "--trials", 0)
    from sjepa_online.evaluation.plots import plot_curves, save_figure
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    requests = make_requests(decoder, weights, seed, device, population)
    compared = load_comparison(protocol, train, test, requests, amplifier)
    sizes, points = (
        _by_shares(compared, seeds) if counts is None else _by_counts(compared, seeds, counts)
    )
    scores = {
        name: [None if one is None else one.score for one in curve]
        for name, curve in points.items()
    }
    measure, chance = measure_of(protocol)
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "measure": measure,
                "chance": chance,
                "n_trials": sizes,
                "n_test": len(compared.testing.y),
                "decoders": scores,
            }
        )
    else:
        for name, values in scores.items():
            told = ", ".join(
                f"{size}: {_told(one, size)}" for size, one in zip(sizes, values, strict=True)
            )
            echo(f"{name}: {measure} by trials {told} (chance {chance:.2f})")
    if csv is not None:
        write_csv(csv, _rows(sizes, points))
    if plot is not None:
        save_figure(plot_curves(_known(sizes, scores), measure, chance), plot)


def _told(scores: Sequence[float] | None, n_trials: int) -> str:
    if scores is not None:
        return f"{np.mean(scores):.3f}"
    return "too few labels" if n_trials else "no decoder without labels"


def _by_shares(compared: Comparison, seeds: int) -> tuple[list[int], Points]:
    from sjepa_online.evaluation import learning_curve as curves

    training, requests = compared.training, compared.requests
    shares = curves.usable_shares(training.y, training.protocol.class_names)
    with progress_bar("Evaluating", len(shares) * len(requests) * seeds) as advance:
        found = curves.learning_curve(training, compared.testing, requests, seeds, advance)
    points: Points = {
        request.name: [point.scores[request.name] for point in found] for request in requests
    }
    return [point.n_trials for point in found], points


def _by_counts(compared: Comparison, seeds: int, counts: list[int]) -> tuple[list[int], Points]:
    from sjepa_online.evaluation import learning_curve as curves
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training.without_labels import align

    training, requests = compared.training, compared.requests
    usable = curves.usable_counts(counts, training, compared.train)
    if max(usable) < max(counts):
        say(f"Of {max(counts)} trials {max(usable)} can be used")

    def aligned(request: DecoderRequest, n_labelled: int) -> tuple[EpochClassifier, float] | None:
        protocol, names = training.protocol, training.ch_names
        config = PreprocessorConfig()
        return align(compared.train, protocol, config, request, names, n_labelled)

    with progress_bar("Evaluating", len(counts) * len(requests)) as advance:
        points = curves.learning_curve_by_counts(
            training, compared.testing, requests, usable, seeds, aligned, advance
        )
    return counts, points


def _rows(sizes: Sequence[int], points: Points) -> list[Row]:
    return [
        {"n_trials": size, **row}
        for index, size in enumerate(sizes)
        for name, curve in points.items()
        if (found := curve[index]) is not None
        for row in found.rows(name)
    ]


def _known(
    sizes: Sequence[int], scores: Mapping[str, Sequence[list[float] | None]]
) -> dict[str, tuple[list[int], list[list[float]]]]:
    """Return the points of each curve that has any."""
    pairs = {
        name: [(size, one) for size, one in zip(sizes, values, strict=True) if one is not None]
        for name, values in scores.items()
    }
    return {
        name: ([size for size, _ in known], [one for _, one in known])
        for name, known in pairs.items()
        if known
    }
