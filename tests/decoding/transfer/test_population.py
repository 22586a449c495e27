"""A population start, on simulated people whose responses share a pattern over the scalp."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from sjepa_online.decoding import DecoderRequest, EpochClassifier
from sjepa_online.decoding.catalog import classifier_from_state, make_fbcca
from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.features.spatial_filters import whitening
from sjepa_online.decoding.transfer.flicker_classifier import FlickerPopulation
from sjepa_online.decoding.transfer.population import (
    PENALTY,
    Population,
    StimulusPrior,
    _build,
    _fit_shared,
    common_channels,
    fit_population,
    load_population,
)
from sjepa_online.decoding.transfer.start import population_start
from sjepa_online.errors import InputError
from sjepa_online.model.local_encoder import gabor_kernels
from sjepa_online.protocol import Protocol, load_protocol

CH_NAMES = ("Oz", "O1", "O2", "POz", "Pz", "Cz")
PATTERN = np.array([1.0, 0.8, 0.8, 0.6, 0.2, 0.0])
KERNELS = gabor_kernels(8, 32).numpy().astype(float)
Session = tuple[NDArray[np.float32], NDArray[np.str_]]


def _protocol(frequencies: tuple[float, ...] = (9.0, 13.0), rest: bool = True) -> Protocol:
    classes: list[dict[str, object]] = [
        {"name": f"{frequency:g} Hz", "frequency": frequency} for frequency in frequencies
    ]
    if rest:
        classes.append({"name": "rest"})
    window = {"start": 0.0, "length": 2.0}
    return Protocol.model_validate(
        {"name": "simulated", "paradigm": "ssvep", "window": window, "classes": classes}
    )


def _session(protocol: Protocol, n_trials: int, seed: int, amplitude: float = 1.3) -> Session:
    """Simulate a person: the pattern, background that all channels share, white noise."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(protocol.n_times) / 128
    mixing = np.eye(6) + 0.6 * rng.normal(size=(6, 6))
    targets = np.arange(n_trials) % len(protocol.classes)
    epochs = 6.0 * mixing @ rng.normal(size=(n_trials, 6, len(seconds)))
    for trial, target in enumerate(targets):
        frequency = protocol.classes[target].frequency
        if frequency is not None:
            phases = rng.uniform(0, 2 * np.pi, size=2)
            response = np.cos(2 * np.pi * frequency * seconds + phases[0])
            response += 0.5 * np.cos(4 * np.pi * frequency * seconds + phases[1])
            epochs[trial] += amplitude * PATTERN[:, np.newaxis] * response
    return epochs.astype(np.float32), np.array(protocol.class_names)[targets]


def _population(protocol: Protocol, n_people: int = 6) -> Population:
    sessions = [_session(protocol, 60, 100 + person) for person in range(n_people)]
    return fit_population(
        sessions,
        protocol,
        CH_NAMES,
        KERNELS,
        weights="random",
        sources=[f"sub-{1 + 10 * person:02d}_raw.fif" for person in range(n_people)],
        simulated=True,
    )


@pytest.fixture(scope="module")
def population() -> Population:
    return _population(_protocol())


@pytest.fixture
def saved(population: Population, tmp_path: Path) -> str:
    population.save(tmp_path / "others.safetensors")
    return str(tmp_path / "others.safetensors")


def _accuracy(
    request: DecoderRequest,
    protocol: Protocol,
    keep: tuple[str, ...] = CH_NAMES,
    n_train: int = 2,
) -> float:
    """Return the mean accuracy of people with ``n_train`` trials of each class."""
    rows = [CH_NAMES.index(name) for name in keep]
    scores = []
    for seed in range(4):
        X, y = _session(protocol, n_train * len(protocol.classes), seed)
        classifier = request.make(protocol, keep).fit(X[:, rows], y)
        X, y = _session(protocol, 60, seed)
        scores.append(_score(classifier, X[60 - len(X) :, rows], y))
    return float(np.mean(scores))


def _score(classifier: EpochClassifier, X: NDArray[np.float32], y: NDArray[np.str_]) -> float:
    best = classifier.classes_[classifier.predict_proba(X).argmax(axis=1)]
    return float(np.mean(best == y))


@pytest.mark.parametrize(
    ("frequencies", "rest"), [((9.0, 13.0), True), ((7.5, 10.0, 15.0), True), ((8.0, 11.0), False)]
)
def test_it_makes_a_short_calibration_better_at_any_frequencies(
    frequencies: tuple[float, ...], rest: bool, saved: str
) -> None:
    protocol = _protocol(frequencies, rest)
    without, with_it = (
        _accuracy(DecoderRequest("filter-bank", "random", 0, "cpu", name), protocol)
        for name in ("none", saved)
    )
    assert with_it > without + 0.05


@pytest.mark.parametrize("keep", [CH_NAMES[1:], ("O1", "O2", "Pz", "Cz")])
def test_it_helps_a_montage_that_lacks_electrodes(keep: tuple[str, ...], saved: str) -> None:
    protocol = _protocol()
    without, with_it = (
        _accuracy(DecoderRequest("filter-bank", "random", 0, "cpu", name), protocol, keep)
        for name in ("none", saved)
    )
    assert with_it >= without
    missing = ", ".join(name for name in CH_NAMES if name not in keep)
    assert f"{missing} are estimated" in population_start(saved, protocol, keep).note


def test_on_its_own_montage_the_weights_are_those_of_the_population(
    population: Population,
) -> None:
    protocol = _protocol()
    prior = population.prior(protocol, CH_NAMES)
    assert prior is not None
    covariance = np.cov(np.random.default_rng(0).normal(size=(6, 200)))
    d = 6 * 7 // 2
    weights = prior.weights(whitening(covariance), covariance)
    assert weights.shape == (4 * d + 1, 3)
    # the blocks are 9, 13, 18 and 26 Hz, and the last class has no stimulus
    first, second, first_harmonic, second_harmonic = weights[:-1].reshape(4, d, 3)
    # the shrinkage of the whitening leaves it a little off the identity
    np.testing.assert_allclose(first[:, 0], population.shared[0], rtol=0.1, atol=0.01)
    np.testing.assert_allclose(second_harmonic[:, 1], population.shared[1], rtol=0.1, atol=0.01)
    np.testing.assert_array_equal(first[:, 0], second[:, 1])
    np.testing.assert_array_equal(first_harmonic[:, 1:], np.zeros((d, 2)))
    np.testing.assert_array_equal(weights[-1], [population.intercept] * 2 + [0.0])
    assert not weights[:, 2].any()


def test_the_order_of_the_channels_does_not_matter(saved: str) -> None:
    protocol = _protocol()
    request = DecoderRequest("filter-bank", "random", 0, "cpu", saved)
    X, y = _session(protocol, 12, 0)
    order = np.array([3, 0, 5, 1, 4, 2])
    turned = tuple(np.array(CH_NAMES)[order].tolist())
    first = request.make(protocol, CH_NAMES).fit(X, y).predict_proba(X)
    second = request.make(protocol, turned).fit(X[:, order], y).predict_proba(X[:, order])
    np.testing.assert_allclose(first, second, atol=0.1)


def test_electrodes_that_the_population_lacks_start_from_zero(population: Population) -> None:
    prior = population.prior(_protocol(), ("Fz", *CH_NAMES))
    assert isinstance(prior, StimulusPrior)
    np.testing.assert_array_equal(prior.to_population, np.eye(6, 7, k=1))


def test_one_stimulus_and_rest_are_binary_logistic_regression() -> None:
    """With one stimulus the conditional logit is scikit-learn's logistic regression."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(80, 1, 6))
    targets = (features[:, 0, 0] + rng.normal(size=80) < 0).astype(int)
    shared, intercept = _fit_shared(features, targets)
    reference = LogisticRegression(C=1 / PENALTY, tol=1e-8).fit(features[:, 0], targets == 0)
    np.testing.assert_allclose(shared.ravel(), reference.coef_[0], atol=1e-3)
    assert intercept == pytest.approx(reference.intercept_[0], abs=1e-3)


def test_a_montage_with_too_few_of_its_electrodes_does_without(saved: str) -> None:
    protocol = _protocol()
    with pytest.raises(InputError, match="less than half"):
        population_start(saved, protocol, ("Oz", "O1", "C3", "C4"))
    start = population_start("auto", protocol, ("C3", "Cz", "C4"))
    assert start.prior is None
    assert "less than half" in start.note


def test_nobody_starts_from_themselves(saved: str) -> None:
    with pytest.raises(InputError, match="sub-01_raw"):
        population_start(saved, _protocol(), CH_NAMES, ["elsewhere/sub-01_raw.fif"])
    assert population_start(saved, _protocol(), CH_NAMES, ["sub-02_raw.fif"]).prior is not None


def test_people_are_recognised_by_their_trials_under_any_name(saved: str) -> None:
    protocol = _protocol()
    order = np.array([3, 0, 5, 1, 4, 2])
    turned = tuple(np.array(CH_NAMES)[order].tolist())
    own, _ = _session(protocol, 60, 102)
    other, _ = _session(protocol, 60, 7)
    epochs = [other[:, order], 1e-3 * own[40:, order]]
    with pytest.raises(InputError, match=r"very trials: those of sub-21_raw\.fif"):
        population_start(saved, protocol, turned, ["renamed"], epochs)
    shorter = [own[:5, order, :200]]
    with pytest.raises(InputError, match="very trials"):
        DecoderRequest("auto", population=saved).resolve(protocol, turned, epochs=shorter)
    assert population_start(saved, protocol, turned, ["renamed"], epochs[:1]).prior is not None


def test_every_session_has_a_source_by_which_it_is_told() -> None:
    protocol = _protocol()
    sessions = [_session(protocol, 8, seed) for seed in range(2)]
    with pytest.raises(ValueError, match="longer"):
        fit_population(
            sessions, protocol, CH_NAMES, KERNELS, weights="", sources=["a"], simulated=True
        )


def test_a_file_of_the_first_version_knows_names_only(population: Population) -> None:
    arrays = {"shared": population.shared, "covariance": population.covariance}
    first = _build(population.config, {**arrays, "intercept": np.zeros(1)})
    own, _ = _session(_protocol(), 60, 102)
    assert first.known.among(own, CH_NAMES) == []


def test_the_shipped_population_knows_trials_of_all_its_recordings() -> None:
    shipped = load_population("population-ssvep")
    assert np.bincount(shipped.known.person).tolist() == [32] * len(shipped.config.sources)


def test_the_shipped_population_leaves_out_the_person_of_the_sample() -> None:
    sources = load_population("population-ssvep").config.sources
    assert sources
    assert not any("sub-12" in source for source in sources)


@pytest.mark.parametrize("paradigm", ["mi", "erp"])
def test_other_paradigms_have_none(
    paradigm: str, saved: str, protocol_of: Callable[[str], Protocol]
) -> None:
    protocol = protocol_of(paradigm)
    assert population_start("auto", protocol, CH_NAMES).prior is None
    with pytest.raises(InputError, match=paradigm):
        population_start(saved, protocol, CH_NAMES)
    with pytest.raises(InputError, match="no population of this kind"):
        fit_population(
            [], protocol, CH_NAMES, KERNELS, weights="random", sources=[], simulated=True
        )


@pytest.mark.parametrize(("ch_names", "told"), [(("C3", "Cz", "C4"), True), (("Fz", "Cz"), False)])
def test_imagery_says_which_classes_are_mirror_images(
    ch_names: tuple[str, ...], told: bool
) -> None:
    note = population_start("auto", load_protocol("mi"), ch_names).note
    assert note.startswith("no population start: the filter bank reads none of mi")
    assert note.endswith("mirror images of each other: left_hand and right_hand") == told


def test_a_file_holds_what_was_saved(population: Population, saved: str) -> None:
    loaded = load_population(saved)
    assert loaded.config == population.config
    assert loaded.intercept == population.intercept
    np.testing.assert_array_equal(loaded.shared, population.shared)
    np.testing.assert_array_equal(loaded.covariance, population.covariance)


def test_montages_are_mixed_on_the_electrodes_that_they_share() -> None:
    assert common_channels([("Oz", "O1", "Pz"), ("Pz", "Cz", "Oz")]) == ("Oz", "Pz")
    with pytest.raises(InputError, match="fewer than two"):
        common_channels([("Oz", "O1"), ("O1", "Cz")])


def _flicker(saved: str, keep: tuple[str, ...] = CH_NAMES) -> FlickerPopulation:
    protocol = _protocol()
    filter_bank = DecoderRequest("filter-bank", "random", 0, "cpu", saved).make(protocol, keep)
    assert isinstance(filter_bank, FilterBankClassifier)
    return FlickerPopulation(filter_bank, make_fbcca(protocol))


@pytest.mark.parametrize("keep", [CH_NAMES, ("O1", "O2", "Pz", "Cz")])
def test_it_decodes_without_a_label(keep: tuple[str, ...], saved: str) -> None:
    protocol, rows = _protocol(), [CH_NAMES.index(name) for name in keep]
    flicker = _flicker(saved, keep)
    parts: dict[str, list[float]] = {"both": [], "fbcca": []}
    for seed in range(4):
        flicker.align(_session(protocol, 18, seed)[0][:, rows])
        X, y = _session(protocol, 60, seed)
        parts["both"].append(_score(flicker, X[:, rows], y))
        parts["fbcca"].append(_score(flicker.fbcca, X[:, rows], y))
    assert np.mean(parts["both"]) > np.mean(parts["fbcca"]) + 0.03


def test_without_labels_no_class_is_read(saved: str) -> None:
    X, y = _session(_protocol(), 18, 0)
    aligned = _flicker(saved).align(X).predict_proba(X)
    fitted = _flicker(saved).fit(X, y[::-1]).predict_proba(X)
    np.testing.assert_array_equal(aligned, fitted)


def test_an_aligned_decoder_is_restored_and_does_without_bad_channels(saved: str) -> None:
    X, _ = _session(_protocol(), 18, 0)
    flicker = _flicker(saved).align(X)
    again = classifier_from_state(flicker.to_state())
    np.testing.assert_array_equal(again.predict_proba(X), flicker.predict_proba(X))
    bad = np.array(CH_NAMES) == "POz"
    loud = X.copy()
    loud[:, bad] = 1e6
    np.testing.assert_array_equal(flicker.predict_proba(loud, bad), flicker.predict_proba(X, bad))


def test_a_filter_bank_without_other_people_cannot_be_aligned() -> None:
    X, _ = _session(_protocol(), 6, 0)
    alone = DecoderRequest("filter-bank", "random", population="none").make(_protocol(), CH_NAMES)
    assert isinstance(alone, FilterBankClassifier)
    with pytest.raises(InputError, match="cannot do without labels"):
        alone.align(alone.features(X))


def test_without_labels_the_stimuli_are_those_of_the_population(saved: str) -> None:
    for protocol, told in (
        (_protocol((9.0, 15.0)), "saw 9, 13 Hz, not 15"),
        (_protocol((8.0, 11.0), rest=False), "not 8, 11"),
    ):
        assert population_start(saved, protocol, CH_NAMES).prior is not None
        with pytest.raises(InputError, match=told):
            population_start(saved, protocol, CH_NAMES, same_stimuli=True)
    fewer = _protocol((13.0,))
    assert population_start(saved, fewer, CH_NAMES, same_stimuli=True).prior is not None


def test_without_trials_of_rest_nobody_knows_rest(tmp_path: Path) -> None:
    _population(_protocol(rest=False), 2).save(tmp_path / "others.safetensors")
    name = str(tmp_path / "others.safetensors")
    with pytest.raises(InputError, match="no trials of rest"):
        population_start(name, _protocol(), CH_NAMES, same_stimuli=True)


def test_electrodes_beside_those_of_the_population_serve(saved: str) -> None:
    """POO1 and POO2 lie beside O1, O2 and POz, which this montage lacks."""
    population = load_population(saved)
    keep = ("Oz", "Pz", "POO1", "POO2")
    prior = population.prior(_protocol(), keep)
    assert prior is not None
    assert np.abs(prior.to_population[CH_NAMES.index("POz"), 2:]).min() > 0.1
    assert "also from POO1, POO2 beside them" in population_start(saved, _protocol(), keep).note
