"""Covariances behind a convolution against torch's convolution and numpy's covariance."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sjepa_online.decoding.features.filterbank_covariances import filterbank_covariances


@pytest.mark.parametrize("n_times", [40, 152, 531, 536])
@pytest.mark.parametrize("n_taps", [32, 7, 1])
def test_they_are_those_of_the_convolution(n_times: int, n_taps: int) -> None:
    rng = np.random.default_rng(0)
    X = 20 * rng.standard_normal((3, 4, n_times)) + 300
    kernels = rng.standard_normal((5, n_taps))
    convolved = torch.nn.functional.conv1d(
        torch.from_numpy(X.reshape(12, 1, n_times)), torch.from_numpy(kernels[:, np.newaxis])
    ).numpy()
    found = filterbank_covariances(X, kernels)
    for epoch, row in enumerate(convolved.reshape(3, 4, 5, -1)):
        for kernel in range(5):
            expected = np.cov(row[:, kernel], bias=True)
            np.testing.assert_allclose(found[epoch, kernel], expected, rtol=1e-7, atol=1e-7)
