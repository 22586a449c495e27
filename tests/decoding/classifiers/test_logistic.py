"""Logistic regression against scikit-learn, and against the conditions of its optimum."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression as SklearnLogisticRegression

from sjepa_online.decoding.classifiers.logistic import INTERCEPT_PRECISION, LogisticRegression

Floats = NDArray[np.float64]


def _problem(n: int, d: int, n_classes: int, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """Gaussian classes around random means."""
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % n_classes
    means = rng.standard_normal((n_classes, d))
    return means[targets] + rng.standard_normal((n, d)), targets


def _objective(
    weights: Floats, features: Floats, targets: NDArray[np.int64], prior: Floats, C: float
) -> float:
    """The negative log posterior, written down once more with plain exponentials."""
    scores = np.exp(features @ weights[:-1] + weights[-1])
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    change = weights - prior
    return float(
        -np.log(probabilities[np.arange(len(targets)), targets]).sum()
        + (change[:-1] ** 2).sum() / (2 * C)
        + INTERCEPT_PRECISION * (change[-1] ** 2).sum() / 2
    )


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("C", [0.03, 1.0])
def test_without_a_prior_it_is_scikit_learns(n_classes: int, C: float) -> None:
    features, targets = _problem(60, 5, n_classes)
    # a column of tens is an intercept that costs as much as ours does
    constant = np.full((60, 1), 1 / np.sqrt(INTERCEPT_PRECISION * C))
    reference = SklearnLogisticRegression(C=C, fit_intercept=False, tol=1e-8, max_iter=2000)
    if n_classes == 2:
        # two softmax columns w and -w are one logistic column 2 w of half the penalty
        reference.set_params(C=C * 2)
    reference.fit(np.hstack([features, constant]), targets)
    ours = LogisticRegression(C=C).fit(features, targets, n_classes)
    np.testing.assert_allclose(
        ours.predict_proba(features),
        reference.predict_proba(np.hstack([features, constant])),
        atol=2e-4,
    )


@pytest.mark.parametrize(("n", "d"), [(40, 6), (15, 50)])
@pytest.mark.parametrize("with_prior", [True, False])
def test_the_posterior_has_its_maximum_there(n: int, d: int, with_prior: bool) -> None:
    """No step in any direction of the full space is better, in or out of the trials' span."""
    features, targets = _problem(n, d, 3)
    rng = np.random.default_rng(1)
    prior = rng.standard_normal((d + 1, 3)) if with_prior else np.zeros((d + 1, 3))
    fitted = LogisticRegression(prior if with_prior else None, C=0.5).fit(features, targets, 3)
    best = _objective(fitted.weights, features, targets, prior, 0.5)
    for _ in range(30):
        step = rng.standard_normal(prior.shape)
        for scale in (0.03, -0.03):
            moved = fitted.weights + scale * step
            assert _objective(moved, features, targets, prior, 0.5) > best


def test_more_features_than_trials_give_the_solution_of_the_full_space() -> None:
    features, targets = _problem(8, 20, 2)
    prior = 0.3 * np.random.default_rng(2).standard_normal((21, 2))
    fitted = LogisticRegression(prior, C=2.0).fit(features, targets, 2)
    direct = minimize(
        lambda flat: _objective(flat.reshape(21, 2), features, targets, prior, 2.0),
        np.zeros(42),
        method="BFGS",
        options={"gtol": 1e-4, "maxiter": 500},
    )
    np.testing.assert_allclose(fitted.weights, direct.x.reshape(21, 2), atol=5e-3)
    assert np.abs(fitted.weights - prior).max() > 0.2, "the trials moved the weights"


def test_a_strong_penalty_gives_the_prior_and_a_weak_one_forgets_it() -> None:
    features, targets = _problem(60, 4, 2)
    prior = np.random.default_rng(3).standard_normal((5, 2))
    slopes = LogisticRegression(prior, C=1e-6).fit(features, targets, 2).weights[:-1]
    np.testing.assert_allclose(slopes, prior[:-1], atol=1e-3)
    tied, free = (
        LogisticRegression(mean, C=100.0).fit(features, targets, 2).predict_proba(features)
        for mean in (prior, None)
    )
    assert np.abs(tied - free).max() < 0.05


def test_a_weight_counts_a_trial_as_often() -> None:
    features, targets = _problem(20, 3, 2)
    often = np.arange(20) % 3 + 1
    weighted = LogisticRegression().fit(features, targets, 2, often.astype(float))
    repeated = LogisticRegression().fit(features.repeat(often, axis=0), targets.repeat(often), 2)
    np.testing.assert_allclose(weighted.weights, repeated.weights, atol=1e-4)


def test_probabilities_are_the_softmax_of_the_logits() -> None:
    features, targets = _problem(20, 3, 3)
    fitted = LogisticRegression().fit(features, targets, 3)
    scores = np.exp(fitted.logits(features))
    np.testing.assert_allclose(
        fitted.predict_proba(features), scores / scores.sum(axis=1, keepdims=True)
    )
