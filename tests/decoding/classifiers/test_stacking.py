from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding.classifiers.stacking import (
    PENALTY,
    SMALLEST_WEIGHT,
    combine,
    stacking_weights,
)

Floats = NDArray[np.float64]


def _member(targets: NDArray[np.int64], strength: float, seed: int) -> Floats:
    """Calibrated log probabilities of two classes: from log likelihood ratios of Gaussians."""
    rng = np.random.default_rng(seed)
    score = rng.normal((2 * targets - 1) * strength, 1.0)
    ratio = 2 * strength * score
    return np.stack([-np.logaddexp(0, ratio), -np.logaddexp(0, -ratio)], axis=1)


def _loss(weights: Floats, members: Floats, targets: NDArray[np.int64]) -> float:
    powers = np.prod(np.exp(members) ** weights[:, np.newaxis, np.newaxis], axis=0)
    probabilities = powers / powers.sum(axis=1, keepdims=True)
    likelihood = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(likelihood).sum() + PENALTY * (weights**2).sum())


@pytest.fixture
def targets() -> NDArray[np.int64]:
    return np.arange(400) % 2


def test_one_member_of_weight_one_stays_as_it_is(targets: NDArray[np.int64]) -> None:
    member = _member(targets, 0.7, 0)
    np.testing.assert_allclose(combine(member[np.newaxis], np.ones(1)), np.exp(member))


def test_combination_is_the_normalised_geometric_mean() -> None:
    members = np.log([[[0.8, 0.2]], [[0.5, 0.5]], [[0.1, 0.9]]])
    # 0.8 * 0.1**0.5 against 0.2 * 0.9**0.5
    first, second = 0.8 * np.sqrt(0.1), 0.2 * np.sqrt(0.9)
    expected = [[first / (first + second), second / (first + second)]]
    np.testing.assert_allclose(combine(members, np.array([1.0, 3.0, 0.5])), expected)


def test_weights_of_zero_give_the_uniform_distribution(targets: NDArray[np.int64]) -> None:
    members = np.stack([_member(targets, 1.0, 0), _member(targets, 2.0, 1)])
    np.testing.assert_allclose(combine(members, np.zeros(2)), 0.5)


def test_a_member_without_information_gets_next_to_no_weight(targets: NDArray[np.int64]) -> None:
    shuffled = np.random.default_rng(5).permutation(targets)
    members = np.stack([_member(targets, 1.0, 0), _member(shuffled, 1.0, 1)])
    informed, uninformed = stacking_weights(members, targets)
    assert informed > 0.7
    assert uninformed < 0.1 * informed


def test_a_member_that_misleads_gets_the_smallest_weight(targets: NDArray[np.int64]) -> None:
    members = np.stack([_member(targets, 1.0, 0), _member(1 - targets, 1.0, 1)])
    assert stacking_weights(members, targets)[1] == SMALLEST_WEIGHT


def test_independent_members_add_up() -> None:
    """Log likelihood ratios of independent evidence add, so both weights are near one."""
    targets = np.arange(20_000) % 2
    members = np.stack([_member(targets, 0.8, 0), _member(targets, 0.8, 1)])
    np.testing.assert_allclose(stacking_weights(members, targets), 1.0, atol=0.1)


def test_overconfidence_is_tempered(targets: NDArray[np.int64]) -> None:
    calibrated = _member(targets, 0.8, 0)
    weight = stacking_weights(calibrated[np.newaxis], targets)
    overconfident = stacking_weights(4 * calibrated[np.newaxis], targets)
    np.testing.assert_allclose(4 * overconfident, weight, rtol=0.05)


def test_no_other_weights_have_a_lower_loss(targets: NDArray[np.int64]) -> None:
    members = np.stack([_member(targets, strength, k) for k, strength in enumerate((0.3, 1, 0.6))])
    weights = stacking_weights(members, targets)
    best = _loss(weights, members, targets)
    rng = np.random.default_rng(0)
    for _ in range(50):
        other = np.maximum(weights + 0.1 * rng.standard_normal(3), 0)
        assert _loss(other, members, targets) >= best - 1e-6
