from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.data import make_trials
from sjepa_online.evaluation.report.patterns import SourcePattern
from sjepa_online.evaluation.report.signals import class_spectra, strongest_channels
from sjepa_online.signal import PreprocessorConfig, flat_positions


def test_spectra_have_the_power_of_the_flicker(scalp_recording, protocol_of):
    trials = make_trials([scalp_recording("ssvep")], protocol_of("ssvep"), PreprocessorConfig())
    frequencies, spectra = class_spectra(trials, 4)
    for row, frequency in enumerate((9.0, 13.0)):
        peak = frequencies[np.argmax(spectra[row])]
        assert peak == pytest.approx(frequency, abs=0.35)
        # 30 µV: 450 µV² in one Hann line of 1.5 s, whose width is 1.5 / 1.5 s
        assert spectra[row].max() == pytest.approx(10 * np.log10(450), abs=0.5)
    rest = spectra[2]
    # white noise of 10 µV up to 100 Hz: 1 µV²/Hz
    assert np.median(rest) == pytest.approx(0.0, abs=1.0)


def test_every_pattern_has_its_strongest_channel_drawn():
    patterns = [
        SourcePattern("a", np.array([0.1, 1.0, 0.9, 0.0])),
        SourcePattern("b", np.array([0.2, 0.8, 0.3, -1.0])),
    ]
    assert strongest_channels(patterns) == [1, 2, 3]
    assert strongest_channels([SourcePattern("a", np.array([1.0, -0.5]))]) == [0, 1]


def test_electrodes_lie_where_they_are_on_a_head():
    names = ("Cz", "Fpz", "Oz", "T7", "T8", "C3", "C4")
    cz, fpz, oz, t7, t8, c3, c4 = flat_positions(names)
    assert np.hypot(*cz) < 0.1
    assert fpz[1] > 0.8
    assert oz[1] < -0.8
    assert t7[0] < c3[0] < 0 < c4[0] < t8[0]
    # left and right mirror each other
    np.testing.assert_allclose(c3 * [-1, 1], c4, atol=0.06)
