"""Spatial filters on covariances whose sources are known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh

from sjepa_online.decoding.features.spatial_filters import (
    MAX_RESPONSE,
    SHRINKAGE,
    response_filters,
    whitening,
)


def _background(n_channels: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    mixing = np.eye(n_channels) + 0.3 * rng.standard_normal((n_channels, n_channels))
    return mixing @ mixing.T


def test_of_many_electrodes_the_filters_keep_the_response() -> None:
    """Twenty electrodes, and a response of one source: the best filter of all has to stay."""
    covariance = _background(20)
    pattern = np.random.default_rng(1).standard_normal(20)
    response = 0.05 * covariance + np.outer(pattern, pattern)
    filters = response_filters(covariance, response)
    assert filters.shape == (MAX_RESPONSE, 20)
    share = np.einsum("vc,cd,vd->v", filters, response, filters)
    share /= np.einsum("vc,cd,vd->v", filters, covariance, filters)
    d = len(covariance)
    shrunk = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.trace(covariance) / d * np.eye(d)
    best = eigh(response, shrunk)[1][:, -1]
    highest = (best @ response @ best) / (best @ covariance @ best)
    assert share.max() == pytest.approx(highest)
    assert share.max() > 10 * np.median(share), "the other filters see next to nothing of it"


def test_few_electrodes_are_whitened_and_none_is_left_out() -> None:
    covariance = _background(MAX_RESPONSE)
    filters = response_filters(covariance, np.eye(MAX_RESPONSE))
    np.testing.assert_array_equal(filters, whitening(covariance))
    assert np.linalg.matrix_rank(filters) == MAX_RESPONSE


@pytest.mark.parametrize("n_virtual", [24, 3])
def test_whitened_channels_are_uncorrelated_and_hold_the_largest_components(n_virtual: int) -> None:
    covariance = np.diag([100.0, 1.0, 25.0, 4.0, 0.5])
    filters = whitening(covariance, n_virtual)
    whitened = filters @ covariance @ filters.T
    np.testing.assert_allclose(whitened, np.diag(np.diag(whitened)), atol=1e-9)
    if n_virtual == 3:
        assert sorted(np.abs(filters).argmax(axis=1).tolist()) == [0, 2, 3]
