from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.stream import ClockJump, Gap, RateMismatch
from sjepa_online.stream.sample_clock import SampleClock

SFREQ = 500.0


def run(clock: SampleClock, timestamps: np.ndarray, n: int = 10):
    parts = [clock.update(timestamps[k : k + n]) for k in range(0, len(timestamps), n)]
    return np.concatenate([times for times, _ in parts]), [e for _, found in parts for e in found]


def exact(seconds: float, sfreq: float = SFREQ) -> np.ndarray:
    return 1e5 + np.arange(round(seconds * sfreq)) / sfreq


def stamped_on_arrival(seconds: float, jitter: float, rng: np.random.Generator) -> np.ndarray:
    """Chunks of 10 samples whose last is stamped late, as many amplifiers' programs do."""
    late = rng.exponential(jitter, round(seconds * SFREQ / 10)).repeat(10)
    return exact(seconds) + late


def test_exact_timestamps_stay_what_they_are():
    timestamps = exact(60)
    times, events = run(SampleClock(SFREQ), timestamps)
    np.testing.assert_allclose(times, timestamps, rtol=0, atol=1e-6)
    assert events == []


@pytest.mark.parametrize("missing", [1, 2, 17, 400])
def test_with_exact_timestamps_every_missing_sample_is_seen(missing):
    timestamps = np.delete(exact(20), np.arange(5003, 5003 + missing))
    times, events = run(SampleClock(SFREQ), timestamps)
    (gap,) = events
    assert isinstance(gap, Gap)
    assert (gap.missing, gap.index) == (missing, 3)
    assert gap.time == timestamps[5003]
    np.testing.assert_allclose(times, timestamps, rtol=0, atol=1e-6)


def test_several_gaps_in_one_chunk_are_all_seen():
    timestamps = np.delete(exact(20), [*range(5010, 5020), *range(5050, 5090)])
    _, events = run(SampleClock(SFREQ), timestamps, n=1000)
    assert [(event.missing, event.index) for event in events] == [(10, 10), (40, 40)]


def test_jitter_is_smoothed_and_is_no_gap():
    rng = np.random.default_rng(0)
    timestamps = stamped_on_arrival(60, 0.004, rng)
    times, events = run(SampleClock(SFREQ), timestamps)
    assert events == []
    settled = (times - exact(60))[round(10 * SFREQ) :]
    assert settled.std() < 0.0005 < np.std(timestamps - exact(60)) / 5
    assert (np.diff(times) >= 0).all()
    raw, _ = run(SampleClock(SFREQ, smooth=False), timestamps)
    np.testing.assert_array_equal(raw, timestamps)


def test_a_gap_is_found_in_jitter_and_leaves_no_error_behind():
    rng = np.random.default_rng(1)
    truth = np.delete(exact(40), np.arange(10_000, 10_100))
    timestamps = truth + rng.exponential(0.002, len(truth) // 10).repeat(10)
    times, events = run(SampleClock(SFREQ), timestamps)
    (gap,) = events
    assert isinstance(gap, Gap)
    assert gap.missing == pytest.approx(100, abs=5)
    assert np.abs(times - truth)[10_000:].max() < 0.02
    assert np.abs(times - truth)[11_000:].max() < 0.005


def test_an_amplifier_that_drifts_is_followed():
    timestamps = exact(120) * (1 + 200e-6)
    clock = SampleClock(SFREQ)
    times, events = run(clock, timestamps)
    assert events == []
    np.testing.assert_allclose(times, timestamps, rtol=0, atol=1e-3)
    np.testing.assert_allclose(times[5000:], timestamps[5000:], rtol=0, atol=1e-5)
    assert clock.effective_sfreq == pytest.approx(SFREQ / (1 + 200e-6), rel=1e-5)


@pytest.mark.parametrize("jump", [-3.0, -0.05, 30.0])
def test_a_clock_that_jumps_is_no_gap(jump):
    timestamps = exact(20)
    timestamps[5000:] += jump
    clock = SampleClock(SFREQ)
    clock.update(timestamps[:5000])
    times, (event,) = clock.update(timestamps[5000:], longest_gap=10.0)
    assert isinstance(event, ClockJump)
    assert event.seconds == pytest.approx(jump, abs=1e-6)
    np.testing.assert_allclose(times, timestamps[5000:], rtol=0, atol=1e-6)


@pytest.mark.parametrize("sent", [100.0, 245.0, 490.0, 512.0, 1000.0, 5000.0])
@pytest.mark.parametrize("chunked", [False, True])
def test_another_rate_than_the_declared_one_is_told(sent, chunked):
    timestamps = exact(20, sent)
    if chunked:  # the last of 10 is stamped, the others are deduced from the declared rate
        timestamps = (
            timestamps[9::10].repeat(10)
            - np.tile(np.arange(9, -1, -1), len(timestamps) // 10) / SFREQ
        )
    _, events = run(SampleClock(SFREQ), timestamps, n=50)
    mismatches = [event for event in events if isinstance(event, RateMismatch)]
    assert mismatches
    assert len(events) < 100
    assert mismatches[-1].declared == SFREQ
    assert mismatches[-1].measured == pytest.approx(sent, rel=0.02)


def test_no_samples_change_nothing():
    times, events = SampleClock(SFREQ).update(np.empty(0))
    assert len(times) == 0
    assert events == []


def test_smooth_times_never_go_back():
    """A first chunk that came late lifts the line; the next one, on time, lowers it again."""
    timestamps = exact(2)
    timestamps[:10] += 0.02
    times, events = run(SampleClock(SFREQ), timestamps)
    assert events == []
    assert times[10] >= times[9]
    assert (np.diff(times) >= 0).all()


def test_a_rate_that_changes_is_followed():
    """What happened minutes ago is forgotten."""
    later = exact(240) * (1 + 10e-6)
    timestamps = np.r_[exact(120), exact(120)[-1] + 1 / SFREQ + later - later[0]]
    clock = SampleClock(SFREQ)
    _, events = run(clock, timestamps)
    assert events == []
    assert clock.effective_sfreq == pytest.approx(SFREQ / (1 + 10e-6), rel=1.5e-6)
