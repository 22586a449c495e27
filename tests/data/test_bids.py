from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from sjepa_online.data import Recording, load_source
from sjepa_online.data.bids import raw_from_recording, write_bids
from sjepa_online.errors import InputError

mne_bids = pytest.importorskip("mne_bids", reason="needs the bids extra")
pytest.importorskip("pybv", reason="needs the bids extra")


@pytest.fixture
def recording() -> Recording:
    return Recording(
        name="session",
        data=(20 * np.random.default_rng(0).standard_normal((3, 2500))).astype(np.float32),
        unit="uV",
        sfreq=250.0,
        ch_names=("Oz", "T3", "Cz"),
        onsets=np.array([1.0, 3.252, 7.5]),
        labels=("cue/12.0", "12.0", "Target/ABC"),
        breaks=np.array([5.0]),
        bad=("Cz",),
    )


def read(path: Path, **entities: str) -> mne.io.BaseRaw:
    bids_path = mne_bids.BIDSPath(root=path, subject="01", task="ssvep", datatype="eeg", **entities)
    raw = mne_bids.read_raw_bids(bids_path, verbose="error")
    raw.load_data()
    return raw


def test_mne_sees_the_same_signal_events_and_electrodes(recording):
    raw = raw_from_recording(recording)
    np.testing.assert_allclose(raw.get_data(units="uV"), recording.data, rtol=1e-6)
    assert raw.ch_names == ["Oz", "T7", "Cz"]
    assert raw.info["bads"] == ["Cz"]
    assert raw.annotations.onset.tolist() == [1.0, 3.252, 5.0, 7.5]
    assert raw.annotations.description.tolist() == [
        "cue/12.0", "12.0", "BAD boundary", "Target/ABC",
    ]  # fmt: skip
    y = [channel["loc"][1] for channel in raw.info["chs"]]
    assert y[0] < y[2]  # Oz lies behind Cz


def test_mne_bids_reads_back_what_was_written(recording, tmp_path):
    path = write_bids(
        recording, tmp_path, subject="01", session="2", task="ssvep", line_frequency=50.0
    )
    assert path == tmp_path / "sub-01/ses-2/eeg/sub-01_ses-2_task-ssvep_eeg.vhdr"
    raw = read(tmp_path, session="2")
    np.testing.assert_allclose(raw.get_data(units="uV"), recording.data, atol=1e-3)
    assert raw.info["line_freq"] == 50.0
    assert raw.info["bads"] == ["Cz"]
    onsets = dict(zip(raw.annotations.description, raw.annotations.onset, strict=True))
    for label, onset in zip(recording.labels, recording.onsets, strict=True):
        assert onsets[label] == pytest.approx(onset, abs=0.5 / recording.sfreq)
    positions = raw.get_montage().get_positions()["ch_pos"]
    assert set(positions) == {"Oz", "T7", "Cz"}
    assert np.isfinite(list(positions.values())).all()
    described = json.loads(path.with_suffix(".json").read_text())
    assert "template" in described["EEGPlacementScheme"]
    data_set = json.loads((tmp_path / "dataset_description.json").read_text())
    assert data_set["Name"] == tmp_path.name


def test_what_is_said_of_a_data_set_stays(recording, tmp_path):
    write_bids(recording, tmp_path, subject="01", task="ssvep")
    description = tmp_path / "dataset_description.json"
    told = json.loads(description.read_text()) | {"Name": "Ours", "Authors": ["A. Person"]}
    description.write_text(json.dumps(told))
    write_bids(recording, tmp_path, subject="02", task="ssvep")
    again = json.loads(description.read_text())
    assert (again["Name"], again["Authors"]) == ("Ours", ["A. Person"])


def test_the_own_reader_gives_the_same_recording(recording, tmp_path):
    path = write_bids(recording, tmp_path, subject="01", task="ssvep", run=2)
    (again,) = load_source(str(path))
    np.testing.assert_allclose(again.data, recording.data, atol=1e-3)
    assert again.labels == recording.labels
    assert again.onsets == pytest.approx(recording.onsets, abs=0.5 / recording.sfreq)
    assert again.breaks == pytest.approx(recording.breaks, abs=0.5 / recording.sfreq)
    assert (again.subject, again.run, again.simulated) == ("01", "02", False)
    assert again.bad == recording.bad


def test_a_simulated_recording_says_so_everywhere(recording, tmp_path):
    path = write_bids(replace(recording, simulated=True), tmp_path, subject="01", task="ssvep")
    assert "_acq-simulated_" in path.name
    assert "SIMULATED" in json.loads(path.with_suffix(".json").read_text())["TaskDescription"]
    assert load_source(str(path))[0].simulated


def test_a_recording_is_not_replaced_unasked(recording, tmp_path):
    path = write_bids(recording, tmp_path, subject="01", task="ssvep")
    before = path.with_suffix(".eeg").read_bytes()
    other = replace(recording, data=-recording.data)
    with pytest.raises(InputError, match="overwrite"):
        write_bids(other, tmp_path, subject="01", task="ssvep")
    assert path.with_suffix(".eeg").read_bytes() == before
    write_bids(other, tmp_path, subject="01", task="ssvep", overwrite=True)
    assert path.with_suffix(".eeg").read_bytes() != before


@pytest.mark.parametrize("entity", ["subject", "task", "session"])
def test_an_entity_with_other_characters_is_refused(recording, tmp_path, entity):
    entities = {"subject": "01", "task": "ssvep", entity: "a_b"}
    with pytest.raises(InputError, match=entity):
        write_bids(recording, tmp_path, **entities)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def exported(recording: Recording, tmp_path: Path) -> tuple[Path, Path]:
    """Give a recording of a BIDS data set, and its table of events."""
    path = write_bids(recording, tmp_path, subject="01", task="ssvep")
    return path, path.with_name("sub-01_task-ssvep_events.tsv")


@pytest.fixture
def foreign(recording: Recording, tmp_path: Path) -> tuple[Path, Path]:
    """Give a recording that another program put into a BIDS data set, and its table of events."""
    path = tmp_path / "sub-01_task-ssvep_eeg.vhdr"
    mne.export.export_raw(path, raw_from_recording(recording), verbose="error")
    return path, path.with_name("sub-01_task-ssvep_events.tsv")


def test_events_without_labels_leave_those_of_the_recording(foreign, recording):
    path, events = foreign
    events.write_text("onset\tduration\tvalue\n1.0\t0\t7\n")
    assert load_source(str(path))[0].labels == recording.labels


def test_joints_of_the_recording_stay_beside_the_events(foreign):
    path, events = foreign
    events.write_text("onset\tduration\ttrial_type\n1.0\t0\tStimulus/S  1\n")
    (again,) = load_source(str(path))
    assert again.labels == ("S  1",)
    assert again.breaks == pytest.approx([5.0])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"onset\ttrial_type\n2.5\ta\n1,0\tb\n", r"events\.tsv, line 3: '1,0'"),
        (b"onset\ttrial_type\nn/a\ta\n", r"events\.tsv, line 2: 'n/a'"),
        (b"onset\ttrial_type\ninf\ta\n", r"events\.tsv, line 2: 'inf'"),
        (b"begin\ttrial_type\n1.0\ta\n", r"events\.tsv, line 2: ''"),
        (b"onset\ttrial_type\n1.0\tl\xfcnks\n", r"events\.tsv.*UTF-8"),
    ],
    ids=["decimal comma", "not available", "infinite", "no onset", "Latin-1"],
)
def test_a_damaged_table_of_events_is_refused(exported, content, told):
    path, events = exported
    events.write_bytes(content)
    with pytest.raises(InputError, match=told):
        load_source(str(path))


def test_a_bad_channel_that_is_not_in_the_recording_is_refused(exported):
    path, _ = exported
    channels = path.with_name("sub-01_task-ssvep_channels.tsv")
    channels.write_text("name\tstatus\nOz\tgood\nFz\tbad\n")
    with pytest.raises(InputError, match=r"_eeg\.vhdr: Fz; there are Oz, T7, Cz"):
        load_source(str(path))


def test_channels_of_an_edf_file_are_known_with_and_without_their_type(recording, tmp_path):
    path = tmp_path / "sub-01_task-ssvep_eeg.edf"
    raw = raw_from_recording(recording)
    mne.export.export_raw(path, raw, physical_range=(-300, 300), verbose="error")
    channels = path.with_name("sub-01_task-ssvep_channels.tsv")
    for written in ("Cz", "EEG Cz"):
        channels.write_text(f"name\tstatus\nOz\tgood\n{written}\tbad\n")
        assert load_source(str(path))[0].bad == ("Cz",)


def test_a_place_where_no_folder_can_be_made_is_told(recording, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be made or written.*file"):
        write_bids(recording, tmp_path / "file" / "set", subject="01", task="ssvep")
