"""The choice among decoders, on simulated trials and on losses made for it."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, softmax

from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.auto import (
    ADVANTAGE,
    MEMBERS,
    AutoClassifier,
    candidates,
    choose,
    share,
)
from sjepa_online.decoding.classifiers.stacking import combine
from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol

CH_NAMES = ("C3", "Cz", "C4", "Pz")
#: The members without other people.
OWN = MEMBERS[:3]
KIND_OF = {"erp": "phase-locked", "mi": "power", "ssvep": "stimulus"}
Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]


def _auto(protocol: Protocol) -> AutoClassifier:
    classifier = DecoderRequest("auto", "random", 0, "cpu", "none").make(protocol, CH_NAMES)
    assert isinstance(classifier, AutoClassifier)
    return classifier


def test_the_first_stays_unless_another_is_clearly_better() -> None:
    rng = np.random.default_rng(0)
    base = rng.uniform(0.2, 1.0, size=100)
    noise = rng.normal(scale=0.5, size=100)
    slightly = {"average": base, "filter-bank": base - 0.01 + noise - noise.mean(), "riemann": base}
    choice, reason = choose(slightly)
    assert choice == "average"
    assert reason.startswith("average: no candidate")
    choice, reason = choose({**slightly, "riemann": base - 0.2 + 0.1 * noise})
    assert choice == "riemann"
    assert "more than the standard error" in reason


def _losses(population: float, average: float) -> dict[str, NDArray[np.float64]]:
    return {
        "average": np.full(10, average),
        "riemann": np.full(10, 0.1),
        "population": np.full(10, population),
    }


def test_the_population_and_the_average_share_by_likelihood() -> None:
    shares, reason = share(_losses(0.5, 0.45), 1.0)
    likelihood = np.exp([-5.0 + 1.0, -4.5])
    assert list(shares) == ["population", "average"]
    np.testing.assert_allclose(list(shares.values()), likelihood / likelihood.sum())
    assert reason.startswith("population and average: decide with weights of 0.62 and 0.38, by the")
    shares, reason = share(_losses(0.5, 0.45), 0.0)
    assert reason.startswith("average and population: decide with weights of 0.62 and 0.38, by the")


@pytest.mark.parametrize(("population", "name"), [(0.2, "population"), (1.2, "average")])
def test_small_parts_are_left_out(population: float, name: str) -> None:
    shares, reason = share(_losses(population, 0.55), 1.0)
    assert shares == {name: 1.0}
    assert reason.startswith(f"{name}: decides alone, by the log loss in cross-validation (average")


@pytest.mark.parametrize(
    ("n_trials", "contradicted", "of_average"),
    [
        ((10, 10), False, expit(-ADVANTAGE)),
        ((9, 30), False, 0.0),
        ((30, 9), False, 0.0),
        ((9, 30), True, 0.5),
        ((10, 10), True, 0.5),
    ],
)
def test_the_population_is_ahead_unless_labels_contradict_it(
    n_trials: tuple[int, int],
    contradicted: bool,
    of_average: float,
    protocol_of: Callable[[str], Protocol],
) -> None:
    """Held-out trials of which nobody says anything leave what was known before them."""
    made = _auto(protocol_of("mi"))
    population: Any = SimpleNamespace(contradicted=contradicted, adapts=False)
    classifier = AutoClassifier(made.filter_bank, made.riemann, None, population)
    classifier._choose(np.log(np.full((3, sum(n_trials), 2), 0.5)), np.repeat([0, 1], n_trials))
    assert classifier.shares_.get("average", 0.0) == pytest.approx(of_average)
    assert sum(classifier.shares_.values()) == pytest.approx(1)
    assert classifier.choice_ == "population"


def test_the_held_out_probabilities_are_those_that_would_be_decided(
    protocol_of: Callable[[str], Protocol],
    simulated_epochs: Epochs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares = {"riemann": 0.25, "average": 0.75}
    seen = []
    chosen = AutoClassifier._choose

    def choose_both(self: AutoClassifier, held_out: Any, targets: Any) -> None:
        chosen(self, held_out, targets)
        seen.append(held_out)
        self.shares_ = shares

    monkeypatch.setattr(AutoClassifier, "_choose", choose_both)
    protocol = protocol_of("mi")
    made = _auto(protocol)
    two = AutoClassifier(made.filter_bank, made.riemann)
    two.fit(*simulated_epochs("power", 24, protocol.class_names, n_times=152))
    expected = sum(part * combine(seen[0], two.weights_[name]) for name, part in shares.items())
    np.testing.assert_allclose(two.out_of_fold_, expected)


@pytest.mark.parametrize("paradigm", ["erp", "mi", "ssvep"])
def test_it_decodes_and_says_why(
    paradigm: str, protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    protocol = protocol_of(paradigm)
    kind = KIND_OF[paradigm]
    train = simulated_epochs(kind, 36, protocol.class_names, n_times=152)
    X, y = simulated_epochs(kind, 36, protocol.class_names, n_times=152, seed=1)
    classifier = _auto(protocol).fit(*train)
    probabilities = classifier.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.mean(classifier.classes_[probabilities.argmax(axis=1)] == y) > 0.85
    assert classifier.choice_ in candidates(OWN)
    assert classifier.reason_.startswith(f"{classifier.choice_}: ")


def test_the_average_is_the_geometric_mean_of_calibrated_members(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    """Each candidate is a power of the members' product, normalised."""
    protocol = protocol_of("mi")
    X, y = simulated_epochs("power", 24, protocol.class_names, n_times=152)
    classifier = _auto(protocol).fit(X, y)
    log_members = [
        np.log(
            DecoderRequest(name, "random", 0, "cpu")
            .make(protocol, CH_NAMES)
            .fit(X, y)
            .predict_proba(X)
        )
        for name in OWN
    ]
    predicted = classifier.predict_candidates(classifier.features(X))
    for candidate, used in candidates(OWN).items():
        # log odds of a weighted geometric mean are a linear function of the members' log odds
        odds = [
            one[:, 0] - one[:, 1] for one, is_in in zip(log_members, used, strict=True) if is_in
        ]
        result = np.log(predicted[candidate][:, 0] / predicted[candidate][:, 1])
        weights, residual = np.linalg.lstsq(np.stack(odds, axis=1), result)[:2]
        assert (weights > 0).all()
        assert residual.max(initial=0.0) < 1e-12
    np.testing.assert_allclose(
        classifier.predict_proba(X), predicted[classifier.choice_], atol=1e-9
    )


def test_probabilities_are_calibrated(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    """On trials without classes it is next to undecided, where its member pretends to know."""
    protocol = protocol_of("mi")
    train = simulated_epochs("noise", 40, protocol.class_names, n_times=152)
    X, _ = simulated_epochs("noise", 100, protocol.class_names, n_times=152, seed=1)
    riemann = DecoderRequest("riemann").make(protocol, CH_NAMES).fit(*train).predict_proba(X)
    probabilities = _auto(protocol).fit(*train).predict_proba(X)
    assert probabilities.max(axis=1).mean() < 0.7
    assert probabilities.max(axis=1).mean() < riemann.max(axis=1).mean()


@pytest.mark.parametrize("paradigm", ["erp", "ssvep"])
def test_a_state_holds_everything(
    paradigm: str, protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    protocol = protocol_of(paradigm)
    X, y = simulated_epochs(KIND_OF[paradigm], 24, protocol.class_names, n_times=152)
    classifier = _auto(protocol).fit(X, y)
    restored = classifier_from_state(classifier.to_state())
    assert isinstance(restored, AutoClassifier)
    assert (restored.choice_, restored.reason_) == (classifier.choice_, classifier.reason_)
    np.testing.assert_array_equal(restored.predict_proba(X), classifier.predict_proba(X))


def test_shares_that_a_file_cannot_have_are_refused(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    protocol = protocol_of("mi")
    made = _auto(protocol)
    two = AutoClassifier(made.filter_bank, made.riemann)
    two.fit(*simulated_epochs("power", 24, protocol.class_names, n_times=152))
    state = two.to_state()
    for shares in (
        {},
        [],
        None,
        "average",
        {"average": "1"},
        {"average": None},
        {"nobody": 1.0},
        {"population": 1.0},
        {"average": 0.5},
        {"average": 2.0, "riemann": -1.0},
        {"average": 1.0, "riemann": 0.0},
    ):
        with pytest.raises(InputError, match=r"no parts that add up to 1 .* average,"):
            classifier_from_state(State(state.config | {"shares": shares}, state.arrays))
    one = {name: array for name, array in state.arrays.items() if name != "weights/average"}
    one["weights/average"] = np.ones(1)
    shares = {"average": 0.25, "riemann": 0.75}
    with pytest.raises(InputError, match="for 2 members: filter-bank, riemann"):
        classifier_from_state(State(state.config | {"shares": shares}, one))
    classifier_from_state(State(state.config | {"shares": shares}, state.arrays))


def test_members_that_are_sure_and_wrong_do_not_decide() -> None:
    """The temperature of a member comes from trials that it did not see."""
    rng = np.random.default_rng(0)
    targets = np.arange(60) % 2
    honest = softmax(2.0 * np.eye(2)[targets] + rng.normal(size=(60, 2)), axis=1)
    boasting = softmax(50.0 * rng.normal(size=(60, 2)), axis=1)
    protocol = Protocol.model_validate(
        {
            "name": "simulated",
            "paradigm": "mi",
            "window": {"start": 0.0, "length": 1.1875},
            "classes": [{"name": "a"}, {"name": "b"}],
        }
    )
    classifier = _auto(protocol)
    unseen = np.log(np.maximum(np.stack([honest, boasting, honest]), 1e-9))
    classifier._choose(unseen, targets)
    honest_weight, boasting_weight, _ = classifier.weights_["average"]
    assert boasting_weight < 0.05 * honest_weight


def test_a_file_of_two_members_from_before_the_network_is_read(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    """Such files call the filter bank `pre-local`, which names the network today."""
    protocol = protocol_of("mi")
    X, y = simulated_epochs("power", 24, protocol.class_names, n_times=152)
    made = _auto(protocol)
    two = AutoClassifier(made.filter_bank, made.riemann).fit(X, y)
    state = two.to_state()
    old = {"filter-bank": "pre-local"}
    members = {old.get(name, name): one for name, one in state.config["members"].items()}
    members["pre-local"] = members["pre-local"] | {"kind": "pre-local"}
    arrays = {name.replace("filter-bank", "pre-local"): one for name, one in state.arrays.items()}
    config = state.config | {"members": members, "choice": old.get(two.choice_, two.choice_)}
    restored = classifier_from_state(
        State({name: one for name, one in config.items() if name != "shares"}, arrays)
    )
    assert isinstance(restored, AutoClassifier)
    assert restored.network is None
    np.testing.assert_array_equal(restored.predict_proba(X), two.predict_proba(X))
