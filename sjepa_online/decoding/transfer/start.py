"""Which population a calibration starts from, and the note that tells the user."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import NamedTuple

from sjepa_online.decoding.classifiers.imagery import find_mirror
from sjepa_online.decoding.transfer.population import Population, StimulusPrior, load_population
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol

#: The shipped population of each paradigm that has one.
SHIPPED = {"ssvep": "population-ssvep"}


class PopulationStart(NamedTuple):
    """A prior, or none, and the sentence that says which and why."""

    prior: StimulusPrior | None
    note: str


#: Of a decoder that reads no population.
NO_USE = PopulationStart(None, "no population start: the decoder has no use for one")


def population_start(
    name: str, protocol: Protocol, ch_names: Sequence[str], recordings: Sequence[str] = ()
) -> PopulationStart:
    """Find the population to start from.

    Parameters
    ----------
    name : str
        ``auto``, ``none``, or the name or path of a population file.
    protocol : Protocol
    ch_names : sequence of str
        The montage.
    recordings : sequence of str
        Names of the recordings in use. A population that was made from one of them is no
        other people's, and would flatter the score.

    Returns
    -------
    PopulationStart

    Raises
    ------
    InputError
        A population that was named does not suit the paradigm, the montage or the recordings.
    """
    if name == "none":
        return PopulationStart(None, "no population start, as asked")
    if name == "auto" and protocol.paradigm not in SHIPPED:
        mirror = _mirror_note(protocol, ch_names)
        return PopulationStart(
            None, f"no population start: none is shipped for {protocol.paradigm}{mirror}"
        )
    chosen = SHIPPED[protocol.paradigm] if name == "auto" else name
    population = load_population(chosen)
    problem = _problem(population, protocol, ch_names, recordings)
    if problem and name != "auto":
        raise InputError(
            "This population does not suit the paradigm, the montage or the recordings",
            value=f"{chosen}: {problem}",
            remedy="Choose another one, or `--population none`.",
        )
    prior = None if problem else population.prior(protocol, ch_names)
    if prior is None:
        return PopulationStart(None, f"no population start: {chosen}: {problem}")
    missing = population.missing_channels(ch_names)
    estimated = f", of which {', '.join(missing)} are estimated" if missing else ""
    return PopulationStart(
        prior,
        f"starts from {chosen}: {population.config.n_trials} trials of other people on "
        f"{len(population.config.ch_names)} electrodes{estimated}",
    )


def _mirror_note(protocol: Protocol, ch_names: Sequence[str]) -> str:
    """Say which classes are mirror images, as labels of another meaning would mislead."""
    mirror = find_mirror(ch_names, protocol.class_names) if protocol.paradigm == "mi" else None
    if mirror is None:
        return ""
    names = protocol.class_names
    pairs = [
        f"{names[index]} and {names[other]}"
        for index, other in enumerate(mirror.classes)
        if index < other
    ]
    return f"; learned as mirror images of each other: {', '.join(pairs)}"


def _problem(
    population: Population,
    protocol: Protocol,
    ch_names: Sequence[str],
    recordings: Sequence[str],
) -> str:
    if population.config.paradigm != protocol.paradigm:
        return f"it is for {population.config.paradigm}, the protocol for {protocol.paradigm}"
    own = {PurePath(source).stem for source in population.config.sources}
    shared = sorted({PurePath(recording).stem for recording in recordings} & own)
    if shared:
        return f"it was made from these recordings too: {', '.join(shared)}"
    if population.prior(protocol, ch_names) is None:
        return (
            "the montage has less than half of its electrodes "
            f"({', '.join(population.config.ch_names)})"
        )
    return ""
