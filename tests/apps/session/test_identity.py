from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from sjepa_apps.session.identity import (
    BIDS_PATTERN,
    LONGEST_NAME,
    Identity,
    folder_name,
    label,
    new_path,
    new_session,
)
from sjepa_online.errors import InputError

NOW = datetime(2026, 1, 2, 3, 4, 5)


def name_of(pattern=BIDS_PATTERN, **given):
    return folder_name(Identity(**given), "ssvep", pattern, NOW)


def test_folder_is_named_as_bids_names_files():
    assert name_of(participant="01", session="02", run="3") == "sub-01_ses-02_task-ssvep_run-3"
    # entities that were not given are left out
    assert name_of(participant="01", run="3") == "sub-01_task-ssvep_run-3"


@pytest.mark.parametrize(
    ("participant", "part"),
    [
        ("../../etc/passwd", "sub-etcpasswd_"),
        ("a/b\\c", "sub-abc_"),
        ("x" * 300, f"sub-{'x' * 24}_"),
        ("\u202eשלום\u202c", "sub-שלום_"),
        ("P 😀 7", "sub-P7_"),
        ("con", "sub-con_"),
    ],
)
def test_hostile_names_stay_one_harmless_folder(tmp_path, participant, part):
    name = name_of(participant=participant, run="1")
    assert name.startswith(part)
    assert len(name.encode()) <= LONGEST_NAME
    path = tmp_path / name
    path.mkdir()
    assert path.parent == tmp_path
    assert re.fullmatch(r"[\w.-]+", name)


@pytest.mark.parametrize("nothing", ["😀", "///", "...", "\u202e!"])
def test_a_name_without_letters_is_refused(nothing):
    with pytest.raises(InputError, match="no letter or digit"):
        label(nothing)
    assert label("") == ""


def test_the_next_free_run_is_taken(tmp_path):
    path = new_path(tmp_path, Identity(participant="7"), "mi", None, NOW)
    assert path.name == "sub-7_task-mi_run-01"
    path.mkdir()
    assert new_path(tmp_path, Identity(participant="7"), "mi", None, NOW).name.endswith("run-02")
    # the run is known afterwards, as where it was given
    assert new_session(tmp_path, Identity(participant="7"), "mi", None, NOW)[1].run == "02"
    given = new_path(tmp_path, Identity(participant="7", run="01"), "mi", None, NOW)
    assert given == path


def test_without_a_participant_the_time_names_the_folder(tmp_path):
    path = new_path(tmp_path, Identity(), "my protocol", None, NOW)
    assert path.name == "2026-01-02_03-04-05_myprotocol"


def test_a_pattern_of_ones_own_is_filled(tmp_path):
    path = new_path(tmp_path, Identity(participant="A b"), "mi", "{date}_{participant}", NOW)
    assert path == tmp_path / "2026-01-02_Ab"


@pytest.mark.parametrize("pattern", ["{nonsense}", "{participant.__class__}", "{", "{0}"])
def test_a_pattern_with_unknown_fields_is_refused(pattern):
    with pytest.raises(InputError, match="unknown field"):
        name_of(pattern, participant="1")


def test_a_pattern_cannot_leave_the_folder(tmp_path):
    path = new_path(tmp_path, Identity(participant="1"), "mi", "../{participant}/x", NOW)
    assert path.parent == tmp_path


def test_control_characters_are_removed_and_notes_are_cut():
    identity = Identity(participant="a\x1b[31m\nb", notes="n" * 9000)
    assert identity.participant == "a b"
    assert len(identity.notes) == 5000
    assert list(Identity(participant="1").facts) == ["Participant"]
    assert Path(name_of(participant="1", run="1")).name == name_of(participant="1", run="1")
