"""Channels that are restored, against the true ones and against ridge regression."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from sjepa_online.decoding.bad_channels.interpolation import REGULARISATION, ChannelInterpolation
from sjepa_online.errors import InputError
from sjepa_online.model import covariance_kernel

CH_NAMES = ("C3", "Cz", "C4", "Pz", "Oz")
Floats = NDArray[np.float64]


@pytest.fixture
def epochs() -> Floats:
    """Five channels that see three sources, and a little noise of their own (µV)."""
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((5, 3))
    sources = 20 * rng.standard_normal((12, 3, 300))
    epochs = mixing @ sources + 0.5 * rng.standard_normal((12, 5, 300))
    return np.asarray(epochs - epochs.mean(axis=-1, keepdims=True))


@pytest.mark.parametrize("bad", [["Cz"], ["Oz", "C3"]])
def test_bad_channels_are_the_ridge_regression_on_the_good_ones(
    epochs: Floats, bad: list[str]
) -> None:
    is_bad = np.isin(CH_NAMES, bad)
    samples = np.concatenate(list(epochs), axis=1).T
    good = samples[:, ~is_bad]
    penalty = REGULARISATION * good.var(axis=0).mean() * len(good)
    ridge = Ridge(alpha=penalty, fit_intercept=False).fit(good, samples[:, is_bad])
    interpolation = ChannelInterpolation(CH_NAMES, covariance_kernel(epochs))
    restored = interpolation.restore(epochs, bad)
    expected = ridge.predict(good).reshape(len(good), -1)
    np.testing.assert_allclose(
        np.concatenate(list(restored[:, is_bad]), axis=1).T, expected, atol=1e-8
    )


def test_a_channel_that_others_see_is_restored(epochs: Floats) -> None:
    restored = ChannelInterpolation(CH_NAMES, covariance_kernel(epochs[:6])).restore(
        epochs[6:], ["C4"]
    )
    error = restored[:, 2] - epochs[6:, 2]
    assert error.var() < 0.03 * epochs[6:, 2].var(), "three sources, four channels that see them"


def test_a_channel_that_no_other_sees_becomes_silent() -> None:
    X = 10 * np.random.default_rng(1).standard_normal((20, 5, 500))
    restored = ChannelInterpolation(CH_NAMES, covariance_kernel(X)).restore(X, ["Cz"])
    assert restored[:, 1].std() < 0.05 * X[:, 1].std()


@pytest.mark.parametrize("rubbish", [np.nan, np.inf, 1e6])
def test_what_a_bad_channel_holds_has_no_influence(epochs: Floats, rubbish: float) -> None:
    interpolation = ChannelInterpolation(CH_NAMES, covariance_kernel(epochs))
    expected = interpolation.restore(epochs, ["C3", "Pz"])
    broken = epochs.copy()
    broken[:, [0, 3]] = rubbish
    np.testing.assert_array_equal(interpolation.restore(broken, ["C3", "Pz"]), expected)


def test_good_channels_and_the_epochs_given_stay_as_they_are(epochs: Floats) -> None:
    before = epochs.copy()
    restored = ChannelInterpolation(CH_NAMES, covariance_kernel(epochs)).restore(epochs, ["Cz"])
    np.testing.assert_array_equal(epochs, before)
    np.testing.assert_array_equal(restored[:, [0, 2, 3, 4]], epochs[:, [0, 2, 3, 4]])


def test_other_bad_channels_are_other_estimates(epochs: Floats) -> None:
    """One object serves a stream whose bad channels change."""
    kernel = covariance_kernel(epochs)
    used = ChannelInterpolation(CH_NAMES, kernel)
    for bad in (["Cz"], ["C4", "Oz"], ["Cz"]):
        fresh = ChannelInterpolation(CH_NAMES, kernel)
        np.testing.assert_array_equal(used.restore(epochs, bad), fresh.restore(epochs, bad))


def test_one_good_channel_is_the_least(epochs: Floats) -> None:
    interpolation = ChannelInterpolation(CH_NAMES, covariance_kernel(epochs))
    assert np.isfinite(interpolation.restore(epochs, CH_NAMES[1:])).all()
    with pytest.raises(InputError, match="good channel"):
        interpolation.restore(epochs, CH_NAMES)
