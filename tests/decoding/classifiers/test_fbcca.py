"""Filter-bank canonical correlations, on simulated flicker of random phase."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.catalog import classifier_from_state, make_fbcca
from sjepa_online.decoding.classifiers.fbcca import stimulus_scores
from sjepa_online.protocol import Protocol

Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]


def test_flicker_and_rest_are_told_apart_without_a_label(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    protocol = protocol_of("ssvep")
    X, y = simulated_epochs("stimulus", 60, protocol.class_names, n_times=512)
    classifier = make_fbcca(protocol)
    probabilities = classifier.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.mean(classifier.classes_[probabilities.argmax(axis=1)] == y) > 0.9


def test_amplitude_and_channel_order_do_not_matter(
    protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs
) -> None:
    protocol = protocol_of("ssvep")
    X, _ = simulated_epochs("stimulus", 6, protocol.class_names, n_times=512)
    classifier = make_fbcca(protocol)
    expected = classifier.predict_proba(X)
    np.testing.assert_allclose(classifier.predict_proba(7 * X[:, ::-1]), expected, atol=1e-5)


def test_noise_stands_out_nowhere() -> None:
    noise = np.random.default_rng(0).normal(size=(200, 4, 512))
    scores = stimulus_scores(noise, [9.0, 13.0, 17.0])
    error = scores.std(axis=0) / np.sqrt(len(noise))
    assert np.all(np.abs(scores.mean(axis=0)) < 4 * error)


def test_it_is_restored(protocol_of: Callable[[str], Protocol], simulated_epochs: Epochs) -> None:
    protocol = protocol_of("ssvep")
    X, _ = simulated_epochs("stimulus", 6, protocol.class_names, n_times=512)
    classifier = make_fbcca(protocol)
    restored = classifier_from_state(classifier.to_state())
    np.testing.assert_array_equal(restored.predict_proba(X), classifier.predict_proba(X))
    assert restored.classes_.tolist() == list(protocol.class_names)
