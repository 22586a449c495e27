"""The letters of recordings of a speller, against texts that are known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.data.letters import find_letters
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.signal import PreprocessorConfig


@pytest.fixture
def rowcol() -> Protocol:
    return load_protocol("erp-rowcol")


def _cut(recording: Recording, protocol: Protocol) -> Trials:
    return make_trials([recording], protocol, PreprocessorConfig())


@pytest.mark.parametrize("gap", [1.5, 0.0])
def test_letters_end_at_a_gap_or_where_the_attended_letter_changes(
    gap: float, rowcol: Protocol, simulated_spelling: Callable[..., Recording]
) -> None:
    recording = simulated_spelling("LUKAS", n_repetitions=3, gap=gap)
    letters = find_letters([recording], trials := _cut(recording, rowcol))
    assert [letter.target for letter in letters] == list("LUKAS")
    assert [len(letter.rows) for letter in letters] == [36] * 5
    for letter in letters:
        told = [letter.target in lit for lit in letter.lit]
        assert told == (trials.y[letter.rows] == "Target").tolist()


def test_the_same_letter_twice_needs_a_gap(
    rowcol: Protocol, simulated_spelling: Callable[..., Recording]
) -> None:
    for gap, expected in ((1.5, [24, 24]), (0.0, [48])):
        recording = simulated_spelling("AA", n_repetitions=2, gap=gap)
        letters = find_letters([recording], _cut(recording, rowcol))
        assert [len(letter.rows) for letter in letters] == expected


def test_a_flash_that_is_left_out_is_missing_from_its_letter_only(
    rowcol: Protocol, simulated_spelling: Callable[..., Recording]
) -> None:
    recording = simulated_spelling("AB", n_repetitions=2)
    broken = recording.data.copy()
    broken[:, round((recording.onsets[3] + 1.1) * 128)] = np.nan
    recording = replace(recording, data=broken)
    letters = find_letters([recording], trials := _cut(recording, rowcol))
    assert len(trials.y) < 48
    assert [letter.target for letter in letters] == ["A", "B"]
    assert len(letters[0].rows) < 24 == len(letters[1].rows)


def test_markers_that_tell_no_target_leave_it_open(
    rowcol: Protocol, simulated_spelling: Callable[..., Recording]
) -> None:
    recording = simulated_spelling("AB", n_repetitions=2, labelled=False)
    content = rowcol.model_dump()
    content["classes"][1]["aliases"] = ["flash"]
    trials = _cut(recording, Protocol.model_validate(content))
    letters = find_letters([recording], trials)
    assert [(letter.target, len(letter.rows)) for letter in letters] == [("", 24), ("", 24)]


def test_lit_symbols_become_a_matrix(
    rowcol: Protocol, simulated_spelling: Callable[..., Recording]
) -> None:
    recording = simulated_spelling("Q", n_repetitions=1)
    (letter,) = find_letters([recording], _cut(recording, rowcol))
    assert rowcol.speller is not None
    matrix = letter.first_flashes(12).lit_matrix(rowcol.speller.symbols)
    assert matrix.shape == (12, 36)
    assert matrix.sum(axis=0).tolist() == [2] * 36, "each symbol lights up with its row and column"
    assert matrix.sum(axis=1).tolist() == [6] * 12


def test_flashes_of_others_alone_tell_the_letter(
    rowcol: Protocol, simulated_spelling: Callable[..., Recording]
) -> None:
    recording = simulated_spelling("QZ", n_repetitions=1, gap=1.5)
    labels = tuple(re.sub("^Target/", "seen/", label) for label in recording.labels)
    recording = replace(recording, labels=labels)
    letters = find_letters([recording], _cut(recording, rowcol))
    assert [(letter.target, len(letter.rows)) for letter in letters] == [("Q", 10), ("Z", 10)]
