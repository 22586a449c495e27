"""Spelling, and calibration without labels, from the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import mne
import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import load_decoder


def _write(recording: Recording, path: Path) -> Path:
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg")
    raw = mne.io.RawArray(recording.data * 1e-6, info, verbose="error")
    raw.set_annotations(mne.Annotations(recording.onsets, 0.1, recording.labels))
    raw.save(path, verbose="error")
    return path


@pytest.fixture
def files(simulated_spelling: Callable[..., Recording], tmp_path: Path) -> tuple[Path, Path]:
    train = _write(simulated_spelling("LUK", 6), tmp_path / "train_raw.fif")
    return train, _write(simulated_spelling("WAT", 6, seed=1), tmp_path / "test_raw.fif")


def test_spelling_without_and_with_labels(command: Callable, files: tuple[Path, Path]) -> None:
    train, test = files
    start = ("evaluate", "spelling", "--paradigm", "erp-rowcol", "--test", test, "--json")
    alone = command(*start, "--decoder", "umm", "--repetitions", "2,6")
    assert alone.code == 0, alone.err
    assert alone.json["n_letters"] == 0
    assert alone.json["repetitions"] == [2, 6]
    without = command(*start, "--train", train, "--letters", 0, "--repetitions", 6)
    assert without.json["decoders"] == {"auto": [1.0], "umm": [1.0]}
    some = command(
        *start, "--train", train, "--letters", 2, "--decoder", "riemann", "--repetitions", 6
    )
    assert some.code == 0, some.err
    assert some.json["n_letters"] == 2
    assert some.json["decoders"]["riemann"] == [1.0]
    assert some.json["chance"] == pytest.approx(1 / 36)
    low, high = some.json["intervals"]["riemann"][0]
    assert 0.3 < low < high == 1.0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--letters", 2), "without --train"),
        (("--repetitions", "5,x"), "5,15"),
        (("--repetitions", "0"), "1 or more"),
        (("--repetitions", "7"), "6 repetitions or fewer"),
        (("--train", "TRAIN", "--letters", 4), "has 3 letters"),
    ],
)
def test_impossible_spelling_is_refused(
    options: tuple[object, ...], told: str, command: Callable, files: tuple[Path, Path]
) -> None:
    train, test = files
    filled = [train if one == "TRAIN" else one for one in options]
    result = command("evaluate", "spelling", "-p", "erp-rowcol", "--test", test, *filled)
    assert result.code == 2
    assert told in result.err


def test_rows_and_columns_are_not_read_by_a_protocol_of_symbols(
    command: Callable, files: tuple[Path, Path]
) -> None:
    result = command("evaluate", "spelling", "-p", "erp", "--test", files[1])
    assert result.code == 2
    assert "read them by erp-rowcol" in result.err


def test_electrodes_that_one_side_lacks_are_told(
    command: Callable, simulated_spelling: Callable[..., Recording], tmp_path: Path
) -> None:
    whole = simulated_spelling("LU", 3)
    less = replace(whole, data=whole.data[:-1], ch_names=whole.ch_names[:-1])
    train, test = tmp_path / "train_raw.fif", tmp_path / "test_raw.fif"
    _write(whole, train)
    _write(less, test)
    both = ("-p", "erp-rowcol", "--train", train, "--test", test, "--decoder")
    for name, decoder in (("scores", "riemann"), ("spelling", "umm")):
        result = command("evaluate", name, *both, decoder)
        assert result.code == 0, result.err
        assert f"{train}: {whole.ch_names[-1]}, not in every recording" in result.err
        assert "no population start" not in result.err


def test_a_population_of_responses_is_shown_and_told(
    command: Callable, files: tuple[Path, Path], tmp_path: Path
) -> None:
    others, out = tmp_path / "others.safetensors", tmp_path / "decoder.safetensors"
    made = command("population", files[1], "-p", "erp-rowcol", "--out", others)
    assert made.code == 0, made.err
    shown = command("models", "show", others)
    assert shown.code == 0, shown.err
    assert "population of responses" in shown.out
    start = ("calibrate", "--trials", 0, "-p", "erp-rowcol", "--from", files[0], "--out", out)
    result = command(*start, "--population", others, "--json")
    assert result.code == 0, result.err
    assert f"starts from the response in {others}" in result.json["choice"]
    shown = command("models", "show", out, "--json").json
    assert (shown["format"], shown["decoder"], shown["n_trials"]) == ("decoder", "umm", 0)
    assert shown["choice"] == result.json["choice"]


def test_nobody_spells_by_their_own_response_whatever_the_file_is_called(
    command: Callable, files: tuple[Path, Path], tmp_path: Path
) -> None:
    others, renamed = tmp_path / "others.safetensors", tmp_path / "renamed_raw.fif"
    command("population", files[1], "-p", "erp-rowcol", "--out", others)
    files[1].rename(renamed)
    by_it = ("-p", "erp-rowcol", "--population", others, "--decoder", "umm")
    for words in (
        ("calibrate", "--trials", 0, "--from", renamed, "--out", tmp_path / "d.safetensors"),
        ("evaluate", "spelling", "--test", renamed),
        ("evaluate", "spelling", "--train", files[0], "--letters", 0, "--test", renamed),
    ):
        result = command(*words, *by_it)
        assert result.code == 2
        assert "these very trials: those of test_raw.fif" in result.err


def test_decoders_that_need_labels_alone_are_refused_without_any(
    command: Callable, files: tuple[Path, Path]
) -> None:
    result = command(
        "evaluate", "spelling", "-p", "erp-rowcol", "--test", files[1], "--decoder", "riemann"
    )
    assert result.code == 2
    assert "No decoder here spells without labelled letters" in result.err
    assert "--decoder umm or auto" in result.err
    both = ("--decoder", "riemann", "--decoder", "umm")
    result = command(
        "evaluate", "spelling", "-p", "erp-rowcol", "--test", files[1], *both, "--json"
    )
    assert result.code == 0, result.err
    assert result.json["decoders"]["riemann"] is None


def test_calibration_without_trials(
    command: Callable, files: tuple[Path, Path], tmp_path: Path
) -> None:
    out = tmp_path / "decoder.safetensors"
    start = ("calibrate", "--trials", 0, "--paradigm", "erp-rowcol", "--from", files[0])
    result = command(*start, "--out", out, "--json")
    assert result.code == 0, result.err
    assert result.json["n_trials"] == 0
    assert result.json["decoder"] == load_decoder(out).name == "umm"
    for options, told in (
        ((), "--overwrite"),
        (("--overwrite", "--report", tmp_path / "report.html"), "--report"),
        (("--overwrite", "--decoder", "riemann"), "needs labelled trials"),
    ):
        refused = command(*start, "--out", out, *options)
        assert refused.code == 2
        assert told in refused.err


def test_learning_curve_from_no_label_on(command: Callable, files: tuple[Path, Path]) -> None:
    result = command(
        "evaluate", "learning-curve", "-p", "erp-rowcol", "--train", files[0], "--test", files[1],
        "--decoder", "umm", "--decoder", "riemann", "--trials", "0,1,72", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert document["n_trials"] == [0, 1, 72]
    assert [one is None for one in document["decoders"]["riemann"]] == [True, True, False]
    umm = [one for [one] in document["decoders"]["umm"]]
    assert min(umm) > 0.7 > document["chance"] == 0.5
    assert np.ptp(umm) < 0.1


def test_a_curve_of_more_trials_than_there_are_is_refused(
    command: Callable, files: tuple[Path, Path]
) -> None:
    result = command(
        "evaluate", "learning-curve", "-p", "erp-rowcol", "--train", files[0], "--test", files[1],
        "--decoder", "umm", "--trials", "0,1000",
    )  # fmt: skip
    assert result.code == 2
    assert "have 216 trials" in result.err
