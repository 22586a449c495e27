"""``sjepa-online evaluate tokens``: what a linear classifier reads in frozen tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from sjepa_apps.cli.checks import check_sources, check_weights
from sjepa_apps.cli.common import (
    JsonOption,
    OverwriteOption,
    ParadigmOption,
    decoder_option,
    echo,
    print_json,
    progress_bar,
)
from sjepa_apps.cli.description import describes_signal
from sjepa_apps.cli.evaluate.comparison import CsvOption, SeedsOption, check_results

if TYPE_CHECKING:
    from sjepa_online.amplifier import AmplifierProfile
    from sjepa_online.data import Recording, Trials
    from sjepa_online.protocol import Protocol


def _check_weights(names: list[str] | None) -> list[str] | None:
    return None if names is None else [check_weights(name) for name in names]


@describes_signal(files=True)
def tokens(
    amplifier: AmplifierProfile,
    source: Annotated[
        list[str],
        typer.Argument(callback=check_sources, help="Recordings (SOURCE...) of several people."),
    ],
    paradigm: ParadigmOption,
    weights: Annotated[
        list[str] | None,
        decoder_option(
            callback=_check_weights,
            metavar="W",
            help="Name, file or random. Repeat it to compare; default and random by default.",
            show_default=False,
        ),
    ] = None,
    seeds: SeedsOption = 3,
    csv: CsvOption = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
) -> None:
    """Decode each person by a linear classifier of frozen tokens.

    A recording of the person is left out at a time. Imagery is read from
    electrodes over the sensorimotor cortex, in 7 to 32 Hz. The accuracy is the
    mean over classes. Only random weights have seeds.
    """
    check_results(csv, None, overwrite)
    from sjepa_online.data import load_sources
    from sjepa_online.evaluation.tables import write_csv
    from sjepa_online.protocol import load_protocol
    from sjepa_online.training.imagery_population import group_by_person

    protocol, names = load_protocol(paradigm), weights or ["default", "random"]
    groups = group_by_person(load_sources(source, amplifier))
    people = {name: _read_trials(own, protocol) for name, own in groups.items()}
    runs = [(name, seed) for name in names for seed in range(seeds if name == "random" else 1)]
    rows = []
    with progress_bar("Evaluating", len(runs) * len(people)) as advance:
        for name, seed in runs:
            for person, trials in people.items():
                found = _score(name, seed, trials)
                rows += [
                    {"weights": name, "seed": seed, "person": person, "read": read, "accuracy": one}
                    for read, one in found.items()
                ]
                advance()
    chance = 1 / len(protocol.classes)
    if json:
        print_json({"paradigm": protocol.name, "chance": chance, "scores": rows})
    else:
        _tell(rows, names, len(people))
        echo(f"chance {chance:.2f}")
    if csv is not None:
        write_csv(csv, rows)


def _score(weights: str, seed: int, trials: Trials) -> dict[str, float]:
    """Return the accuracy of everything that is read of a network."""
    from typing import get_args

    from sjepa_online.decoding.classifiers.network import load_network
    from sjepa_online.training.pretraining.probe import Read, probe_accuracy

    network = load_network(weights, list(trials.ch_names), seed)
    return {read: probe_accuracy(network, trials, read) for read in get_args(Read)}


def _tell(rows: Sequence[dict[str, Any]], names: Sequence[str], n_people: int) -> None:
    """Print a line for everything that is read, and the weights."""
    for read in dict.fromkeys(row["read"] for row in rows):
        for name in names:
            cell = [row for row in rows if (row["weights"], row["read"]) == (name, read)]
            values = np.array([row["accuracy"] for row in cell]).reshape(-1, n_people)
            told = f"{read}, {name}: {values.mean():.3f}"
            if len(values) > 1:
                told += f" (seeds: standard deviation {values.mean(axis=1).std():.3f})"
            error = values.mean(axis=0).std() / np.sqrt(n_people)
            echo(f"{told}, standard error over people {error:.3f}")


def _read_trials(recordings: list[Recording], protocol: Protocol) -> Trials:
    from dataclasses import replace

    from sjepa_online.data import make_trials
    from sjepa_online.decoding.transfer.imagery.population import cortex_electrodes
    from sjepa_online.decoding.transfer.imagery.rhythm_covariances import in_band
    from sjepa_online.signal import PreprocessorConfig

    ch_names = recordings[0].ch_names
    if protocol.paradigm != "mi":
        return make_trials(recordings, protocol, PreprocessorConfig())
    trials = make_trials(recordings, protocol, PreprocessorConfig(), cortex_electrodes(ch_names))
    return replace(trials, X=in_band(trials.X))
