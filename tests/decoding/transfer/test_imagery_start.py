"""A population of imagery within the decoders, on simulated people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.auto import LEAST_OWN_TRIALS, AutoClassifier
from sjepa_online.decoding.dynamic_stopping import PrefixClassifier
from sjepa_online.decoding.transfer import start
from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol

CH_NAMES = ("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4")
Epochs = tuple[NDArray[np.float32], NDArray[np.str_]]
Simulate = Callable[..., Epochs]
Saved = Callable[[], Path]


def _auto(protocol: Protocol, population: Path) -> AutoClassifier:
    """Make `auto` without the network, which trains for seconds."""
    request = DecoderRequest("auto", "random", device="cpu", population=str(population))
    made = request.make(protocol, CH_NAMES)
    assert isinstance(made, AutoClassifier)
    assert made.population is not None
    return AutoClassifier(made.filter_bank, made.riemann, None, made.population)


def test_few_labels_leave_the_decision_to_the_population(
    protocol: Protocol, saved: Saved, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = simulate(0, 2 * LEAST_OWN_TRIALS - 4)
    auto = _auto(protocol, saved()).fit(X, y)
    assert auto.choice_ == "population"
    assert f"{LEAST_OWN_TRIALS - 2} labelled trials" in auto.reason
    alone = DecoderRequest("population", population=str(saved())).make(protocol, CH_NAMES)
    test, _ = simulate(0, 20)
    expected = alone.fit(X, y).predict_proba(test)
    # nobody else is asked
    monkeypatch.setattr(auto.riemann, "predict_proba", None)
    np.testing.assert_allclose(auto.predict_proba(test), expected, atol=1e-6)


def test_many_labels_weigh_the_population_by_trials_that_it_did_not_see(
    protocol: Protocol, saved: Saved, simulate: Simulate
) -> None:
    X, y = simulate(1, 24)
    noise = np.random.default_rng(0).permutation(y)
    auto = _auto(protocol, saved()).fit(X, noise)
    # labels without meaning: had it seen the trials, it would be sure of them
    assert auto.shares_ == {"average": 1.0}
    assert auto.reason.startswith("average: decides alone")
    auto = _auto(protocol, saved()).fit(X, y)
    assert auto.shares_["population"] > 0.05
    assert sum(auto.shares_.values()) == pytest.approx(1)
    assert set(auto.weights_) == {"average", "filter-bank", "riemann", "population"}
    test, truth = simulate(1, 40)
    assert np.mean(auto.predict(test) == truth) > 0.8
    assert auto.adapts
    before = auto.predict_candidates(auto.features(test))
    auto.adapt(test)
    after = auto.predict_candidates(auto.features(test))
    assert np.abs(after["population"] - before["population"]).max() > 0
    np.testing.assert_array_equal(after["riemann"], before["riemann"])
    auto.shares_ = {"population": 0.25, "average": 0.75}
    shared = 0.25 * after["population"] + 0.75 * after["average"]
    np.testing.assert_allclose(auto.predict_proba(test), shared, rtol=1e-6)
    np.testing.assert_allclose(auto.predict_features(auto.features(test)), shared, rtol=1e-6)
    again = classifier_from_state(auto.to_state())
    np.testing.assert_allclose(again.predict_proba(test), auto.predict_proba(test), atol=1e-7)


def test_a_population_that_the_labels_contradict_does_not_come_first(
    protocol: Protocol, saved: Saved, simulate: Simulate
) -> None:
    """Neither with few trials nor with many: such a person resembles nobody."""
    for n_trials in (2 * LEAST_OWN_TRIALS - 4, 30):
        X, y = simulate(1, n_trials)
        right = y == "right_hand"
        auto = _auto(protocol, saved()).fit(X, np.where(right, "left_hand", "right_hand"))
        assert "exchanged" in auto.reason
        assert "average" in auto.shares_
        test, truth = simulate(1, 40)
        assert np.mean(auto.predict(test) == truth) < 0.3


def test_people_of_the_population_are_left_out_or_refused(
    protocol: Protocol, saved: Saved, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved()
    monkeypatch.setattr(start, "SHIPPED_IMAGERY", str(path))
    known = (simulate(0, 6)[0], simulate(103)[0][:6])
    plan = DecoderRequest("auto", "random").resolve(protocol, CH_NAMES, epochs=known)
    assert "very trials: the signal is that of sub-103" in plan.note
    assert plan.request.population == "none"
    assert plan.make().population is None  # type: ignore[attr-defined]
    for request in (DecoderRequest("population"), DecoderRequest("auto", population=str(path))):
        with pytest.raises(InputError, match="sub-103"):
            request.resolve(protocol, CH_NAMES, epochs=known)


def test_what_does_not_suit_is_told(protocol: Protocol, saved: Saved) -> None:
    feet = protocol.model_copy(update={"classes": (protocol.classes[0], _named(protocol, "feet"))})
    for one, names, told in (
        (feet, CH_NAMES, "left_hand, feet"),
        (protocol, ("C3", "Cz", "Oz"), "fewer than 3 electrodes"),
    ):
        note = DecoderRequest("auto", "random").resolve(one, names).note
        assert note.startswith("no population start: population-mi: ")
        assert told in note
        with pytest.raises(InputError, match=told):
            DecoderRequest("population", population=str(saved())).make(one, names)


@pytest.mark.parametrize(
    ("name", "paradigm", "population", "told"),
    [
        ("population", "ssvep", "auto", "reads imagery"),
        ("population", "mi", "none", "made of other people"),
        ("population", "mi", "population-ssvep", "another format"),
        ("filter-bank", "mi", "population-mi", "Choose population or auto"),
    ],
)
def test_what_a_decoder_cannot_start_from_is_refused(
    name: str, paradigm: str, population: str, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        DecoderRequest(name, population=population).make(load_protocol(paradigm), CH_NAMES)


def test_prefixes_read_as_much_of_the_population_as_they_hold(
    protocol: Protocol, saved: Saved, simulate: Simulate
) -> None:
    request = DecoderRequest("auto", "random", population=str(saved()))
    made = request.make(protocol, CH_NAMES, dynamic_stopping=True)
    assert isinstance(made, PrefixClassifier)
    autos = [one for one in made.classifiers.values() if isinstance(one, AutoClassifier)]
    assert [one.network for one in autos] == [None] * len(made.lengths)
    windows = [one.population and one.population.population.network.n_windows for one in autos]
    assert windows == [2, 4, 6, 8, 10, 12, 14]
    alone = DecoderRequest("population", population=str(saved()))
    prefixes = alone.make(protocol, CH_NAMES, dynamic_stopping=True).fit(*simulate(0, 20))
    X, y = simulate(0, 40)
    decided = prefixes.predict_prefixes(prefixes.features(X)).argmax(axis=2).T
    right = decided == np.array(y == "right_hand")
    assert right.shape == (7, 40)
    assert right[1].mean() > 0.6
    assert right[-1].mean() > 0.8
    assert isinstance(made.clone().classifiers[256], AutoClassifier)


def test_a_clone_knows_no_person(protocol: Protocol, saved: Saved, simulate: Simulate) -> None:
    fitted = DecoderRequest("population", population=str(saved())).make(protocol, CH_NAMES)
    untouched = fitted.clone().predict_proba(simulate(2, 20)[0])
    fitted.fit(*simulate(2, 20))
    clone = fitted.clone()
    assert isinstance(clone, PopulationClassifier)
    np.testing.assert_array_equal(clone.predict_proba(simulate(2, 20)[0]), untouched)


def _named(protocol: Protocol, name: str) -> object:
    return protocol.classes[1].model_copy(update={"name": name})
