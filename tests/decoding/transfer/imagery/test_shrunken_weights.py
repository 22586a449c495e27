"""Weights between the population's and the person's own."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from sjepa_online.decoding.transfer.imagery import shrunken_weights
from sjepa_online.decoding.transfer.imagery.shrunken_weights import change_of_weights


def test_the_dual_solves_the_primal_problem() -> None:
    rng = np.random.default_rng(0)
    features, offset = rng.normal(size=(12, 3)), rng.normal(size=12)
    sign = np.where(rng.random(12) < 0.5, -1.0, 1.0)

    def loss(weights: np.ndarray) -> float:
        logits = offset + features @ weights
        return float(np.logaddexp(0, -sign * logits).sum() + weights @ weights / (2 * 0.7))

    primal = minimize(loss, np.zeros(3), tol=1e-10).x
    dual = shrunken_weights._dual(features @ features.T, offset, sign, 0.7)
    np.testing.assert_allclose(features.T @ dual, primal, atol=1e-4)


def test_labels_that_the_population_explains_change_little() -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(40, 50)) / np.sqrt(50)
    is_right = rng.random(40) < 0.5
    offset = np.where(is_right, 4.0, -4.0)
    change = change_of_weights(features, offset, is_right)
    assert np.abs(features @ change[:-1] + change[-1]).max() < 1.0


def test_labels_that_it_does_not_explain_are_learned() -> None:
    rng = np.random.default_rng(2)
    is_right = np.arange(60) % 2 == 1
    features = rng.normal(size=(60, 20)) / np.sqrt(20)
    features[:, 0] = np.where(is_right, 0.7, -0.7)
    change = change_of_weights(features, rng.normal(size=60), is_right)
    logits = features @ change[:-1] + change[-1]
    assert np.mean((logits > 0) == is_right) > 0.95


def test_one_trial_of_a_class_teaches_nothing() -> None:
    change = change_of_weights(np.eye(3), np.zeros(3), np.array([True, True, False]))
    np.testing.assert_array_equal(change, 0)
