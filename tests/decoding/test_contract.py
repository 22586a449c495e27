"""Every decoder keeps one contract, whatever it is made of and whether it stops dynamically."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.data import Recording
from sjepa_online.decoding import (
    Decoder,
    DecoderRequest,
    EpochClassifier,
    decoder_names,
    load_decoder,
)
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training import calibrate

CH_NAMES = ("C3", "Cz", "C4", "Pz")
#: Which simulated signal carries the classes that a paradigm reads.
KIND_OF = {"erp": "phase-locked", "mi": "power", "ssvep": "stimulus"}
ONLY_FOR = {"cca": "ssvep", "fbcca": "ssvep", "umm": "erp", "population": "mi"}
CASES = [
    (name, paradigm, stopping)
    for name, paradigm, stopping in product(decoder_names(), KIND_OF, (False, True))
    # cca and fbcca read stimulus frequencies, umm compares flashes, a population knows imagery
    if paradigm == ONLY_FOR.get(name, paradigm)
]
TOKEN_HEADS = ("post-local", "contextual")
pytestmark = pytest.mark.usefixtures("short_training")


@pytest.fixture
def protocol_of(protocol_of: Callable[[str], Protocol]) -> Callable[[str], Protocol]:
    """Make a protocol whose window has two prefixes beside itself, one longer than a token."""

    def make(paradigm: str) -> Protocol:
        protocol = protocol_of(paradigm)
        return protocol.model_copy(
            update={"window": protocol.window.model_copy(update={"length": 2.0})}
        )

    return make


def _request(name: str, tiny_weights: str) -> DecoderRequest:
    population = "auto" if name == "population" else "none"
    return DecoderRequest(name, tiny_weights, 0, "cpu", population)


@pytest.fixture
def X() -> NDArray[np.float64]:  # noqa: N802
    return 10 * np.random.default_rng(9).standard_normal((9, 4, 256))


def _decoder(
    case: tuple[str, str, bool],
    protocol_of: Callable[[str], Protocol],
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    tiny_weights: str,
) -> Decoder:
    name, paradigm, stopping = case
    protocol = protocol_of(paradigm)
    classes = protocol.class_names
    recording = simulated_recording(KIND_OF[paradigm], n_trials=4 * len(classes), classes=classes)
    request = _request(name, tiny_weights)
    classifier = request.make(protocol, CH_NAMES, dynamic_stopping=stopping)
    return make_decoder(recording, protocol, classifier=classifier)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_decoder_keeps_the_contract(
    case: tuple[str, str, bool],
    protocol_of: Callable[[str], Protocol],
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    tiny_weights: str,
    X: NDArray[np.float64],
    tmp_path: Path,
) -> None:
    """From the fit over bad channels and its file to a clone that knows nothing of it."""
    decoder = _decoder(case, protocol_of, simulated_recording, make_decoder, tiny_weights)
    lengths: tuple[int, ...] = (256,)
    if case[2]:
        # heads on tokens read no epoch shorter than one token, 152 samples
        long = case[0].endswith(TOKEN_HEADS)
        lengths = (192, 256) if long else (128, 192, 256)
    assert decoder.window_lengths == lengths
    assert decoder.classes == decoder.protocol.class_names
    decoder.save(tmp_path / "decoder.safetensors")
    loaded = load_decoder(tmp_path / "decoder.safetensors")
    broken = X.copy()
    broken[:, 1] = np.nan
    for length, bad in product(lengths, (None, ["Cz"])):
        epochs = (X if bad is None else broken)[..., :length]
        expected = decoder.predict_proba(epochs, bad)
        assert expected.shape == (9, len(decoder.classes))
        np.testing.assert_allclose(expected.sum(axis=1), 1, atol=1e-6)
        np.testing.assert_allclose(loaded.predict_proba(epochs, bad), expected, atol=1e-7)
    whole = decoder.predict_proba(X)
    assert np.abs(decoder.predict_proba(X, ["Cz"]) - whole).max() > 0, "Cz was read"
    assert decoder.decides(whole[0], lengths[-1])
    assert not decoder.decides(np.array([1.0]), 128), "no threshold was chosen"
    _check_features(decoder.classifier, X, whole)


def _check_features(
    classifier: EpochClassifier, X: NDArray[np.float64], expected: NDArray[np.float64]
) -> None:
    """Features serve as the epochs do, and a clone leaves what it was cloned from as it is."""
    features = classifier.features(X)
    assert {len(array) for array in features.values()} == {len(X)}
    np.testing.assert_allclose(classifier.predict_features(features), expected, atol=1e-6)
    prefixes = classifier.predict_prefixes(features)
    assert prefixes.shape == (len(X), max(len(classifier.lengths), 1), len(classifier.classes_))
    np.testing.assert_allclose(prefixes[:, -1], expected, atol=1e-6)
    for candidate in classifier.predict_candidates(features).values():
        assert candidate.shape == expected.shape
    clone = classifier.clone()
    assert type(clone) is type(classifier)
    assert clone.classes_.tolist() == classifier.classes_.tolist(), "known before the fit"
    y = np.resize(classifier.classes_, len(X))
    assert clone.fit_features(features, y, channel_dropout=False) is clone
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


@pytest.mark.parametrize("stopping", [False, True])
@pytest.mark.parametrize("name", ["post-local", "auto", "cca"])
def test_calibration_knows_the_contract_only(
    name: str,
    stopping: bool,
    protocol_of: Callable[[str], Protocol],
    simulated_recording: Callable[..., Recording],
    tiny_weights: str,
    tmp_path: Path,
) -> None:
    protocol = protocol_of("ssvep")
    classes = protocol.class_names
    recording = simulated_recording("stimulus", n_trials=24, classes=classes)
    request = _request(name, tiny_weights)
    config = PreprocessorConfig()
    calibration = calibrate(
        [recording], protocol, config, request, n_folds=2, dynamic_stopping=stopping
    )
    calibration.decoder.save(tmp_path / "decoder.safetensors")
    loaded = load_decoder(tmp_path / "decoder.safetensors")
    assert loaded.calibration == calibration.decoder.calibration
    assert bool(loaded.calibration.dynamic_stopping) == stopping
    assert bool(loaded.calibration.choice) == (name == "auto"), "only auto has a choice to explain"
    X = calibration.trials.X
    np.testing.assert_allclose(
        loaded.predict_proba(X, ["C4"]), calibration.decoder.predict_proba(X, ["C4"]), atol=1e-7
    )


@pytest.mark.parametrize("stopping", [False, True])
def test_estimates_replace_bad_channels_of_who_cannot_do_without(
    stopping: bool,
    protocol_of: Callable[[str], Protocol],
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    tiny_weights: str,
    X: NDArray[np.float64],
) -> None:
    """Prefixes of a head read estimates as the head itself does, and no zeros."""
    case = ("post-local", "mi", stopping)
    decoder = _decoder(case, protocol_of, simulated_recording, make_decoder, tiny_weights)
    assert not decoder.classifier.handles_bad_channels
    restored = decoder.interpolation.restore(X, ["Cz"])
    expected = decoder.classifier.predict_proba(restored)
    np.testing.assert_array_equal(decoder.predict_proba(X, ["Cz"]), expected)
