"""Cross-spectra and power in bands of simulated oscillations, whose power and phase are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from sjepa_online.decoding.features.spectral import (
    RHYTHM_BANDS,
    band_covariances,
    cross_spectra,
    stimulus_frequencies,
)

Floats = NDArray[np.float64]
N_TIMES = 536
SFREQ = 128
IDENTITY = np.ones((1, 1))
MIXING = np.array([[1.0], [-2.0], [0.5]])


def _oscillation(frequency: float, phase: float = 0.0) -> Floats:
    """One epoch of three channels that share an oscillation, (1, 3, samples)."""
    seconds = np.arange(N_TIMES) / SFREQ
    return (MIXING * np.cos(2 * np.pi * frequency * seconds + phase))[np.newaxis]


def test_it_is_the_weighted_sum_of_a_direct_fourier_transform() -> None:
    rng = np.random.default_rng(0)
    X = 20 * rng.standard_normal((2, 3, 100)) + 100
    frequency, resolution = 13.3, SFREQ / 100
    centred = X - X.mean(axis=-1, keepdims=True)
    expected = np.zeros((2, 3, 3), dtype=complex)
    for bin_frequency in np.arange(101) * SFREQ / 200:
        if abs(bin_frequency - frequency) > 6:
            continue
        waves = np.exp(-2j * np.pi * bin_frequency * np.arange(100) / SFREQ)
        amplitudes = (centred * waves).sum(axis=-1)
        lorentzian = 1 / (1 + ((bin_frequency - frequency) / resolution) ** 2)
        expected += lorentzian * np.einsum("nc,nd->ncd", amplitudes, amplitudes.conj()) / 100
    np.testing.assert_allclose(cross_spectra(X, [frequency])[:, 0], expected.real, rtol=1e-10)


def test_power_stands_at_its_frequency() -> None:
    frequencies = [6.0, 8.57, 12.0, 17.14, 24.0]
    for index, frequency in enumerate(frequencies):
        power = cross_spectra(_oscillation(frequency), frequencies)[0, :, 1, 1]
        others = np.delete(power, index)
        assert power[index] > 50 * others.max()


def test_the_matrix_is_that_of_the_mixing() -> None:
    spectrum = cross_spectra(_oscillation(12.0), [12.0])[0, 0]
    np.testing.assert_allclose(spectrum / spectrum[0, 0], MIXING @ MIXING.T, rtol=1e-9)


@pytest.mark.parametrize("frequency", [6.67, 12.0, 21.3])
def test_phase_has_next_to_no_influence(frequency: float) -> None:
    spectra = [
        cross_spectra(_oscillation(frequency, phase), [frequency])[0, 0, 0, 0]
        for phase in np.random.default_rng(1).uniform(0, 2 * np.pi, 20)
    ]
    assert np.ptp(spectra) / np.mean(spectra) < 0.05


def test_channels_a_quarter_cycle_apart_share_no_real_part() -> None:
    two = np.concatenate([_oscillation(12.0)[:, :1], _oscillation(12.0, np.pi / 2)[:, :1]], axis=1)
    spectrum = cross_spectra(two, [12.0])[0, 0]
    assert abs(spectrum[0, 1]) < 0.02 * spectrum[0, 0]


def test_scale_enters_squared_and_an_offset_not_at_all() -> None:
    X = np.random.default_rng(2).standard_normal((2, 3, 300))
    np.testing.assert_allclose(
        cross_spectra(10 * X + 500, [8.0]), 100 * cross_spectra(X, [8.0]), rtol=1e-8
    )


def test_matrices_are_positive_definite_where_a_classifier_needs_them() -> None:
    X = np.random.default_rng(3).standard_normal((5, 8, N_TIMES))
    spectra = cross_spectra(X, [5.45, 12.0, 24.0])
    assert np.linalg.eigvalsh(spectra).min() > 0


def test_second_harmonics_follow_the_frequencies() -> None:
    assert stimulus_frequencies((13.0, 17.0)) == [13.0, 17.0, 26.0, 34.0]


@pytest.mark.parametrize(("frequency", "share"), [(10.0, 1.0), (8.0, 0.25), (12.0, 0.25)])
def test_a_band_holds_the_power_of_an_oscillation(frequency: float, share: float) -> None:
    """At its edges a Butterworth filter passes half of the power, twice in two directions."""
    X = _oscillation(frequency)[..., :512]
    band = band_covariances(X, np.array([[8.0, 12.0]]), IDENTITY)[0, 0]
    np.testing.assert_allclose(band, share * MIXING @ MIXING.T / 2, rtol=0.01)


def test_bands_hold_what_filters_in_both_directions_pass() -> None:
    X = 10 * np.random.default_rng(3).standard_normal((4, 3, 4000)) + 1000
    found = band_covariances(X, RHYTHM_BANDS, IDENTITY)
    for index, band in enumerate(RHYTHM_BANDS):
        filtered = sosfiltfilt(butter(4, band, "bandpass", fs=SFREQ, output="sos"), X, axis=-1)
        expected = np.array([np.cov(epoch, bias=True) for epoch in filtered])
        # the digital filter's flanks are a little steeper
        np.testing.assert_allclose(found[:, index], expected, atol=0.1 * expected.max())


def test_bands_hold_what_the_kernels_pass() -> None:
    """A kernel that doubles, beside one that delays: the power is four and one times as much."""
    X = np.random.default_rng(4).standard_normal((2, 3, 512))
    kernels = np.zeros((2, 32))
    kernels[0, 3], kernels[1, 20] = 2.0, 1.0
    np.testing.assert_allclose(
        band_covariances(X, RHYTHM_BANDS, kernels), 5 * band_covariances(X, RHYTHM_BANDS, IDENTITY)
    )


@pytest.mark.parametrize("n_times", [129, 152, 537])
def test_the_power_in_a_band_does_not_depend_on_the_length(n_times: int) -> None:
    noise = np.random.default_rng(5).standard_normal((1, 1, 400 * n_times))
    kernels = np.random.default_rng(6).standard_normal((2, 32))
    whole = band_covariances(noise, RHYTHM_BANDS, kernels)[0]
    cut = band_covariances(noise.reshape(400, 1, n_times), RHYTHM_BANDS, kernels).mean(axis=0)
    np.testing.assert_allclose(cut, whole, rtol=0.15)


def test_the_order_of_the_samples_in_memory_has_no_influence() -> None:
    X = np.random.default_rng(7).standard_normal((2, 3, 256))
    np.testing.assert_allclose(
        band_covariances(np.asfortranarray(X), RHYTHM_BANDS, IDENTITY),
        band_covariances(X, RHYTHM_BANDS, IDENTITY),
    )
