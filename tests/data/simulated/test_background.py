from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import find_peaks, periodogram, welch

from sjepa_online.data.simulated.background import (
    Blinks,
    FilteredNoise,
    bump,
    mains_hum,
    pink_filter,
    rhythm_filter,
    slow_filter,
)


def noise(sections, sfreq: float, seconds: float, n_rows: int = 8):
    return FilteredNoise(sections, n_rows, np.random.default_rng(0)).generate(
        round(seconds * sfreq)
    )


@pytest.mark.parametrize("sfreq", [128.0, 250.0, 1000.0])
@pytest.mark.parametrize("exponent", [0.8, 1.4])
def test_the_background_falls_as_it_should(sfreq, exponent):
    frequencies, power = welch(
        noise(pink_filter(sfreq, exponent, 0.7), sfreq, 300), sfreq, nperseg=round(4 * sfreq)
    )
    power = power.mean(axis=0)
    fitted = (frequencies >= 1) & (frequencies <= 40)
    slope = np.polyfit(np.log(frequencies[fitted]), np.log(power[fitted]), 1)[0]
    assert -slope == pytest.approx(exponent, abs=0.12)
    at_ten = power[(frequencies > 9) & (frequencies < 11)].mean()
    assert np.sqrt(at_ten) == pytest.approx(0.7, rel=0.1)


@pytest.mark.parametrize("sfreq", [128.0, 1000.0])
def test_a_rhythm_has_its_frequency_and_size_and_waxes_and_wanes(sfreq):
    signal = noise(rhythm_filter(sfreq, 10.5, 1.5), sfreq, 300)
    frequencies, power = welch(signal, sfreq, nperseg=round(4 * sfreq))
    power = power.mean(axis=0)
    assert frequencies[power.argmax()] == pytest.approx(10.5, abs=0.5)
    half = frequencies[power > power.max() / 2]
    assert 0.5 <= half[-1] - half[0] <= 2.5
    assert signal.var() == pytest.approx(1.0, rel=0.15)
    seconds = signal.reshape(8, 300, -1).std(axis=2)
    assert seconds.max() > 3 * seconds.min()


def test_slow_noise_is_slow():
    signal = noise(slow_filter(250.0, 4.0), 250.0, 600)
    frequencies, power = periodogram(signal, 250.0)
    total = power.sum()
    assert power[:, frequencies < 0.5].sum() > 0.9 * total
    assert signal.std() == pytest.approx(1.0, rel=0.25)


def test_blinks_come_as_often_and_as_large_as_asked():
    times = np.arange(100_000) / 100.0
    signal = Blinks(0.25, 100.0, np.random.default_rng(0)).generate(times)
    peaks, _ = find_peaks(signal, height=30.0)
    assert len(peaks) == pytest.approx(250, rel=0.15)
    assert np.median(signal[peaks]) == pytest.approx(100.0, rel=0.1)
    gaps = np.diff(peaks) / 100.0
    assert gaps.min() > 0.3
    assert gaps.max() > 8.0


def test_blinks_do_not_depend_on_chunks():
    times = np.arange(20_000) / 100.0
    whole = Blinks(0.3, 100.0, np.random.default_rng(3)).generate(times)
    blinks = Blinks(0.3, 100.0, np.random.default_rng(3))
    pieces = [blinks.generate(part) for part in np.array_split(times, 1700)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_a_bump_is_nothing_beyond_its_width():
    times = np.linspace(0.0, 1.0, 1001)
    shape = bump(times, 0.5, 0.2)
    assert shape[500] == 1.0
    assert not shape[(times < 0.3999) | (times > 0.6001)].any()
    assert (np.diff(shape[400:501]) > 0).all()


@pytest.mark.parametrize(
    ("sfreq", "mains", "expected"), [(250.0, 50.0, [50, 100]), (500.0, 60.0, [60, 120, 180])]
)
def test_the_mains_hum_at_their_frequency_without_aliases(sfreq, mains, expected):
    times = np.arange(round(10 * sfreq)) / sfreq
    frequencies, power = periodogram(mains_hum(times, mains, sfreq, (0.2, 0.3)), sfreq)
    found = frequencies[power > 0.01 * power.max()]
    np.testing.assert_allclose(found, expected, atol=0.1)
