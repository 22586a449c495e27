"""Electrodes of a montage that serve for those of a population."""

from __future__ import annotations

import numpy as np

from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.montage_match import REACH, match_montage
from sjepa_online.signal import positions_in_metres

POPULATION = ("FC3", "FC4", "C3", "Cz", "C4", "CP3", "CP4")


def test_the_same_names_are_matched_by_name_alone() -> None:
    match = match_montage(POPULATION, ("Oz", *POPULATION[::-1], "FCC3"))
    assert match.picks.tolist() == list(range(7, 0, -1))
    assert match.places.tolist() == list(range(7))
    assert (match.beside, match.missing, match.estimated) == ((), (), "")


def test_other_spellings_are_the_same_electrodes() -> None:
    match = match_montage(POPULATION, ("EEG C3-Ref", "cz", "C4.", "STATUS"))
    assert match.served == ("C3", "Cz", "C4")
    assert match.picks.tolist() == [0, 1, 2]
    assert match_montage(("P7", "Pz"), ("T5", "Pz")).missing == ()


def test_electrodes_beside_missing_ones_serve_for_them() -> None:
    match = match_montage(POPULATION, ("C3", "FCC4", "CCP2", "F4", "T7"))
    assert match.names == ("C3", "FCC4")
    assert match.served == ("FC4", "C3", "C4")
    assert match.estimated.endswith("also from FCC4 beside them")
    assert match_montage(POPULATION, ("C3", "FCC4"), by_position=False).beside == ()


def test_what_is_in_reach_is_half_the_diagonal_of_the_system() -> None:
    between, corners = positions_in_metres(["FCC3h"]), positions_in_metres(["FC3", "C3", "FC1"])
    assert np.linalg.norm(corners - between, axis=1).max() < REACH
    neighbours = positions_in_metres(["C1", "FC3"]) - positions_in_metres(["C3"])
    assert np.linalg.norm(neighbours, axis=1).min() > REACH


def test_electrodes_beside_others_tell_of_them() -> None:
    """A source beneath C3 is found at C3 although only electrodes beside it are there."""
    names = ("FCC3", "CCP3", "FCC4", "CCP4", "Cz")
    match = match_montage(POPULATION, names)
    assert match.served == POPULATION
    rng = np.random.default_rng(0)
    distance = positions_in_metres(POPULATION)[:, None] - positions_in_metres(POPULATION)
    population = np.exp(-0.5 * np.sum(distance**2, axis=-1) / 0.05**2) + 0.1 * np.eye(7)
    estimate = Completion(population[np.newaxis], match.nearby).estimate(match.there)
    pattern = np.exp(
        -0.5 * np.sum((positions_in_metres(names) - positions_in_metres(["C3"])) ** 2, -1) / 0.05**2
    )
    X = pattern[:, None] * rng.normal(size=500) + 0.1 * rng.normal(size=(5, 500))
    measured = (X @ X.T / 500)[np.newaxis, np.newaxis, np.newaxis]
    trials = RhythmTrials(X[np.newaxis].astype(np.float32), measured.astype(np.float32))
    both = estimate.complete(trials.pick([names.index(name) for name in match.names]))
    completed = both.covariances[0, 0, 0]
    shown = np.var(both.signals[0], axis=1)
    assert shown[POPULATION.index("C3")] > 2 * shown[POPULATION.index("C4")]
    assert completed.shape == (7, 7)
    power = dict(zip(POPULATION, np.diag(completed), strict=True))
    assert power["C3"] > 2 * power["C4"]
    assert np.linalg.eigvalsh(completed).min() > 0


def test_a_map_without_covariances_keeps_what_is_there() -> None:
    match = match_montage(POPULATION, ("C3", "FCC4", "CCP4"))
    mapped = match.interpolation()
    assert mapped.shape == (4, 3)
    np.testing.assert_array_equal(mapped[match.served.index("C3")], [1, 0, 0])
    np.testing.assert_allclose(mapped.sum(axis=1), 1, atol=0.35)
