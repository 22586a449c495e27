from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from sjepa_online.data import make_trials
from sjepa_online.decoding.classifiers import fine_tuning
from sjepa_online.evaluation.grid import (
    GridResult,
    Pipeline,
    evaluate_grid,
    group_sessions,
    make_grid,
)
from sjepa_online.signal import PreprocessorConfig


def test_the_grid_has_three_heads_two_strategies_and_every_weights():
    names = [pipeline.name for pipeline in make_grid(["default", "random"])]
    assert len(names) == len(set(names)) == 12
    assert "full-pre-local, random" in names
    assert "new-contextual, default" in names


def test_sessions_of_a_subject_are_apart_and_their_runs_together(simulated_recording):
    recordings = [
        simulated_recording(name=f"{subject}{session}{run}", subject=subject, session=session)
        for subject, session, run in (("1", "a", 1), ("2", "a", 1), ("1", "a", 2), ("1", "b", 1))
    ]
    recordings.append(simulated_recording(name="loose"))
    recordings.append(simulated_recording(name="other"))
    groups = group_sessions(recordings)
    assert {key[1:]: [one.name for one in group] for key, group in groups.items()} == {
        ("1", "a"): ["1a1", "1a2"],
        ("2", "a"): ["2a1"],
        ("1", "b"): ["1b1"],
        ("loose", ""): ["loose"],
        ("other", ""): ["other"],
    }


@pytest.mark.parametrize(
    ("names", "data_sets"),
    [
        (("A/sub-1_eeg.edf", "B/sub-1_eeg.edf"), ["A", "B"]),
        (("A/sub-1/ses-1/eeg/x.vhdr", "A/sub-1/ses-1/other/y.vhdr"), ["A"]),
        (("moabb:One:1:0:0", "moabb:Two:1:0:0", "moabb:One:1:0:1"), ["moabb:One", "moabb:Two"]),
        (("lee2019:ssvep:1:1:train", "lee2019:mi:1:1:train"), ["lee2019:ssvep", "lee2019:mi"]),
    ],
)
def test_subjects_of_two_studies_are_two_people(simulated_recording, names, data_sets):
    recordings = [simulated_recording(name=name, subject="1", session="1") for name in names]
    keys = list(group_sessions(recordings))
    assert keys == [(str(Path(one)), "1", "1") for one in data_sets]


def test_ranks_are_within_each_session_and_ties_share_theirs():
    pipelines = [Pipeline("pre-local", "full", name) for name in "abc"]
    scores = np.array([[[0.9, 0.5, 0.7]], [[0.2, 0.6, 0.6]]])
    result = GridResult([("A", "1", "1"), ("A", "2", "1")], pipelines, [7], scores)
    assert result.ranks.tolist() == [[[1, 3, 2]], [[3, 1.5, 1.5]]]
    entries = result.to_json()["pipelines"]
    assert entries["full-pre-local, a"]["mean_rank"] == 2.0
    assert entries["full-pre-local, b"]["score"] == pytest.approx(0.55)
    rows = result.rows()
    assert len(rows) == 6
    assert rows[4] == {
        "data_set": "A", "subject": "2", "session": "1", "seed": 7, "head": "pre-local",
        "strategy": "full", "weights": "b", "score": 0.6, "rank": 1.5,
    }  # fmt: skip


@pytest.mark.slow
def test_every_cell_is_cross_validated_in_every_session(simulated_recording, protocol, monkeypatch):
    monkeypatch.setattr(fine_tuning, "MAX_EPOCHS", 2)
    config = PreprocessorConfig()
    recordings = [
        simulated_recording("phase-locked", n_trials=20, seed=seed, session=str(seed))
        for seed in range(2)
    ]
    pipelines = [Pipeline("pre-local", "full", "random"), Pipeline("post-local", "new", "random")]
    calls = []
    result = evaluate_grid(
        recordings, protocol, config, pipelines,
        seed=3, n_seeds=1, device="cpu", progress=lambda: calls.append(1),
    )  # fmt: skip
    assert [group[1:] for group in result.groups] == [("", "0"), ("", "1")]
    assert result.seeds == [3]
    assert result.scores.shape == (2, 1, 2)
    assert len(calls) == 4
    trials = make_trials(recordings[1:], protocol, config)
    for column, pipeline in enumerate(pipelines):
        estimator = pipeline.make(trials, 3, "cpu")
        expected = cross_val_predict(estimator, trials.X, trials.y, cv=StratifiedKFold(5))
        assert result.scores[1, 0, column] == np.mean(expected == trials.y)
