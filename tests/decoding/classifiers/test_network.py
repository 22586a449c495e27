"""The scikit-learn estimator, as a user of the Python interface meets it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score

from sjepa_online.decoding import SJEPAClassifier
from sjepa_online.decoding.classifiers import fine_tuning
from sjepa_online.errors import InputError

CH_NAMES = ("C3", "Cz", "C4", "Pz")
pytestmark = pytest.mark.filterwarnings("ignore:SJEPAClassifier loses accuracy:UserWarning")
Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]


@pytest.fixture
def trials(simulated_epochs: Epochs) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    return simulated_epochs("power", 24, n_times=152)


def _classifier(**parameters: Any) -> SJEPAClassifier:
    return SJEPAClassifier(**({"weights": "random", "device": "cpu"} | parameters))


def test_it_is_cloned_with_its_parameters_and_without_what_it_learned(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    classifier = _classifier(paradigm="mi", ch_names=CH_NAMES, random_state=3).fit(*trials)
    copy = clone(classifier)
    assert copy.get_params() == classifier.get_params()
    with pytest.raises(NotFittedError):
        copy.predict(trials[0])
    np.testing.assert_array_equal(
        copy.fit(*trials).predict_proba(trials[0]), classifier.predict_proba(trials[0])
    )


def test_scikit_learn_cross_validates_it(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    scores = cross_val_score(_classifier(paradigm="mi"), *trials, cv=3, error_score="raise")
    assert scores.mean() > 0.85


@pytest.mark.parametrize("kind", ["phase-locked", "power"])
def test_without_a_paradigm_it_finds_what_tells_the_classes_apart(
    simulated_epochs: Epochs, kind: str
) -> None:
    classifier = _classifier().fit(*simulated_epochs(kind, 40, n_times=152))
    X, y = simulated_epochs(kind, 40, n_times=152, seed=1)
    assert classifier.score(X, y) > 0.85


def test_classes_are_sorted_unless_their_order_is_given(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    X, y = trials
    by_name = _classifier(paradigm="mi").fit(X, y)
    ordered = _classifier(paradigm="mi", class_order=("right", "left")).fit(X, y)
    assert by_name.classes_.tolist() == ["left", "right"]
    assert ordered.classes_.tolist() == ["right", "left"]
    # the order of the filters changes what the dropout drops
    np.testing.assert_allclose(
        ordered.predict_proba(X), by_name.predict_proba(X)[:, ::-1], atol=0.02
    )


def test_labels_may_be_numbers(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    X, y = trials
    numbers = np.where(y == "left", 7, -1)
    predicted = _classifier(paradigm="mi").fit(X, numbers).predict(X)
    assert np.mean(predicted == numbers) > 0.85


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"head": "middle-local"}, "Unknown head: .*pre-local"),
        ({"strategy": "half"}, "Unknown strategy: .*full, new"),
        ({"readout": "concave"}, "Unknown readout: .*paradigm, flat"),
        ({"paradigm": "p300"}, "Unknown paradigm: .*mi"),
        ({"paradigm": "ssvep"}, "no frequencies"),
        ({"head": "contextual"}, "names of the channels"),
        ({"head": "post-local"}, "names of the channels"),
        ({"readout": "flat"}, "names of the channels"),
        ({"ch_names": ("C3", "Cz")}, "2 names, 4 channels"),
        ({"ch_names": "C3"}, "Write ch_names="),
        ({"weights": "absent"}, "Known names"),
        ({"class_order": ("left", "up")}, "labels of no class: right"),
        ({"class_order": ("left", "right", "up")}, "up: 0"),
        ({"head": "post-local", "ch_names": CH_NAMES, "device": "abacus"}, "device"),
    ],
)
def test_a_wrong_parameter_is_named(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]], parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        _classifier(**parameters).fit(*trials)


def test_epochs_to_fit_on_are_checked(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    X, y = trials
    broken = X.copy()
    broken[3, 1, 10:14] = [np.nan, np.inf, -np.inf, np.nan]
    for epochs, labels, message in (
        (X[0], y[:4], "their shape is"),
        (X, y[:-1], "labels"),
        (X[y == "left"], y[y == "left"], "at least two classes"),
        (broken, y, "4 values"),
    ):
        with pytest.raises(InputError, match=message):
            _classifier(paradigm="mi").fit(epochs, labels)


def test_epochs_to_predict_are_checked(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    X, y = trials
    classifier = _classifier(paradigm="mi").fit(X, y)
    for epochs in (X[0], X[:, :3], X[:, :, :-1]):
        with pytest.raises(InputError, match="shape"):
            classifier.predict_proba(epochs)
    broken = X.copy()
    broken[0, 0, 0] = np.nan
    with pytest.raises(InputError, match="1 values"):
        classifier.predict(broken)


@pytest.mark.parametrize(
    "parameters", [{}, {"paradigm": "erp"}, {"head": "post-local", "ch_names": CH_NAMES}]
)
def test_three_trials_of_each_class_are_the_least(
    simulated_epochs: Epochs, parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tuning, "MAX_EPOCHS", 2)
    X, y = simulated_epochs("power", 12, n_times=152)
    few = np.r_[np.flatnonzero(y == "left"), np.flatnonzero(y == "right")[:3]]
    probabilities = _classifier(**parameters).fit(X[few], y[few]).predict_proba(X)
    assert np.isfinite(probabilities).all()
    with pytest.raises(InputError, match="left: 6, right: 2"):
        _classifier(**parameters).fit(X[few[:-1]], y[few[:-1]])


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({}, "without paradigm.*without ch_names"),
        ({"paradigm": "mi"}, "without ch_names"),
        ({"ch_names": CH_NAMES}, "without paradigm"),
    ],
)
def test_what_is_lost_without_names_and_paradigm_is_said(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]], parameters: dict[str, Any], told: str
) -> None:
    with pytest.warns(UserWarning, match=told):
        _classifier(**parameters).fit(*trials)


def test_with_names_and_paradigm_nothing_is_warned_of(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _classifier(paradigm="mi", ch_names=CH_NAMES).fit(*trials)
        _classifier(paradigm="erp").fit(*trials)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda X: X * 1e-6, "multiply them by 1e6"),
        (lambda X: X.swapaxes(1, 2), "swapaxes"),
        (lambda X: X[:0], "no epochs"),
    ],
)
def test_epochs_of_another_unit_order_or_number_are_refused(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
    damage: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    told: str,
) -> None:
    X, y = trials
    classifier = _classifier(paradigm="mi", ch_names=CH_NAMES).fit(X, y)
    with pytest.raises(InputError, match=told):
        classifier.predict_proba(damage(X))
    with pytest.raises(InputError, match=told):
        _classifier(paradigm="mi", ch_names=CH_NAMES).fit(damage(X), y)
    with pytest.raises(InputError, match="mask of 4 entries"):
        classifier.predict_proba(X, np.zeros(3, dtype=bool))
