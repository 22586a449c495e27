"""The channel monitor finds faults that are put into simulated EEG, and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, lfilter, sosfilt

from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.baseline import MEASURES, Baseline
from sjepa_online.signal.channel_quality.monitor import ChannelMonitor, StateChange, Widespread

SFREQ = 256.0
N_CHANNELS = 10
NAMES = tuple(f"E{number}" for number in range(N_CHANNELS))
MIXING = np.random.default_rng(0).standard_normal((N_CHANNELS, 5))
FAULT = slice(round(6.1 * SFREQ), round(12.1 * SFREQ))
CHANNEL = 3


def eeg(seconds: float, seed: int, offset: float = 0.0) -> np.ndarray:
    """Correlated coloured noise of some 20 µV."""
    rng = np.random.default_rng(seed)
    n = round(seconds * SFREQ)
    sources = lfilter([1.0], [1.0, -0.95], rng.standard_normal((5, n)))
    own = lfilter([1.0], [1.0, -0.95], rng.standard_normal((N_CHANNELS, n)))
    return 2.5 * (MIXING @ sources + 0.5 * own) + offset * np.arange(N_CHANNELS)[:, np.newaxis]


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return Baseline.fit([eeg(60, seed=1), eeg(60, seed=2)], NAMES, SFREQ, "uV")


def run(baseline: Baseline, signal: np.ndarray) -> tuple[ChannelMonitor, list]:
    monitor = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    return monitor, monitor.update(signal)


def changes_of(events: list) -> list[StateChange]:
    return [event for event in events if isinstance(event, StateChange)]


def noise(n: int) -> np.ndarray:
    return np.random.default_rng(9).standard_normal(n)


def _seconds(n: int) -> np.ndarray:
    return np.arange(n) / SFREQ


#: Fault: what becomes of the channel's samples, within how many seconds it is to be found, and
#: a word of the reason.
FAULTS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float, str]] = {
    "flat": (lambda x: np.full_like(x, x.mean()), 1.5, "flat"),
    "almost flat": (lambda x: x.mean() + 0.01 * noise(len(x)), 1.5, "flat"),
    "missing": (lambda x: np.full_like(x, np.nan), 1.5, "no values"),
    "infinite": (lambda x: np.full_like(x, np.inf), 1.5, "no values"),
    "rail": (lambda x: np.full_like(x, 187_500.0), 1.5, "railed"),
    "clipped": (lambda x: np.clip(10 * x, -30, 30), 1.5, "railed"),
    "ten times": (lambda x: 10 * x, 1.5, "times its amplitude"),
    "popped": (lambda x: x + 3000 + 300 * np.cumsum(noise(len(x))), 1.5, "jump"),
    "noise": (lambda x: x + 100 * noise(len(x)), 5.0, "amplitude"),
    "noise of the EEG's frequencies": (
        lambda x: x + 35 * sosfilt(butter(4, 40, fs=SFREQ, output="sos"), noise(len(x))),
        5.0,
        "does not follow",
    ),
    "mains": (lambda x: x + 300 * np.sin(2 * np.pi * 50 * _seconds(len(x))), 1.5, "mains"),
    "muscle": (lambda x: x + 40 * np.diff(noise(len(x) + 1)), 5.0, "high frequencies"),
    "drift": (lambda x: x + 500 * _seconds(len(x)), 5.0, "drift"),
    "quiet": (lambda x: 0.15 * x, 5.0, "too quiet"),
    "another signal": (lambda x: eeg(20, seed=77)[5, : len(x)], 6.0, "unrelated"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_in_time_and_the_channel_taken_back(baseline: Baseline, name: str) -> None:
    damage, delay, word = FAULTS[name]
    signal = eeg(20, seed=3)
    signal[CHANNEL, FAULT] = damage(signal[CHANNEL, FAULT])
    monitor = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    events = monitor.update(signal[:, : FAULT.stop])
    reasons = monitor.states[CHANNEL].reasons
    events += monitor.update(signal[:, FAULT.stop :])
    first, last = changes_of(events)[0], changes_of(events)[-1]
    assert (first.channel, first.bad) == (NAMES[CHANNEL], True)
    assert FAULT.start < first.sample <= FAULT.start + delay * SFREQ
    assert any(word in reason for reason in (*first.reasons, *reasons))
    assert sum("times its amplitude" in reason for reason in reasons) <= 1
    assert {change.channel for change in changes_of(events)} == {NAMES[CHANNEL]}
    assert not last.bad
    assert FAULT.stop + 2 * SFREQ < last.sample <= FAULT.stop + 4.5 * SFREQ
    assert monitor.bad == ()


@pytest.mark.parametrize("offset", [0.0, 10_000.0])
def test_clean_signal_raises_no_alarm(baseline: Baseline, offset: float) -> None:
    monitor, events = run(baseline, eeg(300, seed=4, offset=offset))
    assert events == []
    assert monitor.bad == ()


def test_unit_is_converted(baseline: Baseline) -> None:
    monitor = ChannelMonitor(NAMES, SFREQ, "V", baseline)
    assert monitor.update(1e-6 * eeg(10, seed=4)) == []
    assert monitor.update(eeg(3, seed=5)) != []


def test_exchanged_channels_are_found_with_their_partner(baseline: Baseline) -> None:
    signal = eeg(30, seed=5)
    signal[[2, 7]] = signal[[7, 2]]
    monitor, events = run(baseline, signal)
    assert {change.channel for change in changes_of(events)} == {"E2", "E7"}
    assert set(monitor.bad) == {"E2", "E7"}
    reasons = {state.channel: " ".join(state.reasons) for state in monitor.states}
    assert "exchanged with E7" in reasons["E2"]
    assert "exchanged with E2" in reasons["E7"]


def test_two_pairs_of_exchanged_channels_are_found(baseline: Baseline) -> None:
    signal = eeg(30, seed=5)
    signal[[2, 7, 0, 5]] = signal[[7, 2, 5, 0]]
    monitor, _ = run(baseline, signal)
    reasons = {state.channel: " ".join(state.reasons) for state in monitor.states}
    for one, other in (("E2", "E7"), ("E0", "E5")):
        assert f"exchanged with {other}" in reasons[one]
        assert f"exchanged with {one}" in reasons[other]
    assert set(monitor.bad) == {"E0", "E2", "E5", "E7"}


@pytest.mark.parametrize("channels", [(1, 4, 6), (0, 5, 8)])
def test_noise_of_ordinary_size_accuses_no_other(
    baseline: Baseline, channels: tuple[int, ...]
) -> None:
    """Noise looks neither exchanged with a good channel, nor does it make one unrelated."""
    signal = eeg(60, seed=8)
    size = signal.std(axis=1)
    for channel in channels:
        own = np.random.default_rng(channel).standard_normal(signal.shape[1])
        signal[channel] = 2.0 * size[channel] * own
    monitor, events = run(baseline, signal)
    assert {change.channel for change in changes_of(events)} == {NAMES[one] for one in channels}
    assert set(monitor.bad) == {NAMES[one] for one in channels}
    reasons = " ".join(reason for state in monitor.states for reason in state.reasons)
    assert "exchanged" not in reasons


def test_popping_channel_is_not_taken_for_an_exchanged_one() -> None:
    """Between its jumps its amplitude is ordinary, but it resembles no other."""

    def row_of_electrodes(seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        n = round(60 * SFREQ)
        distance = np.arange(N_CHANNELS)[:, np.newaxis] / 2 - np.linspace(-1, 5.5, 14)
        sources = lfilter([1.0], [1.0, -0.95], rng.standard_normal((14, n)))
        own = lfilter([1.0], [1.0, -0.95], rng.standard_normal((N_CHANNELS, n)))
        return 2.5 * (np.exp(-0.5 * (distance / 1.5) ** 2) @ sources + 0.15 * own)

    signal = row_of_electrodes(10)
    rng = np.random.default_rng(0)
    onset = 5.0
    while onset < 60:
        after = signal[6, round(onset * SFREQ) :]
        jump = rng.choice([-1, 1]) * rng.uniform(500, 1500)
        after += jump * np.exp(-_seconds(len(after)))
        onset += rng.uniform(0.5, 1.5)
    learned = Baseline.fit([row_of_electrodes(1), row_of_electrodes(2)], NAMES, SFREQ, "uV")
    _, events = run(learned, signal)
    assert {change.channel for change in changes_of(events)} == {"E6"}


def test_hundredfold_channel_accuses_no_other(baseline: Baseline) -> None:
    signal = eeg(20, seed=6)
    signal[CHANNEL] *= 100
    monitor, events = run(baseline, signal[:, : round(3 * SFREQ)])
    assert [change.channel for change in changes_of(events)] == [NAMES[CHANNEL]]
    assert monitor.bad == (NAMES[CHANNEL],)


@pytest.mark.parametrize("gain", [8.0, 100.0, 5000.0])
def test_channel_that_is_only_too_large_is_scaled_back(baseline: Baseline, gain: float) -> None:
    signal = eeg(30, seed=6)
    signal[CHANNEL, FAULT.start :] *= gain
    monitor, events = run(baseline, signal)
    lost, back = changes_of(events)
    assert (lost.channel, lost.bad, lost.scale) == (NAMES[CHANNEL], True, 1.0)
    assert lost.sample <= FAULT.start + 1.5 * SFREQ
    assert (back.channel, back.bad) == (NAMES[CHANNEL], False)
    assert back.sample <= FAULT.start + 8 * SFREQ
    assert back.scale == pytest.approx(gain, rel=0.15)
    assert back.reasons == (f"scaled back from {back.scale:.0f} times its amplitude",)
    assert monitor.bad == ()
    np.testing.assert_array_equal(np.flatnonzero(monitor.scales != 1), [CHANNEL])
    state = monitor.states[CHANNEL]
    assert (state.bad, state.scale, state.reasons) == (False, back.scale, back.reasons)
    assert state.measures["amplitude"] == pytest.approx(gain, rel=0.6)
    assert state.measures["disagreement"] < 3


def test_gain_that_ends_leaves_the_channel_out_until_it_is_known_to_be_good(
    baseline: Baseline,
) -> None:
    signal = eeg(40, seed=6)
    end = round(20 * SFREQ)
    signal[CHANNEL, :end] *= 12
    monitor, events = run(baseline, signal)
    *_, lost, back = changes_of(events)
    assert (lost.bad, lost.scale) == (True, 1.0)
    assert end < lost.sample <= end + 1.5 * SFREQ
    assert any("no longer too large" in reason for reason in lost.reasons)
    assert (back.bad, back.scale, back.reasons) == (False, 1.0, ())
    assert back.sample <= lost.sample + 3 * SFREQ
    np.testing.assert_array_equal(monitor.scales, 1.0)


#: What is large, but not the channel's own signal times a gain.
GARBAGE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "white noise": lambda x: 1000 * noise(len(x)),
    "coloured noise": lambda x: 100 * eeg(60, seed=78)[5, : len(x)],
    "the channel and as much noise again, amplified": lambda x: (
        100 * (x + x.std() * eeg(60, seed=79)[1, : len(x)] / 10)
    ),
    "a hum of 21 Hz": lambda x: x + 5000 * np.sin(2 * np.pi * 21 * _seconds(len(x))),
    "clipped": lambda x: np.clip(100 * x, -200, 200),
    "mains, amplified": lambda x: 100 * (x + 300 * np.sin(2 * np.pi * 50 * _seconds(len(x)))),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_large_garbage_stays_out(baseline: Baseline, name: str) -> None:
    signal = eeg(60, seed=6)
    signal[CHANNEL, FAULT.start :] = GARBAGE[name](signal[CHANNEL, FAULT.start :])
    monitor, events = run(baseline, signal)
    assert [(change.channel, change.bad) for change in changes_of(events)] == [("E3", True)]
    np.testing.assert_array_equal(monitor.scales, 1.0)


def test_channel_beyond_what_electrodes_show_is_not_scaled(baseline: Baseline) -> None:
    signal = eeg(30, seed=6)
    signal[CHANNEL] *= 1e5
    monitor, _ = run(baseline, signal)
    assert monitor.bad == (NAMES[CHANNEL],)


def test_noise_that_comes_to_a_scaled_channel_is_found(baseline: Baseline) -> None:
    signal = eeg(40, seed=6)
    signal[CHANNEL] *= 100
    later = slice(round(20 * SFREQ), None)
    signal[CHANNEL, later] += 20_000 * noise(signal[CHANNEL, later].size)
    monitor, events = run(baseline, signal)
    assert [change.bad for change in changes_of(events)] == [True, False, True]
    assert monitor.bad == (NAMES[CHANNEL],)
    np.testing.assert_array_equal(monitor.scales, 1.0)


def test_operator_wins_over_the_scale(baseline: Baseline) -> None:
    signal = eeg(40, seed=6)
    signal[CHANNEL] *= 100
    half = round(20 * SFREQ)
    monitor, _ = run(baseline, signal[:, :half])
    assert monitor.scales[CHANNEL] > 1
    [out] = monitor.choose(NAMES[CHANNEL], "bad")
    assert out.bad
    assert out.reasons[0] == "the operator's choice"
    assert monitor.update(signal[:, half:]) == []
    [back] = monitor.choose(NAMES[CHANNEL], "automatic")
    assert (back.bad, back.scale) == (False, monitor.scales[CHANNEL])
    again = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    again.choose(NAMES[CHANNEL], "good")
    [scaled] = again.update(signal)
    assert not scaled.bad
    assert scaled.scale == pytest.approx(100, rel=0.15)


def test_gains_of_half_of_the_channels(baseline: Baseline) -> None:
    signal = eeg(40, seed=6)
    gains = np.where(np.isin(np.arange(N_CHANNELS), [0, 2, 5, 6, 9]), 50.0, 1.0)
    monitor, _ = run(baseline, signal * gains[:, np.newaxis])
    assert monitor.bad == ()
    np.testing.assert_allclose(monitor.scales, gains, rtol=0.3)


def test_half_of_the_channels_are_found(baseline: Baseline) -> None:
    signal = eeg(20, seed=6)
    wrong = [0, 2, 5, 6, 9]
    signal[wrong] += 200 * np.random.default_rng(0).standard_normal((5, signal.shape[1]))
    monitor, _ = run(baseline, signal)
    assert monitor.bad == tuple(NAMES[channel] for channel in wrong)


def test_all_channels_bad_and_recovery(baseline: Baseline) -> None:
    signal = eeg(20, seed=7)
    signal[:, FAULT] = 0.0
    monitor, events = run(baseline, signal)
    lost = [change for change in changes_of(events) if change.bad]
    assert {change.channel for change in lost} == set(NAMES)
    assert max(change.sample for change in lost) <= FAULT.start + 1.5 * SFREQ
    assert monitor.bad == ()


def test_movement_on_all_channels_is_told_but_condemns_none(baseline: Baseline) -> None:
    signal = eeg(20, seed=8)
    movement = slice(round(8 * SFREQ), round(9.5 * SFREQ))
    signal[:, movement] *= 12
    _, events = run(baseline, signal)
    assert [type(event) for event in events] == [Widespread, Widespread]
    assert [event.begins for event in events] == [True, False]
    assert len(events[0].channels) > N_CHANNELS / 2


def test_lasting_noise_on_all_channels_is_not_excused(baseline: Baseline) -> None:
    signal = eeg(20, seed=8)
    signal[:, round(8 * SFREQ) :] *= 30
    monitor, _ = run(baseline, signal)
    assert monitor.bad == NAMES


@given(cuts=st.lists(st.integers(0, 15 * 256), max_size=40), seed=st.integers(0, 3))
@settings(max_examples=15, deadline=None)
def test_chunks_do_not_matter(baseline: Baseline, cuts: list[int], seed: int) -> None:
    signal = eeg(15, seed=10 + seed)
    signal[1, 800:2000] *= 30
    signal[2, 1000:1400] = np.nan
    _, whole = run(baseline, signal)
    monitor = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    parts: list = []
    for part in np.split(signal, sorted(cuts), axis=1):
        parts += monitor.update(part)
    assert parts == whole
    assert parts


def test_operator_wins(baseline: Baseline) -> None:
    signal = eeg(20, seed=11)
    signal[CHANNEL] = 0.0
    monitor = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    assert monitor.choose(NAMES[CHANNEL], "good") == []
    [forced] = monitor.choose("E8", "bad")
    assert forced.bad
    assert forced.reasons == ("the operator's choice",)
    assert monitor.update(signal) == []
    assert monitor.bad == ("E8",)
    states = {state.channel: state for state in monitor.states}
    assert states[NAMES[CHANNEL]].reasons == ("flat",)
    assert not states[NAMES[CHANNEL]].bad
    [found] = monitor.choose(NAMES[CHANNEL], "automatic")
    assert (found.bad, found.reasons) == (True, ("flat",))
    [back] = monitor.choose("E8", "automatic")
    assert not back.bad


def test_forced_bad_channel_predicts_no_other(baseline: Baseline) -> None:
    signal = eeg(20, seed=11)
    monitor = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    monitor.choose(NAMES[CHANNEL], "bad")
    monitor.update(signal)
    reference = {s.channel: s.measures["disagreement"] for s in monitor.states}
    signal[CHANNEL] *= 1.3
    again = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    again.choose(NAMES[CHANNEL], "bad")
    again.update(signal)
    for state in again.states:
        if state.channel != NAMES[CHANNEL]:
            assert state.measures["disagreement"] == pytest.approx(reference[state.channel])


def test_reset_forgets_samples_but_no_state(baseline: Baseline) -> None:
    signal = eeg(20, seed=12)
    signal[CHANNEL, 2000:] = 0.0
    monitor, _ = run(baseline, signal)
    monitor.reset()
    assert monitor.bad == (NAMES[CHANNEL],)
    # the offset has changed over the gap: no jump
    assert monitor.update(eeg(10, seed=13) + 1e5)[-1].channel == NAMES[CHANNEL]
    assert monitor.bad == ()


def test_subset_in_another_order_and_an_unknown_channel(baseline: Baseline) -> None:
    signal = eeg(10, seed=14)
    order = [7, 2, 4, 0, 9]
    names = [NAMES[channel] for channel in order]
    monitor = ChannelMonitor([*names, "new"], SFREQ, "uV", baseline)
    clean = np.vstack([signal[order], eeg(10, seed=15)[0]])
    assert monitor.update(clean) == []
    clean[1] = 0.0
    monitor.update(clean)
    assert monitor.bad == ("E2",)


def test_unknown_channel_and_wrong_chunk_are_refused(baseline: Baseline) -> None:
    monitor = ChannelMonitor(NAMES, SFREQ, "uV", baseline)
    with pytest.raises(InputError, match="Choose from E0"):
        monitor.choose("Q1", "bad")
    with pytest.raises(InputError, match=r"\(10, samples\)"):
        monitor.update(np.zeros((3, 10)))


@pytest.mark.parametrize("sfreq", [100.0, 160.0, 250.0, 2048.0])
def test_other_rates(sfreq: float) -> None:
    rng = np.random.default_rng(0)
    n = round(40 * sfreq)
    signal = 10 * (MIXING[:, :2] @ rng.standard_normal((2, n)) + rng.standard_normal((10, n)))
    learned = Baseline.fit([signal[:, : n // 2]], NAMES, sfreq, "uV")
    monitor = ChannelMonitor(NAMES, sfreq, "uV", learned)
    assert monitor.update(signal[:, n // 2 :]) == []
    monitor.update(np.zeros((10, round(1.5 * sfreq))))
    assert monitor.bad == NAMES


def test_baseline_survives_storage(baseline: Baseline) -> None:
    arrays = baseline.to_arrays()
    restored = Baseline.from_arrays(NAMES, arrays)
    signal = eeg(15, seed=16)
    signal[CHANNEL] *= 10
    assert run(restored, signal)[1] == run(baseline, signal)[1]
    del arrays["correlation"]
    with pytest.raises(InputError, match="calibrate again"):
        Baseline.from_arrays(NAMES, arrays)


def test_baseline_passes_over_a_dead_channel_and_an_artefact() -> None:
    calibration = eeg(60, seed=17)
    calibration[CHANNEL] = 0.0
    calibration[:, 3000:3100] = np.nan
    learned = Baseline.fit([calibration], NAMES, SFREQ, "uV")
    assert np.isfinite(learned.correlation).all()
    assert np.isfinite(learned.quantiles).all()
    monitor, _ = run(learned, eeg(10, seed=18))
    assert monitor.bad == ()


def test_baseline_needs_signal() -> None:
    with pytest.raises(InputError, match="4 seconds"):
        Baseline.fit([np.zeros((10, 5000))], NAMES, SFREQ, "uV")
    with pytest.raises(InputError, match="4 seconds"):
        Baseline.fit([eeg(2, seed=1)], NAMES, SFREQ, "uV")


def test_measures_are_told_as_ratios(baseline: Baseline) -> None:
    signal = eeg(10, seed=19)
    signal[CHANNEL] *= 20
    monitor, _ = run(baseline, signal)
    measures = monitor.states[CHANNEL].measures
    assert set(measures) == set(MEASURES)
    assert measures["amplitude"] == pytest.approx(20, rel=0.5)
