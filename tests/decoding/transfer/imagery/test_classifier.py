"""A population's network on a new person, on simulated people."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.transfer.imagery import population as imagery_population
from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier
from sjepa_online.decoding.transfer.imagery.population import (
    FORMAT_NAME,
    ImageryPopulation,
    load_imagery_population,
    mirror_of,
)
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import in_band, rhythm_covariances
from sjepa_online.errors import InputError
from sjepa_online.tensor_file import write_tensor_file

CH_NAMES = ("FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4")
CLASSES = ("left_hand", "right_hand")
NEW_PEOPLE = range(3)
#: Electrodes between those of the population, and the two that are beside each.
BESIDE = {
    "FCC3": ("FC3", "C3"),
    "FCC4": ("FC4", "C4"),
    "FCCz": ("FCz", "Cz"),
    "CCP3": ("CP3", "C3"),
    "CCP4": ("CP4", "C4"),
    "CCPz": ("CPz", "Cz"),
}

Epochs = tuple[NDArray[np.float32], NDArray[np.str_]]
Simulate = Callable[..., Epochs]


def _accuracy(
    classifier: PopulationClassifier, data: Epochs, rows: list[int] | None = None
) -> float:
    X, y = data
    chosen = X if rows is None else X[:, rows]
    best = classifier.classes_[classifier.predict_proba(chosen).argmax(axis=1)]
    return float(np.mean(best == y))


def _classifier(population: ImageryPopulation) -> PopulationClassifier:
    return PopulationClassifier(population, CH_NAMES, CLASSES)


def test_it_decodes_new_people_without_a_label(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    scores = [
        _accuracy(_classifier(population).fit(simulate(seed, 20)[0]), simulate(seed, 40))
        for seed in NEW_PEOPLE
    ]
    assert np.mean(scores) > 0.8


def test_labels_do_no_harm(population: ImageryPopulation, simulate: Simulate) -> None:
    without, with_them = [], []
    for seed in NEW_PEOPLE:
        X, y = simulate(seed, 30)
        test = simulate(seed, 60)
        without.append(_accuracy(_classifier(population).fit(X), test))
        with_them.append(_accuracy(_classifier(population).fit(X, y), test))
    assert np.mean(with_them) >= np.mean(without) - 0.02


def test_classes_in_the_other_order_give_the_other_columns(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    X, _ = simulate(0, 20)
    plain = _classifier(population).fit(X).predict_proba(X)
    turned = PopulationClassifier(population, CH_NAMES, CLASSES[::-1]).fit(X).predict_proba(X)
    np.testing.assert_allclose(turned, plain[:, ::-1])


def test_the_mirror_image_is_the_other_class(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    X, _ = simulate(0, 20)
    mirror = [CH_NAMES.index(n.translate(str.maketrans("34", "43"))) for n in CH_NAMES]
    classifier = _classifier(population)
    p, q = classifier.predict_proba(X), classifier.predict_proba(X[:, mirror])
    assert np.corrcoef(p[:, 0], q[:, 1])[0, 1] > 0.9


def test_other_montages(population: ImageryPopulation, simulate: Simulate) -> None:
    for names in (("C4", "Oz", "C3", "Cz"), ("C3", "C4", "CP3", "CP4", "FCz")):
        order = [CH_NAMES.index(name) if name in CH_NAMES else 0 for name in names]
        scores = []
        for seed in NEW_PEOPLE:
            classifier = PopulationClassifier(population, names, CLASSES)
            classifier.fit(simulate(seed, 20)[0][:, order])
            scores.append(_accuracy(classifier, simulate(seed, 40), order))
        assert np.mean(scores) > 0.7


def _beside(X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the signal at BESIDE: the mean of the two electrodes beside each."""
    around = np.array([[name in two for name in CH_NAMES] for two in BESIDE.values()]) / 2
    return (around @ X).astype(np.float32)


def test_electrodes_beside_those_of_the_population_serve(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    scores = []
    for seed in NEW_PEOPLE:
        classifier = PopulationClassifier(population, tuple(BESIDE), CLASSES)
        classifier.fit(_beside(simulate(seed, 20)[0]))
        X, y = simulate(seed, 40)
        scores.append(_accuracy(classifier, (_beside(X), y)))
    assert np.mean(scores) > 0.75
    again = classifier_from_state(classifier.to_state())
    np.testing.assert_array_equal(
        again.predict_proba(_beside(X)), classifier.predict_proba(_beside(X))
    )
    bad = np.array(list(BESIDE)) == "FCC3"
    noisy = _beside(X)
    noisy[:, bad] = 1e5
    np.testing.assert_array_equal(
        classifier.predict_proba(noisy, bad), classifier.predict_proba(_beside(X), bad)
    )
    with pytest.raises(InputError, match="in common: none"):
        PopulationClassifier(population, tuple(BESIDE), CLASSES, by_position=False)


def test_a_state_that_does_not_tell_is_matched_by_names(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    names, X = ("C3", "Cz", "C4", *BESIDE), simulate(0, 20)[0]
    whole = np.concatenate([X[:, 3:6], _beside(X)], axis=1)
    by_name = PopulationClassifier(population, names, CLASSES, by_position=False).fit(whole)
    state = by_name.to_state()
    del state.config["by_position"]
    again = classifier_from_state(state)
    np.testing.assert_array_equal(again.predict_proba(whole), by_name.predict_proba(whole))
    by_both = PopulationClassifier(population, names, CLASSES).fit(whole)
    assert not np.allclose(by_both.predict_proba(whole), by_name.predict_proba(whole))


def test_other_channels_have_no_part(population: ImageryPopulation, simulate: Simulate) -> None:
    X, _ = simulate(0, 20)
    more = np.concatenate([np.full_like(X[:, :1], 1e6), X], axis=1)
    classifier = PopulationClassifier(population, ("Fp1", *CH_NAMES), CLASSES).fit(more)
    np.testing.assert_array_equal(
        classifier.predict_proba(more), _classifier(population).fit(X).predict_proba(X)
    )


def test_a_bad_channel_has_no_part(population: ImageryPopulation, simulate: Simulate) -> None:
    X, _ = simulate(0, 20)
    classifier = _classifier(population).fit(X)
    bad = np.array(CH_NAMES) == "CP3"
    noisy = X.copy()
    noisy[:, bad] = 1e5
    np.testing.assert_array_equal(
        classifier.predict_proba(noisy, bad), classifier.predict_proba(X, bad)
    )
    test = simulate(0, 60)
    best = classifier.classes_[classifier.predict_proba(test[0], bad).argmax(axis=1)]
    assert np.mean(best == test[1]) > 0.7
    np.testing.assert_array_equal(classifier.predict_proba(X, np.ones(9, dtype=bool)), 0.5)


def test_bad_channels_are_estimated_as_the_person_is_now(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    """Nothing that was kept for other bad channels, or before adapting, has a part."""
    X, y = simulate(1, 30)
    kept = _classifier(population).fit(X[:20], y[:20])
    masks = [np.isin(CH_NAMES, names) for names in (["CP3"], ["Cz", "C4"])]
    for order in (masks, masks[::-1]):
        for bad in order:
            fresh = classifier_from_state(kept.to_state())
            np.testing.assert_array_equal(kept.predict_proba(X, bad), fresh.predict_proba(X, bad))
        kept.adapt(X[20:])
    state = kept.to_state()
    state.arrays["own_covariances"] = population.covariances
    as_others = classifier_from_state(state)
    np.testing.assert_array_equal(as_others.predict_proba(X), kept.predict_proba(X))
    assert not np.allclose(
        as_others.predict_proba(X, masks[0]), kept.predict_proba(X, masks[0]), rtol=1e-2, atol=0
    )


def test_good_electrodes_are_read_as_they_are_where_some_lack_and_some_are_bad(
    population: ImageryPopulation,
) -> None:
    names = ("C4", "CP3", "Cz", "C3", "FC4")
    classifier = PopulationClassifier(population, names, CLASSES)
    read = [names[pick] for pick in classifier.montage.picks]
    good = np.flatnonzero([name != "Cz" for name in read])
    estimate = classifier._networks_without(good)._estimate
    assert estimate is not None
    places = [population.config.ch_names.index(read[index]) for index in good]
    np.testing.assert_allclose(estimate.to_all[places], np.eye(4), atol=1e-9)


def test_adapting_is_the_same_for_any_chunks(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    X, _ = simulate(1, 30)
    whole, parts, still = (_classifier(population).fit(X[:8]) for _ in range(3))
    whole.adapt(X[8:])
    for trial in X[8:]:
        parts.adapt(trial[np.newaxis])
    still.adapts = False
    still.adapt(X[8:])
    np.testing.assert_allclose(whole.predict_proba(X), parts.predict_proba(X), atol=1e-6)
    np.testing.assert_array_equal(
        still.predict_proba(X), _classifier(population).fit(X[:8]).predict_proba(X)
    )


def test_adapting_alone_aligns_a_person(population: ImageryPopulation, simulate: Simulate) -> None:
    scores = []
    for seed in NEW_PEOPLE:
        classifier = _classifier(population)
        classifier.adapt(simulate(seed, 20)[0])
        scores.append(_accuracy(classifier, simulate(seed, 40)))
    assert np.mean(scores) > 0.8


def test_a_saved_state_gives_the_same_probabilities(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    X, y = simulate(2, 24)
    fitted = _classifier(population).fit(X, y)
    fitted.adapt(X[:3])
    again = classifier_from_state(fitted.to_state())
    assert isinstance(again, PopulationClassifier)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    for one in (again, fitted):
        one.adapt(X[3:6])
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))
    for one in (again, fitted):
        one.fit(X[6:], y[6:])
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_a_saved_population_decodes_the_same(
    population: ImageryPopulation, simulate: Simulate, saved: Callable[[], Path]
) -> None:
    X, _ = simulate(2, 24)
    again = load_imagery_population(saved())
    assert again.config == population.config
    np.testing.assert_array_equal(
        _classifier(again).fit(X).predict_proba(X), _classifier(population).fit(X).predict_proba(X)
    )


def test_a_population_of_the_first_version_keeps_its_windows_of_1_s(
    population: ImageryPopulation, simulate: Simulate, tmp_path: Path
) -> None:
    """Its file tells neither the windows nor a second kind of network."""
    spatial = population.network.spatial
    ones = np.ones((len(spatial), 6, 12, 9), np.float32)
    network = PowerNetwork(spatial, ones, ones)
    config = population.config.model_dump(mode="json", exclude={"block", "power_alone"})
    arrays = {
        "spatial": network.spatial,
        "scale": network.scale,
        "weights": network.weights,
        "kernels": population.kernels,
        "covariances": population.covariances,
        **population.known.arrays,
    }
    write_tensor_file(tmp_path / "old.safetensors", FORMAT_NAME, 1, config, arrays)
    old = load_imagery_population(tmp_path / "old.safetensors")
    assert old.spatiotemporal is None
    assert old.shortest_window == 6 * 64 + 94
    X, _ = simulate(0, 4)
    covariances = rhythm_covariances(in_band(X), old.kernels, 64)
    assert covariances.shape[2] >= 6
    classifier = _classifier(old)
    features = network.features(
        covariances, network.quadratic(classifier._alignment.whitening, mirror_of(CH_NAMES))
    )
    right = 1 / (1 + np.exp(-features.sum(axis=1) / len(spatial) / old.config.temperature))
    np.testing.assert_allclose(classifier.predict_proba(X)[:, 1], right, rtol=1e-3)


def test_few_electrodes_are_read_by_the_first_kind_of_network_alone(
    population: ImageryPopulation, simulate: Simulate, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, X = ("C3", "Cz", "C4"), simulate(0, 20)[0][:, 3:6]
    # of nine electrodes three are a third, which suffices
    assert PopulationClassifier(population, names, CLASSES).population.spatiotemporal is not None
    monkeypatch.setattr(imagery_population, "LEAST_SERVED", 0.5)
    most = PopulationClassifier(population, CH_NAMES[:7], CLASSES)
    assert most.population.spatiotemporal is not None
    fewer = PopulationClassifier(population, names, CLASSES)
    assert fewer.population.spatiotemporal is None
    logits = [
        np.log(p[:, 1] / p[:, 0])
        for p in (
            fewer.predict_proba(X),
            PopulationClassifier(
                replace(population, spatiotemporal=None), names, CLASSES
            ).predict_proba(X),
        )
    ]
    assert population.config.power_alone > 1
    np.testing.assert_allclose(logits[0], population.config.power_alone * logits[1], rtol=1e-4)
    again = classifier_from_state(fewer.to_state())
    np.testing.assert_array_equal(again.predict_proba(X), fewer.predict_proba(X))


def test_both_kinds_of_network_have_a_part(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    """Over people who were left out their logits spread alike; on others they do roughly."""
    assert population.spatiotemporal is not None
    X, _ = simulate(0, 40)
    both = _classifier(population).fit(X)
    contributions = both._networks.features(both._trials(X))
    contributions = contributions * population.flat_weights
    n_own = population.network.weights.size
    own, others = (part.sum(axis=1).std() for part in np.split(contributions, [n_own], axis=1))
    assert 0.4 < own / others < 2.5


def test_labels_change_most_what_mattered_for_others(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    network = population.network
    silent = np.zeros_like(network.weights, dtype=bool)
    silent[:, ::2] = True
    weights = np.where(silent, 0, network.weights)
    part = PowerNetwork(network.spatial, network.scale, weights)
    classifier = _classifier(replace(population, network=part)).fit(*simulate(1, 30))
    change = classifier._weights - classifier.population.flat_weights
    own = change[: silent.size]
    assert not own[silent.ravel()].any()
    size = np.abs(weights.ravel()[~silent.ravel()])
    moved = np.abs(own[~silent.ravel()])
    large = size > np.median(size)
    assert moved[large].mean() > 1.5 * moved[~large].mean()


def test_the_variance_of_a_change_is_in_proportion_to_the_weight(
    population: ImageryPopulation,
) -> None:
    """Features that tell the same then change in that proportion, the labels alone deciding."""
    classifier = _classifier(population)
    classifier._weights = np.array([0.1, 0.4], dtype=np.float32)
    is_right = np.arange(20) % 2 == 1
    noisy = np.where(is_right, 1, -1) + np.random.default_rng(0).normal(size=20)
    classifier._learn(np.stack([noisy, noisy], axis=1).astype(np.float32), is_right)
    change = classifier._weights - np.array([0.1, 0.4])
    assert change[0] > 0.001
    assert change[1] / change[0] == pytest.approx(4, rel=1e-3)


def test_exchanged_labels_are_told(population: ImageryPopulation, simulate: Simulate) -> None:
    X, y = simulate(1, 40)
    exchanged = np.where(y == CLASSES[0], CLASSES[1], CLASSES[0])
    assert "exchanged" in " ".join(_classifier(population).fit(X, exchanged).notes_)
    assert "exchanged" not in " ".join(_classifier(population).fit(X, y).notes_)


def test_noise_is_doubted(population: ImageryPopulation, simulate: Simulate) -> None:
    noise = 10 * np.random.default_rng(0).normal(size=(30, 9, 536)).astype(np.float32)
    assert "not sure" in " ".join(_classifier(population).fit(noise).notes_)
    assert not _classifier(population).fit(simulate(0, 30)[0]).notes_


def test_people_of_the_population_are_recognised(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    X, _ = simulate(103)
    with pytest.raises(InputError, match="sub-103"):
        _classifier(population).fit(1.5 * X[4:6])


@pytest.mark.parametrize(
    ("names", "classes", "told"),
    [
        (("C3", "Cz", "Oz"), CLASSES, "in common: C3, Cz"),
        (("C3", "C1", "FC3", "Cz"), CLASSES, "none on one side"),
        (CH_NAMES, ("feet", "right_hand"), "feet"),
        (CH_NAMES, ("left_hand", "right_hand", "feet"), "left and right only"),
    ],
)
def test_what_it_cannot_decode_is_refused(
    population: ImageryPopulation, names: tuple[str, ...], classes: tuple[str, ...], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        PopulationClassifier(population, names, classes)


def test_without_any_trial_it_decodes_as_the_population_does(
    population: ImageryPopulation, simulate: Simulate
) -> None:
    X, _ = simulate(0, 20)
    fitted = _classifier(population).fit(X[:0])
    np.testing.assert_array_equal(fitted.predict_proba(X), _classifier(population).predict_proba(X))
    assert fitted.predict_proba(X[:0]).shape == (0, 2)


def test_shorter_and_later_windows(population: ImageryPopulation, simulate: Simulate) -> None:
    X, _ = simulate(0, 20)
    test = simulate(0, 60)
    for start, n_times in ((0.0, 300), (1.0, 400)):
        shown = population.for_window(start, n_times)
        classifier = _classifier(shown).fit(X[..., :n_times])
        assert _accuracy(classifier, (test[0][..., :n_times], test[1])) > 0.7
    for start, n_times in ((-1.0, 536), (0.0, 93), (9.0, 536)):
        with pytest.raises(InputError, match="outside of what"):
            population.for_window(start, n_times)


def test_a_later_window_keeps_the_weights_of_its_moments(population: ImageryPopulation) -> None:
    """A window begins every 0.25 s for the first kind, every 0.125 s for the second."""
    assert population.spatiotemporal is not None
    shown = population.for_window(population.config.window_start + 1, 256)
    assert shown.spatiotemporal is not None
    network, later = population.network, shown.network
    np.testing.assert_array_equal(later.weights, network.weights[:, 4 : 4 + later.n_windows])
    others, later_others = population.spatiotemporal, shown.spatiotemporal
    np.testing.assert_array_equal(
        later_others.weights, others.weights[:, 8 : 8 + later_others.n_windows]
    )
    assert 256 - 16 < later_others.n_samples <= shown.shortest_window <= 256


def test_a_window_as_long_as_the_message_says_is_read(population: ImageryPopulation) -> None:
    with pytest.raises(InputError, match="at least") as refused:
        population.for_window(population.config.window_start, 60)
    told = re.search(r"at least ([\d.]+) s", str(refused.value))
    assert told
    n_times = round(float(told[1]) * 128)
    assert population.for_window(population.config.window_start, n_times).network.n_windows == 1


def test_a_shorter_window_is_refused(population: ImageryPopulation) -> None:
    shortest = _classifier(population).shortest_window
    assert _classifier(population).predict_proba(np.zeros((1, 9, shortest))).shape == (1, 2)
    with pytest.raises(InputError, match=f"It reads {shortest}: "):
        _classifier(population).predict_proba(np.zeros((1, 9, shortest - 1)))
    with pytest.raises(InputError, match=f"It reads {shortest}: "):
        _classifier(population).predict_proba(np.zeros((1, 9, 300)))
