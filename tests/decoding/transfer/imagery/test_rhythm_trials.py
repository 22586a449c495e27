"""Signals and covariances of trials stay on the same electrodes."""

from __future__ import annotations

import numpy as np

from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials


def _trials(X: np.ndarray) -> RhythmTrials:
    return RhythmTrials.of(X, rhythm_kernels())


def _assert_same(found: RhythmTrials, expected: RhythmTrials) -> None:
    np.testing.assert_allclose(found.signals, expected.signals, atol=1e-5)
    np.testing.assert_allclose(found.covariances, expected.covariances, atol=1e-5)


def test_picked_electrodes_are_those_of_the_epochs() -> None:
    X = np.random.default_rng(0).normal(size=(2, 4, 128))
    _assert_same(_trials(X).pick([3, 0]), _trials(X[:, [3, 0]]))


def test_trials_are_joined_in_their_order() -> None:
    X = np.random.default_rng(2).normal(size=(5, 2, 128))
    joined = RhythmTrials.join([_trials(X[:2]), _trials(X[2:])])
    assert len(joined) == 5
    _assert_same(joined[1:4], _trials(X[1:4]))
