from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sjepa_online.data import make_trials
from sjepa_online.evaluation.report.channels import mains_shares, report_channels
from sjepa_online.signal import PreprocessorConfig


def _report(recording, protocol):
    trials = make_trials([recording], protocol, PreprocessorConfig())
    return {channel.name: channel for channel in report_channels(trials, [recording])}


def test_amplitudes_are_in_microvolts(scalp_recording, protocol_of):
    channels = _report(scalp_recording("mi", strength=0.0), protocol_of("mi"))
    for channel in channels.values():
        # 10 µV of white noise up to 100 Hz, of which the filter leaves 0.5 to 40 Hz
        assert channel.amplitude == pytest.approx(10 * np.sqrt(39.5 / 100), rel=0.1)
        assert channel.ratio == pytest.approx(1.0, abs=0.1)
        assert channel.complaint == ""


def test_loud_quiet_flat_and_humming_channels_are_pointed_out(scalp_recording, protocol_of):
    recording = scalp_recording("mi", strength=0.0)
    data = recording.data.copy()
    data[1] *= 8
    data[2] *= 0.1
    data[3] = 0
    data[5] += 40 * np.sin(2 * np.pi * 60 * np.arange(data.shape[1]) / recording.sfreq)
    channels = _report(replace(recording, data=data), protocol_of("mi"))
    assert channels["C4"].complaint == "C4 has 8.0 times the median amplitude"
    assert channels["Cz"].complaint == "Cz has only 0.10 times the median amplitude"
    assert channels["Pz"].complaint == "Pz is flat"
    # 800 µV² of mains against 69 of the noise's 100 Hz
    assert channels["Fz"].mains == pytest.approx(800 / (800 + 69), abs=0.02)
    assert "of the power of Fz is mains" in channels["Fz"].complaint
    assert {name for name, one in channels.items() if not one.complaint} == {"C3", "Oz", "O1", "O2"}


@pytest.mark.parametrize("mains", [50, 60])
def test_a_single_channel_that_hums_tells_the_frequency_of_the_mains(scalp_recording, mains):
    recording = scalp_recording("mi", strength=0.0)
    data = recording.data.copy()
    data[0] += 40 * np.sin(2 * np.pi * mains * np.arange(data.shape[1]) / recording.sfreq)
    # the others have more at the other frequency
    seconds = np.arange(data.shape[1]) / recording.sfreq
    data[1:] += 0.5 * np.sin(2 * np.pi * (110 - mains) * seconds)
    shares = mains_shares([replace(recording, data=data)], recording.ch_names)
    assert shares[0] > 0.5
    assert max(shares[1:]) < 0.1


def test_a_rate_that_shows_no_mains_says_so(scalp_recording):
    recording = replace(scalp_recording("mi"), sfreq=120.0)
    assert mains_shares([recording], ["C3", "C4"]) == [None, None]


def test_gaps_in_the_signal_do_not_spoil_the_mains(scalp_recording):
    recording = scalp_recording("mi")
    data = recording.data.copy()
    data[0, 100:200] = np.nan
    shares = mains_shares([replace(recording, data=data)], ["C3", "C4"])
    assert all(0 <= share < 0.1 for share in shares)
