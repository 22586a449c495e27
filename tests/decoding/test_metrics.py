from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from sjepa_online.decoding.metrics import (
    accuracy,
    information_transfer_rate,
    main_score,
    roc_auc,
    score_summary,
)


def _columns(second: np.ndarray) -> np.ndarray:
    return np.stack([1 - second, second], axis=1)


def test_accuracy_counts_the_most_probable_class() -> None:
    probabilities = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.3, 0.4, 0.3], [1, 0, 0]])
    assert accuracy(probabilities, np.array(["b", "a", "c", "b"]), ("b", "c", "a")) == 1.0
    assert accuracy(probabilities, np.array(["b", "c", "c", "a"]), ("b", "c", "a")) == 0.5


def test_roc_auc_is_the_rank_statistic_of_the_second_class() -> None:
    rng = np.random.default_rng(0)
    y = rng.permutation(np.repeat(["Target", "NonTarget"], [10, 50]))
    second = np.clip(rng.normal(np.where(y == "NonTarget", 0.6, 0.4), 0.2), 0, 1)
    statistic = mannwhitneyu(second[y == "NonTarget"], second[y == "Target"]).statistic
    area = roc_auc(_columns(second), y, ("Target", "NonTarget"))
    assert area == pytest.approx(statistic / (10 * 50))
    assert area > 0.6, "the second class has the higher probability of itself"


def test_roc_auc_needs_two_classes_that_both_occur() -> None:
    two = _columns(np.array([0.2, 0.7]))
    assert roc_auc(two, np.array(["a", "a"]), ("a", "b")) is None
    assert roc_auc(two, np.array(["b", "b"]), ("a", "b")) is None
    assert roc_auc(np.full((2, 3), 1 / 3), np.array(["a", "b"]), ("a", "b", "c")) is None


@pytest.mark.parametrize(
    ("score", "n_classes", "seconds", "expected"),
    [
        (1.0, 4, 4.0, 30.0),  # 2 bits every 4 s
        (1.0, 2, 1.0, 60.0),
        # Wolpaw et al. 2002, figure 2: 4 targets at 90 % carry 1.37 bits
        (0.9, 4, 60.0, 2 + 0.9 * np.log2(0.9) + 0.1 * np.log2(0.1 / 3)),
        (0.9, 4, 60.0, 1.3725),
        (0.75, 2, 60.0, 0.188722),  # 1 minus the entropy of a quarter
        (0.5, 2, 1.0, 0.0),
        (0.1, 4, 1.0, 0.0),  # below chance carries nothing, although the formula would say so
        (0.0, 2, 1.0, 0.0),
    ],
)
def test_information_transfer_rate(
    score: float, n_classes: int, seconds: float, expected: float
) -> None:
    assert information_transfer_rate(score, n_classes, seconds) == pytest.approx(expected, abs=1e-4)


def test_the_main_score_of_erp_is_the_area_and_else_accuracy() -> None:
    probabilities = _columns(np.array([0.7, 0.8, 0.9, 0.6]))
    y = np.array(["a", "b", "b", "a"])
    assert main_score("erp", probabilities, y, ("a", "b")) == 1.0
    assert main_score("mi", probabilities, y, ("a", "b")) == 0.5


def test_the_summary_has_an_area_for_two_classes_only() -> None:
    y = np.array(["a", "b"])
    assert score_summary(_columns(np.array([0.1, 0.9])), y, ("a", "b")) == {
        "accuracy": 1.0,
        "roc_auc": 1.0,
    }
    assert score_summary(np.eye(3)[:2], y, ("a", "b", "c")) == {"accuracy": 1.0}
