"""``sjepa-online evaluate learning-curve``: how many calibration trials are worth recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.common import (
    AdaptOption,
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
    compare,
    load_comparison,
    load_sides,
    make_requests,
)
from sjepa_apps.cli.evaluate.curves import Curve, PeopleCurves
from sjepa_apps.cli.evaluate.spelling import parse_counts
from sjepa_apps.cli.progress import show_progress
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.decoding import DecoderRequest, EpochClassifier
    from sjepa_online.evaluation.in_turn import Decide
    from sjepa_online.evaluation.scores import DecoderScores
    from sjepa_online.protocol import Protocol

EachPersonOption = Annotated[
    bool,
    typer.Option(
        "--each-person",
        help="Each person alone, told apart as in `population`; scores over people.",
    ),
]


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
    each_person: EachPersonOption = False,
    adapt: AdaptOption = True,
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
    recordings aligns the decoder, and no label is used. A decoder that adapts
    takes in each test trial after its decision, as it does live.
    """
    check_results(csv, plot, overwrite)
    counts = parse_counts(trials, "--trials", 0)
    if each_person and counts is None:
        raise InputError(
            "The curves of several people need the same numbers of trials",
            value="--each-person without --trials",
            remedy="Add the numbers, for example --trials 0,10,30.",
        )
    from sjepa_online.evaluation.plots import plot_curves, save_figure
    from sjepa_online.evaluation.significance import measure_of
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    requests = make_requests(decoder, weights, seed, device, population)
    measure, chance = measure_of(protocol)
    result: Curve | PeopleCurves
    if each_person and counts is not None:
        people = _load_people(protocol, train, test, requests, amplifier, counts)
        curves = {who: _curve(one, seeds, counts, adapt, f"{who}: ") for who, one in people.items()}
        result = PeopleCurves(counts, curves)
    else:
        compared = load_comparison(protocol, train, test, requests, amplifier)
        result = _curve(compared, seeds, counts, adapt)
    if json:
        named = {"paradigm": protocol.name, "measure": measure, "chance": chance, "adapt": adapt}
        print_json(named | result.document())
    else:
        for name, line in result.lines().items():
            echo(f"{name}: {measure} by trials {line} (chance {chance:.2f})")
    if csv is not None:
        write_csv(csv, result.rows())
    if plot is not None:
        save_figure(plot_curves(result.bands(), f"{measure}{result.band}", chance), plot)


def _load_people(
    protocol: Protocol,
    train: Sequence[str],
    test: Sequence[str],
    requests: Sequence[DecoderRequest],
    amplifier: AmplifierProfile,
    counts: Sequence[int],
) -> dict[str, Comparison]:
    """Read the recordings of each person; print which are left out.

    Raises
    ------
    InputError
        A person only trains or only tests, or has fewer trials than are asked for.
    """
    from sjepa_online.evaluation.learning_curve import usable_counts
    from sjepa_online.training.imagery_population import group_by_person

    people, lines = {}, {}
    with show_progress("Reading the recordings and cutting their trials"):
        sides = load_sides(train, test, amplifier)
        training, testing = (group_by_person(side) for side in sides)
        if one_sided := sorted(training.keys() ^ testing.keys()):
            raise InputError(
                "These people have recordings to train on, or to test on, but not both",
                value=", ".join(one_sided),
                remedy="Name recordings of the same people in --train and in --test. They are "
                "told apart by `sub-XX`, by SxxxRyy, or by the name of the file.",
            )
        for person, recordings in training.items():
            try:
                compared, told = compare(protocol, recordings, testing[person], requests)
                # before the first person is decoded, which may take an hour for all
                usable_counts(counts, compared.training, recordings)
            except InputError as error:
                raise InputError(
                    f"{person}: {error.problem}", value=error.value, remedy=error.remedy
                ) from error
            people[person] = compared
            lines[person] = told
    of_all = [
        line for line in next(iter(lines.values())) if all(line in one for one in lines.values())
    ]
    for line in of_all:
        say(line)
    for person, told in lines.items():
        for line in told:
            if line not in of_all:
                say(f"{person}: {line}")
    return people


def _curve(
    compared: Comparison, seeds: int, counts: list[int] | None, adapt: bool, whose: str = ""
) -> Curve:
    from sjepa_online.evaluation.in_turn import each_alone, in_turn

    decide = in_turn(compared.training) if adapt else each_alone
    if counts is None:
        return _by_shares(compared, seeds, decide)
    return _by_counts(compared, seeds, counts, decide, whose)


def _by_shares(compared: Comparison, seeds: int, decide: Decide) -> Curve:
    from sjepa_online.evaluation import learning_curve as curves

    training, requests = compared.training, compared.requests
    shares = curves.usable_shares(training.y, training.protocol.class_names)
    with progress_bar("Evaluating", len(shares) * len(requests) * seeds) as advance:
        found = curves.learning_curve(training, compared.testing, requests, seeds, advance, decide)
    points: dict[str, list[DecoderScores | None]] = {
        request.name: [point.scores[request.name] for point in found] for request in requests
    }
    return Curve([point.n_trials for point in found], points, len(compared.testing.y))


def _by_counts(
    compared: Comparison, seeds: int, counts: list[int], decide: Decide, whose: str
) -> Curve:
    from sjepa_online.evaluation import learning_curve as curves
    from sjepa_online.signal import PreprocessorConfig
    from sjepa_online.training.without_labels import align

    training, requests = compared.training, compared.requests
    usable = curves.usable_counts(counts, training, compared.train)
    if max(usable) < max(counts):
        say(f"{whose}Of {max(counts)} trials {max(usable)} can be used")

    def aligned(request: DecoderRequest, n_labelled: int) -> tuple[EpochClassifier, float] | None:
        protocol, names = training.protocol, training.ch_names
        config = PreprocessorConfig()
        return align(compared.train, protocol, config, request, names, n_labelled)

    with progress_bar(f"{whose}Evaluating", len(counts) * len(requests)) as advance:
        points = curves.learning_curve_by_counts(
            training, compared.testing, requests, usable, seeds, aligned, advance, decide
        )
    return Curve(counts, points, len(compared.testing.y))
