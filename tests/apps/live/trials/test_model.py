from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix

from sjepa_apps.live.trials.model import TrialLog, wilson_interval


def make_log(ready: Any, mode: str = "sliding") -> TrialLog:
    return TrialLog(ready.protocol, mode, step=0.125, delay=0.05)


def test_the_sliding_decision_of_a_trial_is_the_one_with_its_window(
    ready: Any, decided: Callable[..., Any]
) -> None:
    log = make_log(ready)
    assert log.add_marker("15", 10.0) == []
    # the window ends 0.5 + 2 s after the marker, and reaches the decoder 0.05 s later
    for time in np.arange(10.0, 12.5, 0.125):
        assert log.add_decision(decided(time, "12")) == []
    (trial,) = log.add_decision(decided(12.5, "15", latency=0.01))
    assert (trial.truth, trial.decided, trial.correct) == ("15", "15", True)
    assert trial.duration == pytest.approx(2.51)


def test_a_marker_that_comes_late_finds_its_decision(
    ready: Any, decided: Callable[..., Any]
) -> None:
    log = make_log(ready)
    for time in np.arange(10.0, 16.0, 0.125):
        log.add_decision(decided(time, "15" if abs(time - 12.5) < 0.01 else "12"))
    (trial,) = log.add_marker("15", 10.0)
    assert trial.correct


def test_a_trial_over_a_gap_counts_for_nothing(ready: Any, decided: Callable[..., Any]) -> None:
    log = make_log(ready)
    log.add_marker("15", 10.0)
    log.add_decision(decided(11.0))
    assert log.add_decision(decided(19.0)) == []
    assert not log.trials


def test_markers_without_a_class_are_no_trials(ready: Any, decided: Callable[..., Any]) -> None:
    log = make_log(ready)
    for label in ("end", "practice/15", "<b>15</b>"):
        log.add_marker(label, 1.0)
    assert log.add_decision(decided(3.55)) == []


def test_locked_decisions_bring_their_truth(ready: Any, decided: Callable[..., Any]) -> None:
    log = make_log(ready, "markers")
    rng = np.random.default_rng(0)
    truth = rng.choice(["12", "15"], 40)
    said = rng.choice(["12", "15"], 40)
    log.add_marker("15", 0.0)
    for n, (one, other) in enumerate(zip(truth, said, strict=True)):
        log.add_decision(decided(n + 2.0, str(other), onset=float(n), truth=str(one)))
    log.add_decision(decided(99.0, onset=97.0, truth=None))
    expected = confusion_matrix(truth, said, labels=["12", "15"])
    np.testing.assert_array_equal(log.confusion(), expected)
    assert sum(trial.correct for trial in log.trials) == int((truth == said).sum())


@pytest.mark.parametrize(("right", "n"), [(0, 5), (3, 7), (50, 50), (1, 1)])
def test_the_interval_is_scipys(right: int, n: int) -> None:
    expected = binomtest(right, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(right, n) == pytest.approx((expected.low, expected.high), abs=1e-6)
    assert wilson_interval(0, 0) == (0.0, 1.0)
