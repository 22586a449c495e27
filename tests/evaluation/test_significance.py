from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from sjepa_online.evaluation.significance import (
    accuracy_threshold,
    auc_interval,
    auc_threshold,
    chance_level,
    hanley_interval,
    judge,
    judge_summary,
    measure_of,
    wilson_interval,
)
from sjepa_online.protocol import load_protocol


def test_wilson_interval_is_the_closed_form():
    p, n, z = 37 / 50, 50, 1.959964
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    np.testing.assert_allclose(wilson_interval(37, 50), (centre - half, centre + half), atol=1e-6)


def test_wilson_interval_stays_within_its_range():
    assert wilson_interval(20, 20)[1] == pytest.approx(1.0)
    assert wilson_interval(0, 20)[0] == pytest.approx(0.0)


@pytest.mark.parametrize(("n_trials", "chance"), [(40, 0.5), (96, 0.25), (17, 1 / 3)])
def test_guessing_exceeds_the_accuracy_threshold_in_at_most_5_percent(n_trials, chance):
    guesses = np.random.default_rng(0).binomial(n_trials, chance, 40_000) / n_trials
    threshold = accuracy_threshold(n_trials, chance)
    assert np.mean(guesses > threshold) <= 0.053
    # and one trial less would be too low
    assert np.mean(guesses > threshold - 1 / n_trials) > 0.047


def test_guessing_exceeds_the_auc_threshold_in_5_percent():
    rng = np.random.default_rng(0)
    positive = np.arange(120) % 6 == 0
    noise = rng.standard_normal((4000, 120))
    wins = noise[:, positive, np.newaxis] > noise[:, np.newaxis, ~positive]
    areas = wins.mean(axis=(1, 2))
    assert np.mean(areas > auc_threshold(positive)) == pytest.approx(0.05, abs=0.012)


def test_auc_interval_holds_the_true_area_in_most_samplings():
    # scores of two normal distributions one standard deviation apart
    true_area = 0.7602
    rng = np.random.default_rng(1)
    positive = np.arange(150) % 3 == 0
    held = 0
    for seed in range(120):
        low, high = auc_interval(rng.standard_normal(150) + positive, positive, seed)
        held += low <= true_area <= high
    assert 0.88 <= held / 120 <= 1.0


def test_chance_of_uneven_classes_is_the_most_frequent_one():
    protocol = load_protocol("mi")
    y = np.array(["left_hand"] * 30 + ["right_hand"] * 10)
    always_left = np.tile([1.0, 0.0], (40, 1))
    score = judge(protocol, always_left, y)
    assert (score.name, score.value, score.chance) == ("accuracy", 0.75, 0.75)
    assert not score.above_chance


def test_erp_is_judged_by_its_area():
    protocol = load_protocol("erp")
    y = np.array((["Target"] + ["NonTarget"] * 5) * 20)
    rng = np.random.default_rng(0)
    evidence = rng.standard_normal(120) + 2.0 * (y == "NonTarget")
    second = 1 / (1 + np.exp(-evidence))
    score = judge(protocol, np.column_stack([1 - second, second]), y)
    assert score.name == "AUC"
    assert score.value == pytest.approx(roc_auc_score(y == "NonTarget", evidence))
    assert score.low < score.value < score.high
    assert score.above_chance


def test_measure_of_a_paradigm():
    assert measure_of(load_protocol("erp")) == ("AUC", 0.5)
    assert measure_of(load_protocol("ssvep-exo")) == ("accuracy", 0.25)


def test_interval_from_an_area_alone_holds_the_true_area_in_95_percent():
    # scores of two normal distributions one standard deviation apart
    true_area = 0.7602
    rng = np.random.default_rng(2)
    positive = np.arange(150) % 3 == 0
    held = 0
    for _ in range(300):
        area = float(roc_auc_score(positive, rng.standard_normal(150) + positive))
        low, high = hanley_interval(area, 50, 100)
        held += low <= true_area <= high
    assert 0.92 <= held / 300 <= 0.98
    assert hanley_interval(1.0, 50, 250) == (1.0, 1.0)


def test_chance_is_the_share_of_the_most_frequent_class_that_occurs():
    y = np.array(["a"] * 30 + ["b"] * 10)
    assert chance_level(y) == 0.75
    assert chance_level(y, "AUC") == 0.5


@pytest.mark.parametrize(("paradigm", "measure"), [("erp", "roc_auc"), ("mi", "accuracy")])
def test_json_names_the_measure_chance_and_interval(paradigm, measure):
    protocol = load_protocol(paradigm)
    classes = protocol.class_names
    y = np.array([classes[0]] * 10 + [classes[1]] * 50)
    entry = judge_summary({"accuracy": 0.9, "roc_auc": 0.8}, protocol, y, classes).to_json()
    assert entry["measure"] == measure
    assert entry["chance"] == pytest.approx(0.5 if measure == "roc_auc" else 50 / 60)
    value = 0.8 if measure == "roc_auc" else 0.9
    assert entry["interval"][0] < value < entry["interval"][1]
    assert entry["n_trials"] == 60
    assert entry["above_chance"] is (value > entry["threshold"])


def test_a_score_at_chance_warns_and_names_what_to_check():
    y = np.array(["left_hand", "right_hand"] * 20)
    protocol = load_protocol("mi")
    at_chance = judge_summary({"accuracy": 0.5}, protocol, y, protocol.class_names)
    assert "accuracy 0.500 in 40 trials" in at_chance.warning()
    assert "same class in each" in at_chance.warning()
    assert judge_summary({"accuracy": 0.9}, protocol, y, protocol.class_names).warning() == ""
