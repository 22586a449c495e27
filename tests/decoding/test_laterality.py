"""Power left against right, on simulated rhythms at C3 and C4."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate

from sjepa_online.decoding.pre_local import PreLocalClassifier
from sjepa_online.decoding.readouts import Laterality, SecondOrder
from sjepa_online.decoding.registry import classifier_from_state
from sjepa_online.decoding.spatial import sides

CH_NAMES = ("C3", "Cz", "C4", "Pz")
CLASSES = ("right", "left")
KERNELS = np.stack([np.cos(2 * np.pi * f / 128 * np.arange(32)) for f in (10.0, 20.0)])


def _classifier(ch_names: tuple[str, ...] | None = CH_NAMES) -> PreLocalClassifier:
    kinds = (SecondOrder.kind, Laterality.kind)
    return PreLocalClassifier(KERNELS, kinds, (), CLASSES, ch_names=ch_names)


def test_sides_are_the_homologous_electrodes_over_the_sensorimotor_cortex():
    names = ("Fz", "CP6", "C3", "O1", "FC1", "C4", "O2", "CP5")
    spatial = sides(names)
    left, right = np.eye(8)[[2, 7]], np.eye(8)[[5, 1]]
    np.testing.assert_allclose(spatial, np.concatenate([left, right]) - 1 / 8)
    assert sides(("Fz", "C3", "Pz")).size == sides(None).size == 0


def test_features_are_log_ratios_of_the_filtered_channels_variances(simulated_epochs):
    X, y = simulated_epochs("power", n_trials=6, classes=CLASSES)
    X = X.astype(float)
    power = SecondOrder(KERNELS)
    readout = Laterality(power, sides(CH_NAMES))
    statistics, targets = power.statistics(X), np.arange(6) % 2
    power.fit(statistics, targets, 2)
    found = readout.fit(statistics, targets, 2).features(statistics)
    expected = [
        [
            np.log(np.var(correlate(epoch[0], kernel, "valid")))
            - np.log(np.var(correlate(epoch[2], kernel, "valid")))
            for kernel in KERNELS
        ]
        for epoch in X
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert set(y) == set(CLASSES)


def test_few_trials_suffice_and_a_missing_side_is_estimated(simulated_epochs):
    X, y = simulated_epochs("power", n_trials=12, classes=CLASSES)
    new, truth = simulated_epochs("power", n_trials=60, classes=CLASSES, seed=1)
    classifier = _classifier().fit(X, y)
    whole = classifier.predict_proba(new)
    chosen = np.array(CLASSES)[whole.argmax(axis=1)]
    assert np.mean(chosen == truth) > 0.9
    bad = np.array([True, False, False, False])
    garbage = new.copy()
    garbage[:, bad] = 1e4
    without = classifier.predict_proba(garbage, bad)
    np.testing.assert_allclose(without, classifier.predict_proba(new, bad), atol=1e-6)
    assert np.mean(np.array(CLASSES)[without.argmax(axis=1)] == truth) > 0.75
    restored = classifier_from_state(classifier.to_state())
    np.testing.assert_allclose(restored.predict_proba(new, bad), without, atol=1e-9)


def test_epochs_and_their_statistics_give_the_same(simulated_epochs):
    X, y = simulated_epochs("power", n_trials=12, classes=CLASSES)
    classifier = _classifier().fit(X, y)
    np.testing.assert_allclose(
        classifier.predict_statistics(classifier.statistics(X)),
        classifier.predict_proba(X),
        atol=1e-6,
    )


@pytest.mark.parametrize("ch_names", [None, ("Cz", "Fz", "Pz", "Oz")])
def test_a_montage_without_both_sides_goes_without(simulated_epochs, ch_names):
    X, y = simulated_epochs("power", n_trials=12, classes=CLASSES)
    state = _classifier(ch_names).fit(X, y).to_state()
    assert state.config["readouts"] == [SecondOrder.kind]
