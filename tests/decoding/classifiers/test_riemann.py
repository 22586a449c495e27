"""The Riemannian classifiers against pyRiemann's own pipelines, on simulated epochs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from pyriemann.spatialfilters import Xdawn
from pyriemann.tangentspace import TangentSpace

from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.classifiers.logistic import LogisticRegression
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.features.spectral import cross_spectra

FREQUENCIES = (9.0, 13.0)
Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]


def test_ssvep_is_the_tangent_space_of_slightly_shrunk_cross_spectra(
    simulated_epochs: Epochs,
) -> None:
    classes = ("slow", "fast", "rest")
    X, y = simulated_epochs("stimulus", 30, classes)
    found = RiemannClassifier("ssvep", FREQUENCIES, classes).fit(X, y).predict_proba(X)
    spectra = cross_spectra(X.astype(float), [9.0, 13.0, 18.0, 26.0])
    variance = np.trace(spectra, axis1=2, axis2=3)[..., np.newaxis, np.newaxis] / 4
    shrunk = 0.98 * spectra + 0.02 * variance * np.eye(4)
    vectors = np.hstack([TangentSpace().fit_transform(shrunk[:, block]) for block in range(4)])
    targets = np.array([classes.index(name) for name in y])
    expected = LogisticRegression().fit(vectors, targets, 3).predict_proba(vectors)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_erp_is_read_against_the_xdawn_responses_of_the_classes(simulated_epochs: Epochs) -> None:
    X, y = simulated_epochs("phase-locked", 40, ("target", "other"))
    arrays = RiemannClassifier("erp", (), ("target", "other")).fit(X, y).to_state().arrays
    xdawn = Xdawn(4, estimator="lwf").fit(X.astype(float), (y == "other").astype(int))
    np.testing.assert_allclose(arrays["spatial"], xdawn.filters_)
    np.testing.assert_allclose(arrays["templates"][0], xdawn.evokeds_, atol=1e-9)


@pytest.mark.parametrize(("paradigm", "most"), [("ssvep", 16), ("mi", 24)])
def test_only_many_electrodes_become_virtual_channels(paradigm: str, most: int) -> None:
    for n_channels in (most, 26):
        X = np.random.default_rng(0).standard_normal((60, n_channels, 256))
        y = np.resize(["a", "b"], 60)
        classifier = RiemannClassifier(paradigm, FREQUENCIES, ("a", "b"))  # type: ignore[arg-type]
        spatial = (
            classifier.fit_features(classifier.features(X), y, channel_dropout=False)
            .to_state()
            .arrays["spatial"]
        )
        if n_channels == most:
            np.testing.assert_array_equal(spatial, np.eye(most))
        else:
            assert spatial.shape == (most, 26)


@pytest.mark.parametrize("name", ["riemann", "filter-bank"])
def test_channel_dropout_gives_weights_of_their_own(name: str) -> None:
    """Only with it are trials that lack channels decoded by other weights than whole ones."""
    rng = np.random.default_rng(0)
    y = np.resize(["a", "b"], 40)
    X = rng.standard_normal((40, 8, 256)) * np.where(y == "a", 1.0, 1.4)[:, np.newaxis, np.newaxis]
    kernels = np.cos(2 * np.pi * 10 / 128 * np.arange(32))[np.newaxis]
    for dropout in (False, True):
        classifier: RiemannClassifier | FilterBankClassifier = RiemannClassifier("mi", (), "ab")
        if name == "filter-bank":
            classifier = FilterBankClassifier(kernels, ("band-power",), (), "ab")
        classifier.fit_features(classifier.features(X), y, channel_dropout=dropout)
        arrays = classifier.to_state().arrays
        prefix = "band-power/" if name == "filter-bank" else ""
        whole, augmented = arrays[f"{prefix}weights"], arrays[f"{prefix}weights_without"]
        assert np.array_equal(whole, augmented) == (not dropout)
