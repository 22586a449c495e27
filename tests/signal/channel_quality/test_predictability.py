"""What the other channels say of a channel, against regressions of scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.linear_model import Ridge

from sjepa_online.signal.channel_quality.predictability import ChannelPredictor

N_CHANNELS = 10
MIXING = np.random.default_rng(0).standard_normal((N_CHANNELS, 5))


def _correlation() -> np.ndarray:
    covariance = MIXING @ MIXING.T + np.eye(N_CHANNELS)
    deviation = np.sqrt(np.diag(covariance))
    return covariance / np.outer(deviation, deviation)


def test_prediction_is_the_ridge_regression_on_the_other_channels() -> None:
    correlation = _correlation()
    samples = np.linalg.cholesky(correlation)
    trusted = np.arange(N_CHANNELS) != 4
    predictor = ChannelPredictor.fit(correlation, trusted)
    spectra = np.random.default_rng(0).standard_normal((N_CHANNELS, 30))
    found = predictor.disagreement(spectra)
    for channel in range(N_CHANNELS):
        others = [c for c in np.flatnonzero(trusted) if c != channel]
        # the rows of the root have the correlation as their inner products
        ridge = Ridge(alpha=0.01, fit_intercept=False).fit(samples[others].T, samples[channel])
        residual = spectra[channel] - ridge.coef_ @ spectra[others]
        expected = 1.01 - correlation[channel, others] @ ridge.coef_
        size = 0.5 * np.log(np.sum(residual**2) / expected)
        assert found[channel] == pytest.approx(size, rel=1e-6)


def test_prediction_without_a_channel_is_that_of_the_rest() -> None:
    correlation = _correlation()
    spectra = np.random.default_rng(0).standard_normal((4, N_CHANNELS, 30))
    everyone = np.ones(N_CHANNELS, dtype=bool)
    reduced = ChannelPredictor.fit(correlation, everyone).without(3).without(8)
    rest = ChannelPredictor.fit(correlation, ~np.isin(np.arange(N_CHANNELS), [3, 8]))
    np.testing.assert_allclose(reduced.disagreement(spectra), rest.disagreement(spectra))


def test_regression_finds_the_gain_and_the_correlation() -> None:
    correlation = _correlation()
    trusted = np.arange(N_CHANNELS) != 4
    predictor = ChannelPredictor.fit(correlation, trusted)
    rng = np.random.default_rng(0)
    spectra = rng.multivariate_normal(np.zeros(N_CHANNELS), correlation, 20_000).T
    spectra[4] *= 30
    slope, found = predictor.regression(spectra)
    ridge = Ridge(alpha=200.0, fit_intercept=False).fit(spectra[trusted].T, spectra[4] / 30)
    predicted = ridge.predict(spectra[trusted].T)
    assert slope[4] == pytest.approx(30, rel=0.03)
    assert found[4] == pytest.approx(np.corrcoef(predicted, spectra[4])[0, 1], abs=0.01)
    assert np.exp(2 * predictor.log_expected[4]) == pytest.approx(1 - found[4] ** 2, abs=0.02)


def test_likelihood_gain_of_swap_is_the_gain_in_likelihood() -> None:
    correlation = _correlation()
    model = correlation + 0.01 * np.eye(N_CHANNELS)
    samples = np.random.default_rng(0).multivariate_normal(np.zeros(N_CHANNELS), model, 500)
    seen = samples.T @ samples / len(samples)
    predictor = ChannelPredictor.fit(correlation, np.ones(N_CHANNELS, dtype=bool))
    gain = predictor.likelihood_gain_of_swap(seen)
    density = multivariate_normal(np.zeros(N_CHANNELS), model)
    before = density.logpdf(samples).mean()
    for i, j in _pairs():
        order = np.arange(N_CHANNELS)
        order[[i, j]] = j, i
        assert gain[i, j] == pytest.approx(density.logpdf(samples[:, order]).mean() - before)
    assert gain.max() < 0


def _pairs() -> Iterator[tuple[int, int]]:
    return ((i, j) for i in range(N_CHANNELS) for j in range(N_CHANNELS) if i != j)
