"""Make a population of imagery from labelled recordings of many people."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path, PurePath

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding.classifiers.network import load_network
from sjepa_online.decoding.transfer.fingerprint import (
    Fingerprints,
    KnownTrials,
    fingerprints,
    matches,
)
from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.population import (
    ImageryPopulation,
    ImageryPopulationConfig,
    cortex_electrodes,
    mirror_of,
    right_class,
)
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import BLOCK, rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.montage_match import MontageMatch, match_montage
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.signal.cortex import LEAST_ELECTRODES
from sjepa_online.training.both_networks import Training, train_both
from sjepa_online.training.held_out_people import HeldOut
from sjepa_online.training.network_training import PersonTrials
from sjepa_online.training.population_network import N_SEEDS
from sjepa_online.training.spatiotemporal_network import N_SEEDS as N_SPATIOTEMPORAL

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

#: Electrodes that a population may read; those between them serve for their neighbours.
GRID = tuple(f"{row}{column}" for row in ("FC", "C", "CP") for column in "531z246")
#: An electrode belongs to the population if so large a share of the people has it.
LEAST_SHARE = 0.5
_PERSON = (re.compile(r"(sub-[A-Za-z0-9]+)"), re.compile(r"(?:^|/)(S\d+)(?=R\d+)"))


@dataclass(frozen=True, eq=False)
class Person:
    """The training data of one person.

    Attributes
    ----------
    name : str
    ch_names : tuple of str
        Electrodes over the sensorimotor cortex.
    trials : RhythmTrials
        On these electrodes.
    prints : ndarray of uint8, shape (n, channels, 8)
    is_right : ndarray of bool, shape (n,)
    simulated : bool
    """

    name: str
    ch_names: tuple[str, ...]
    trials: RhythmTrials
    prints: Fingerprints
    is_right: NDArray[np.bool_]
    simulated: bool


def person_of(source: str) -> str:
    """Return the person of a recording: ``sub-01``, ``S001`` of ``S001R04``, or its own name.

    Parameters
    ----------
    source : str
        Name of the recording.

    Returns
    -------
    person : str
    """
    for pattern in _PERSON:
        found = pattern.search(source)
        if found:
            return found[1]
    if ":" in source:
        return ":".join(source.split(":")[:3])
    return PurePath(source).stem


def group_by_person(recordings: Sequence[Recording]) -> dict[str, list[Recording]]:
    """Return the recordings of each person.

    Parameters
    ----------
    recordings : sequence of Recording

    Returns
    -------
    people : dict of str to list of Recording

    Raises
    ------
    InputError
        They are of one person only.
    """
    people: dict[str, list[Recording]] = {}
    for recording in recordings:
        people.setdefault(person_of(recording.name), []).append(recording)
    if len(people) < 2:
        raise InputError(
            "These recordings are of one person, and several people are needed",
            value=", ".join(people),
            remedy="Add recordings of others. People are told apart by `sub-XX`, by SxxxRyy, or "
            "by the name of the file.",
        )
    return people


def read_person(
    name: str,
    recordings: Sequence[Recording],
    protocol: Protocol,
    kernels: Floats32 | None = None,
) -> Person:
    """Cut the trials of one person and compute what training reads of them.

    Parameters
    ----------
    name : str
        Of the person.
    recordings : sequence of Recording
        Of that person.
    protocol : Protocol
    kernels : ndarray, shape (kernels, taps), or None
        The first convolution; None for :func:`rhythm_kernels`.

    Returns
    -------
    person : Person

    Raises
    ------
    InputError
        The protocol is not imagery of left and right, or there are too few electrodes over the
        sensorimotor cortex.
    """
    right = right_class(protocol.class_names)
    shared = [one for one in recordings[0].ch_names if all(one in r.ch_names for r in recordings)]
    ch_names = cortex_electrodes(shared)
    if len(ch_names) < LEAST_ELECTRODES:
        raise InputError(
            "A recording has too few electrodes over the sensorimotor cortex",
            value=f"{name}: {', '.join(ch_names) or 'none of the rows FC to CP'}",
            remedy=f"At least {LEAST_ELECTRODES} of the rows FC to CP are needed.",
        )
    trials = make_trials(recordings, protocol, PreprocessorConfig(), ch_names)
    return Person(
        name,
        ch_names,
        RhythmTrials.of(trials.X, rhythm_kernels() if kernels is None else kernels),
        fingerprints(trials.X),
        trials.y == protocol.class_names[right],
        any(recording.simulated for recording in recordings),
    )


def train_population(
    people: Sequence[Person],
    protocol: Protocol,
    *,
    weights: str | None = None,
    n_networks: int = N_SEEDS,
    n_spatiotemporal: int = N_SPATIOTEMPORAL,
    epochs: int | None = None,
    seed: int = 0,
    resume_from: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> ImageryPopulation:
    """Train on all people, and score networks that were trained without the person.

    Parameters
    ----------
    people : sequence of Person
        Read with the kernels of ``weights``.
    protocol : Protocol
    weights : str or None
        Pretrained weights that the first convolution is of; see :func:`first_convolution`.
    n_networks, n_spatiotemporal : int
        How many networks of other seeds are averaged, of each kind; 0 of the second does
        without that kind.
    epochs : int or None
        Times that the training sees every trial; None for what each kind needs.
    seed : int
    resume_from : Path or None
        File for the state of an interrupted training; see
        :func:`sjepa_online.training.both_networks.forget_state`.
    progress : callable
        Called after each epoch of each kind.

    Returns
    -------
    population : ImageryPopulation

    Raises
    ------
    InputError
        Two people are the same one under two names, a person lacks most electrodes, or the state
        is of another training.
    """
    _refuse_doubles(people)
    ch_names = common_electrodes([person.ch_names for person in people])
    montages = [match_montage(ch_names, person.ch_names) for person in people]
    covariances = _mean_covariances(people, montages)
    trials = [
        _on_electrodes(person, match, covariances)
        for person, match in zip(people, montages, strict=True)
    ]
    training = Training.of((n_networks, n_spatiotemporal), epochs, seed)
    trained = train_both(
        trials,
        covariances,
        mirror_of(ch_names),
        training,
        digest=_digest(people, f"{training} {BLOCK} {weights}"),
        resume_from=resume_from,
        progress=progress,
    )
    return ImageryPopulation(
        _config(people, protocol, ch_names, trained.held_out, weights),
        trained.network,
        first_convolution(weights),
        covariances.astype(np.float32),
        _known_trials(people, ch_names),
        trained.spatiotemporal,
    )


def first_convolution(weights: str | None) -> Floats32:
    """Return the first convolution that a population starts from, and keeps.

    Parameters
    ----------
    weights : str or None
        Name or path of pretrained weights, ``random`` for the bank of Gabor filters of a network
        that was not trained; None for :func:`rhythm_kernels`.

    Returns
    -------
    kernels : ndarray of float32, shape (kernels, taps)
        Each row has the norm 1.

    Raises
    ------
    InputError
        There are no such weights.
    """
    if weights is None:
        return rhythm_kernels()
    kernels = load_network(weights, None, seed=0).local_encoder.first_kernels.numpy()
    return np.asarray(kernels / np.linalg.norm(kernels, axis=1, keepdims=True), np.float32)


def common_electrodes(montages: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Return the electrodes that half of the people have or have others beside, on both sides.

    They are of the rows FC, C and CP; electrodes between these serve for their neighbours.

    Parameters
    ----------
    montages : sequence of sequence of str
        Electrodes of each person.

    Returns
    -------
    electrodes : tuple of str

    Raises
    ------
    InputError
        There are too few, or a person has too few of them.
    """
    recorded = [name for montage in montages for name in montage if name in GRID]
    names = list(dict.fromkeys([*recorded, *GRID]))
    served = [match_montage(names, montage).served for montage in montages]
    share = {name: np.mean([name in one for one in served]) for name in names}
    chosen = [name for name in names if share[name] >= LEAST_SHARE]
    chosen = [name for name in chosen if _counterpart(name) in chosen]
    for montage, one in zip(montages, served, strict=True):
        if len(set(chosen) & set(one)) < LEAST_ELECTRODES:
            raise InputError(
                f"A person has fewer than {LEAST_ELECTRODES} electrodes in common with the others",
                value=f"{', '.join(montage)}; half of the people have "
                f"{', '.join(chosen) or 'none of them'}",
                remedy="Leave out the recordings of this montage.",
            )
    return tuple(chosen)


def _counterpart(name: str) -> str:
    if name.endswith("z"):
        return name
    number = int(name[-1])
    return f"{name[:-1]}{number + 1 if number % 2 else number - 1}"


def _refuse_doubles(people: Sequence[Person]) -> None:
    """Refuse a person who stands under two names."""
    for index, person in enumerate(people):
        for other in people[:index]:
            shared = [name for name in person.ch_names if name in other.ch_names]
            if not shared:
                continue
            own, others = (_prints_on(one, tuple(shared)) for one in (person, other))
            if len(matches(own, others)):
                raise InputError(
                    "Two people of the population have the same signal",
                    value=f"{other.name} and {person.name}",
                    remedy="Leave out one of them.",
                )


def _config(
    people: Sequence[Person],
    protocol: Protocol,
    ch_names: tuple[str, ...],
    held_out: HeldOut,
    weights: str | None,
) -> ImageryPopulationConfig:
    return ImageryPopulationConfig(
        protocol=protocol.name,
        window_start=protocol.window.start,
        block=BLOCK,
        ch_names=ch_names,
        people=tuple(person.name for person in people),
        n_trials=sum(len(person.is_right) for person in people),
        simulated=any(person.simulated for person in people),
        temperature=held_out.temperature,
        power_alone=held_out.power_alone,
        doubt_below=held_out.doubt_below,
        held_out=held_out.score,
        software_version=version("sjepa-online"),
        weights=None if weights is None else PurePath(weights).name,
    )


def _known_trials(people: Sequence[Person], ch_names: tuple[str, ...]) -> KnownTrials:
    counts = [len(person.prints) for person in people]
    return KnownTrials(
        np.concatenate([_prints_on(person, ch_names) for person in people]),
        np.repeat(np.arange(len(people), dtype=np.int32), counts),
        ch_names,
    )


def _prints_on(person: Person, ch_names: tuple[str, ...]) -> Fingerprints:
    """Return fingerprints on these electrodes, 0 where the person has none."""
    prints = np.zeros((len(person.prints), len(ch_names), person.prints.shape[-1]), dtype=np.uint8)
    for place, name in enumerate(ch_names):
        if name in person.ch_names:
            prints[:, place] = person.prints[:, person.ch_names.index(name)]
    return prints


def _mean_covariances(people: Sequence[Person], montages: Sequence[MontageMatch]) -> Floats:
    """Return the mean covariance behind each kernel ``(kernels, channels, channels)``.

    Each entry is the mean over the people who have both electrodes, or others beside them.
    """
    n_kernels, n_channels = people[0].trials.covariances.shape[1], len(montages[0].electrodes)
    total = np.zeros((n_kernels, n_channels, n_channels))
    count = np.zeros((n_channels, n_channels))
    for person, match in zip(people, montages, strict=True):
        places = [match.electrodes.index(name) for name in match.served]
        mean = person.trials.covariances.mean(axis=(0, 2), dtype=np.float64)
        picked = mean[:, match.picks[:, None], match.picks]
        if match.beside:
            mapped = match.interpolation()
            picked = mapped @ picked @ mapped.T
        total[:, np.array(places)[:, None], places] += picked / np.trace(picked.mean(axis=0))
        count[np.ix_(places, places)] += 1 / len(places)
    mean = total / np.maximum(count, np.finfo(float).tiny)
    values, vectors = np.linalg.eigh(mean)
    floor = 1e-4 * values[:, -1:]
    return np.asarray((vectors * np.maximum(values, floor)[:, None]) @ vectors.swapaxes(1, 2))


def _on_electrodes(person: Person, match: MontageMatch, covariances: Floats) -> PersonTrials:
    """Return a person's trials on the electrodes of the population, estimated where needed."""
    picked = person.trials.pick(match.picks)
    estimate = Completion(covariances, match.nearby).estimate(match.there)
    return PersonTrials(estimate.complete(picked), person.is_right)


def _digest(people: Sequence[Person], settings: str) -> str:
    """Return a name of the data and the settings, by which a resumed training is checked."""
    digest = sha256(settings.encode())
    for person in people:
        digest.update(person.name.encode() + person.prints.tobytes() + person.is_right.tobytes())
    return digest.hexdigest()
