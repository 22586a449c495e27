"""Spectra of made-up signals whose power is known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import welch

from sjepa_apps.live.analysis.spectra import BANDS, band_powers, power_spectra, stimulus_snr

SFREQ = 250.0
SECONDS = np.arange(round(8 * SFREQ)) / SFREQ


def test_densities_are_those_of_scipy() -> None:
    samples = np.random.default_rng(0).standard_normal((3, len(SECONDS))) + 4000.0
    frequencies, densities = power_spectra(samples, SFREQ)
    expected = welch(samples, SFREQ, nperseg=500, detrend="constant")
    kept = expected[0] <= 60
    assert_allclose(frequencies, expected[0][kept])
    assert_allclose(densities[:, 1:], expected[1][:, kept][:, 1:], rtol=1e-6)


def test_a_rhythm_has_its_power_in_its_band() -> None:
    samples = np.vstack(
        [10 * np.cos(2 * np.pi * 10 * SECONDS), 4 * np.cos(2 * np.pi * 20 * SECONDS)]
    )
    powers = band_powers(*power_spectra(samples, SFREQ))
    names = list(BANDS)
    assert powers[0, names.index("alpha")] == pytest.approx(50.0, rel=0.02)
    assert powers[1, names.index("beta")] == pytest.approx(8.0, rel=0.02)
    assert powers[0, names.index("beta")] < 0.01


def test_missing_values_cost_their_segments_only() -> None:
    samples = 10 * np.tile(np.cos(2 * np.pi * 10 * SECONDS), (2, 1))
    samples[0, 300:320] = np.nan
    samples[1] = np.nan
    powers = band_powers(*power_spectra(samples, SFREQ))[:, list(BANDS).index("alpha")]
    assert powers[0] == pytest.approx(50.0, rel=0.02)
    assert np.isnan(powers[1])


def test_a_flicker_stands_out_at_its_frequency_alone() -> None:
    noise = np.random.default_rng(1).standard_normal((20, 1000))
    seconds = np.arange(1000) / SFREQ
    quiet = stimulus_snr(noise, SFREQ, (8.57, 12.0))
    assert 0.6 < quiet.mean() < 1.6
    loud = stimulus_snr(
        noise + np.cos(2 * np.pi * 12.0 * seconds + 1.0), SFREQ, (8.57, 12.0, 124.9)
    )
    assert loud[:, 1].min() > 20
    assert loud[:, 0].mean() < 2
    assert np.isnan(loud[:, 2]).all()
