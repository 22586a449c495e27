"""The measure of the monitor, on simulated recordings whose faults are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import lfilter

from sjepa_online.data import Recording
from sjepa_online.errors import InputError
from sjepa_online.evaluation.bad_channels.monitor import (
    evaluate_monitor,
    halves,
    n_steps,
    summarise_delays,
    without_padding,
)

SFREQ = 200.0
NAMES = ("C3", "Cz", "C4", "Pz")


def make(seed: int, seconds: float = 60.0, own_share: float = 0.5) -> Recording:
    rng = np.random.default_rng(seed)
    n = round(seconds * SFREQ)
    mixing = np.random.default_rng(0).standard_normal((4, 2))
    sources = lfilter([1.0], [1.0, -0.9], rng.standard_normal((2, n)))
    own = lfilter([1.0], [1.0, -0.9], rng.standard_normal((4, n)))
    return Recording(
        name=f"simulated {seed}",
        data=(5 * (mixing @ sources + own_share * own)).astype(np.float32),
        unit="uV",
        sfreq=SFREQ,
        ch_names=NAMES,
        onsets=np.array([1.0]),
        labels=("T1",),
        breaks=np.array([20.0]),
        simulated=True,
    )


def test_false_alarms_are_counted_and_faults_detected() -> None:
    wrong = make(2)
    wrong.data[1, 4000:6000] = 0.0
    steps: list[int] = []
    scores = evaluate_monitor([make(0)], [make(1), wrong], 2, 0, lambda: steps.append(1))
    [alarm] = scores.false_alarms
    assert (alarm.recording, alarm.channel, alarm.reasons) == ("simulated 2", "Cz", ("flat",))
    assert 20 < alarm.time < 21.5
    assert scores.channel_hours == pytest.approx(2 * 60 * 4 / 3600)
    # ten seconds of silence, and the time to take the channel back
    assert 10 < scores.bad_share * scores.channel_hours * 3600 < 15
    document = scores.to_json()
    for kind in ("flat", "rail", "pop", "dropped", "gain x100"):
        assert document["faults"][kind]["detected"] == 1.0
        assert document["faults"][kind]["within_1.5_s"] == 1.0
        assert 0 < document["faults"][kind]["delay_median_s"] < 1.5
    assert len(steps) == n_steps(2)


def test_channels_that_are_only_too_large_are_scaled_back() -> None:
    train, test = make(0, own_share=0.1), make(1, own_share=0.1)
    faults = evaluate_monitor([train], [test], 1, 0).to_json()["faults"]
    assert faults["gain x100"]["scaled_back"] == 1.0
    assert {faults[kind]["scaled_back"] for kind in ("pop", "rail", "dropped", "noise")} == {0.0}


def test_summary_of_delays() -> None:
    summary = summarise_delays([0.5, 1.0, 3.0, None])
    assert summary["detected"] == 0.75
    assert summary["within_1.5_s"] == 0.5
    assert summary["delay_median_s"] == 1.0
    assert summarise_delays([None])["delay_95_s"] is None
    assert summarise_delays([])["detected"] is None


def test_one_channel_is_refused() -> None:
    alone = [replace(make(seed), data=make(seed).data[:1], ch_names=("C3",)) for seed in (0, 1)]
    with pytest.raises(InputError, match="two or more channels"):
        evaluate_monitor(alone[:1], alone[1:], 1, 0)


def test_padding_is_left_out_and_recordings_are_halved() -> None:
    recording = make(0)
    recording.data[:, -300:] = 0.0
    trimmed = without_padding(recording)
    assert trimmed.data.shape[1] in (12_000 - 300, 12_000 - 299)
    first, second = halves(make(0))
    np.testing.assert_array_equal(np.hstack([first.data, second.data]), make(0).data)
    assert first.breaks.tolist() == [20.0]
    assert second.breaks.tolist() == []


def test_short_recording_and_other_montage_are_refused() -> None:
    with pytest.raises(InputError, match="longer than 25 s"):
        evaluate_monitor([make(0)], [make(1, 20)], 1, 0)
    other = make(1)
    object.__setattr__(other, "sfreq", 100.0)
    with pytest.raises(InputError, match="100 Hz"):
        evaluate_monitor([make(0)], [other], 1, 0)
