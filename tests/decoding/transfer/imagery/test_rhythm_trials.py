"""Signals and covariances of trials stay on the same electrodes."""

from __future__ import annotations

import numpy as np

from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.montage_match import match_montage


def _trials(X: np.ndarray) -> RhythmTrials:
    return RhythmTrials.of(X, rhythm_kernels())


def _assert_same(found: RhythmTrials, expected: RhythmTrials) -> None:
    np.testing.assert_allclose(found.signals, expected.signals, atol=1e-5)
    np.testing.assert_allclose(found.covariances, expected.covariances, atol=1e-5)


def test_picked_electrodes_are_those_of_the_epochs() -> None:
    X = np.random.default_rng(0).normal(size=(2, 4, 128))
    _assert_same(_trials(X).pick([3, 0]), _trials(X[:, [3, 0]]))


def test_placed_electrodes_stand_where_the_population_has_them() -> None:
    X = np.random.default_rng(1).normal(size=(2, 3, 128))
    match = match_montage(("C3", "C1", "Cz", "C4"), ("C4", "C3", "FCC1"))
    whole = np.zeros((2, 5, 128))
    whole[:, [3, 0, 4]] = X
    _assert_same(_trials(X[:, match.picks]).placed(match), _trials(whole))


def test_trials_are_joined_in_their_order() -> None:
    X = np.random.default_rng(2).normal(size=(5, 2, 128))
    joined = RhythmTrials.join([_trials(X[:2]), _trials(X[2:])])
    assert len(joined) == 5
    _assert_same(joined[1:4], _trials(X[1:4]))
