from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sjepa_online.data import make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.learning_curve import (
    first_trials,
    learning_curve,
    select_trials,
    usable_counts,
    usable_shares,
)
from sjepa_online.evaluation.scores import evaluate_scores
from sjepa_online.signal import PreprocessorConfig


def test_first_trials_are_the_earliest_of_each_class():
    y = np.array(["a", "a", "a", "a", "b", "a", "b", "b", "b", "a", "a", "a"])
    assert first_trials(y, 0.5).tolist() == [0, 1, 2, 3, 4, 6]


@pytest.mark.parametrize("share", [0.01, 0.25, 0.6, 1.0])
def test_first_trials_grow_and_keep_every_class(share):
    y = np.random.default_rng(0).choice(["a", "b", "c"], 50, p=[0.6, 0.3, 0.1])
    kept = first_trials(y, share)
    assert set(y[kept]) == {"a", "b", "c"}
    assert set(kept) <= set(first_trials(y, 1.0)) == set(range(50))
    assert np.all(np.diff(kept) > 0)


def test_shares_that_leave_too_few_trials_are_skipped():
    assert usable_shares(np.array(["a", "b"] * 8), ("a", "b")) == [0.5, 0.75, 1.0]
    with pytest.raises(InputError, match=r"a: 6, b: 3\..*learning curve needs 4"):
        usable_shares(np.array(["a", "a", "b"] * 3), ("a", "b"))
    with pytest.raises(InputError, match="c: 0"):
        usable_shares(np.array(["a", "b"] * 8), ("a", "b", "c"))


def test_the_curve_ends_at_the_score_of_all_trials(simulated_recording, protocol):
    config = PreprocessorConfig()
    train = make_trials([simulated_recording(n_trials=32)], protocol, config)
    test = make_trials([simulated_recording(n_trials=16, seed=1)], protocol, config)
    requests = [DecoderRequest("riemann")]
    calls = []
    points = learning_curve(train, test, requests, 2, lambda: calls.append(1))
    assert [point.n_trials for point in points] == [8, 16, 24, 32]
    assert len(calls) == 4 * 2
    whole = evaluate_scores(train, test, requests, 1)["riemann"]
    assert points[-1].scores["riemann"].score == whole.score * 2
    half = evaluate_scores(select_trials(train, np.arange(16)), test, requests, 1)["riemann"]
    assert points[1].scores["riemann"].score == half.score * 2


def test_a_trial_that_was_recorded_but_not_whole_is_missing_from_the_last(
    simulated_recording, protocol
):
    whole = simulated_recording(n_trials=16)
    cut = replace(whole, data=whole.data[:, : -round(1.5 * whole.sfreq)])
    train = make_trials([cut], protocol, PreprocessorConfig())
    assert len(train.y) == 15
    assert usable_counts([0, 10, 16], train, [cut]) == [0, 10, 15]
    with pytest.raises(InputError, match="have 15 trials that can be used"):
        usable_counts([17], train, [cut])
