"""Curves of people in words, tables and documents, from scores made for it."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_apps.cli.evaluate.curves import Curve, PeopleCurves
from sjepa_online.decoding.metrics import interval_over_people
from sjepa_online.evaluation.scores import DecoderScores


def _scores(*values: float) -> DecoderScores:
    """Return scores of one seed for each value."""
    return DecoderScores(
        accuracy=list(values),
        score=list(values),
        roc_auc=None,
        fit_seconds=[0.0] * len(values),
        balanced_accuracy=list(values),
        seeds=list(range(len(values))),
    )


@pytest.fixture
def curves() -> PeopleCurves:
    """Return three people, two seeds; the first lacks labels for `b` at 10 trials."""
    first = Curve([0, 10], {"a": [_scores(0.5, 0.7), _scores(0.7, 0.7)], "b": [None, None]}, 8)
    second = Curve([0, 10], {"a": [_scores(0.9, 0.7), _scores(1, 1)], "b": [None, _scores(1)]}, 9)
    third = Curve(
        [0, 10], {"a": [_scores(0.6, 0.6), _scores(0.8, 0.6)], "b": [None, _scores(1)]}, 9
    )
    return PeopleCurves([0, 10], {"S1": first, "S2": second, "S3": third})


def test_the_person_is_the_unit(curves: PeopleCurves) -> None:
    document = curves.document()
    assert document["n_test"] == 26
    at_0, at_10 = document["decoders"]["a"]
    assert at_0 == pytest.approx([2 / 3, 2 / 3])
    assert at_10 == pytest.approx([2.5 / 3, 2.3 / 3])
    # the people's means over the seeds
    expected = interval_over_people(np.array([0.6, 0.8, 0.6]))
    assert document["interval"]["a"][0] == pytest.approx(expected)
    assert document["share_at_0.70"]["a"] == pytest.approx([1 / 3, 1])
    assert document["people"]["S2"] == curves.people["S2"].document()


def test_a_mean_is_of_all_people_or_there_is_none(curves: PeopleCurves) -> None:
    document = curves.document()
    assert document["decoders"]["b"] == [None, None]
    assert document["interval"]["b"] == document["share_at_0.70"]["b"] == [None, None]
    assert "b" not in curves.bands()
    assert curves.lines()["b"] == "0: no decoder without labels, 10: too few labels"


def test_who_reaches_070_in_every_seed_is_counted() -> None:
    """The mean of three scores of 0.7 is less than 0.7 in floating point."""
    assert np.mean([0.7, 0.7, 0.7]) < 0.7
    people = {name: Curve([4], {"a": [_scores(0.7, 0.7, 0.7)]}, 8) for name in ("S1", "S2")}
    assert PeopleCurves([4], people).document()["share_at_0.70"] == {"a": [1.0]}


def test_the_words_the_band_and_the_table(curves: PeopleCurves) -> None:
    low, high = interval_over_people(np.array([0.6, 0.8, 0.6]))
    told = f"0: 0.667 [{low:.3f} {high:.3f}] (33 % of 3 people at 0.70 or more), 10: 0.800 ["
    assert curves.lines()["a"].startswith(told)
    sizes, bands = curves.bands()["a"]
    assert sizes == [0, 10]
    assert bands[0] == pytest.approx((2 / 3, low, high))
    rows = [row for row in curves.rows() if row["decoder"] == "a"]
    assert [(row["person"], row["n_trials"]) for row in rows[:4]] == [("S1", 0)] * 2 + [
        ("S1", 10)
    ] * 2
    assert len(rows) == 12


def test_the_band_is_named(curves: PeopleCurves) -> None:
    assert curves.band == ", 95 % interval over 3 people"
    assert curves.people["S1"].band == ", range of 2 seeds"
    assert Curve([0], {"a": [_scores(0.5)], "b": [None]}, 1).band == ""


def test_the_band_of_one_curve_is_the_range_over_seeds(curves: PeopleCurves) -> None:
    assert curves.people["S1"].bands() == {"a": ([0, 10], [(0.6, 0.5, 0.7), (0.7, 0.7, 0.7)])}
