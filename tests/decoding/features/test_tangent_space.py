"""The tangent space against pyRiemann's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from pyriemann.geometry.distance import distance_riemann
from pyriemann.geometry.mean import mean_riemann
from pyriemann.geometry.tangentspace import tangent_space

from sjepa_online.decoding.features.tangent_space import TangentSpace, shrink


@pytest.fixture
def covariances() -> NDArray[np.float64]:
    """Two blocks of twelve matrices, (12, 2, 4, 4)."""
    X = np.random.default_rng(0).standard_normal((12, 2, 4, 30)) * [[[1.0], [2.0], [5.0], [0.1]]]
    return np.asarray(X @ X.swapaxes(-1, -2) / 30)


def test_vectors_are_pyriemanns_in_every_block(covariances: NDArray[np.float64]) -> None:
    vectors = TangentSpace().fit(covariances[:8]).transform(covariances)
    assert vectors.shape == (12, 2, 10)
    for block in range(2):
        reference = mean_riemann(covariances[:8, block])
        expected = tangent_space(covariances[:, block], reference)
        np.testing.assert_allclose(vectors[:, block], expected, atol=1e-4)


def test_lengths_are_riemannian_distances(covariances: NDArray[np.float64]) -> None:
    space = TangentSpace().fit(covariances)
    vectors = space.transform(covariances)
    distances = [distance_riemann(matrix, space.references[0]) for matrix in covariances[:, 0]]
    np.testing.assert_allclose(np.linalg.norm(vectors[:, 0], axis=-1), distances, rtol=1e-8)


def test_the_mean_is_the_origin(covariances: NDArray[np.float64]) -> None:
    vectors = TangentSpace().fit(covariances).transform(covariances)
    np.testing.assert_allclose(vectors.mean(axis=0), 0, atol=1e-4)


def test_stored_references_give_the_same_vectors(covariances: NDArray[np.float64]) -> None:
    space = TangentSpace().fit(covariances)
    restored = TangentSpace(space.references)
    np.testing.assert_array_equal(restored.transform(covariances), space.transform(covariances))


def test_shrinking_keeps_the_trace_and_mends_a_singular_matrix() -> None:
    singular = np.outer([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    shrunk = shrink(singular, 0.1)
    assert np.trace(shrunk) == pytest.approx(14.0)
    # eigenvalues 14, 0, 0 move a tenth of the way to their mean
    expected = [0.1 * 14 / 3, 0.1 * 14 / 3, 0.9 * 14 + 0.1 * 14 / 3]
    np.testing.assert_allclose(np.linalg.eigvalsh(shrunk), expected)
