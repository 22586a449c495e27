from __future__ import annotations

import csv
import errno
import json
import shutil
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from sjepa_apps.cli.evaluate.corruption import FaultName, corruption
from sjepa_online import data
from sjepa_online.data import Trials, moabb_reader
from sjepa_online.data.corruption import KINDS, parse_faults
from sjepa_online.decoding.classifiers import fine_tuning
from sjepa_online.evaluation import in_turn
from sjepa_online.evaluation.in_turn import Decide

SAMPLE = ("--train", "sample:1", "--test", "sample:3")


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_scores_as_a_table_and_a_plot(command: Callable, tmp_path: Path) -> None:
    table, plot = tmp_path / "scores.csv", tmp_path / "scores.png"
    result = command(
        "evaluate", "scores", "-p", "ssvep-exo", *SAMPLE, "--decoder", "riemann", "--seeds", 2,
        "--csv", table, "--plot", plot, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    told = result.json["decoders"]["riemann"]["scores"]
    assert [float(row["score"]) for row in _rows(table)] == told
    assert [row["seed"] for row in _rows(table)] == ["0", "1"]
    assert plot.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["scores", "learning-curve", "corruption"])
def test_files_that_cannot_be_written_are_refused_at_once(
    command: Callable, tmp_path: Path, name: str
) -> None:
    broken = tmp_path / "broken.fif"
    broken.write_text("no recording")
    arguments = ("evaluate", name, "-p", "ssvep-exo", "--train", broken, "--test", "sample:3")
    table = tmp_path / "old.csv"
    table.write_text("precious")
    for option, path, told in (
        ("--csv", table, "--overwrite"),
        ("--csv", tmp_path / "absent" / "new.csv", "folder"),
        ("--plot", tmp_path / "new.bmp", ".svg"),
    ):
        result = command(*arguments, option, path)
        assert result.code == 2
        assert told in result.err
        assert "broken.fif" not in result.err
    assert table.read_text() == "precious"


def test_results_are_told_even_if_their_table_cannot_be_written(
    command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    # the disk fills while the decoders are compared
    monkeypatch.setattr(Path, "write_bytes", full)
    result = command(
        "evaluate", "scores", "-p", "ssvep-exo", *SAMPLE, "--decoder", "riemann",
        "--csv", tmp_path / "scores.csv", "--json",
    )  # fmt: skip
    assert result.code == 1
    assert "scores.csv could not be written: No space left on device" in result.err
    assert result.json["decoders"]["riemann"]["accuracy"] > 0.5
    assert not list(tmp_path.iterdir())


def test_the_table_names_the_seeds_that_were_asked_for(command: Callable, tmp_path: Path) -> None:
    table = tmp_path / "scores.csv"
    result = command(
        "evaluate", "scores", "-p", "ssvep-exo", *SAMPLE, "--decoder", "riemann",
        "--seed", 7, "--seeds", 2, "--csv", table,
    )  # fmt: skip
    assert result.code == 0, result.err
    assert [row["seed"] for row in _rows(table)] == ["7", "8"]


def test_learning_curve_grows_to_all_trials(command: Callable, tmp_path: Path) -> None:
    table, plot = tmp_path / "curve.csv", tmp_path / "curve.svg"
    result = command(
        "evaluate", "learning-curve", "-p", "ssvep-exo", *SAMPLE, "--decoder", "riemann",
        "--csv", table, "--plot", plot, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert document["measure"] == "accuracy"
    assert document["n_trials"] == [16, 24, 32]
    scores = [one for [one] in document["decoders"]["riemann"]]
    assert scores[-1] > 0.5  # chance 0.25
    assert [float(row["score"]) for row in _rows(table)] == scores
    assert plot.read_bytes().startswith(b"<?xml")


CURVE = ("evaluate", "learning-curve", "-p", "ssvep-exo", "--decoder", "riemann", "--json")


@pytest.fixture
def two_people(tmp_path: Path) -> dict[str, Path]:
    """Take the sample's sessions for those of two people."""
    sessions = sorted((Path(data.__file__).parent / "sample").glob("*.edf"))
    named = {"sub-01_a": 0, "sub-01_b": 1, "sub-02_a": 2, "sub-02_b": 0}
    paths = {name: tmp_path / f"{name}_eeg.edf" for name in named}
    for name, session in named.items():
        shutil.copy(sessions[session], paths[name])
    return paths


def test_the_curves_of_several_people(
    command: Callable, two_people: dict[str, Path], tmp_path: Path
) -> None:
    """A person alone has the same curve as among others."""
    table, plot = tmp_path / "curve.csv", tmp_path / "curve.svg"
    result = command(
        *CURVE, "--train", tmp_path / "*_a_eeg.edf", "--test", tmp_path / "*_b_eeg.edf",
        "--trials", "0,16", "--each-person", "--csv", table, "--plot", plot,
        "--decoder", "filter-bank",
    )  # fmt: skip
    assert result.code == 0, result.err
    assert result.err.count("filter-bank: starts from") == 1, "of all, it is told once"
    people = result.json["people"]
    alone = command(
        *CURVE, "--train", two_people["sub-02_a"], "--test", two_people["sub-02_b"],
        "--trials", "16",
    ).json  # fmt: skip
    assert list(people) == ["sub-01", "sub-02"]
    assert people["sub-02"]["decoders"]["riemann"][1:] == alone["decoders"]["riemann"]
    scores = [one["decoders"]["riemann"][1][0] for one in people.values()]
    none, [mean] = result.json["decoders"]["riemann"]
    assert none is None
    assert mean == pytest.approx(np.mean(scores))
    rows = [row for row in _rows(table) if row["decoder"] == "riemann"]
    assert [float(row["score"]) for row in rows] == scores
    assert [row["person"] for row in rows] == list(people)
    assert plot.read_bytes().startswith(b"<?xml")


def test_people_on_one_side_only_are_named(
    command: Callable, two_people: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copy(two_people["sub-01_b"], tmp_path / "sub-03_b_eeg.edf")
    two_people["sub-01_b"].unlink()
    result = command(
        *CURVE, "--train", tmp_path / "*_a_eeg.edf", "--test", tmp_path / "*_b_eeg.edf",
        "--each-person", "--trials", "4",
    )  # fmt: skip
    assert result.code == 2
    assert "not both: sub-01, sub-03" in result.err


def test_who_has_too_few_trials_is_named(
    command: Callable, two_people: dict[str, Path], tmp_path: Path
) -> None:
    shutil.copy(two_people["sub-01_b"], tmp_path / "sub-01_a2_eeg.edf")
    shutil.copy(two_people["sub-02_a"], two_people["sub-01_b"])
    result = command(
        *CURVE, "--train", tmp_path / "*_a*_eeg.edf", "--test", tmp_path / "*_b_eeg.edf",
        "--each-person", "--trials", "4,33",
    )  # fmt: skip
    assert result.code == 2
    assert "sub-02: The recordings to train on have 32 trials" in result.err
    assert "Evaluating" not in result.err


def test_people_need_the_same_numbers_of_trials(command: Callable) -> None:
    result = command(*CURVE, *SAMPLE, "--each-person")
    assert result.code == 2
    assert "--trials 0,10,30" in result.err


@pytest.mark.parametrize("trials", [(), ("--trials", "32")])
def test_a_curve_decodes_as_live_unless_told_otherwise(
    command: Callable, trials: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def first_class(train: Trials) -> Decide:
        assert len(train.y) == 32
        return lambda classifier, test: np.eye(len(classifier.classes_))[[0] * len(test.y)]

    monkeypatch.setattr(in_turn, "in_turn", first_class)
    call = (*CURVE, *SAMPLE, *trials)
    live, alone = (command(*call, *more).json for more in ((), ("--no-adapt",)))
    assert (live["adapt"], alone["adapt"]) == (True, False)
    assert live["decoders"]["riemann"][-1] == [0.25]
    assert alone["decoders"]["riemann"][-1][0] > 0.5


@pytest.mark.slow
def test_grid_ranks_every_cell(
    command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fine_tuning, "MAX_EPOCHS", 1)
    monkeypatch.setattr(fine_tuning, "WARM_UP_EPOCHS", 1)
    table = tmp_path / "grid.csv"
    result = command(
        "evaluate", "grid", "-p", "ssvep-exo", "--data", "sample:1", "--weights", "random",
        "--csv", table, "--plot", tmp_path / "grid.png", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert [group[1:] for group in document["groups"]] == [["12", "1"]]
    assert len(document["pipelines"]) == 6
    ranks = [float(row["rank"]) for row in _rows(table)]
    assert sum(ranks) == pytest.approx(21)  # 1 + ... + 6, ties share
    assert sorted(path.name for path in tmp_path.glob("*.png")) == [
        "grid-ranks.png",
        "grid-scores.png",
    ]


def test_moabb_runs_its_own_evaluation(
    command: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = pytest.importorskip("moabb.datasets.fake")
    dataset = fake.FakeDataset(
        event_list=("left_hand", "right_hand"), n_sessions=1, n_runs=1, n_subjects=2,
        paradigm="imagery", sfreq=128, duration=120, n_events=20, seed=1,
    )  # fmt: skip
    monkeypatch.setattr(moabb_reader, "make_dataset", lambda name: dataset)
    table = tmp_path / "moabb.csv"
    result = command(
        "evaluate", "moabb", "--dataset", "Fake", "-p", "mi", "--subjects", 1, 2,
        "--decoder", "riemann", "--csv", table, "--plot", tmp_path / "moabb.pdf", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = json.loads(result.out)
    scores = [float(row["score"]) for row in _rows(table)]
    assert [row["subject"] for row in _rows(table)] == ["1", "2"]
    assert document["decoders"]["riemann"]["score"] == pytest.approx(np.mean(scores))
    assert document["evaluation"] == "within-session"


def test_moabb_runs_its_fake_data_set_and_compares_two_decoders(
    command: Callable, tmp_path: Path
) -> None:
    pytest.importorskip("moabb")
    protocol = tmp_path / "fake.toml"
    protocol.write_text(
        'name = "fake"\nparadigm = "mi"\nwindow = {start = 0.5, length = 1.1875}\n'
        'classes = [{name = "fake1"}, {name = "fake2"}]\n'
    )
    result = command(
        "evaluate", "moabb", "--dataset", "FakeDataset", "-p", protocol, "--subjects", 1, 2,
        "--decoder", "riemann", "--decoder", "filter-bank", "--evaluation", "cross-session",
        "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert len(document["rows"]) == 2 * 2 * 2  # subjects, sessions, decoders
    (comparison,) = document["comparisons"]
    assert {comparison["better"], comparison["worse"]} == {"riemann", "filter-bank"}
    assert comparison["n_subjects"] == 2
    assert 0 < comparison["p"] < 1


def test_moabb_refuses_what_it_does_not_have(command: Callable) -> None:
    pytest.importorskip("moabb")
    result = command("evaluate", "moabb", "--dataset", "Lee2019_M", "-p", "mi")
    assert result.code == 2
    assert "Lee2019_MI" in result.err


def test_calibrate_writes_a_report(command: Callable, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    arguments = (
        "calibrate", "-p", "ssvep-exo", "--from", "sample:1", "sample:2", "--decoder", "riemann",
        "--out", tmp_path / "decoder.safetensors", "--report", report,
    )  # fmt: skip
    result = command(*arguments, "--json")
    assert result.code == 0, result.err
    assert result.json["report"] == str(report)
    page = report.read_text(encoding="utf-8")
    accuracy = result.json["cv"]["riemann"]["accuracy"]
    assert f'<div class="number">{accuracy:.2f}</div>' in page
    assert "Simulated" not in page
    (tmp_path / "decoder.safetensors").unlink()
    again = command(*arguments)
    assert again.code == 2
    assert "--report" in again.err
    assert not (tmp_path / "decoder.safetensors").exists()


@pytest.mark.slow
def test_corruption_scores_every_strategy(command: Callable, tmp_path: Path) -> None:
    table, plot = tmp_path / "corruption.csv", tmp_path / "corruption.png"
    arguments = ("evaluate", "corruption", "-p", "ssvep-exo", *SAMPLE, "--decoder", "riemann")
    result = command(
        *arguments, "--kind", "gain", "--gain", 100, "--fractions", "0.125", "--draws", 1,
        "--population", "none", "--csv", table, "--plot", plot, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert (document["kind"], document["gain"], document["fractions"]) == ("gain", 100.0, [0.125])
    [none], [dynamic] = (document["decoders"]["riemann"][name] for name in ("none", "dynamic"))
    assert dynamic > 0.5  # chance 0.25
    assert none < dynamic
    assert plot.read_bytes().startswith(b"\x89PNG")
    rows = [row for row in _rows(table) if row["strategy"] == "dynamic"]
    assert [(row["fraction"], row["seed"], row["draw"]) for row in rows] == [("0.125", "0", "0")]
    assert float(rows[0]["score"]) == pytest.approx(dynamic)
    for mistake, told in (("0.1,all", "'each'"), ("0,0.05", "0.05 of 8 channels")):
        result = command(*arguments, "--fractions", mistake)
        assert result.code == 2
        assert told in result.err


def test_corruption_takes_the_kinds_and_the_gain_of_replay() -> None:
    assert get_args(FaultName) == tuple(KINDS)
    [fault] = parse_faults("C3:gain@1-2")
    assert signature(corruption).parameters["gain"].default == fault.factor
