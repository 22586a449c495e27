from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import resample_poly

from sjepa_online.data.recording import Rejected
from sjepa_online.data.trials import electrodes_told, make_trials
from sjepa_online.errors import InputError
from sjepa_online.protocol import Window, load_protocol
from sjepa_online.signal.preprocessor import Preprocessor, PreprocessorConfig

CONFIG = PreprocessorConfig()


@pytest.fixture
def protocol():
    """The shipped protocol with a window that begins at the marker."""
    shipped = load_protocol("ssvep-exo")
    return shipped.model_copy(update={"window": Window(start=0.0, length=4.1875)})


def test_trials_have_the_protocols_shape_and_classes(recording, protocol):
    trials = make_trials([recording, recording], protocol, CONFIG)
    assert trials.X.shape == (6, 3, protocol.n_times)
    assert trials.X.dtype == np.float32
    assert trials.y.tolist() == ["13", "rest", "21"] * 2
    assert trials.recording.tolist() == [0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(trials.onset, [1.5, 8.25, 15.0] * 2)
    assert trials.ch_names == ("Oz", "O1", "O2")
    assert trials.dropped == ()


def test_aliases_stand_for_their_class(recording, protocol):
    trials = make_trials([replace(recording, labels=("13.0", "other", "rest"))], protocol, CONFIG)
    assert trials.y.tolist() == ["13", "rest"]
    np.testing.assert_allclose(trials.onset, [1.5, 15.0])


def test_window_shows_what_followed_the_onset(recording, protocol):
    """A burst of 15 Hz half a second after each onset lies there in the window, too."""
    seconds = np.arange(recording.data.shape[1]) / recording.sfreq
    burst = sum(
        np.exp(-(((seconds - onset - 0.5) / 0.1) ** 2))
        * np.cos(2 * np.pi * 15 * (seconds - onset - 0.5))
        for onset in recording.onsets
    )
    data = np.tile(100 * burst, (3, 1)).astype(np.float32)
    trials = make_trials([replace(recording, data=data + recording.data / 20)], protocol, CONFIG)
    # scipy's linear-phase resampling has no delay, so it says where the burst belongs
    expected = resample_poly(data[0], 1, 2)[192 : 192 + protocol.n_times]
    for trial in trials.X[:, 0]:
        lags = np.correlate(trial, expected, mode="full")
        assert abs(int(lags.argmax()) - (len(expected) - 1)) <= 1
        assert np.corrcoef(trial, expected)[0, 1] > 0.9


def test_long_recordings_are_filtered_in_one_piece(recording, protocol):
    """Chunks of 60 s leave no seam."""
    data = np.tile(recording.data, (1, 6))
    onsets = np.array([57.0, 59.5, 119.0])
    trials = make_trials([replace(recording, data=data, onsets=onsets)], protocol, CONFIG)
    preprocessor = Preprocessor(recording.ch_names, recording.sfreq, "uV", CONFIG)
    whole = preprocessor.update(data)
    for trial, onset in zip(trials.X, onsets, strict=True):
        start = round((onset + preprocessor.delay) * 128)
        np.testing.assert_allclose(trial, whole[:, start : start + protocol.n_times], atol=1e-4)


def test_channels_are_reordered_as_in_the_first_recording(recording, protocol):
    other = replace(recording, data=recording.data[::-1].copy(), ch_names=("O2", "O1", "Oz"))
    trials = make_trials([recording, other], protocol, CONFIG)
    np.testing.assert_allclose(trials.X[:3], trials.X[3:], atol=1e-4)


def test_channels_that_are_not_asked_for_leave_the_reference_alone(recording, protocol):
    config = PreprocessorConfig(reference="average")
    trials = make_trials([recording], protocol, config, ch_names=("O2", "Oz"))
    assert trials.ch_names == ("O2", "Oz")
    np.testing.assert_allclose(trials.X.sum(axis=1), 0, atol=1e-3)


def test_missing_channels_are_named(recording, protocol):
    other = replace(recording, name="second", ch_names=("Oz", "O1", "PO8"))
    with pytest.raises(InputError, match=r"second.*missing O2"):
        make_trials([recording, other], protocol, CONFIG, ch_names=recording.ch_names)


def test_electrodes_in_common_are_taken_whatever_the_order_of_the_recordings(recording, protocol):
    """The second cap has another order, another spelling and another electrode."""
    data = np.concatenate([recording.data[[2, 0]], recording.data[[0]]])
    other = replace(recording, name="second", data=data, ch_names=("o2", "EEG Oz-Ref", "PO8"))
    there = make_trials([recording, other], protocol, CONFIG)
    back = make_trials([other, recording], protocol, CONFIG)
    assert there.ch_names == ("Oz", "O2")
    assert back.ch_names == ("o2", "EEG Oz-Ref")
    n = len(there.y) // 2
    np.testing.assert_array_equal(there.X[:n], there.X[n:])
    np.testing.assert_array_equal(back.X, np.concatenate([there.X[n:], there.X[:n]])[:, ::-1])
    assert "second: PO8, not in every recording" in there.dropped
    assert any(reason.startswith("simulated: O1, not in") for reason in there.dropped)


def test_recordings_without_a_common_electrode_are_refused(recording, protocol):
    other = replace(recording, name="second", ch_names=("C3", "Cz", "C4"))
    with pytest.raises(InputError, match=r"no electrode in common.*second: C3, Cz, C4"):
        make_trials([recording, other], protocol, CONFIG)


def test_recording_without_the_protocols_classes_lists_what_it_has(recording):
    with pytest.raises(InputError, match=r"labels 13 \(1\), rest \(1\), 21 \(1\).*left_hand"):
        make_trials([recording], load_protocol("mi"), CONFIG)


def test_recording_without_events_is_refused(recording, protocol):
    silent = replace(recording, onsets=np.empty(0), labels=())
    with pytest.raises(InputError, match=r"labels \(none\)"):
        make_trials([recording, silent], protocol, CONFIG)


def test_no_recording_is_refused(protocol):
    with pytest.raises(InputError, match="no recording to cut"):
        make_trials([], protocol, CONFIG)


def test_trials_that_reach_beyond_the_recording_are_counted(recording, protocol):
    cut = replace(recording, onsets=np.array([-1.0, 8.25, 19.0]))
    trials = make_trials([cut], protocol, CONFIG)
    assert trials.y.tolist() == ["rest"]
    assert [reason.split(" reach ")[1] for reason in trials.dropped] == [
        "before the recording's start (-1.0 s)",
        "past the recording's end (19.0 s)",
    ]


def test_trials_across_a_break_are_left_out(recording, protocol):
    trials = make_trials([replace(recording, breaks=np.array([9.0]))], protocol, CONFIG)
    assert trials.y.tolist() == ["13", "21"]
    assert "1 of 3 trials reach across a break" in trials.dropped[0]


def test_filters_start_afresh_after_a_break(recording, protocol):
    """What was before the break has no part in a trial behind it."""
    cut = 6 * round(recording.sfreq)
    data = recording.data.copy()
    data[:, :cut] += 50_000.0
    breaks = np.array([cut / recording.sfreq])
    behind = replace(
        recording,
        data=data[:, cut:],
        onsets=recording.onsets[1:] - 6.0,
        labels=recording.labels[1:],
    )
    whole = make_trials([replace(recording, data=data, breaks=breaks)], protocol, CONFIG)
    alone = make_trials([behind], protocol, CONFIG)
    np.testing.assert_allclose(whole.X[-2:], alone.X, atol=1e-3)


@pytest.mark.parametrize("paused", [9.0, 12.4])
def test_trials_with_a_pause_inside_are_left_out(recording, protocol, paused):
    """The second trial lasts from 8.25 to 12.44 s."""
    onsets = np.sort(np.append(recording.onsets, [paused, 12.5]))
    labels = ("13", "rest", "pause", "pause", "21")
    trials = make_trials([replace(recording, onsets=onsets, labels=labels)], protocol, CONFIG)
    assert trials.y.tolist() == ["13", "21"]
    assert "pause" in trials.dropped[0]


@pytest.mark.parametrize("segment", [(8.0, 8.3), (9.0, 10.0), (12.4, 14.0), (8.0, 14.0)])
def test_trials_with_a_rejected_segment_inside_are_left_out(recording, protocol, segment):
    rejected = (Rejected(*segment, "BAD_blink"), Rejected(12.5, 14.9, "BAD_pause"))
    trials = make_trials([replace(recording, rejected=rejected)], protocol, CONFIG)
    assert trials.y.tolist() == ["13", "21"]
    assert "marked as bad" in trials.dropped[0]


def test_trials_with_nan_are_left_out_unless_the_channel_is_marked_as_bad(recording, protocol):
    data = recording.data.copy()
    data[1, 2200:2300] = np.nan
    spoiled = replace(recording, data=data)
    trials = make_trials([spoiled], protocol, CONFIG)
    assert trials.y.tolist() == ["13", "21"]
    assert "not finite" in trials.dropped[0]
    assert np.isfinite(trials.X).all()
    marked = make_trials([replace(spoiled, bad=("O1",))], protocol, CONFIG)
    assert marked.y.tolist() == ["13", "rest", "21"]
    assert np.isfinite(marked.X).all()


def test_a_channel_that_one_recording_marks_as_bad_is_left_out_of_all(recording, protocol):
    marking = replace(recording, name="second", bad=("O1",))
    trials = make_trials([recording, marking], protocol, CONFIG)
    assert trials.ch_names == tuple(name for name in recording.ch_names if name != "O1")
    assert trials.dropped == ("second: O1, marked as bad",)


def test_recordings_that_mark_every_channel_between_them_are_refused(recording, protocol):
    first, *others = recording.ch_names
    parts = [replace(recording, bad=(first,)), replace(recording, bad=tuple(others))]
    with pytest.raises(InputError, match="Every channel is marked as bad"):
        make_trials(parts, protocol, CONFIG)


def test_trials_in_which_every_channel_is_frozen_are_left_out(recording, protocol):
    data = recording.data.copy()
    start = round(recording.onsets[1] * recording.sfreq)
    stop = start + round(protocol.window.length * recording.sfreq)
    data[:, start:stop] = data[:, [start]]
    trials = make_trials([replace(recording, data=data)], protocol, CONFIG)
    assert trials.y.tolist() == ["13", "21"]
    assert "do not change" in trials.dropped[0]


def test_no_trial_left_is_refused_with_the_reasons(recording, protocol):
    with pytest.raises(InputError, match=r"3 of 3 trials reach past the recording's end"):
        make_trials([replace(recording, onsets=np.array([19.0, 20, 21]))], protocol, CONFIG)


def test_volts_under_the_name_of_microvolts_are_refused(recording, protocol):
    volts = replace(recording, data=recording.data * np.float32(1e-6))
    with pytest.raises(InputError, match=r"too small.*simulated.*unit uV.*suit V\b"):
        make_trials([volts], protocol, CONFIG)


def test_constant_recording_is_refused(recording, protocol):
    constant = replace(recording, data=np.full_like(recording.data, 5.0))
    with pytest.raises(InputError, match="every channel is constant"):
        make_trials([constant], protocol, CONFIG)


def test_rate_that_cannot_be_resampled_is_refused(recording, protocol):
    with pytest.raises(InputError, match="simulated: 50"):
        make_trials([replace(recording, sfreq=50.0)], protocol, CONFIG)


def test_imagery_is_read_from_the_cortex_where_there_are_enough_electrodes(simulated_recording):
    classes = ("left_hand", "right_hand")
    recording = simulated_recording(n_trials=6, classes=classes)
    imagery = load_protocol("mi").model_copy(update={"window": Window(start=0.0, length=1.1875)})

    def read(protocol, *bad):
        return make_trials([replace(recording, bad=bad)], protocol, CONFIG).ch_names

    assert read(imagery) == ("C3", "Cz", "C4")
    assert "C3, Cz, C4, and not Pz" in electrodes_told([recording], imagery)
    everything = imagery.reading("all")
    assert read(everything) == ("C3", "Cz", "C4", "Pz")
    assert electrodes_told([recording], everything) == ""
    # two electrodes are too few
    assert read(imagery, "Cz") == ("C3", "C4", "Pz")
    # what is no imagery is read from everywhere
    assert read(imagery.model_copy(update={"paradigm": "erp"})) == ("C3", "Cz", "C4", "Pz")
