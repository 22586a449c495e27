from __future__ import annotations

from dataclasses import replace

import pytest

from sjepa_apps.session.folder import SessionFolder
from sjepa_online.errors import InputError
from sjepa_online.schedule import make_schedule
from sjepa_online.stream import StreamDescription

STREAM = StreamDescription(
    name="amplifier",
    type="EEG",
    n_channels=2,
    sfreq=250.0,
    format="float32",
    host="lab",
    source_id="serial-7",
    uid="some-uid",
    ch_names=("Oz", "O1"),
    units=("microvolts", "microvolts"),
)


@pytest.fixture
def folder(tmp_path, protocol_file):
    return SessionFolder.create(tmp_path / "new" / "session", str(protocol_file), STREAM, seed=5)


def test_a_session_is_the_same_after_it_was_opened_again(folder):
    again = SessionFolder.open(folder.path)
    assert again.state == folder.state
    assert again.protocol == folder.protocol
    assert again.protocol_text == folder.protocol_text
    assert again.schedule() == make_schedule(folder.protocol, 5)
    assert again.state.stream.selector in STREAM.selectors


def test_more_trials_than_the_protocol_has_begin_with_its_own(folder):
    folder.set_n_trials(9)
    trials = SessionFolder.open(folder.path).schedule()
    assert [trial.number for trial in trials] == list(range(9))
    assert trials[:4] == make_schedule(folder.protocol, 5)
    assert sum(trial.target == "12.0" for trial in trials) in (4, 5)
    folder.set_n_trials(3)
    assert folder.schedule() == make_schedule(folder.protocol, 5)[:3]


def test_parts_are_numbered_in_their_order(folder):
    assert folder.next_part().name == "session_part-1.xdf"
    for number in (1, 2, 10):
        (folder.path / f"session_part-{number}.xdf").touch()
    assert [part.name for part in folder.parts()] == [
        "session_part-1.xdf",
        "session_part-2.xdf",
        "session_part-10.xdf",
    ]
    assert folder.next_part().name == "session_part-11.xdf"


def test_a_part_without_samples_is_left_out_and_told(folder):
    folder.next_part().touch()
    recordings, left_out = folder.recordings()
    assert recordings == []
    assert "session_part-1.xdf" in left_out[0]


def test_a_folder_that_is_in_use_is_refused(folder, protocol_file):
    with pytest.raises(InputError, match="--resume"):
        SessionFolder.create(folder.path, str(protocol_file), STREAM, seed=0)


@pytest.mark.parametrize("damage", ["", "{", '{"format": "sjepa-online session", "version": 2}'])
def test_a_damaged_state_is_refused(folder, damage):
    (folder.path / "session.json").write_text(damage)
    with pytest.raises(InputError, match=r"session\.json"):
        SessionFolder.open(folder.path)


def test_a_protocol_cannot_name_a_folder_elsewhere(tmp_path, protocol_file, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = protocol_file.read_text().replace('name = "short"', 'name = "../../../elsewhere"')
    protocol_file.write_text(text)
    made = SessionFolder.create(None, str(protocol_file), STREAM, seed=0).path
    assert made.resolve().parent == tmp_path / "sessions"


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"session\.json"):
        SessionFolder.open(tmp_path)


@pytest.mark.parametrize("change", [{"sfreq": 500.0}, {"ch_names": ("Oz", "O2")}])
def test_a_stream_of_other_channels_or_another_rate_is_refused(folder, change):
    folder.check_stream(replace(STREAM, host="other", uid="other"))
    with pytest.raises(InputError, match="differs from the one"):
        folder.check_stream(replace(STREAM, **change))
