"""How a population of imagery decodes new people, by what its first convolution starts from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.decoding.metrics import interval_over_people
from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier
from sjepa_online.decoding.transfer.imagery.population import ImageryPopulation, cortex_electrodes
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.imagery_population import (
    first_convolution,
    read_person,
    train_population,
)

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

#: Starts that are no weights: cosines of the rhythms, and random numbers.
COSINES, NOISE = "cosines", "noise"


class TransferScore(NamedTuple):
    """Share of the test trials of one person that one population decodes.

    Attributes
    ----------
    start : str
        What the first convolution started from.
    n_people : int
        Who trained the population.
    n_labelled : int
        Labelled trials of the person who is tested; 0 aligns by all without labels.
    seed : int
    person : str
    accuracy : float
    """

    start: str
    n_people: int
    n_labelled: int
    seed: int
    person: str
    accuracy: float


@dataclass(frozen=True, eq=False)
class TestPerson:
    """A person who is tested.

    Attributes
    ----------
    name : str
    calibration, test : Trials
        All recordings but the last, and the last.
    """

    name: str
    calibration: Trials
    test: Trials


class Difference(NamedTuple):
    """Mean over people of the differences of their accuracies, and its 95 % interval."""

    mean: float
    low: float
    high: float


def start_kernels(start: str) -> Floats32:
    """Return the first convolution of a start.

    Parameters
    ----------
    start : str
        ``cosines``, ``noise``, or the name or path of weights.

    Returns
    -------
    kernels : ndarray of float32, shape (kernels, taps)
    """
    if start == NOISE:
        shape = first_convolution("random").shape
        noise = np.random.default_rng(0).normal(size=shape)
        return np.asarray(noise / np.linalg.norm(noise, axis=1, keepdims=True), np.float32)
    return first_convolution(None if start == COSINES else start)


def read_test_person(name: str, recordings: Sequence[Recording], protocol: Protocol) -> TestPerson:
    """Cut the trials of a person who is tested.

    Parameters
    ----------
    name : str
    recordings : sequence of Recording
        In their order; the last one tests.
    protocol : Protocol

    Returns
    -------
    person : TestPerson

    Raises
    ------
    InputError
        There is one recording only.
    """
    if len(recordings) < 2:
        raise InputError(
            "A person who is tested needs a recording to calibrate on and a later one",
            value=f"{name}: {recordings[0].name}",
            remedy="Add a recording of this person to --test.",
        )
    first, last = recordings[0], recordings[-1]
    ch_names = cortex_electrodes([one for one in first.ch_names if one in last.ch_names])
    calibration, test = (
        make_trials(part, protocol, PreprocessorConfig(), ch_names)
        for part in (recordings[:-1], recordings[-1:])
    )
    return TestPerson(name, calibration, test)


def evaluate_transfer(
    train: Mapping[str, Sequence[Recording]],
    tested: Sequence[TestPerson],
    protocol: Protocol,
    starts: Sequence[str],
    sizes: Sequence[int],
    counts: Sequence[int],
    *,
    n_seeds: int,
    epochs: int,
    progress: Callable[[], None] = lambda: None,
) -> list[TransferScore]:
    """Train populations of some of the people from each start, and decode new people.

    All starts see the same people, drawn anew for each seed, and as many trials. A population
    is one network, so that the seeds show their spread.

    Parameters
    ----------
    train : dict of str to sequence of Recording
        Recordings of the people who train.
    tested : sequence of TestPerson
    protocol : Protocol
    starts : sequence of str
        See :func:`start_kernels`.
    sizes : sequence of int
        Numbers of people who train.
    counts : sequence of int
        Numbers of labelled trials of the person who is tested.
    n_seeds : int
    epochs : int
        For the largest number of people; fewer people are seen more often.
    progress : callable
        Called after each population.

    Returns
    -------
    scores : list of TransferScore

    Raises
    ------
    InputError
        There are fewer people than asked for.
    """
    if max(sizes) > len(train):
        raise InputError(
            f"The recordings to train on are of {len(train)} people",
            value=f"--people {','.join(map(str, sizes))}",
            remedy="Ask for fewer people, or add recordings to --train.",
        )
    scores = []
    for start in starts:
        kernels = start_kernels(start)
        people = [read_person(name, own, protocol, kernels) for name, own in train.items()]
        for size in sizes:
            rounds = round(epochs * max(sizes) / size)
            for seed in range(n_seeds):
                drawn = np.random.default_rng([seed, size]).permutation(len(people))[:size]
                chosen = [people[index] for index in sorted(drawn)]
                made = train_population(
                    chosen,
                    protocol,
                    n_networks=1,
                    n_spatiotemporal=0,
                    epochs=rounds,
                    seed=seed,
                )
                population = replace(made, kernels=kernels)
                scores += [
                    TransferScore(start, size, count, seed, person.name, accuracy)
                    for person in tested
                    for count in counts
                    for accuracy in [_accuracy(population, person, count)]
                ]
                progress()
    return scores


def _accuracy(population: ImageryPopulation, person: TestPerson, count: int) -> float:
    calibration, test = person.calibration, person.test
    classes = test.protocol.class_names
    classifier = PopulationClassifier(population, test.ch_names, classes)
    if count:
        classifier.fit(calibration.X[:count], calibration.y[:count])
    else:
        classifier.fit(calibration.X)
    chosen = np.array(classes)[classifier.predict_proba(test.X).argmax(axis=1)]
    return float(np.mean(chosen == test.y))


def difference(
    scores: Sequence[TransferScore], start: str, other: str, size: int, count: int
) -> Difference:
    """Compare two starts person by person, over their mean of the seeds.

    Parameters
    ----------
    scores : sequence of TransferScore
    start, other : str
        The result is the accuracy of the first less that of the other.
    size, count : int
        People who trained, and labelled trials.

    Returns
    -------
    difference : Difference
    """
    by_person: dict[str, list[float]] = {}
    for score in scores:
        if score[1:3] == (size, count) and score.start in (start, other):
            sign = 1.0 if score.start == start else -1.0
            by_person.setdefault(score.person, []).append(sign * score.accuracy)
    each = np.array([2 * np.mean(values) for values in by_person.values()])
    return Difference(float(each.mean()), *interval_over_people(each))
