"""Symbols spelled again from held-out flashes, against selections whose evidence is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from sjepa_online.data import Recording, Trials, make_trials
from sjepa_online.data.letters import find_letters
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.spelling import spelling_scores

SFREQ = 128.0


@pytest.fixture(scope="module")
def protocol() -> Protocol:
    content = load_protocol("erp").model_dump()
    content["speller"] |= {"text": "HELLO_WORLD", "sequences": 3, "cue": 1.0, "rest": 1.5}
    return Protocol.model_validate(content)


@pytest.fixture(scope="module")
def recording(protocol: Protocol) -> Recording:
    """Noise with the markers of a session, a practice trial before it."""
    shown = (*make_schedule(protocol, 0, practice=True)[:1], *make_schedule(protocol, 0))
    labels, onsets, time = [], [], 0.5
    for phase in (phase for trial in shown for phase in trial.phases):
        if phase.marker:
            labels.append(phase.marker)
            onsets.append(time)
        time += phase.duration
    noise = np.random.default_rng(0).normal(size=(2, round((time + 2) * SFREQ)))
    return Recording(
        name="noise",
        data=10 * noise.astype(np.float32),
        unit="uV",
        sfreq=SFREQ,
        ch_names=("Cz", "Pz"),
        onsets=np.array(onsets),
        labels=tuple(labels),
        breaks=np.empty(0),
        simulated=True,
    )


@pytest.fixture(scope="module")
def trials(recording: Recording, protocol: Protocol) -> Trials:
    return make_trials([recording, recording], protocol, PreprocessorConfig())


def _probabilities(trials: Trials, distance: float) -> NDArray[np.float64]:
    scores = np.random.default_rng(1).normal(np.where(trials.y == "Target", distance, 0))
    target = expit(distance * scores)
    return np.column_stack([target, 1 - target])


def test_each_cue_begins_a_selection(recording: Recording, trials: Trials) -> None:
    selections = find_letters([recording, recording], trials)
    assert "".join(one.target for one in selections) == 2 * "HELLO_WORLD"
    for one in selections:
        assert len(one.rows) == 36
        told = [one.target in lit for lit in one.lit]
        assert told == (trials.y[one.rows] == "Target").tolist()


def test_strong_evidence_spells_without_error_and_early(
    recording: Recording, trials: Trials
) -> None:
    strong = spelling_scores([recording, recording], trials, _probabilities(trials, 6.0))
    weak = spelling_scores([recording, recording], trials, _probabilities(trials, 1.0))
    assert strong["accuracy"] == 1.0
    assert strong["flashes"] < weak["flashes"] <= 36
    assert strong["decision_s"] == pytest.approx((strong["flashes"] - 1) * 0.215 + 1.1875, abs=1e-6)
    assert strong["itr_bits_per_min"] == pytest.approx(60 * np.log2(36) / strong["decision_s"])


def test_no_evidence_spells_by_chance(recording: Recording, trials: Trials) -> None:
    scores = spelling_scores([recording, recording], trials, _probabilities(trials, 0.0))
    assert scores["accuracy"] < 0.3
    assert scores["flashes"] > 30


def test_markers_without_symbols_have_no_score(recording: Recording, protocol: Protocol) -> None:
    plain = replace(recording, labels=tuple(label.split("/")[0] for label in recording.labels))
    trials = make_trials([plain], protocol, PreprocessorConfig())
    assert spelling_scores([plain], trials, _probabilities(trials, 3.0)) == {}
