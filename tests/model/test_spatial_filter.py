from __future__ import annotations

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.stats import ortho_group

from sjepa_online.errors import InputError
from sjepa_online.model import (
    PRETRAINING_CHANNELS,
    ModelConfig,
    blended_kernel,
    covariance_kernel,
    embedding_kernel,
    interpolation_matrix,
)
from sjepa_online.model.channel_embedding import ChannelEmbedding


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def random_covariance(rng: np.random.Generator, n: int) -> np.ndarray:
    rotation = ortho_group.rvs(n, random_state=rng)
    return (rotation * np.geomspace(100, 1, n)) @ rotation.T


def draw_bad(rng: np.random.Generator, n: int, n_bad: int) -> np.ndarray:
    bad = np.zeros(n, dtype=bool)
    bad[rng.choice(n, n_bad, replace=False)] = True
    return bad


def test_with_the_covariance_it_is_the_least_squares_estimate(rng: np.random.Generator) -> None:
    covariance = random_covariance(rng, 12)
    samples = rng.multivariate_normal(np.zeros(12), covariance, size=200_000)
    bad = draw_bad(rng, 12, 4)
    regression = np.linalg.lstsq(samples[:, ~bad], samples[:, bad])[0]
    found = interpolation_matrix(covariance, bad, 1e-9)
    assert found.shape == (12, 8)
    np.testing.assert_allclose(found[bad], regression.T, atol=0.02)
    np.testing.assert_array_equal(found[~bad], np.eye(8))


def test_the_regularisation_is_a_share_of_the_mean_variance(rng: np.random.Generator) -> None:
    covariance = random_covariance(rng, 12)
    bad = draw_bad(rng, 12, 4)
    among_good = covariance[np.ix_(~bad, ~bad)]
    ridge = 0.1 * np.trace(among_good) / 8 * np.eye(8)
    expected = covariance[np.ix_(bad, ~bad)] @ np.linalg.inv(among_good + ridge)
    np.testing.assert_allclose(
        interpolation_matrix(covariance, bad, 0.1)[bad], expected, atol=1e-10
    )
    np.testing.assert_allclose(
        interpolation_matrix(1e6 * covariance, bad, 0.1),
        interpolation_matrix(covariance, bad, 0.1),
        atol=1e-10,
    )


def test_the_filter_in_force_follows_sources_that_good_channels_still_see(
    rng: np.random.Generator,
) -> None:
    sources = rng.standard_normal((5, 3, 400))
    X = np.einsum("cs,nst->nct", rng.standard_normal((16, 3)), sources)
    W = rng.standard_normal((4, 16))
    bad = draw_bad(rng, 16, 8)
    in_force = W @ interpolation_matrix(covariance_kernel(X), bad, 1e-9)
    np.testing.assert_allclose(in_force @ X[:, ~bad], W @ X, atol=1e-4)
    assert np.abs(W[:, ~bad] @ X[:, ~bad] - W @ X).max() > 1


def test_no_bad_channel_changes_nothing(rng: np.random.Generator) -> None:
    none = np.zeros(6, dtype=bool)
    np.testing.assert_array_equal(
        interpolation_matrix(random_covariance(rng, 6), none, 0.01), np.eye(6)
    )


def test_the_covariance_is_that_of_centred_epochs(rng: np.random.Generator) -> None:
    X = rng.standard_normal((7, 5, 300)) + 100 * rng.standard_normal((7, 5, 1))
    expected = np.mean([np.cov(epoch, bias=True) for epoch in X], axis=0)
    np.testing.assert_allclose(covariance_kernel(X.astype(np.float32)), expected, atol=1e-4)


def test_the_embedding_kernel_prefers_near_channels() -> None:
    embedding = ChannelEmbedding(ModelConfig.for_channels())
    embeddings = embedding(PRETRAINING_CHANNELS).detach().numpy()
    kernel = embedding_kernel(embeddings)
    assert np.linalg.eigvalsh(kernel).min() > -1e-9
    np.testing.assert_allclose(np.diag(kernel), 1)
    bad = np.array([name == "C3" for name in PRETRAINING_CHANNELS])
    weights = interpolation_matrix(kernel, bad, 0.01)[bad][0]
    good = [name for name in PRETRAINING_CHANNELS if name != "C3"]
    strongest = {good[i] for i in np.argsort(weights)[-3:]}
    assert strongest <= {"C1", "C5", "FC3", "CP3", "FC1", "FC5", "CP1", "CP5"}


def test_a_blend_keeps_amplitudes_and_has_both_ends(rng: np.random.Generator) -> None:
    covariance = random_covariance(rng, 6)
    correlation = embedding_kernel(rng.standard_normal((6, 30)))
    np.testing.assert_allclose(blended_kernel(covariance, correlation, 0.0), covariance)
    for share in (0.3, 1.0):
        blended = blended_kernel(covariance, correlation, share)
        np.testing.assert_allclose(np.diag(blended), np.diag(covariance))
    deviation = np.sqrt(np.diag(blended))
    np.testing.assert_allclose(blended / np.outer(deviation, deviation), correlation)


@pytest.mark.parametrize("n_bad", [1, 16, 32, 63])
def test_64_channels_take_less_than_a_millisecond(
    benchmark: BenchmarkFixture, rng: np.random.Generator, n_bad: int
) -> None:
    covariance = random_covariance(rng, 64)
    bad = draw_bad(rng, 64, n_bad)
    benchmark(interpolation_matrix, covariance, bad, 0.01)
    assert benchmark.stats["median"] < 1e-3


def test_wrong_input_is_refused(rng: np.random.Generator) -> None:
    covariance = random_covariance(rng, 4)
    with pytest.raises(InputError, match="0 good channels"):
        interpolation_matrix(covariance, np.ones(4, dtype=bool), 0.01)
    with pytest.raises(InputError, match="regularisation 0"):
        interpolation_matrix(covariance, np.zeros(4, dtype=bool), 0)
    with pytest.raises(InputError, match="share"):
        blended_kernel(covariance, np.eye(4), 1.5)
