"""Windows of trials: their place in the output and what happens at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.errors import InputError
from sjepa_online.signal.preprocessor import Preprocessor
from sjepa_online.signal.windows import cut_windows, window_start


@pytest.mark.parametrize("sfreq", [100, 160, 250, 1000])
def test_pulse_after_the_onset_lies_at_its_place_in_the_window(sfreq):
    onsets = np.array([2.0, 5.337, 9.0051])
    after_onset, start = 0.8, 0.3
    time = np.arange(12 * sfreq) / sfreq
    pulses = np.exp(-0.5 * ((time - (onsets[:, np.newaxis] + after_onset)) / 0.02) ** 2).sum(
        axis=0, keepdims=True
    )
    preprocessor = Preprocessor(["Cz"], sfreq)
    output = preprocessor.update(pulses)
    windows = cut_windows(output, window_start(onsets, start, preprocessor.delay), 152)
    peaks = windows.data[:, 0].argmax(axis=1)
    assert np.abs(peaks - (after_onset - start) * 128).max() <= 2


def test_first_sample_is_the_one_nearest_to_the_start():
    preprocessor = Preprocessor(["Cz"], 250)
    onsets = np.linspace(1, 3, 57)
    first = window_start(onsets, 0.5, preprocessor.delay)
    assert first.dtype == np.int64
    error = preprocessor.output_time(first) - (onsets + 0.5)
    assert np.abs(error).max() <= 0.5 / 128 + 1e-12


def test_one_onset_gives_one_index():
    assert window_start(2.0, 0.0, 0.0) == 256
    assert window_start(0.5 / 128, 0.0, 0.0) == 1
    assert window_start(1.0, -2.0, 0.0) == -128


@pytest.mark.parametrize("onset", [np.nan, np.inf])
def test_onset_that_is_no_time_is_refused(onset):
    with pytest.raises(InputError, match="finite"):
        window_start([1.0, onset], 0.0, 0.02)


def test_windows_that_do_not_fit_are_reported():
    signal = np.arange(20.0).reshape(2, 10)
    windows = cut_windows(signal, [0, -1, 6, 7, 3, 40, -40], 4)
    np.testing.assert_array_equal(windows.kept, [0, 2, 4])
    np.testing.assert_array_equal(windows.before_start, [1, 6])
    np.testing.assert_array_equal(windows.past_end, [3, 5])
    np.testing.assert_array_equal(windows.data[1], [[6, 7, 8, 9], [16, 17, 18, 19]])
    signal[:] = 0
    assert windows.data.any()


def test_no_window_gives_an_empty_array_of_the_right_shape():
    windows = cut_windows(np.zeros((3, 10), dtype=np.float32), [], 4)
    assert windows.data.shape == (0, 3, 4)
    assert windows.data.dtype == np.float32
