"""The features of a block (a quarter of a second)."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.signal.channel_quality.block_features import BlockAnalysis

SFREQ = 256.0


def test_block_measures_a_sine_and_the_mains() -> None:
    time = np.arange(64) / SFREQ
    sine = 20 * np.sin(2 * np.pi * 12 * time) + 5000 + 100 * time
    mains = sine + 60 * np.sin(2 * np.pi * 60 * time)
    block = BlockAnalysis(SFREQ).measure(np.stack([sine, mains]))
    np.testing.assert_allclose(np.exp(block.amplitude), 20 / np.sqrt(2), rtol=0.05)
    assert np.exp(block.mains[1]) == pytest.approx(3.0, rel=0.1)
    assert block.mains[0] < np.log(0.1)
