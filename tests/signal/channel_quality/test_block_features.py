"""What the monitor measures of a quarter of a second."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.signal.channel_quality.block_features import QuarterAnalysis

SFREQ = 256.0


def test_quarter_measures_a_sine_and_the_mains() -> None:
    time = np.arange(64) / SFREQ
    sine = 20 * np.sin(2 * np.pi * 12 * time) + 5000 + 100 * time
    mains = sine + 60 * np.sin(2 * np.pi * 60 * time)
    quarter = QuarterAnalysis(SFREQ).measure(np.stack([sine, mains]))
    np.testing.assert_allclose(np.exp(quarter.amplitude), 20 / np.sqrt(2), rtol=0.05)
    assert np.exp(quarter.mains[1]) == pytest.approx(3.0, rel=0.1)
    assert quarter.mains[0] < np.log(0.1)
