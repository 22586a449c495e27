"""Every decoder of a short calibration, on simulated signals whose classes are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding import DecoderRequest, EpochClassifier, decoder_names
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol

CH_NAMES = ("C3", "Cz", "C4", "Pz")
PARADIGMS = (("erp", "phase-locked"), ("mi", "power"), ("ssvep", "stimulus"))
Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]


def _accuracy(classifier: EpochClassifier, X: NDArray[np.float32], y: NDArray[np.str_]) -> float:
    best = classifier.predict_proba(X).argmax(axis=1)
    return float(np.mean(classifier.classes_[best] == y))


@pytest.mark.parametrize(("paradigm", "kind"), PARADIGMS)
@pytest.mark.parametrize("name", ["filter-bank", "new-pre-local", "full-pre-local", "riemann"])
def test_classes_that_a_paradigm_reads_are_found(
    name: str,
    paradigm: str,
    kind: str,
    protocol_of: Callable[[str], Protocol],
    simulated_epochs: Epochs,
) -> None:
    protocol = protocol_of(paradigm)
    train = simulated_epochs(kind, 48, protocol.class_names, n_times=152)
    test = simulated_epochs(kind, 48, protocol.class_names, n_times=152, seed=1)
    request = DecoderRequest(name, weights="random", device="cpu")
    classifier = request.make(protocol, CH_NAMES).fit(*train)
    assert classifier.classes_.tolist() == list(protocol.class_names)
    probabilities = classifier.predict_proba(test[0])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert _accuracy(classifier, *test) > 0.85


@pytest.mark.parametrize("paradigm", ["erp", "mi", "ssvep"])
@pytest.mark.parametrize("name", ["filter-bank", "pre-local", "riemann"])
def test_noise_is_decoded_at_chance(
    name: str,
    paradigm: str,
    protocol_of: Callable[[str], Protocol],
    simulated_epochs: Epochs,
) -> None:
    protocol = protocol_of(paradigm)
    n_classes = len(protocol.class_names)
    train = simulated_epochs("noise", 36, protocol.class_names, n_times=152)
    test = simulated_epochs("noise", 150, protocol.class_names, n_times=152, seed=1)
    request = DecoderRequest(name, weights="random", device="cpu")
    classifier = request.make(protocol, CH_NAMES).fit(*train)
    # four standard deviations of 150 throws
    chance = 1 / n_classes
    assert abs(_accuracy(classifier, *test) - chance) < 4 * np.sqrt(chance * (1 - chance) / 150)
    if name != "riemann":
        # its weights come from held-out trials, so it does not pretend to know
        assert classifier.predict_proba(test[0]).max(axis=1).mean() < 0.75


@pytest.mark.parametrize(("paradigm", "kind"), PARADIGMS)
@pytest.mark.parametrize("name", ["filter-bank", "pre-local", "riemann"])
def test_a_trial_is_decoded_alone_as_among_others(
    name: str,
    paradigm: str,
    kind: str,
    protocol_of: Callable[[str], Protocol],
    simulated_epochs: Epochs,
) -> None:
    """Nothing of the other test trials enters; the same data in another precision neither."""
    protocol = protocol_of(paradigm)
    X, y = simulated_epochs(kind, 30, protocol.class_names, n_times=152)
    request = DecoderRequest(name, weights="random", device="cpu")
    classifier = request.make(protocol, CH_NAMES).fit(X, y)
    together = classifier.predict_proba(X)
    alone = np.concatenate([classifier.predict_proba(X[[index]]) for index in range(5)])
    # the network is of single precision
    atol = 1e-6 if name == "pre-local" else 1e-9
    np.testing.assert_allclose(alone, together[:5], rtol=1e-4, atol=atol)
    np.testing.assert_allclose(
        classifier.predict_proba(X.astype(float)), together, rtol=1e-4, atol=atol
    )


@pytest.mark.parametrize("name", ["filter-bank", "riemann"])
def test_fitting_draws_nothing(
    name: str, protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    X, y = simulated_epochs("power", 20, n_times=152)
    requests = [DecoderRequest(name, "random", seed, "cpu") for seed in (0, 1)]
    first, second = (
        request.make(protocol_of("mi"), CH_NAMES).fit(X, y).predict_proba(X) for request in requests
    )
    np.testing.assert_array_equal(first, second)


def test_every_name_makes_a_classifier(protocol_of: Callable[[str], Protocol]) -> None:
    for name in decoder_names():
        protocol = protocol_of("ssvep")
        if name in ("umm", "population"):
            protocol = load_protocol({"umm": "erp", "population": "mi"}[name])
        DecoderRequest(name, weights="random").make(protocol, CH_NAMES)


@pytest.mark.parametrize(("name", "paradigm"), [("umm", "mi"), ("fbcca", "erp"), ("cca", "mi")])
def test_a_decoder_of_another_paradigm_is_refused(
    name: str, paradigm: str, protocol_of: Callable[[str], Protocol]
) -> None:
    with pytest.raises(InputError, match="riemann suits all"):
        DecoderRequest(name, weights="random").make(protocol_of(paradigm), CH_NAMES)


@pytest.mark.parametrize("request_of", [{"name": "csp"}, {"device": "abacus"}, {"name": ""}])
def test_an_unknown_request_is_refused_at_once(request_of: dict[str, str]) -> None:
    with pytest.raises(InputError, match="Choose"):
        DecoderRequest(**request_of)


def test_another_seed_is_all_that_changes() -> None:
    request = DecoderRequest("new-contextual", "random", 3, "cpu")
    assert request.with_seed(4) == DecoderRequest("new-contextual", "random", 4, "cpu")


@pytest.mark.parametrize("config", [{}, {"kind": "torch"}, {"kind": "riemann"}])
def test_a_state_of_no_known_classifier_is_refused(config: dict[str, str]) -> None:
    with pytest.raises(InputError, match="kind"):
        classifier_from_state(State(config, {}))


def test_a_file_of_the_filter_bank_from_before_its_name_is_read(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    """Such files say `pre-local`, which names the network today."""
    X, y = simulated_epochs("power", 24, n_times=152)
    request = DecoderRequest("filter-bank", weights="random", device="cpu")
    fitted = request.make(protocol_of("mi"), CH_NAMES).fit(X, y)
    state = fitted.to_state()
    restored = classifier_from_state(State(state.config | {"kind": "pre-local"}, state.arrays))
    np.testing.assert_array_equal(restored.predict_proba(X), fitted.predict_proba(X))
