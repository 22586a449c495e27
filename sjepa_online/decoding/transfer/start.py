"""Which population a calibration starts from, and the note that tells the user."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sjepa_online.decoding.classifiers.auto import POPULATION, UMM, AutoClassifier
from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.classifiers.imagery import find_mirror
from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier
from sjepa_online.decoding.transfer.imagery.population import load_imagery_population
from sjepa_online.decoding.transfer.population import Population, StimulusPrior, load_population
from sjepa_online.decoding.transfer.population_file import (
    same_recordings,
    same_trials,
    too_few_electrodes,
)
from sjepa_online.decoding.transfer.response_population import load_response_population
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.typing import FloatArray, Floats

AUTO, FILTER_BANK = AutoClassifier.kind, FilterBankClassifier.kind
#: The shipped population of each paradigm that has one.
SHIPPED = {"ssvep": "population-ssvep"}
#: The shipped population of imagery.
SHIPPED_IMAGERY = "population-mi"


class PopulationStart(NamedTuple):
    """What other people's recordings give, and the sentence that says which and why.

    Attributes
    ----------
    note : str
    prior : StimulusPrior or None
        For flickering targets.
    response : ndarray, shape (channels, samples), or None
        To a target of a speller.
    imagery : PopulationClassifier or None
        Of left and right imagery, unfitted.
    """

    note: str
    prior: StimulusPrior | None = None
    response: Floats | None = None
    imagery: PopulationClassifier | None = None

    @property
    def suits(self) -> bool:
        """Whether there is a start, or the decoder reads none."""
        given = (self.prior, self.response, self.imagery)
        return self is NO_USE or any(one is not None for one in given)


#: Of a decoder that reads no population.
NO_USE = PopulationStart("no population start: the decoder has no use for one")


def decoder_start(
    decoder: str,
    name: str,
    protocol: Protocol,
    ch_names: Sequence[str],
    recordings: Sequence[str] = (),
    epochs: Sequence[FloatArray] = (),
) -> PopulationStart:
    """Find what other people's recordings give to a decoder.

    Parameters
    ----------
    decoder : str
        Name of the decoder.
    name : str
        ``auto``, ``none``, or the name or path of a population.
    protocol : Protocol
    ch_names : sequence of str
        The montage.
    recordings : sequence of str
        Names of the recordings in use.
    epochs : sequence of ndarray, shape (n, channels, samples)
        Trials in use, in µV at 128 Hz.

    Returns
    -------
    PopulationStart

    Raises
    ------
    InputError
        A population that was named does not suit, or the decoder has no use for one of its kind.
    """
    paradigm, is_named = protocol.paradigm, name not in ("auto", "none")
    if decoder == POPULATION:
        return imagery_start(_required_population(name, protocol), protocol, ch_names, epochs)
    if paradigm == "mi" and decoder == AUTO:
        return imagery_start(name, protocol, ch_names, epochs)
    if paradigm == "erp" and is_named:
        if decoder not in (UMM, AUTO):
            _refuse(decoder, name, "responses", f"{UMM} or {AUTO}")
        response = response_prior(name, protocol, ch_names, recordings, epochs)
        return PopulationStart(f"starts from the response in {name}", response=response)
    if paradigm == "mi" and is_named and decoder == FILTER_BANK:
        _refuse(decoder, name, "imagery", f"{POPULATION} or {AUTO}")
    if decoder in (AUTO, FILTER_BANK):
        return population_start(name, protocol, ch_names, recordings, epochs)
    return NO_USE


def _refuse(decoder: str, name: str, what: str, others: str) -> None:
    raise InputError(
        f"The decoder {decoder} cannot start from other people's {what}",
        value=f"--population {name}",
        remedy=f"Choose {others}, or leave the population out.",
    )


def _required_population(name: str, protocol: Protocol) -> str:
    """Return the population of the decoder that is made of one."""
    if protocol.paradigm != "mi":
        raise InputError(
            f"The decoder {POPULATION} reads imagery, and the protocol {protocol.name} has none",
            value=f"a protocol of {protocol.paradigm}",
            remedy="Choose another decoder for this paradigm; auto suits all.",
        )
    if name == "none":
        raise InputError(
            f"The decoder {POPULATION} is made of other people's recordings, and has none",
            value="--population none",
            remedy="Give `--population auto`, a name or a file, or choose another decoder.",
        )
    return SHIPPED_IMAGERY if name == "auto" else name


def response_prior(
    population: str,
    protocol: Protocol,
    ch_names: Sequence[str],
    recordings: Sequence[str] = (),
    epochs: Sequence[FloatArray] = (),
) -> Floats | None:
    """Return the response to a target that a montage is expected to show.

    Parameters
    ----------
    population : str
        Name or path of a response population; ``auto`` and ``none`` stand for none.
    protocol : Protocol
    ch_names : sequence of str
        The montage.
    recordings : sequence of str
        Names of the recordings in use.
    epochs : sequence of ndarray, shape (n, channels, samples)
        Trials in use, in µV at 128 Hz.

    Returns
    -------
    prior : ndarray, shape (channels, samples), or None

    Raises
    ------
    InputError
        The population cannot be read, or does not suit.
    """
    if population in ("auto", "none"):
        return None
    return load_response_population(population).prior(protocol, ch_names, recordings, epochs)


def population_start(
    name: str,
    protocol: Protocol,
    ch_names: Sequence[str],
    recordings: Sequence[str] = (),
    epochs: Sequence[FloatArray] = (),
    *,
    same_stimuli: bool = False,
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
    epochs : sequence of ndarray, shape (n, channels, samples)
        Trials in use, in µV at 128 Hz, by which the same is recognised under other names.
    same_stimuli : bool
        Whether the protocol may show those stimuli only that the population's people saw, as it
        must where no label tells how the person responds to others.

    Returns
    -------
    PopulationStart

    Raises
    ------
    InputError
        A population that was named does not suit the paradigm, the montage or the recordings.
    """
    if name == "none":
        return PopulationStart("no population start, as asked")
    if protocol.paradigm == "mi" and name == "auto":
        mirror = _mirror_note(protocol, ch_names)
        return PopulationStart(f"no population start: the filter bank reads none of mi{mirror}")
    if name == "auto" and protocol.paradigm not in SHIPPED:
        return PopulationStart(f"no population start: none is shipped for {protocol.paradigm}")
    chosen = SHIPPED[protocol.paradigm] if name == "auto" else name
    population = load_population(chosen)
    problem = _problem(population, protocol, ch_names, recordings, epochs)
    if same_stimuli and not problem:
        problem = _other_stimuli(population, protocol)
    if problem and name != "auto":
        raise InputError(
            "This population does not suit the paradigm, the montage or the recordings",
            value=f"{chosen}: {problem}",
            remedy="Choose another one, or `--population none`.",
        )
    prior = None if problem else population.prior(protocol, ch_names)
    if prior is None:
        return PopulationStart(f"no population start: {chosen}: {problem}")
    return PopulationStart(
        f"starts from {chosen}: {population.config.n_trials} trials of other people on "
        f"{len(population.config.ch_names)} electrodes{population.match(ch_names).estimated}",
        prior,
    )


def imagery_start(
    name: str, protocol: Protocol, ch_names: Sequence[str], epochs: Sequence[FloatArray] = ()
) -> PopulationStart:
    """Find the population of imagery to start from.

    Parameters
    ----------
    name : str
        ``auto``, ``none``, or the name or path of a population of imagery.
    protocol : Protocol
        Of imagery.
    ch_names : sequence of str
        The montage.
    epochs : sequence of ndarray, shape (n, channels, samples)
        Trials in use, in µV at 128 Hz. A population that was made of them is no other people's.

    Returns
    -------
    PopulationStart

    Raises
    ------
    InputError
        A population that was named does not suit the classes, the window, the montage or the
        people.
    """
    mirror = _mirror_note(protocol, ch_names)
    if name == "none":
        return PopulationStart(f"no population start, as asked{mirror}")
    chosen = SHIPPED_IMAGERY if name == "auto" else name
    population = load_imagery_population(chosen)
    try:
        shown = population.for_window(protocol.window.start, protocol.n_times)
        classifier = PopulationClassifier(shown, ch_names, protocol.class_names)
        for X in epochs:
            classifier.refuse_known_people(X)
    except InputError as problem:
        if name != "auto":
            raise
        told = problem.finding.removesuffix(".")
        told = f"{told[0].lower()}{told[1:]}"
        return PopulationStart(f"no population start: {chosen}: {told}{mirror}")
    note = (
        f"starts from {chosen}: {population.config.n_trials} trials of "
        f"{len(population.config.people)} other people on {len(population.config.ch_names)} "
        f"electrodes{classifier.montage.estimated}{mirror}"
    )
    return PopulationStart(note, imagery=classifier)


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


def _other_stimuli(population: Population, protocol: Protocol) -> str:
    known = population.config.frequencies
    other = [f"{one:.4g}" for one in protocol.frequencies if not np.isclose(one, known).any()]
    if other:
        return (
            f"its people saw {', '.join(f'{one:.4g}' for one in known)} Hz, not {', '.join(other)}"
        )
    rests = any(spec.frequency is None for spec in protocol.classes)
    return "its people had no trials of rest" if rests and not population.config.has_rest else ""


def _problem(
    population: Population,
    protocol: Protocol,
    ch_names: Sequence[str],
    recordings: Sequence[str],
    epochs: Sequence[FloatArray],
) -> str:
    if population.config.paradigm != protocol.paradigm:
        return f"it is for {population.config.paradigm}, the protocol for {protocol.paradigm}"
    config = population.config
    return (
        same_recordings(config.sources, recordings)
        or too_few_electrodes(config.ch_names, ch_names)
        or same_trials(population.known, config.sources, epochs, ch_names)
    )
