from __future__ import annotations

import datetime

import mne
import numpy as np
import pytest

from sjepa_online.amplifier import describe
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


def test_what_is_no_electrode_is_left_out_and_told(make_raw):
    read = recording_from_raw(make_raw(ch_names=("Oz", "O1", "Channel 9")), name="my run")
    assert read.ch_names == ("Oz", "O1")
    assert read.notes == ("my run: left out, no electrodes: Channel 9",)


def test_recording_without_eeg_is_refused(make_raw):
    raw = make_raw()
    raw.set_channel_types(dict.fromkeys(raw.ch_names, "emg"), on_unit_change="ignore")
    with pytest.raises(InputError, match="No channel has the name of an electrode"):
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


@pytest.mark.parametrize(
    ("suffix", "share"),
    [*((".fif", share) for share in (0.0, 0.02, 0.6, 0.99)), (".edf", 0.0), (".edf", 0.002)],
)
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


def test_other_warnings_of_the_reader_are_told(tmp_path, make_raw):
    path = tmp_path / "name_without_the_usual_end.fif"
    make_raw().save(tmp_path / "x_raw.fif", verbose="error")
    (tmp_path / "x_raw.fif").rename(path)
    assert "does not conform" in read_mne_file(path).notes[0]


def _write_edf(path, data, labels, *, dim="uV", sfreq=100, annotations=(), reserved="", **header):
    """Write an EDF or BDF file by its specification: one record a second."""
    n_records = data.shape[1] // sfreq
    onsets = header.get("onsets", range(n_records))
    plus, bdf = bool(reserved), path.suffix == ".bdf"
    width, top = (3, 8388607) if bdf else (2, 32767)
    names = [*labels, *(["BDF Annotations" if bdf else "EDF Annotations"] if plus else [])]
    n = len(names)

    def cells(values, size):
        return b"".join(str(value).encode("latin-1").ljust(size)[:size] for value in values)

    physical = header.get("physical", 8388.607 if bdf else top / 10)
    n_samples = [*([sfreq] * len(labels)), *([120 // width] if plus else [])]
    head = (b"\xffBIOSEMI" if bdf else b"0       ") + cells(["X X X X", "X"], 80)
    head += cells(["01.01.20", "00.00.00", 256 * (n + 1)], 8)
    head += cells([reserved], 44) + cells([header.get("told", n_records), 1], 8) + cells([n], 4)
    head += cells(names, 16) + cells([""] * n, 80) + cells([dim] * len(labels) + [""] * plus, 8)
    head += cells([-physical] * n, 8) + cells([physical] * n, 8)
    head += cells([-top] * n, 8) + cells([top] * n, 8) + cells([""] * n, 80)
    head += cells(n_samples, 8) + cells([""] * n, 32)
    left = sorted(annotations)
    body = b""
    for record, onset in zip(range(n_records), onsets, strict=True):
        piece = np.round(data[:, record * sfreq : (record + 1) * sfreq] / physical * top)
        for row in piece.astype("<i4"):
            body += row.view(np.uint8).reshape(-1, 4)[:, :width].tobytes()
        if plus:
            tal = f"+{onset}\x14\x14\x00".encode()
            while left and left[0][0] < onset + 1:
                time, label = left.pop(0)
                tal += f"+{time}\x14".encode() + label.encode("latin-1") + b"\x14\x00"
            body += tal.ljust(120, b"\0")
    path.write_bytes(head + body)


@pytest.fixture
def noise():
    return 20 * np.random.default_rng(5).standard_normal((3, 2000))


NAMES = ["Fz", "Cz", "Pz"]


def test_pauses_of_a_discontinuous_file_are_breaks(tmp_path, noise):
    path = tmp_path / "pause.edf"
    onsets = [*range(8), *range(15, 27)]  # 7 s are missing after 8 s
    events = [(2.5, "a"), (10.0, "in the pause"), (16.25, "b")]
    _write_edf(path, noise, NAMES, annotations=events, reserved="EDF+D", onsets=onsets)
    read = read_mne_file(path)
    np.testing.assert_allclose(read.data, noise, atol=0.06)
    np.testing.assert_allclose(read.breaks, [8.0])
    assert read.labels == ("a", "b")
    np.testing.assert_allclose(read.onsets, [2.5, 9.25])


@pytest.mark.parametrize("suffix", [".edf", ".bdf"])
@pytest.mark.parametrize("told", [-1, 30])
def test_an_interrupted_recording_is_read_as_far_as_it_goes(tmp_path, noise, suffix, told):
    path = tmp_path / f"interrupted{suffix}"
    _write_edf(path, noise, NAMES, told=told)
    path.write_bytes(path.read_bytes() + b"\0" * 50)  # a record that was begun
    read = read_mne_file(path)
    np.testing.assert_allclose(read.data, noise, atol=0.06)
    assert "not ended properly" in read.notes[0]


def test_a_file_without_a_unit_takes_one(tmp_path, noise):
    path = tmp_path / "nounit.edf"
    _write_edf(path, noise, NAMES, dim="")
    with pytest.raises(InputError, match=r"declares no unit of voltage.*--unit uV"):
        read_mne_file(path)
    for unit, factor in (("uV", 1), ("mV", 1000)):
        read = read_mne_file(path, describe(unit=unit))
        np.testing.assert_allclose(read.data, factor * noise, atol=0.06 * factor)


@pytest.mark.parametrize(("dim", "factor"), [("\xb5V", 1), ("nV", 1e-3), ("mV", 1e3), ("uVolt", 1)])
def test_units_as_programs_write_them(tmp_path, noise, dim, factor):
    path = tmp_path / "unit.edf"
    _write_edf(path, noise, NAMES, dim=dim)
    np.testing.assert_allclose(read_mne_file(path).data, factor * noise, atol=0.06 * factor)


def test_annotations_of_old_programs_and_files_without_signals(tmp_path, noise):
    path = tmp_path / "latin.EDF"
    _write_edf(path, noise, NAMES, annotations=[(3.0, "Zähler")], reserved="EDF+C")
    assert read_mne_file(path).labels == ("Zähler",)
    _write_edf(path, noise[:0], [], annotations=[(3.0, "x")], reserved="EDF+C")
    with pytest.raises(InputError, match="latin"):
        read_mne_file(path)


def _codes(tmp_path, values):
    path = tmp_path / "codes.bdf"
    data = np.vstack([20 * np.random.default_rng(0).standard_normal((1, len(values))), values])
    _write_edf(path, data, ["Cz", "Status"], physical=8388607)
    return path


def test_held_codes_are_events_at_every_change(tmp_path):
    values = np.repeat([0, 1, 2, 1, 2, 2], 200).astype(float)
    read = read_mne_file(_codes(tmp_path, values))
    assert read.labels == ("1", "2", "1", "2")
    np.testing.assert_allclose(read.onsets, [2, 4, 6, 8], atol=0.01)


def test_a_code_to_which_the_channel_returns_is_no_event(tmp_path):
    values = np.full(1200, 255.0)
    for onset, code in ((200, 1), (500, 2), (900, 1)):
        values[onset : onset + 5] = code
    assert read_mne_file(_codes(tmp_path, values)).labels == ("1", "2", "1")


def test_annotations_do_not_hide_the_stimulus_channel(make_raw):
    raw = make_raw()
    values = np.zeros((1, raw.n_times))
    values[0, [384, 1000]] = 7, 8  # the first one at the annotation at 1.5 s
    info = mne.create_info(["STI 014"], raw.info["sfreq"], "stim")
    raw.add_channels([mne.io.RawArray(values, info, verbose="error")])
    assert recording_from_raw(raw, name="both").labels == ("13", "8", "rest", "21")


def test_bad_segments_are_told_and_classes_called_bad_are_events(make_raw):
    raw = make_raw()
    raw.annotations.append([2.0, 5.0, 9.0], 1.0, ["BAD_blink", "BAD_ACQ_SKIP", "Bad_news"])
    read = recording_from_raw(raw, name="annotated")
    assert read.labels == ("13", "rest", "Bad_news", "21")
    assert [one.label for one in read.rejected] == ["BAD_blink", "BAD_ACQ_SKIP", "Bad_news"]
    np.testing.assert_allclose(read.breaks, [5.0, 6.0])


def test_rates_beyond_the_preprocessor_are_thinned_out():
    times = np.arange(20_000) / 10_000
    wave = 1e-5 * np.sin(2 * np.pi * 10 * times)
    raw = mne.io.RawArray(
        np.array([wave, wave + 1e-5 * np.sin(2 * np.pi * 2490 * times)]),
        mne.create_info(["Cz", "Oz"], 10_000, "eeg"),
        verbose="error",
    )
    read = recording_from_raw(raw, name="fast")
    assert read.sfreq == 2500
    expected = 10 * np.sin(2 * np.pi * 10 * np.arange(5000) / 2500)
    np.testing.assert_allclose(read.data[:, 500:], np.tile(expected[500:], (2, 1)), atol=1.2)
