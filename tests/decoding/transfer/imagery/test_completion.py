"""Electrodes that are not there, as the conditional distribution of a Gaussian has them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.interpolation import REGULARISATION
from sjepa_online.decoding.transfer.imagery.aligned_networks import AlignedNetworks
from sjepa_online.decoding.transfer.imagery.completion import Completion, Estimate
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.decoding.transfer.montage_match import Nearby

N_CHANNELS, MIRROR = 5, np.array([4, 3, 2, 1, 0])
THERE = np.array([True, False, True, True, False])
ALL = np.ones(N_CHANNELS, dtype=bool)


@pytest.fixture(scope="module")
def population() -> NDArray[np.float64]:
    """Return covariances ``(kernels, channels, channels)``."""
    roots = np.random.default_rng(0).normal(size=(12, N_CHANNELS, 2 * N_CHANNELS))
    return np.asarray(roots @ roots.swapaxes(1, 2) / (2 * N_CHANNELS))


@pytest.fixture(scope="module")
def trials() -> RhythmTrials:
    X = np.random.default_rng(1).normal(size=(3, N_CHANNELS, 300))
    return RhythmTrials.of(X, rhythm_kernels())


def _rest(population: NDArray[np.float64], to_all: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance ``(kernels, channels, channels)`` of the errors of the estimate."""
    error = np.eye(N_CHANNELS)
    error[:, THERE] -= to_all
    return np.asarray(error @ population @ error.T)


def test_the_estimate_is_the_conditional_mean(population: NDArray[np.float64]) -> None:
    estimate = Completion(population).estimate(THERE)
    scaled = population / np.trace(population, axis1=1, axis2=2)[:, None, None]
    kernel = scaled.mean(axis=0)
    known = kernel[THERE][:, THERE]
    ridge = REGULARISATION * np.trace(known) / THERE.sum() * np.eye(THERE.sum())
    conditional = kernel[~THERE][:, THERE] @ np.linalg.inv(known + ridge)
    np.testing.assert_allclose(estimate.to_all[~THERE], conditional, rtol=1e-6)
    np.testing.assert_allclose(estimate.to_all[THERE], np.eye(3), atol=1e-12)
    assert estimate.rest is not None
    np.testing.assert_allclose(estimate.rest, _rest(population, estimate.to_all), atol=1e-9)


def test_completed_covariances_have_the_expected_power(
    population: NDArray[np.float64], trials: RhythmTrials
) -> None:
    """Trials as large as the population's get all of the rest, those of twice the power twice."""
    estimate = Completion(population).estimate(THERE)
    measured = trials.pick(np.flatnonzero(THERE))
    known = population[:, THERE][:, :, THERE].astype(np.float32)
    like = np.stack([known, 2 * known])[:, :, None].repeat(measured.covariances.shape[2], axis=2)
    completed = estimate.complete(RhythmTrials(measured.signals[:2], like)).covariances
    mean = estimate.to_all @ known @ estimate.to_all.T
    for times, found in zip((1, 2), completed[:, :, 0], strict=True):
        expected = times * (mean + _rest(population, estimate.to_all))
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)
    signals = estimate.complete(measured).signals
    np.testing.assert_allclose(signals[:, THERE], measured.signals, atol=1e-5)


def test_nothing_is_estimated_where_nothing_is_missing(
    population: NDArray[np.float64], trials: RhythmTrials
) -> None:
    estimate = Completion(population).estimate(ALL)
    assert estimate.rest is None
    np.testing.assert_array_equal(estimate.to_all, np.eye(N_CHANNELS))
    completed = estimate.complete(trials)
    np.testing.assert_array_equal(completed.covariances, trials.covariances)
    np.testing.assert_array_equal(completed.signals, trials.signals)


def test_electrodes_beside_are_left_out_where_nothing_is_missing(
    population: NDArray[np.float64],
) -> None:
    X = np.random.default_rng(3).normal(size=(2, N_CHANNELS + 1, 300))
    trials = RhythmTrials.of(X, rhythm_kernels())
    nearby = Nearby(("C3", "C1", "Cz", "C2", "C4"), ("FCC3h",))
    estimate = Completion(population, nearby).estimate(np.ones(N_CHANNELS + 1, dtype=bool))
    completed, own = estimate.complete(trials), trials.pick(np.arange(N_CHANNELS))
    np.testing.assert_array_equal(completed.covariances, own.covariances)
    np.testing.assert_array_equal(completed.signals, own.signals)


def test_windows_behind_those_of_the_network_have_no_part(trials: RhythmTrials) -> None:
    rng, n_windows = np.random.default_rng(4), trials.covariances.shape[2] - 2
    spatial, scale, weights = (
        rng.normal(size=shape).astype(np.float32)
        for shape in ((2, 3, N_CHANNELS), (2, n_windows, 12, 3), (2, n_windows, 12, 3))
    )
    network = PowerNetwork(spatial, scale, weights)
    quadratic = network.quadratic(np.eye(N_CHANNELS), MIRROR)
    np.testing.assert_array_equal(
        network.features(trials.covariances, quadratic),
        network.features(trials.covariances[:, :, :n_windows], quadratic),
    )


@pytest.mark.parametrize("there", [THERE, ALL])
def test_networks_read_measured_trials_as_completed_ones(
    there: NDArray[np.bool_], population: NDArray[np.float64], trials: RhythmTrials
) -> None:
    rng = np.random.default_rng(2)
    n_windows = trials.covariances.shape[2]

    def normal(*shape: int) -> NDArray[np.float32]:
        return rng.normal(size=shape).astype(np.float32)

    shape = (2, n_windows, 12, 3)
    power = PowerNetwork(normal(2, 3, N_CHANNELS), normal(*shape), normal(*shape))
    filters = normal(2, 4, N_CHANNELS, 8)
    others = SpatioTemporalNetwork(filters, normal(2, 5, 4), normal(2, 5, 4))
    whitening = np.linalg.inv(np.linalg.cholesky(population.mean(axis=0)))

    def features(estimate: Estimate | None, read: RhythmTrials) -> NDArray[np.float32]:
        return AlignedNetworks(power, others, whitening, MIRROR, estimate).features(read)

    estimate = Completion(population).estimate(there)
    measured = trials.pick(np.flatnonzero(there))
    expected = features(None, estimate.complete(measured))
    np.testing.assert_allclose(features(estimate, measured), expected, rtol=1e-3, atol=1e-3)
