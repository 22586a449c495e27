"""Filters over electrodes and time, against the convolution of torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork

MIRROR = np.array([2, 1, 0])
N_WINDOWS = 5
#: Samples that hold five windows of 32 samples, each 16 after the last, behind 8 taps.
N_TIMES = 6 * 16 + 8 - 2


@pytest.fixture
def network() -> SpatioTemporalNetwork:
    rng = np.random.default_rng(0)
    filters, scale, weights = (
        rng.normal(size=shape).astype(np.float32)
        for shape in ((2, 4, 3, 8), (2, N_WINDOWS, 4), (2, N_WINDOWS, 4))
    )
    return SpatioTemporalNetwork(filters, scale, weights)


@pytest.fixture
def whitening() -> NDArray[np.float64]:
    root = np.random.default_rng(1).normal(size=(3, 3))
    return np.asarray(root @ root.T + np.eye(3))


def _signals(seed: int, n_times: int = N_TIMES) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(6, 3, n_times)).astype(np.float32)


def _log_power(network: SpatioTemporalNetwork, signals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the log power ``(n, seeds, filters, windows)`` by torch."""
    n_filters = network.filters.shape[0] * network.filters.shape[1]
    outputs = torch.nn.functional.conv1d(
        torch.from_numpy(signals),
        torch.from_numpy(network.filters.reshape(n_filters, 3, 8)).double(),
        stride=2,
    )
    power = torch.nn.functional.avg_pool1d(outputs.square(), 16, 8)
    return power.log().reshape(len(signals), *network.filters.shape[:2], -1).numpy()


def test_logits_are_those_of_the_convolution(
    network: SpatioTemporalNetwork, whitening: NDArray[np.float64]
) -> None:
    signals = _signals(2)
    aligned = whitening @ signals
    ratio = (_log_power(network, aligned) - _log_power(network, aligned[:, MIRROR])) / 2
    weights = (network.scale * network.weights).swapaxes(1, 2)
    expected = np.einsum("nsfw,sfw->n", ratio, weights) / 2
    features = network.features(signals, network.aligned(whitening, MIRROR))
    assert features.shape == (6, 2 * N_WINDOWS * 4)
    np.testing.assert_allclose(features @ network.flat_weights, expected, rtol=1e-3, atol=1e-4)


def test_the_size_of_the_signal_has_no_part(
    network: SpatioTemporalNetwork, whitening: NDArray[np.float64]
) -> None:
    aligned = network.aligned(whitening, MIRROR)
    small, large = (network.features(_signals(3) * size, aligned) for size in (1, 50))
    np.testing.assert_allclose(large, small, atol=1e-4)


def test_a_part_reads_the_same_windows(network: SpatioTemporalNetwork) -> None:
    signals, same = _signals(4), np.eye(3)
    whole = network.features(signals, network.aligned(same, MIRROR))
    shown = network.part(32, N_TIMES - 48)
    assert shown.n_windows == 2
    assert shown.n_samples == N_TIMES - 48
    part = shown.features(signals[..., 32 : N_TIMES - 16], shown.aligned(same, MIRROR))
    expected = whole.reshape(6, 2, N_WINDOWS, 4)[:, :, 2:4].reshape(6, -1)
    np.testing.assert_allclose(part, expected, atol=1e-5)


def test_a_file_without_filters_has_no_such_network(network: SpatioTemporalNetwork) -> None:
    assert SpatioTemporalNetwork.read({"spatial": np.zeros(1)}) is None
    again = SpatioTemporalNetwork.read(network.arrays)
    assert again is not None
    np.testing.assert_array_equal(again.weights, network.weights)
