from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sjepa_apps.stimulus.frames import (
    FrameCount,
    FramePlanner,
    check_display,
    luminance,
    measure_refresh_rate,
    missed_refreshes,
    square_edge_error,
)
from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.schedule import make_schedule


@pytest.mark.parametrize("waveform", ["sinusoid", "square"])
@pytest.mark.parametrize("refresh_rate", [59.94, 60.0, 75.0, 144.0])
@pytest.mark.parametrize("frequency", [5.45454545, 6.66666667, 8.57142857, 12.0, 21.0])
def test_spectrum_of_the_luminance_peaks_at_the_frequency(frequency, refresh_rate, waveform):
    n_frames = round(20 * refresh_rate)
    shown = luminance(frequency, np.arange(n_frames) / refresh_rate, waveform)
    spectrum = np.abs(np.fft.rfft(shown - shown.mean(), 8 * n_frames))
    frequencies = np.fft.rfftfreq(8 * n_frames, 1 / refresh_rate)
    assert frequencies[np.argmax(spectrum)] == pytest.approx(frequency, abs=0.02)
    assert shown.min() >= 0.0
    assert shown.max() <= 1.0


def test_flicker_begins_with_phase_0_and_rises():
    sinusoid = luminance(10.0, np.arange(7) / 60, "sinusoid")
    high, low = 0.5 + np.sqrt(3) / 4, 0.5 - np.sqrt(3) / 4
    np.testing.assert_allclose(sinusoid, [0.5, high, high, 0.5, low, low, 0.5])
    square = luminance(10.0, np.arange(7) / 60, "square")
    assert square.tolist() == [1, 1, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(("frequency", "period"), [(12.0, 5), (6.66666667, 9), (5.45454545, 11)])
def test_square_wave_of_a_whole_number_of_frames_repeats_exactly(frequency, period):
    shown = luminance(frequency, np.arange(20 * period) / 60, "square").reshape(20, period)
    assert (shown == shown[0]).all()
    assert shown[0].sum() == -(-period // 2)


@given(frequency=st.floats(1.0, 29.0), refresh_rate=st.floats(60.0, 240.0))
def test_edges_of_the_square_wave_are_as_late_as_stated(frequency, refresh_rate):
    error = square_edge_error(frequency, refresh_rate, seconds=2.0)
    assert 0.0 <= error <= 1.001 / refresh_rate
    # on a clock of 20 microseconds, where does the wave rise and fall, and where does the display
    clock = np.arange(0.0, 1.9, 20e-6)
    frames = np.floor(clock * refresh_rate + 1e-9) / refresh_rate
    shown = luminance(frequency, frames, "square")
    ideal_edges = np.arange(1, int(2 * frequency * 1.8)) / (2 * frequency)
    shown_edges = clock[1:][np.diff(shown) != 0]
    latest = max(shown_edges[shown_edges > edge - 25e-6].min() - edge for edge in ideal_edges)
    assert latest <= error + 50e-6


def protocol_of(frequency: float, waveform: str) -> Protocol:
    fields = load_protocol("ssvep").model_dump()
    fields["flicker"]["waveform"] = waveform
    fields["classes"] = [
        {"name": "a", "frequency": frequency},
        {"name": "b", "frequency": 7.5},
    ]
    return Protocol.model_validate(fields)


@pytest.mark.parametrize(
    ("frequency", "waveform"), [(30.0, "sinusoid"), (35.0, "sinusoid"), (31.0, "square")]
)
def test_frequency_beyond_the_display_is_refused(frequency, waveform):
    with pytest.raises(InputError, match=f"{frequency:.4g} Hz on a display of 60 Hz"):
        check_display(protocol_of(frequency, waveform), 60.0)


def test_refusal_tells_that_a_sinusoid_at_half_the_refresh_rate_is_grey():
    half = luminance(30.0, np.arange(60) / 60, "sinusoid")
    np.testing.assert_allclose(half, 0.5, atol=1e-9)
    with pytest.raises(InputError, match="same grey"):
        check_display(protocol_of(30.0, "sinusoid"), 59.95)


def test_square_wave_reaches_half_the_refresh_rate():
    assert check_display(protocol_of(30.0, "square"), 60.0) == ()
    assert luminance(30.0, np.arange(4) / 60, "square").tolist() == [1, 0, 1, 0]


def test_square_wave_between_frames_is_warned_about():
    (warning,) = check_display(protocol_of(8.57142857, "square"), 60.0)
    assert "8.571 Hz" in warning
    assert "8.3 ms" in warning


@pytest.mark.parametrize("name", ["ssvep", "mi", "erp"])
def test_shipped_protocols_run_at_60_hz(name):
    assert check_display(load_protocol(name), 60.0) == ()


def test_flashes_shorter_than_a_frame_are_refused():
    fields = load_protocol("erp").model_dump()
    fields["speller"]["on"] = 0.005
    with pytest.raises(InputError, match=r"on = 0\.005 s"):
        check_display(Protocol.model_validate(fields), 60.0)


def test_flashes_that_rounding_changes_much_are_warned_about():
    (warning,) = check_display(load_protocol("erp"), 30.0)
    assert warning.startswith("on = 80 ms becomes 67 ms")


@pytest.mark.parametrize("refresh_rate", [59.94, 60.0, 75.0, 143.9])
@pytest.mark.parametrize("name", ["ssvep", "mi", "erp"])
def test_phases_do_not_drift_over_a_session(name, refresh_rate):
    planner = FramePlanner(refresh_rate)
    frames, seconds = 0, 0.0
    for trial in make_schedule(load_protocol(name), seed=3):
        counts = planner.plan(trial)
        for phase, count in zip(trial.phases, counts, strict=True):
            assert count >= 1
            assert abs(count / refresh_rate - phase.duration) <= 1.51 / refresh_rate
        frames += sum(counts)
        seconds += trial.duration
        assert abs(frames / refresh_rate - seconds) <= 0.5001 / refresh_rate


def test_stimuli_last_equally_long_in_every_trial():
    planner = FramePlanner(60.0)
    lengths = {
        count
        for trial in make_schedule(load_protocol("erp"), seed=0)
        for phase, count in zip(trial.phases, planner.plan(trial), strict=True)
        if phase.kind == "flash"
    }
    assert lengths == {5}


def test_refresh_rate_is_robust_against_late_frames():
    times = np.cumsum(np.full(200, 1 / 75))
    times[50:] += 0.1
    times += np.random.default_rng(0).normal(0, 2e-4, 200)
    assert measure_refresh_rate(times) == pytest.approx(75.0, rel=0.01)


def test_refresh_rate_needs_frames():
    with pytest.raises(OperationError, match="swapped 5 frames"):
        measure_refresh_rate([0.0, 0.1, 0.2, 0.3, 0.4])


@pytest.mark.parametrize(
    ("refreshes", "missed"), [(0.4, 0), (1.0, 0), (1.49, 0), (1.6, 1), (2.4, 1), (3.1, 2)]
)
def test_frame_is_late_beyond_one_and_a_half_refreshes(refreshes, missed):
    assert missed_refreshes(refreshes / 60, 60.0) == missed


def test_count_of_frames_reads_well():
    assert str(FrameCount(1999, 1)) == "1,999 frames shown, 1 late (0.05 %)"
    assert str(FrameCount()) == "0 frames shown, 0 late (0.00 %)"
