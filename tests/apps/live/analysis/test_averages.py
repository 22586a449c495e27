"""Averages of made-up epochs whose response is known."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from sjepa_apps.live.analysis.averages import ResponseAverages, RhythmAverages

SFREQ = 250.0


def test_a_response_comes_out_of_the_noise_and_offsets_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    averages = ResponseAverages(SFREQ)
    seconds = -0.2 + np.arange(averages.n_samples) / SFREQ
    response = 8 * np.exp(-(((seconds - 0.3) / 0.05) ** 2))
    for trial in range(200):
        noise = 10 * rng.standard_normal((2, len(seconds))) + 1000 * trial
        averages.add("Target", noise + response * np.array([[1.0], [0.0]]))
    average = averages.by_class["Target"]
    assert average.n == 200
    expected = 8 * np.exp(-(((averages.times - 0.3) / 0.05) ** 2))
    assert_allclose(average.mean[0], expected, atol=2.0)
    assert_allclose(average.mean[1], 0.0, atol=2.0)


def test_a_channel_with_an_artefact_or_a_gap_is_left_out_of_that_epoch_alone() -> None:
    averages = ResponseAverages(SFREQ)
    clean = np.zeros((3, averages.n_samples))
    faulty = clean.copy()
    faulty[0, 100:] = 900.0
    faulty[1, 7] = np.nan
    for epoch in (clean, faulty, clean):
        averages.add("a", epoch)
    average = averages.by_class["a"]
    assert average.counts.tolist() == [2, 2, 3]
    assert_allclose(average.mean, 0.0)


def test_a_rhythm_that_weakens_is_told_in_percent_of_rest() -> None:
    averages = RhythmAverages(SFREQ)
    seconds = -2.0 + np.arange(averages.n_samples) / SFREQ
    rng = np.random.default_rng(2)
    for _ in range(10):
        phase = rng.uniform(0, 2 * np.pi)
        strength = np.where(seconds > 0, 0.5, 1.0)
        averages.add("left", (20 * strength * np.cos(2 * np.pi * 11 * seconds + phase))[np.newaxis])
    change = averages.change("left")[0]
    row = averages.frequencies.tolist().index(11.0)
    late = (averages.times > 0.6) & (averages.times < 3.4)
    # half the amplitude is a quarter of the power
    assert_allclose(change[row, late], -75.0, atol=1.0)
    resting = (averages.times >= -1.5) & (averages.times <= -0.5)
    assert_allclose(change[row, resting], 0.0, atol=1.0)
