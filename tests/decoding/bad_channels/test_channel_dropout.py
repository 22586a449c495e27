from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.decoding.bad_channels.channel_dropout import blend_weights, drop_channels
from sjepa_online.decoding.bad_channels.interpolation import (
    REGULARISATION,
    DynamicSpatialFilter,
)
from sjepa_online.errors import InputError


@pytest.fixture
def covariances() -> np.ndarray:
    """Two covariances of six channels that are correlated alike."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((6, 6))
    return np.stack([mixing @ mixing.T, 4 * mixing @ mixing.T])


def test_the_filter_in_force_is_the_wiener_estimate_of_the_bad_channels(
    covariances: np.ndarray,
) -> None:
    rng = np.random.default_rng(1)
    spatial = rng.standard_normal((3, 6))
    bad = np.array([False, True, False, False, True, False])
    in_force, _ = DynamicSpatialFilter(spatial, covariances).without(bad)
    good = covariances[0][np.ix_(~bad, ~bad)]
    good = good + REGULARISATION * np.trace(good) / 4 * np.eye(4)
    estimate = covariances[0][np.ix_(bad, ~bad)] @ np.linalg.inv(good)
    np.testing.assert_allclose(in_force[:, ~bad], spatial[:, ~bad] + spatial[:, bad] @ estimate)
    assert not in_force[:, bad].any()


def test_with_the_rest_the_mean_covariance_stays_what_it_was(covariances: np.ndarray) -> None:
    spatial = np.random.default_rng(1).standard_normal((3, 6))
    bad = np.arange(6) >= 4
    in_force, residual = DynamicSpatialFilter(spatial, covariances).without(bad)
    # by simulation: signals of these covariances, filtered without the missing channels
    rng = np.random.default_rng(2)
    for block, covariance in enumerate(covariances):
        signal = np.linalg.cholesky(covariance) @ rng.standard_normal((6, 200_000))
        seen = np.cov(in_force @ signal) + residual[block]
        expected = spatial @ covariance @ spatial.T
        assert np.abs(seen - expected).max() < 0.03 * np.abs(expected).max()


def test_all_channels_good_changes_nothing(covariances: np.ndarray) -> None:
    spatial = np.eye(6)
    in_force, residual = DynamicSpatialFilter(spatial, covariances).without(None)
    assert in_force is spatial
    assert not residual.any()


def test_no_channel_left_is_refused(covariances: np.ndarray) -> None:
    with pytest.raises(InputError, match="good channel"):
        DynamicSpatialFilter(np.eye(6), covariances).without(np.ones(6, dtype=bool))


def test_augmented_trials_are_deterministic_and_balanced(covariances: np.ndarray) -> None:
    matrices = np.repeat(covariances[np.newaxis], 10, axis=0)
    spatial_filter = DynamicSpatialFilter(np.eye(6), covariances)
    first, second = drop_channels(spatial_filter, matrices), drop_channels(spatial_filter, matrices)
    np.testing.assert_array_equal(first.matrices, second.matrices)
    of_each = np.bincount(first.source)
    assert (of_each == of_each[0]).all()
    assert of_each[0] * first.weight + first.trial_weight == pytest.approx(1.0)
    assert np.linalg.eigvalsh(first.matrices).min() > 0


def test_every_other_pass_drops_a_channel_and_those_that_correlate_most_with_it() -> None:
    masks: list[np.ndarray] = []

    class Recorder(DynamicSpatialFilter):
        def without(self, bad: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
            if bad is not None:
                masks.append(bad.copy())
            return super().without(bad)

    # a row of channels, each of which correlates with its neighbours most
    place = np.arange(8)
    covariance = 0.8 ** np.abs(place[:, np.newaxis] - place)[np.newaxis]
    drop_channels(Recorder(np.eye(8), covariance), np.repeat([covariance], 40, axis=0))
    is_block = np.array([np.ptp(np.flatnonzero(mask)) < mask.sum() for mask in masks])
    passes = is_block.reshape(4, 4)
    assert passes[1::2].all()
    assert not passes[::2].all()


def test_few_channels_are_never_left_out() -> None:
    covariances = np.eye(3)[np.newaxis]
    whole = DynamicSpatialFilter(np.eye(3), covariances)
    augmented = drop_channels(whole, np.repeat([covariances], 5, 0))
    assert len(augmented.matrices) == 0
    assert augmented.trial_weight == 1.0


@pytest.mark.parametrize(
    ("n_bad", "share"), [(0, 0.0), (1, 0.25), (2, 0.5), (4, 1.0), (8, 1.0), (15, 1.0)]
)
def test_the_fewer_channels_are_bad_the_more_the_weights_of_whole_trials_count(
    n_bad: int, share: float
) -> None:
    whole, augmented = np.zeros((3, 2)), np.ones((3, 2))
    bad = np.arange(16) < n_bad
    np.testing.assert_allclose(blend_weights(whole, augmented, bad if n_bad else None), share)
