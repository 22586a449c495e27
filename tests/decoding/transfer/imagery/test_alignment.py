"""Alignment of a person by the mean covariance."""

from __future__ import annotations

import numpy as np

from sjepa_online.decoding.transfer.imagery.alignment import (
    Alignment,
    inverse_root,
    mean_covariance,
)


def _covariances(n: int, seed: int = 0) -> np.ndarray:
    signals = np.random.default_rng(seed).normal(size=(n, 2, 3, 4, 50))
    return signals @ signals.swapaxes(-1, -2) / 50


def test_aligned_trials_are_white_in_the_mean() -> None:
    trials = mean_covariance(_covariances(40))
    alignment = Alignment(np.eye(4), weight=0)
    alignment.update(trials)
    whitening = alignment.whitening
    white = whitening @ trials.mean(axis=0) @ whitening
    np.testing.assert_allclose(white, np.eye(4), atol=0.03)


def test_chunks_of_trials_make_no_difference() -> None:
    trials = mean_covariance(_covariances(90))
    whole, parts = Alignment(np.eye(4)), Alignment(np.eye(4))
    whole.update(trials)
    for start in (0, 1, 7, 40):
        parts.update(trials[start : {0: 1, 1: 7, 7: 40, 40: 90}[start]])
    np.testing.assert_array_equal(whole.mean, parts.mean)


def test_a_trial_with_an_artefact_counts_as_any_other() -> None:
    covariances = _covariances(10)
    huge = covariances.copy()
    huge[3] *= 1e6
    np.testing.assert_allclose(mean_covariance(huge), mean_covariance(covariances), rtol=1e-9)


def test_old_trials_fade() -> None:
    alignment = Alignment(np.eye(4))
    alignment.update(np.eye(4) for _ in range(500))
    alignment.update(4 * np.eye(4) for _ in range(120))
    assert alignment.mean[0, 0] > 3


def test_the_root_is_one_of_the_shrunken_inverse() -> None:
    covariance = np.diag([4.0, 1.0])
    shrunken = 0.98 * covariance + 0.02 * 2.5 * np.eye(2)
    root = inverse_root(covariance)
    np.testing.assert_allclose(root @ shrunken @ root, np.eye(2), atol=1e-12)
