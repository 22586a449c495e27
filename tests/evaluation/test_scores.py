from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.classifiers import fine_tuning
from sjepa_online.errors import InputError
from sjepa_online.evaluation.scores import DecoderScores, balanced_accuracy, evaluate_scores
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.signal import PreprocessorConfig

REQUESTS = [DecoderRequest(name, "random", 3, "cpu") for name in ("riemann", "new-post-local")]


@pytest.fixture
def trials_of(
    simulated_recording: Callable[..., Recording], protocol: Protocol
) -> Callable[..., Trials]:
    def make(seed: int, kind: str = "power", **update: object) -> Trials:
        recording = simulated_recording(kind, n_trials=16, seed=seed)
        chosen = protocol.model_copy(update=update)
        return make_trials([recording], chosen, PreprocessorConfig())

    return make


@pytest.fixture(autouse=True)
def short_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fine_tuning, "MAX_EPOCHS", 3)


def test_decoders_stand_side_by_side(trials_of: Callable[..., Trials]) -> None:
    steps: list[int] = []
    results = evaluate_scores(trials_of(0), trials_of(1), REQUESTS, 2, lambda: steps.append(1))
    assert list(results) == ["riemann", "new-post-local"]
    assert len(steps) == 4
    riemann = results["riemann"]
    assert riemann.accuracy[0] > 0.8
    assert riemann.accuracy[0] == riemann.accuracy[1], "it draws nothing"
    assert riemann.score == riemann.accuracy
    first, second = results["new-post-local"].roc_auc
    assert first != second, "each seed draws other weights"


def test_scores_are_those_of_the_test_trials(trials_of: Callable[..., Trials]) -> None:
    """Turned round, the test labels turn the scores round; the training has not seen them."""
    train, test = trials_of(0), trials_of(1)
    turned = replace(test, y=np.where(test.y == "left", "right", "left"))
    right = evaluate_scores(train, test, REQUESTS[:1], 1)["riemann"]
    wrong = evaluate_scores(train, turned, REQUESTS[:1], 1)["riemann"]
    assert wrong.accuracy == pytest.approx([1 - right.accuracy[0]])
    assert wrong.roc_auc == pytest.approx([1 - right.roc_auc[0]])


def test_the_score_of_erp_is_the_area(trials_of: Callable[..., Trials]) -> None:
    train, test = (trials_of(seed, "phase-locked", paradigm="erp") for seed in (0, 1))
    result = evaluate_scores(train, test, REQUESTS[:1], 1)["riemann"]
    assert result.score == result.roc_auc
    assert result.score[0] > 0.8


def test_the_same_seed_gives_the_same_scores(trials_of: Callable[..., Trials]) -> None:
    first, second = (
        evaluate_scores(trials_of(0), trials_of(1), [request], 1)["new-post-local"]
        for request in (REQUESTS[1], REQUESTS[1].with_seed(2).with_seed(3))
    )
    assert (first.accuracy, first.roc_auc) == (second.accuracy, second.roc_auc)


def test_json_is_that_of_the_documented_interface(trials_of: Callable[..., Trials]) -> None:
    test = trials_of(1)
    result = evaluate_scores(trials_of(0), test, REQUESTS[:1], 2)["riemann"]
    entry = json.loads(json.dumps(result.to_json(test)))
    assert set(entry) == {
        "accuracy",
        "accuracy_std",
        "roc_auc",
        "itr_bits_per_min",
        "fit_s",
        "scores",
        "measure",
        "chance",
        "interval",
        "threshold",
        "n_trials",
        "above_chance",
    }
    assert (entry["measure"], entry["chance"], entry["n_trials"]) == ("accuracy", 0.5, len(test.y))
    assert len(entry["scores"]) == 2
    assert entry["fit_s"] > 0


def test_json_summarises_seeds() -> None:
    both = [0.7, 0.9]
    protocol = load_protocol("ssvep")
    test = SimpleNamespace(protocol=protocol, y=np.repeat(protocol.class_names, 25))
    result = DecoderScores(both, both, None, [1.0, 2.0], both, [0, 1])
    entry = result.to_json(cast("Trials", test))
    assert entry["accuracy"] == pytest.approx(0.8)
    assert entry["accuracy_std"] == pytest.approx(0.1)
    assert entry["fit_s"] == 1.5
    assert entry["scores"] == [0.7, 0.9]
    # Wolpaw: 4 classes at 80 % carry 0.961 bits
    seconds = protocol.window.start + protocol.window.length
    assert entry["itr_bits_per_min"] == pytest.approx(60 * 0.961 / seconds, abs=0.01)
    # 80 of 100 trials by Wilson's formula
    assert entry["interval"] == pytest.approx([0.7112, 0.8666], abs=1e-4)
    assert entry["chance"] == 0.25
    assert "roc_auc" not in entry, "there are more than two classes"


def test_a_guess_of_the_frequent_class_transfers_nothing(
    trials_of: Callable[..., Trials], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Guess:
        def fit(self, X: np.ndarray, y: np.ndarray) -> Guess:
            return self

        def predict_proba(self, X: np.ndarray) -> np.ndarray:
            return np.tile([0.1, 0.9], (len(X), 1))

    monkeypatch.setattr(DecoderRequest, "make", lambda *_, **__: Guess())
    train, test = trials_of(0), trials_of(1)
    second = test.protocol.class_names[1]
    rare = np.flatnonzero(test.y != second)[:1]
    kept = np.concatenate([rare, np.flatnonzero(test.y == second)])
    uneven = replace(test, X=test.X[kept], y=test.y[kept])
    result = evaluate_scores(train, uneven, REQUESTS[:1], 1)["riemann"]
    assert result.accuracy[0] > 0.8
    assert result.to_json(uneven)["itr_bits_per_min"] == 0


def test_balanced_accuracy_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    truth, decided = rng.choice(3, 90, p=[0.7, 0.2, 0.1]), rng.choice(3, 90)
    expected = balanced_accuracy_score(truth, decided)
    assert balanced_accuracy(decided, truth) == pytest.approx(expected)


def test_rows_tell_the_seeds_that_were_drawn_with(trials_of: Callable[..., Trials]) -> None:
    result = evaluate_scores(trials_of(0), trials_of(1), REQUESTS[:1], 2)["riemann"]
    assert [row["seed"] for row in result.rows("riemann")] == [3, 4]


def test_test_trials_of_one_class_have_no_area(trials_of: Callable[..., Trials]) -> None:
    test = trials_of(1)
    left = replace(test, X=test.X[test.y == "left"], y=test.y[test.y == "left"])
    result = evaluate_scores(trials_of(0), left, REQUESTS[:1], 2)["riemann"]
    assert result.roc_auc is None
    assert "roc_auc" not in result.to_json(left)


def test_a_class_without_training_trials_is_named(trials_of: Callable[..., Trials]) -> None:
    train = trials_of(0)
    left = replace(train, X=train.X[train.y == "left"], y=train.y[train.y == "left"])
    with pytest.raises(InputError, match=r"right: 0.*Training needs 1"):
        evaluate_scores(left, trials_of(1), REQUESTS[:1], 1)
