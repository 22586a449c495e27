from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.signal import butter, sosfilt

from sjepa_apps.live.signals.display_filter import BANDS, DisplayFilter, DisplaySettings


def test_any_chunking_gives_scipys_filter_on_the_whole() -> None:
    rng = np.random.default_rng(0)
    data = 10 * rng.standard_normal((3, 2000)) + np.array([[0.0], [5000.0], [-300.0]])
    display = DisplayFilter(DisplaySettings((1.0, 30.0)), 3, 250.0)
    cuts = [0, 1, 1, 40, 555, 556, 1200, 2000]
    pieces = [display.update(data[:, a:b]) for a, b in itertools.pairwise(cuts)]
    sections = butter(2, (1.0, 30.0), "bandpass", fs=250.0, output="sos")
    # a band-pass takes a constant that has always been there to zero
    expected = sosfilt(sections, data - data[:, :1], axis=1)
    assert_allclose(np.concatenate(pieces, axis=1), expected, atol=1e-6)


@pytest.mark.parametrize("name", ["0.5-40 Hz", "above 0.5 Hz"])
def test_missing_values_stay_missing_and_do_no_harm(name: str) -> None:
    rng = np.random.default_rng(1)
    data = rng.standard_normal((2, 3000))
    broken = data.copy()
    broken[0, 100:120] = np.nan
    intact = DisplayFilter(DisplaySettings(BANDS[name]), 2, 250.0).update(data)
    display = DisplayFilter(DisplaySettings(BANDS[name]), 2, 250.0)
    shown = np.concatenate([display.update(broken[:, :110]), display.update(broken[:, 110:])], 1)
    assert np.isnan(shown[0, 100:120]).all()
    assert np.isfinite(shown[0, 120:]).all()
    assert_allclose(shown[1], intact[1])
    assert_allclose(shown[0, -500:], intact[0, -500:], atol=0.05)


def test_raw_is_raw() -> None:
    data = np.arange(12.0).reshape(2, 6)
    assert DisplayFilter(DisplaySettings(BANDS["raw"]), 2, 250.0).update(data) is data


def test_a_notch_takes_the_mains_and_leaves_the_rest() -> None:
    seconds = np.arange(5000) / 500.0
    alpha, mains = np.cos(2 * np.pi * 10 * seconds), 30 * np.cos(2 * np.pi * 50 * seconds)
    display = DisplayFilter(DisplaySettings((None, None), notch=50.0), 1, 500.0)
    shown = display.update((alpha + mains)[np.newaxis])[0, 2500:]
    assert_allclose(shown, alpha[2500:], atol=0.1)
