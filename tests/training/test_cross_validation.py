from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding import DecoderRequest, EpochClassifier, State
from sjepa_online.decoding.base import EPOCHS, Features
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol
from sjepa_online.training.cross_validation import (
    DECISION,
    check_trials_per_class,
    cross_validate,
)

CLASSES = ("right", "left")


class _Spy(EpochClassifier):
    """Remembers the trials it was fitted on; each trial's samples are its number."""

    kind = "spy"

    def __init__(self, spies: list[_Spy]) -> None:
        super().__init__(CLASSES)
        self.spies = spies
        self.seen: set[int] = set()
        self.counts: tuple[int, ...] = ()
        self.predicted: list[int] = []

    def clone(self) -> Self:
        clone = super().clone()
        self.spies.append(clone)
        return clone

    def features(self, X: NDArray[Any]) -> Features:
        return {EPOCHS: X}

    def _fit_targets(self, features: Features, targets: NDArray[np.intp], _: bool) -> None:
        assert not self.seen, "each fold has a classifier of its own"
        self.seen = set(features[EPOCHS][:, 0, 0].astype(int))
        self.counts = tuple(np.bincount(targets).tolist())

    def predict_features(self, features: Features) -> NDArray[np.float64]:
        numbers = features[EPOCHS][:, 0, 0].astype(int)
        assert self.seen.isdisjoint(numbers)
        self.predicted += numbers.tolist()
        return np.stack([numbers, -numbers], axis=1).astype(float)

    def to_state(self) -> State:
        raise NotImplementedError

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        raise NotImplementedError


@pytest.fixture
def y() -> NDArray[np.str_]:
    """Twenty trials of the one class and ten of the other, mixed."""
    return np.random.default_rng(0).permutation(np.repeat(CLASSES, [20, 10]))


def _numbered(n: int) -> NDArray[np.float64]:
    return np.tile(np.arange(n, dtype=float)[:, np.newaxis, np.newaxis], (1, 2, 3))


@pytest.mark.parametrize("n_folds", [2, 5])
def test_every_trial_is_predicted_once_by_a_classifier_that_did_not_see_it(
    y: NDArray[np.str_], n_folds: int
) -> None:
    spies: list[_Spy] = []
    advanced: list[int] = []
    probabilities = cross_validate(
        _Spy(spies),
        {EPOCHS: _numbered(30)},
        y,
        n_folds=n_folds,
        progress=lambda: advanced.append(1),
    )[DECISION]
    assert len(spies) == len(advanced) == n_folds
    assert sorted(number for spy in spies for number in spy.predicted) == list(range(30))
    assert all(spy.seen.isdisjoint(spy.predicted) for spy in spies)
    np.testing.assert_array_equal(probabilities[:, 0], np.arange(30), "in the trials' order")


def test_folds_are_stratified_and_hold_neighbours(y: NDArray[np.str_]) -> None:
    """Neighbouring trials share drifts, so each class is cut into stretches of time."""
    spies: list[_Spy] = []
    cross_validate(_Spy(spies), {EPOCHS: _numbered(30)}, y, n_folds=5)
    assert {spy.counts for spy in spies} == {(16, 8)}
    for name, size in (("right", 4), ("left", 2)):
        trials = np.flatnonzero(y == name)
        stretches = [[n for n in spy.predicted if y[n] == name] for spy in spies]
        assert stretches == [
            trials[start : start + size].tolist() for start in range(0, 5 * size, size)
        ]


@pytest.mark.parametrize("kind", ["power", "noise"])
def test_scores_are_honest(
    kind: str,
    protocol: Protocol,
    simulated_epochs: Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]],
) -> None:
    """High where the classes differ, at chance where they do not."""
    X, y = simulated_epochs(kind, 40, n_times=152)
    request = DecoderRequest("riemann", device="cpu")
    classifier = request.make(protocol, ("C3", "Cz", "C4", "Pz"))
    probabilities = cross_validate(classifier, classifier.features(X), y)[DECISION]
    score = np.mean(np.array(CLASSES)[probabilities.argmax(axis=1)] == y)
    if kind == "power":
        assert score > 0.85
    else:
        assert 0.25 < score < 0.75


def test_a_class_with_fewer_trials_than_folds_is_refused(y: NDArray[np.str_]) -> None:
    check_trials_per_class(y, CLASSES, 10)
    with pytest.raises(InputError, match="right: 20, left: 10") as caught:
        check_trials_per_class(y, CLASSES, 11)
    assert "11" in caught.value.remedy
    with pytest.raises(InputError, match="up: 0"):
        check_trials_per_class(y, (*CLASSES, "up"), 5)
