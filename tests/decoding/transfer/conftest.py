"""Simulated people whose rhythm is weaker over the side opposite to the imagined hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.fingerprint import fingerprints
from sjepa_online.decoding.transfer.imagery.population import ImageryPopulation
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.training.imagery_population import Person, train_population

CH_NAMES = ("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4")
CLASSES = ("left_hand", "right_hand")
#: How C3 and C4 spread over the electrodes.
LEFT = np.array([0.5, 0.2, 0.0, 1.0, 0.3, 0.0, 0.6, 0.2, 0.0])
RIGHT = LEFT.reshape(3, 3)[:, ::-1].ravel()

Epochs = tuple[NDArray[np.float32], NDArray[np.str_]]


def _simulate(seed: int, n_trials: int = 30, depth: float = 0.65) -> Epochs:
    """Return trials of a simulated person, with a mixture and a scale of the person's own."""
    rng = np.random.default_rng([seed, n_trials])
    person = np.random.default_rng(seed)
    mixing = 4 * (np.eye(9) + 0.3 * person.normal(size=(9, 9)))
    frequency = person.uniform(10, 12)
    seconds = np.arange(536) / 128
    is_right = rng.permutation(n_trials) % 2 == 1
    X = mixing @ rng.normal(size=(n_trials, 9, 536))
    for trial, right in enumerate(is_right):
        for pattern, weak in ((LEFT, right), (RIGHT, not right)):
            wave = np.sin(2 * np.pi * (frequency * seconds + rng.uniform()))
            X[trial] += 6 * (1 - depth * weak) * pattern[:, np.newaxis] * wave
    return X.astype(np.float32), np.where(is_right, CLASSES[1], CLASSES[0])


def _simulated_person(seed: int) -> Person:
    X, y = _simulate(seed)
    trials = RhythmTrials.of(X, rhythm_kernels())
    return Person(f"sub-{seed}", CH_NAMES, trials, fingerprints(X), y == CLASSES[1], simulated=True)


@pytest.fixture(scope="session")
def simulate() -> Callable[..., Epochs]:
    return _simulate


@pytest.fixture(scope="session")
def protocol() -> Protocol:
    return load_protocol("mi")


@pytest.fixture(scope="session")
def people() -> list[Person]:
    return [_simulated_person(seed) for seed in range(100, 108)]


@pytest.fixture(scope="session")
def population(people: list[Person], protocol: Protocol) -> ImageryPopulation:
    return train_population(people, protocol, epochs=8)


@pytest.fixture
def saved(population: ImageryPopulation, tmp_path: Path) -> Callable[[], Path]:
    def save() -> Path:
        population.save(tmp_path / "others.safetensors")
        return tmp_path / "others.safetensors"

    return save
