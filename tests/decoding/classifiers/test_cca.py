"""Canonical correlations against scikit-learn's, and the decoder on simulated flicker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.cross_decomposition import CCA

from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.cca import CCAClassifier, canonical_correlations
from sjepa_online.errors import InputError
from sjepa_online.protocol import load_protocol

FREQUENCIES = (9.0, 13.0)
CLASSES = ("nine", "thirteen", "rest")


def test_they_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    X = 10 * rng.standard_normal((4, 5, 300)) + 50
    seconds = np.arange(300) / 128
    waves = [np.sin, np.cos]
    for epoch, found in zip(X, canonical_correlations(X, (11.3,)), strict=True):
        references = np.array([f(2 * np.pi * 11.3 * k * seconds) for k in (1, 2) for f in waves])
        a, b = CCA(1, max_iter=5000, tol=1e-12).fit_transform(epoch.T, references.T)
        assert found[0] == pytest.approx(np.corrcoef(a[:, 0], b[:, 0])[0, 1], abs=1e-4)


@pytest.fixture
def trials(
    simulated_epochs: Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]],
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    return simulated_epochs("stimulus", 90, CLASSES, 384)


def test_it_decodes_flicker_also_without_a_channel_and_from_its_file(
    trials: tuple[NDArray[np.float32], NDArray[np.str_]],
) -> None:
    X, y = trials
    classifier = CCAClassifier(FREQUENCIES, CLASSES).fit(X[:60], y[:60])
    probabilities = classifier.predict_proba(X[60:])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    assert np.mean(np.array(CLASSES)[probabilities.argmax(axis=1)] == y[60:]) > 0.8
    bad = np.array([True, False, False, False])
    spoiled = X[60:].copy()
    spoiled[:, 0] = np.nan
    without = classifier.predict_proba(spoiled, bad)
    assert np.mean(np.array(CLASSES)[without.argmax(axis=1)] == y[60:]) > 0.8
    restored = classifier_from_state(classifier.to_state())
    np.testing.assert_allclose(restored.predict_proba(X[60:]), probabilities)


def test_it_needs_stimulus_frequencies() -> None:
    with pytest.raises(InputError, match="frequencies"):
        DecoderRequest("cca", "random", 0, "cpu").make(load_protocol("mi"), ["C3", "C4"])
