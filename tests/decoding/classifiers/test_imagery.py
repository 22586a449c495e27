"""Imagery: one side against the other, and trials seen in a mirror, on simulated rhythms."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.classifiers.imagery import Imagery, find_mirror, log_ratios, sides
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.classifiers.readouts import power
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.signal.montage import MNE_MONTAGE

CH_NAMES = ("C3", "Cz", "C4", "Pz")
CLASSES = ("right", "left")
KERNELS = np.stack([np.cos(2 * np.pi * f / 128 * np.arange(32)) for f in (10.0, 20.0)])


def _classifier(ch_names: tuple[str, ...] | None = CH_NAMES) -> FilterBankClassifier:
    return FilterBankClassifier(KERNELS, (Imagery.kind,), (), CLASSES, ch_names=ch_names)


def test_sides_are_the_homologous_electrodes_over_the_sensorimotor_cortex():
    names = ("Fz", "CP6", "C3", "O1", "FC1", "C4", "O2", "CP5")
    spatial = sides(names)
    left, right = np.eye(8)[[2, 7]], np.eye(8)[[5, 1]]
    np.testing.assert_allclose(spatial, np.concatenate([left, right]) - 1 / 8)
    assert sides(("Fz", "C3", "Pz")).size == sides(None).size == 0


def test_ratios_are_those_of_the_filtered_signals_variances():
    rng = np.random.default_rng(0)
    signals = rng.standard_normal((3, 2, 4, 500)) * rng.uniform(1, 9, (3, 2, 4, 1))
    spatial = rng.standard_normal((6, 4))
    found = log_ratios(spatial, signals @ signals.swapaxes(-1, -2))
    variances = ((spatial @ signals) ** 2).sum(axis=-1)
    expected = np.log(variances[..., :3] / variances[..., 3:])
    np.testing.assert_allclose(found, expected.reshape(3, 6))


def test_the_mirror_exchanges_odd_and_even_numbers_and_left_and_right():
    mirror = find_mirror(
        ("FC1", "C4", "Cz", "C3", "FC2"), ("feet", "left_hand", "right_hand", "tongue")
    )
    assert mirror is not None
    assert mirror.channels.tolist() == [4, 3, 2, 1, 0]
    assert mirror.classes.tolist() == [0, 2, 1, 3]
    assert not mirror.unknown.any()


def test_every_electrode_meets_the_one_at_its_mirrored_place():
    positions = mne.channels.make_standard_montage(MNE_MONTAGE).get_positions()["ch_pos"]
    # T3 and others are old names of places that have another name too
    old = {"T3", "T4", "T5", "T6", "A1", "A2", "M1", "M2"}
    names = [name for name in positions if name not in old]
    places = np.array([positions[name] for name in names])
    mirror = find_mirror(names, ("left_hand", "right_hand"))
    assert mirror is not None
    assert not mirror.unknown.any()
    mirrored = places * [-1, 1, 1]
    distances = np.linalg.norm(mirrored[:, np.newaxis] - places, axis=-1)
    # the montage is that of a real head: a place and its image differ by millimetres
    assert distances[np.arange(len(names)), mirror.channels].max() < 0.005
    assert np.mean(distances.argmin(axis=1) == mirror.channels) > 0.9


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (("Left", "Right"), [1, 0]),
        (("right fist", "rest", "left fist"), [2, 1, 0]),
        (("left_hand", "bright", "right_hand"), [2, 1, 0]),
    ],
)
def test_sides_are_words_in_the_names_of_classes(classes, expected):
    mirror = find_mirror(("C3", "C4"), classes)
    assert mirror is not None
    assert mirror.classes.tolist() == expected


@pytest.mark.parametrize(
    ("ch_names", "classes"),
    [
        (None, ("left_hand", "right_hand")),
        (("C3", "Cz", "C4"), ("hands", "feet")),
        (("C3", "Cz", "C4"), ("left_hand", "feet")),
        (("C3", "Cz", "C4"), ("left_hand", "right_hand", "left_foot")),
        (("C3", "C1", "Cz"), ("left_hand", "right_hand")),
        (("Fz", "Cz", "Pz"), ("left_hand", "right_hand")),
    ],
)
def test_without_two_sides_there_is_no_mirror(ch_names, classes):
    assert find_mirror(ch_names, classes) is None


def test_a_trial_in_the_mirror_has_the_covariances_of_the_exchanged_electrodes():
    rng = np.random.default_rng(1)
    signals = rng.standard_normal((5, 2, 3, 400)) * np.array([[3.0], [1.0], [7.0]])
    mirror = find_mirror(("C3", "Cz", "C4"), CLASSES)
    assert mirror is not None
    exchanged = signals[:, :, ::-1]
    np.testing.assert_allclose(
        mirror.covariances(signals @ signals.swapaxes(-1, -2)),
        exchanged @ exchanged.swapaxes(-1, -2),
    )


def test_what_has_no_counterpart_is_estimated_from_the_others():
    """F3 repeats C3, and has no partner: in the mirror it has to repeat what C4 showed."""
    rng = np.random.default_rng(2)
    sources = rng.standard_normal((200, 1, 4, 400)) * np.array([[2.0], [1.0], [5.0], [1.0]])
    mixing = np.zeros((5, 4))
    mixing[[0, 1, 2, 3, 4], [0, 1, 2, 3, 0]] = 1.0
    signals = mixing @ sources + 0.05 * rng.standard_normal((200, 1, 5, 400))
    mirror = find_mirror(("C3", "Cz", "C4", "Pz", "F3"), CLASSES)
    assert mirror is not None
    assert mirror.unknown.tolist() == [False, False, False, False, True]
    found = mirror.covariances(signals @ signals.swapaxes(-1, -2) / 400).mean(axis=0)[0]
    assert found[4, 4] == pytest.approx(25, rel=0.1)
    assert found[4, 0] == pytest.approx(25, rel=0.1)
    assert np.linalg.eigvalsh(found).min() > 0


def test_a_trial_and_its_image_are_as_certain_of_opposite_classes(simulated_epochs):
    """Also where one side is always stronger, which who knows no mirror takes for a class."""
    X, y = simulated_epochs("power", n_trials=30, classes=CLASSES)
    X[:, 2] *= 3
    exchanged = X[:, [2, 1, 0, 3]]
    classifier, unaware = (_classifier(names).fit(X, y) for names in (CH_NAMES, None))
    np.testing.assert_allclose(
        classifier.predict_proba(exchanged), classifier.predict_proba(X)[:, ::-1], atol=0.02
    )
    difference = unaware.predict_proba(exchanged) - unaware.predict_proba(X)[:, ::-1]
    assert np.abs(difference).max() > 0.1


def test_a_trial_and_its_image_share_one_weight(simulated_epochs):
    """The fit is that on both, each of half the weight."""
    X, y = simulated_epochs("power", n_trials=20, classes=CLASSES)
    classifier = _classifier().fit(X, y)
    readout = classifier.readouts_[0]
    targets = np.argmax(y[:, np.newaxis] == np.array(CLASSES), axis=1)
    both = np.concatenate([X, X[:, [2, 1, 0, 3]]])
    vectors = readout.vectors(readout.features(both.astype(float)))
    halves = LogisticRegression(C=1.0).fit(
        vectors, np.r_[targets, 1 - targets], 2, np.full(40, 0.5)
    )
    np.testing.assert_allclose(readout.weights[:-1], halves.weights[:-1], rtol=1e-3, atol=1e-5)


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


def test_epochs_and_their_features_give_the_same(simulated_epochs):
    X, y = simulated_epochs("power", n_trials=12, classes=CLASSES)
    classifier = _classifier().fit(X, y)
    np.testing.assert_allclose(
        classifier.predict_features(classifier.features(X)),
        classifier.predict_proba(X),
        atol=1e-6,
    )


def test_a_montage_without_both_sides_goes_without(simulated_epochs):
    X, y = simulated_epochs("power", n_trials=12, classes=CLASSES)
    unaware, midline = (
        _classifier(ch_names).fit(X, y) for ch_names in (None, ("Cz", "Fz", "Pz", "Oz"))
    )
    np.testing.assert_array_equal(midline.predict_proba(X), unaware.predict_proba(X))
    restored = classifier_from_state(midline.to_state())
    np.testing.assert_array_equal(restored.predict_proba(X), unaware.predict_proba(X))
    assert restored.predict_proba(X[:0]).shape == (0, 2)


def test_what_replaces_an_electrode_knows_no_mirror(simulated_epochs):
    """The image of a strong electrode must not make its counterpart look strong."""
    X, y = simulated_epochs("power", n_trials=30, classes=CLASSES)
    X[:, 2] *= 10
    arrays = _classifier().fit(X, y).to_state().arrays
    (name,) = (name for name in arrays if name.endswith("channel_covariances"))
    power = np.diagonal(arrays[name], axis1=1, axis2=2)
    assert (power[:, 2] > 20 * power[:, 0]).all()


def test_a_decoder_reads_the_bands_that_it_was_fitted_on(simulated_epochs, monkeypatch):
    X, y = simulated_epochs("power", n_trials=12, classes=CLASSES)
    classifier = _classifier().fit(X, y)
    riemann = RiemannClassifier("mi", (), CLASSES).fit(X, y)
    states = [classifier.to_state(), riemann.to_state()]
    before = [classifier.predict_proba(X), riemann.predict_proba(X)]
    monkeypatch.setattr(power, "RHYTHM_BANDS", np.array([[20.0, 30]]))
    for state, expected in zip(states, before, strict=True):
        np.testing.assert_array_equal(classifier_from_state(state).predict_proba(X), expected)
