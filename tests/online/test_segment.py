"""Where markers fall among samples whose times are not perfectly regular."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.online.segment import Segment
from sjepa_online.signal import PreprocessorConfig, window_start

SFREQ = 250.0


@pytest.fixture
def segment() -> Segment:
    return Segment(("Cz",), SFREQ, "uV", PreprocessorConfig())


def _fill(segment: Segment, timestamps: np.ndarray) -> None:
    for part in np.array_split(timestamps, 7):
        segment.append(np.random.default_rng(0).standard_normal((1, len(part))), part)


@pytest.mark.parametrize("rate", [249.0, 250.0, 251.5])
def test_a_marker_is_placed_among_the_samples_around_it(segment: Segment, rate: float) -> None:
    """An amplifier's clock runs off, so the sample counts and not the time since the start."""
    timestamps = 1000 + np.arange(2500) / rate
    _fill(segment, timestamps)
    delay = segment.preprocessor.delay
    for sample in (0, 1, 700, 2001, 2499):
        expected = window_start(sample / SFREQ, 0.5, delay)
        assert segment.first_output_of(timestamps[sample], 0.5) == expected
    for sample in (0.4, 699.5, 2498.9):
        onset = 1000 + sample / rate
        expected = window_start(sample / SFREQ, 0.0, delay)
        assert segment.first_output_of(onset, 0.0) == expected


def test_the_first_and_the_last_time_are_those_at_hand(segment: Segment) -> None:
    segment.append(np.zeros((1, 1)), np.array([5.0]))
    assert (segment.start_time, segment.last_time, segment.n_output) == (5.0, 5.0, 1)
    # 100 s more: the oldest ones leave the 90 s that are kept
    _fill(segment, 5.0 + np.arange(1, 25_001) / SFREQ)
    assert segment.last_time == pytest.approx(105.0)
    assert segment.start_time == pytest.approx(15.0, abs=0.01)


def test_an_output_sample_has_the_time_of_the_input_that_made_it_due(segment: Segment) -> None:
    timestamps = 3.0 + np.arange(1000) / SFREQ
    due = {}
    for timestamp in timestamps:
        before = segment.n_output
        segment.append(np.zeros((1, 1)), np.array([timestamp]))
        due |= dict.fromkeys(range(before, segment.n_output), timestamp)
    assert len(due) == 512
    for index, timestamp in due.items():
        assert segment.time_of_output(index) == timestamp
