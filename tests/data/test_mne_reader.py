from __future__ import annotations

import datetime
import logging

import mne
import numpy as np
import pytest

from sjepa_online.data.mne_reader import read_mne_file, recording_from_raw
from sjepa_online.errors import InputError


def _same(read, expected, microvolts):
    np.testing.assert_allclose(read.data, expected.data, atol=microvolts, rtol=0)
    np.testing.assert_allclose(read.onsets, expected.onsets, atol=1e-6)
    assert read.labels == expected.labels
    assert read.ch_names == expected.ch_names
    assert (read.unit, read.sfreq) == ("uV", 256.0)


def test_fif_round_trip(tmp_path, make_raw, recording):
    path = tmp_path / "sub-03_ses-2_run-1_raw.fif"
    make_raw().save(path, verbose="error")
    read = read_mne_file(path)
    _same(read, recording, microvolts=1e-4)
    assert (read.name, read.subject, read.session, read.run) == (str(path), "03", "2", "1")
    assert not read.simulated


@pytest.mark.parametrize("suffix", [".edf", ".vhdr"])
def test_other_formats_round_trip(tmp_path, make_raw, recording, suffix):
    raw = make_raw()
    raw.set_meas_date(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
    path = tmp_path / f"run{suffix}"
    if suffix == ".edf":
        mne.export.export_raw(path, raw, physical_range=(-300, 300), verbose="error")
    else:
        pytest.importorskip("pybv")
        mne.export.export_raw(path, raw, verbose="error")
    _same(read_mne_file(path), recording, microvolts=0.06)


@pytest.mark.parametrize("dated", [False, True])
@pytest.mark.parametrize("first_samp", [0, 1000])
def test_onsets_count_from_the_first_sample(tmp_path, make_raw, recording, dated, first_samp):
    raw = make_raw(first_samp=first_samp)
    if dated:
        raw.set_meas_date(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        raw.set_annotations(
            mne.Annotations(
                recording.onsets + raw.first_time,
                5.0,
                recording.labels,
                orig_time=raw.info["meas_date"],
            )
        )
    path = tmp_path / "run_raw.fif"
    raw.save(path, verbose="error")
    np.testing.assert_allclose(read_mne_file(path).onsets, recording.onsets, atol=1e-6)


def test_cropped_recording_keeps_events_in_place(make_raw):
    raw = make_raw().crop(tmin=7.0)
    np.testing.assert_allclose(recording_from_raw(raw, name="cropped").onsets, [1.25, 8.0])


def test_only_eeg_is_kept_under_its_standard_name(make_raw, recording):
    raw = make_raw(ch_names=("EEG Fc5.", "EOG left", "FP1"))
    extra = make_raw(ch_names=("misc1", "STI 014", "T3"), annotate=False)
    extra.set_channel_types({"misc1": "misc", "STI 014": "stim"}, on_unit_change="ignore")
    raw.add_channels([extra])
    read = recording_from_raw(raw, name="mixed")
    assert read.ch_names == ("FC5", "Fp1", "T7")
    np.testing.assert_allclose(read.data, recording.data[[0, 2, 2]], atol=1e-4)


def test_channels_that_the_file_marks_as_bad(make_raw):
    raw = make_raw(ch_names=("Oz.", "O1", "EOG"))
    raw.info["bads"] = ["Oz.", "EOG"]
    assert recording_from_raw(raw, name="bads").bad == ("Oz",)


def test_unknown_electrode_is_refused_with_the_recording_named(make_raw):
    with pytest.raises(InputError, match=r"my run: 'Channel 9'"):
        recording_from_raw(make_raw(ch_names=("Oz", "O1", "Channel 9")), name="my run")


def test_recording_without_eeg_is_refused(make_raw):
    raw = make_raw()
    raw.set_channel_types(dict.fromkeys(raw.ch_names, "emg"), on_unit_change="ignore")
    with pytest.raises(InputError, match="at least one EEG channel"):
        recording_from_raw(raw, name="emg")


def test_bad_and_edge_annotations_are_no_events(make_raw):
    raw = make_raw()
    raw.annotations.append([2.0, 3.0], [1.0, 0.0], ["BAD_blink", "EDGE something"])
    read = recording_from_raw(raw, name="annotated")
    assert read.labels == ("13", "rest", "21")
    assert read.breaks.size == 0


def test_joints_are_breaks(make_raw):
    raw = mne.concatenate_raws([make_raw(), make_raw()], verbose="error")
    read = recording_from_raw(raw, name="joined")
    np.testing.assert_allclose(read.breaks, [22.0], atol=1 / 256)
    np.testing.assert_allclose(read.onsets, [1.5, 8.25, 15.0, 23.5, 30.25, 37.0], atol=1e-6)


def test_stimulus_channel_gives_events_where_there_are_no_annotations(make_raw):
    raw = make_raw(annotate=False, first_samp=300)
    values = np.zeros((1, raw.n_times))
    values[0, [400, 1000]] = 7, 0x10000 + 2  # BioSemi's own bits lie above the 16 of the trigger
    info = mne.create_info(["STI 014"], raw.info["sfreq"], "stim")
    raw.add_channels([mne.io.RawArray(values, info, first_samp=300, verbose="error")])
    read = recording_from_raw(raw, name="stim")
    np.testing.assert_allclose(read.onsets, [400 / 256, 1000 / 256])
    assert read.labels == ("7", "2")


@pytest.mark.parametrize("suffix", [".fif", ".edf"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.6, 0.99])
def test_truncated_file_is_refused(tmp_path, make_raw, suffix, share):
    path = tmp_path / f"run_raw{suffix}"
    if suffix == ".fif":
        make_raw().save(path, verbose="error")
    else:
        mne.export.export_raw(path, make_raw(), physical_range=(-300, 300), verbose="error")
    path.write_bytes(path.read_bytes()[: round(share * path.stat().st_size)])
    with pytest.raises(InputError, match="run_raw"):
        read_mne_file(path)


@pytest.mark.parametrize("suffix", [".fif", ".edf", ".bdf", ".gdf", ".vhdr", ".set"])
def test_text_under_the_name_of_a_recording_is_refused(tmp_path, suffix):
    path = tmp_path / f"notes_raw{suffix}"
    path.write_text("not a recording\n" * 100)
    with pytest.raises(InputError, match="notes_raw"):
        read_mne_file(path)


def test_cut_epochs_are_refused(tmp_path, make_raw):
    raw = make_raw()
    events, event_id = mne.events_from_annotations(raw, verbose="error")
    path = tmp_path / "trials_epo.fif"
    mne.Epochs(raw, events, event_id, 0, 1, baseline=None, verbose="error").save(
        path, verbose="error"
    )
    with pytest.raises(InputError, match="continuous"):
        read_mne_file(path)


def test_other_warnings_of_the_reader_are_logged(tmp_path, make_raw, caplog):
    path = tmp_path / "name_without_the_usual_end.fif"
    make_raw().save(tmp_path / "x_raw.fif", verbose="error")
    (tmp_path / "x_raw.fif").rename(path)
    with caplog.at_level(logging.WARNING, logger="sjepa_online"):
        read_mne_file(path)
    assert "does not conform" in caplog.text
