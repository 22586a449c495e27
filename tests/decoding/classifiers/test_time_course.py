"""The smoothed time course of a response, read by shrinkage LDA."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.classifiers.readouts.responses import RESPONSE, TimeCourse

KERNELS = np.hanning(34)[np.newaxis, 1:-1]
Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]


def _fitted(simulated_epochs: Epochs) -> tuple[TimeCourse, NDArray[np.float64], NDArray[np.intp]]:
    X, y = simulated_epochs("phase-locked", 60, ("target", "other"), n_times=152)
    epochs, targets = X.astype(np.float64), (y == "other").astype(np.intp)
    readout = TimeCourse(KERNELS)
    return readout.fit(readout.features(epochs), targets, 2), epochs, targets


def test_it_finds_the_response(simulated_epochs: Epochs) -> None:
    readout, _, _ = _fitted(simulated_epochs)
    X, y = simulated_epochs("phase-locked", 60, ("target", "other"), n_times=152, seed=1)
    best = readout.log_proba(readout.features(X.astype(np.float64))).argmax(axis=1)
    assert np.mean(best == (y == "other")) > 0.9


def test_what_comes_after_the_response_has_no_part(simulated_epochs: Epochs) -> None:
    readout, X, _ = _fitted(simulated_epochs)
    later = X.copy()
    later[..., RESPONSE:] += 1e3
    np.testing.assert_array_equal(readout.log_proba_of(later), readout.log_proba_of(X))


def test_epochs_and_their_features_give_the_same(simulated_epochs: Epochs) -> None:
    readout, X, _ = _fitted(simulated_epochs)
    expected = readout.log_proba(readout.features(X))
    np.testing.assert_allclose(readout.log_proba_of(X), expected, atol=1e-9)
    again = TimeCourse(KERNELS).restore(readout.arrays())
    np.testing.assert_array_equal(again.log_proba_of(X), readout.log_proba_of(X))


def test_a_bad_channel_has_no_part(simulated_epochs: Epochs) -> None:
    readout, X, _ = _fitted(simulated_epochs)
    bad = np.arange(X.shape[1]) == 1
    loud = X.copy()
    loud[:, bad] = 1e6
    np.testing.assert_array_equal(readout.log_proba_of(loud, bad), readout.log_proba_of(X, bad))
