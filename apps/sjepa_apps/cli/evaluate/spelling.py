"""``sjepa-online evaluate spelling``: letters right, with and without labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sjepa_apps.cli.checks import check_sources
from sjepa_apps.cli.common import (
    DecodersOption,
    DeviceOption,
    JsonOption,
    ParadigmOption,
    PopulationOption,
    SeedOption,
    TestOption,
    WeightsOption,
    decoder_option,
    echo,
    print_json,
    progress_bar,
    say,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_online.errors import InputError

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.evaluation.spelling import SpellingData
    from sjepa_online.protocol import Protocol


def parse_counts(text: str | None, option: str, least: int) -> list[int] | None:
    """Read whole numbers that commas part; None for None.

    Raises
    ------
    InputError
        One of them is no whole number, or is below ``least``.
    """
    if text is None:
        return None
    try:
        counts = [int(part) for part in text.split(",")]
    except ValueError:
        counts = []
    if not counts or min(counts) < least:
        raise InputError(
            f"{option} holds something else than whole numbers of {least} or more",
            value=text,
            remedy=f"Write them with commas between, as in {option} 5,15.",
        )
    return counts


@describes_signal(files=True)
def spelling(
    amplifier: AmplifierProfile,
    paradigm: ParadigmOption,
    test: TestOption,
    train: Annotated[
        list[str] | None,
        typer.Option(
            "--train",
            callback=check_sources,
            metavar="SOURCE",
            help="Recordings to train on, if any.",
        ),
    ] = None,
    decoder: DecodersOption = None,
    letters: Annotated[
        int | None,
        decoder_option(min=0, metavar="N", help="Training letters whose labels are used."),
    ] = None,
    repetitions: Annotated[
        str | None,
        decoder_option(metavar="N,N,...", help="Flashes of each row and column, as 5,15."),
    ] = None,
    weights: WeightsOption = "default",
    population: PopulationOption = "auto",
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Spell a text, after the labels of none, some or all letters of another.

    A letter is decided after so many flashes of each row and column. All labels
    of the training text are used by default; with 0 no label of the person is.
    """
    counts = parse_counts(repetitions, "--repetitions", 1)
    if not train and letters:
        raise InputError(
            "There is no training text whose letters could be used",
            value=f"--letters {letters} without --train",
            remedy="Add --train, or leave --letters out.",
        )
    from sjepa_apps.cli.evaluate.comparison import make_requests
    from sjepa_online.evaluation import spelling as evaluation
    from sjepa_online.evaluation.significance import wilson_interval
    from sjepa_online.protocol import load_protocol

    protocol = load_protocol(paradigm)
    evaluation.check_speller(protocol)
    names = decoder or ["auto", "umm", *(["riemann"] if train and letters != 0 else [])]
    requests = make_requests(names, weights, seed, device, population)
    data = _load(protocol, train or [], test, amplifier)
    n_letters = evaluation.check_letters(data, letters)
    counts = evaluation.check_repetitions(data, counts)
    with progress_bar("Spelling", len(requests)) as advance:
        shares = evaluation.evaluate_spelling(data, requests, n_letters, counts, advance)
    if all(one is None for one in shares.values()):
        raise InputError(
            "No decoder here spells without labelled letters",
            value=", ".join(shares),
            remedy="Use labels (--train, and --letters above 0), or choose --decoder umm or auto.",
        )
    n_test, chance = len(data.test), 1 / len(data.speller.symbols)
    intervals = {
        name: None
        if values is None
        else [list(wilson_interval(round(one * n_test), n_test)) for one in values]
        for name, values in shares.items()
    }
    if json:
        print_json(
            {
                "paradigm": protocol.name,
                "n_letters": n_letters,
                "n_test": n_test,
                "repetitions": counts,
                "chance": chance,
                "decoders": shares,
                "intervals": intervals,
            }
        )
        return
    for name, values in shares.items():
        if values is None:
            echo(f"{name}: needs labelled letters")
            continue
        told = ", ".join(f"{count}: {one:.2f}" for count, one in zip(counts, values, strict=True))
        echo(f"{name}: letters right by repetitions {told}")
    echo(f"{n_test} letters, {n_letters} with labels before; chance {chance:.3f}")


def _load(
    protocol: Protocol, train: list[str], test: list[str], amplifier: AmplifierProfile
) -> SpellingData:
    from sjepa_apps.cli.evaluate.comparison import load_sides
    from sjepa_online.data import good_channels, load_sources, make_trials, not_shared
    from sjepa_online.evaluation.spelling import spelling_data
    from sjepa_online.signal import PreprocessorConfig

    sides = load_sides(train, test, amplifier) if train else ([], load_sources(test, amplifier))
    names = good_channels([*sides[0], *sides[1]])
    training, testing = (
        make_trials(side, protocol, PreprocessorConfig(), names) if side else None for side in sides
    )
    assert testing is not None
    for reason in not_shared([*sides[0], *sides[1]]):
        say(f"left out: {reason}")
    for trials in (training, testing):
        for reason in () if trials is None else trials.dropped:
            say(f"left out: {reason}")
    return spelling_data(training, sides[0], testing, sides[1])
