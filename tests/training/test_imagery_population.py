"""Populations of imagery: who takes part, and training that was interrupted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sjepa_online.decoding.transfer.fingerprint import fingerprints
from sjepa_online.decoding.transfer.imagery.population import ImageryPopulation
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.training.both_networks import forget_state
from sjepa_online.training.imagery_population import (
    Person,
    common_electrodes,
    person_of,
    train_population,
)
from sjepa_online.training.population_card import model_card
from sjepa_online.training.population_network import mirrored_triangle

CH_NAMES = ("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4")


def _person(seed: int) -> Person:
    """Simulate a person whose signal is noise: enough for what is tested here."""
    X = np.random.default_rng(seed).normal(size=(24, 9, 536))
    is_right = np.arange(24) % 2 == 1
    trials = RhythmTrials.of(X, rhythm_kernels())
    return Person(f"sub-{seed}", CH_NAMES, trials, fingerprints(X), is_right, simulated=True)


PEOPLE = [_person(seed) for seed in range(3)]


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    return load_protocol("mi")


def test_people_who_lack_electrodes_take_part(protocol: Protocol) -> None:
    keep = [0, 3, 4, 5, 8]
    reduced = replace(
        PEOPLE[2],
        ch_names=tuple(PEOPLE[2].ch_names[row] for row in keep),
        trials=PEOPLE[2].trials.pick(keep),
        prints=PEOPLE[2].prints[:, keep],
    )
    made = train_population([*PEOPLE[:2], reduced], protocol, epochs=1)
    assert made.config.ch_names == PEOPLE[0].ch_names
    assert np.isfinite(made.network.weights).all()


def test_people_of_montages_without_a_common_electrode_take_part(protocol: Protocol) -> None:
    between = ("FCC3", "FCC4", "CCP3", "CCP4", "FCCz", "CCPz")
    others = [
        replace(
            one,
            ch_names=between,
            trials=one.trials.pick(range(6)),
            prints=one.prints[:, :6],
        )
        for one in PEOPLE[1:]
    ]
    made = train_population([PEOPLE[0], *others], protocol, epochs=1)
    assert made.config.ch_names == PEOPLE[0].ch_names
    assert np.isfinite(made.network.weights).all()
    alone = train_population(others, protocol, epochs=1).config.ch_names
    assert sorted(alone) == sorted(PEOPLE[0].ch_names)


@pytest.fixture(scope="module")
def whole(protocol: Protocol) -> ImageryPopulation:
    return train_population(PEOPLE, protocol, epochs=3)


def _interrupt_after(n_epochs: int) -> Callable[[], None]:
    calls = iter(range(1, n_epochs + 1))

    def progress() -> None:
        if next(calls) == n_epochs:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("n_epochs", [1, 3, 4])
def test_an_interrupted_training_goes_on_where_it_stopped(
    protocol: Protocol, whole: ImageryPopulation, tmp_path: Path, n_epochs: int
) -> None:
    """Three epochs are of the first kind of network, three of the second."""
    state, seen = tmp_path / "state", []
    with pytest.raises(KeyboardInterrupt):
        train_population(
            PEOPLE, protocol, epochs=3, resume_from=state, progress=_interrupt_after(n_epochs)
        )
    resumed = train_population(
        PEOPLE, protocol, epochs=3, resume_from=state, progress=lambda: seen.append(1)
    )
    assert len(seen) == 6
    np.testing.assert_allclose(resumed.network.weights, whole.network.weights, atol=1e-6)
    assert resumed.spatiotemporal is not None
    assert whole.spatiotemporal is not None
    for name, one in whole.spatiotemporal.arrays.items():
        np.testing.assert_allclose(resumed.spatiotemporal.arrays[name], one, atol=1e-5)
    forget_state(state)
    assert not list(tmp_path.iterdir())


def test_deleting_the_state_starts_both_kinds_anew(
    protocol: Protocol, whole: ImageryPopulation, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    train_population(PEOPLE[:2], protocol, epochs=1, resume_from=state)
    state.unlink()
    assert list(tmp_path.iterdir())
    again = train_population(PEOPLE, protocol, epochs=3, resume_from=state)
    np.testing.assert_allclose(again.network.weights, whole.network.weights, atol=1e-6)


def test_people_who_are_judged_did_not_train(protocol: Protocol) -> None:
    """Labels of noise cannot be learned, but networks know those that they trained on."""
    made = train_population(PEOPLE, protocol, epochs=4, n_networks=1, n_spatiotemporal=1)
    assert made.config.held_out.accuracy < 0.65


def test_a_state_of_other_people_is_refused(protocol: Protocol, tmp_path: Path) -> None:
    state = tmp_path / "state"
    train_population(PEOPLE, protocol, epochs=1, resume_from=state)
    with pytest.raises(InputError, match="other recordings"):
        train_population(PEOPLE[:2], protocol, epochs=1, resume_from=state)


def test_one_person_under_two_names_is_refused(protocol: Protocol) -> None:
    with pytest.raises(InputError, match="sub-0 and again"):
        train_population([*PEOPLE, replace(PEOPLE[0], name="again")], protocol, epochs=1)


def test_electrodes_that_half_of_the_people_have() -> None:
    montages = [("C3", "Cz", "C4", "FC3"), ("C3", "Cz", "C4", "CP3", "CP4")]
    assert common_electrodes(montages) == ("C3", "Cz", "C4", "CP3", "CP4")
    with pytest.raises(InputError, match="in common"):
        common_electrodes([*montages, ("FC1", "FC2", "FCz")])


@pytest.mark.parametrize(
    ("source", "person"),
    [
        ("data/S012R04.edf", "S012"),
        ("sub-07_ses-2_task-mi_eeg.edf", "sub-07"),
        ("moabb:Lee2019_MI:3:0:1", "moabb:Lee2019_MI:3"),
        ("anna.fif", "anna"),
    ],
)
def test_people_are_told_apart_by_the_names_of_sources(source: str, person: str) -> None:
    assert person_of(source) == person


def test_a_mirrored_triangle_is_that_of_the_mirrored_matrix() -> None:
    mirror = np.array([2, 1, 0])
    matrix = np.random.default_rng(0).normal(size=(3, 3))
    matrix += matrix.T
    triangle = np.triu_indices(3)
    mirrored = matrix[np.ix_(mirror, mirror)][triangle]
    np.testing.assert_array_equal(matrix[triangle][mirrored_triangle(mirror)], mirrored)


def test_the_card_says_what_was_held_out(protocol: Protocol) -> None:
    config = train_population(PEOPLE, protocol, epochs=1).config
    card = model_card("others", config)
    assert "Simulated people" in card
    assert f"{config.held_out.accuracy:.3f}" in card
