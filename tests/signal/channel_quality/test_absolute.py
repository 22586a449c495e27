"""Faults put into simulated EEG are found without a calibration, and clean EEG has none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.signal import lfilter

from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.absolute import REMEDIES, AbsoluteMonitor

SFREQ = 500.0
NAMES = tuple(f"E{number}" for number in range(8))
CHANNEL = 3
Signal = np.ndarray


def eeg(seconds: float, seed: int = 0) -> Signal:
    """Coloured noise of some 15 µV that channels share in part, with an offset of each."""
    rng = np.random.default_rng(seed)
    n = round(seconds * SFREQ)
    colour = [1.0], [1.0, -0.98]
    sources = lfilter(*colour, rng.standard_normal((4, n)))
    own = lfilter(*colour, rng.standard_normal((len(NAMES), n)))
    mixing = np.random.default_rng(1).standard_normal((len(NAMES), 4))
    offsets = 400.0 * np.arange(-3, 5)[:, np.newaxis]
    return 2.0 * (mixing @ sources + own) + rng.standard_normal((len(NAMES), n)) + offsets


def times(signal: Signal) -> Signal:
    return np.arange(signal.shape[1]) / SFREQ


def with_channel(change: Callable[[Signal, Signal], Signal]) -> Signal:
    signal = eeg(4.0)
    signal[CHANNEL] = change(signal[CHANNEL], times(signal))
    return signal


FAULTS: dict[str, Callable[[Signal, Signal], Signal]] = {
    "missing": lambda x, t: np.full_like(x, np.nan),
    "flat": lambda x, t: 0.1 * np.sin(t),
    "railed": lambda x, t: np.full_like(x, 187_500.0),
    "large": lambda x, t: 10 * x + 400 * np.sin(2 * np.pi * 7 * t),
    "mains": lambda x, t: x + 60 * np.sin(2 * np.pi * 50 * t),
    "noise": lambda x, t: x + 40 * np.random.default_rng(5).standard_normal(len(t)),
    "drift": lambda x, t: x + 1500 * t,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_within_a_second_with_its_reason_and_remedy(fault: str) -> None:
    signal = with_channel(FAULTS[fault])
    monitor = AbsoluteMonitor(NAMES, SFREQ, "uV")
    assert monitor.update(signal[:, : round(SFREQ)])
    bad = [one for one in monitor.verdicts if one.bad]
    assert [one.channel for one in bad] == [NAMES[CHANNEL]]
    assert fault in bad[0].faults
    assert bad[0].remedy == REMEDIES[bad[0].faults[0]]


def test_clean_eeg_has_no_fault_and_its_amplitude_is_told() -> None:
    signal = eeg(60.0, seed=3)
    monitor = AbsoluteMonitor(NAMES, SFREQ, "uV")
    found = []
    for start in range(0, signal.shape[1], 125):
        monitor.update(signal[:, start : start + 125])
        found += [one for one in monitor.verdicts if one.bad]
    assert not found
    spectrum = np.abs(np.fft.rfft(signal)) ** 2 * 2 / signal.shape[1] ** 2
    frequencies = np.fft.rfftfreq(signal.shape[1], 1 / SFREQ)
    expected = np.sqrt(spectrum[:, (frequencies >= 3) & (frequencies <= 41)].sum(axis=1))
    told = [one.amplitude for one in monitor.verdicts]
    np.testing.assert_allclose(told, expected, rtol=0.6)


def test_two_bridged_channels_name_each_other_after_two_seconds() -> None:
    signal = eeg(4.0)
    signal[5] = signal[CHANNEL] + 0.1 * np.random.default_rng(2).standard_normal(signal.shape[1])
    monitor = AbsoluteMonitor(NAMES, SFREQ, "uV")
    monitor.update(signal)
    reasons = {one.channel: one.reasons for one in monitor.verdicts if one.bad}
    assert reasons == {"E3": ("bridged with E5",), "E5": ("bridged with E3",)}


def test_a_blink_is_no_fault() -> None:
    signal = eeg(5.0)
    signal[CHANNEL] += 250 * np.exp(-(((times(signal) - 3) / 0.1) ** 2))
    monitor = AbsoluteMonitor(NAMES, SFREQ, "uV")
    for start in range(0, signal.shape[1], 125):
        monitor.update(signal[:, start : start + 125])
        assert not any(one.bad for one in monitor.verdicts)


def test_a_slow_drift_is_found_once_it_lasts_longer_than_a_look_to_the_side() -> None:
    glance, lasting = eeg(4.0), eeg(4.0)
    for signal, seconds in ((glance, 1.0), (lasting, 4.0)):
        signal[CHANNEL] += 400 * np.clip(times(signal) - 0.5, 0.0, seconds)
    found = []
    for signal in (glance, lasting):
        monitor = AbsoluteMonitor(NAMES, SFREQ, "uV")
        faults = set()
        for start in range(0, signal.shape[1], 125):
            monitor.update(signal[:, start : start + 125])
            faults |= {fault for one in monitor.verdicts for fault in one.faults}
        found.append(faults)
    assert found == [set(), {"drift"}]


def test_a_channel_that_is_mended_is_good_again_after_two_seconds_and_a_half() -> None:
    signal = eeg(8.0)
    signal[CHANNEL, : round(4 * SFREQ)] = 0.0
    monitor = AbsoluteMonitor(NAMES, SFREQ, "uV")
    monitor.update(signal[:, : round(4 * SFREQ)])
    assert monitor.verdicts[CHANNEL].faults == ("flat",)
    monitor.update(signal[:, round(4 * SFREQ) : round(7 * SFREQ)])
    assert not monitor.verdicts[CHANNEL].bad


def test_verdicts_do_not_depend_on_chunks_or_unit() -> None:
    signal = with_channel(FAULTS["mains"])
    whole = AbsoluteMonitor(NAMES, SFREQ, "uV")
    whole.update(signal)
    pieces = AbsoluteMonitor(NAMES, SFREQ, "V")
    for start in range(0, signal.shape[1], 37):
        pieces.update(1e-6 * signal[:, start : start + 37])
    assert [(one.faults, one.reasons) for one in whole.verdicts] == [
        (one.faults, one.reasons) for one in pieces.verdicts
    ]


def test_without_a_unit_only_dead_channels_are_judged() -> None:
    signal = with_channel(FAULTS["large"])
    signal[0] = 5.0
    monitor = AbsoluteMonitor(NAMES, SFREQ, None)
    monitor.update(signal)
    assert {one.channel: one.faults for one in monitor.verdicts if one.bad} == {"E0": ("flat",)}


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(InputError, match="unit"):
        AbsoluteMonitor(NAMES, SFREQ, "furlong")
