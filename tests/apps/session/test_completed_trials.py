from __future__ import annotations

import numpy as np
import pytest

from sjepa_apps.session.completed_trials import remaining_trials, whole_windows
from sjepa_online.data import Recording, make_trials
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal import PreprocessorConfig

SFREQ = 100.0


@pytest.fixture
def protocol(protocol_file):
    """Trials of 1.6 s, each of which holds its window."""
    text = protocol_file.read_text().replace("cue = 0.1", "cue = 0.2")
    protocol_file.write_text(text.replace("rest = 0.1", "rest = 1.1"))
    return load_protocol(protocol_file)


def recording_of(trials, *, seconds=None, breaks=(), extra=()):
    """A recording of trials that follow each other from 1 s on."""
    events = list(extra)
    time = 1.0
    for trial in trials:
        for phase in trial.phases:
            if phase.marker:
                events.append((time, phase.marker))
            time += phase.duration
    events.sort()
    seconds = time + 2.0 if seconds is None else seconds
    events = [event for event in events if event[0] < seconds]
    random = np.random.default_rng(0)
    return Recording(
        name="session",
        data=10 * random.standard_normal((2, round(seconds * SFREQ))).astype(np.float32),
        unit="uV",
        sfreq=SFREQ,
        ch_names=("Oz", "O1"),
        onsets=np.array([onset for onset, _ in events]),
        labels=tuple(label for _, label in events),
        breaks=np.array(breaks, dtype=float),
    )


def numbers(trials):
    return [trial.number for trial in trials]


def test_what_the_parts_hold_is_done(protocol):
    planned = make_schedule(protocol, 0)
    parts = [recording_of(planned[:1]), recording_of(planned[1:3])]
    assert numbers(remaining_trials(planned, parts, protocol)) == [3]
    assert numbers(remaining_trials(planned, [], protocol)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "change",
    [
        {"seconds": 1.0 + 1.6 + 1.3},  # ends within the second trial's window
        {"breaks": [1.0 + 1.6 + 0.7]},
        {"extra": [(1.0 + 1.6 + 0.7, "pause")]},
    ],
)
def test_a_trial_that_was_interrupted_is_neither_done_nor_learned_from(protocol, change):
    planned = make_schedule(protocol, 0)
    recording = recording_of(planned[:2], **change)
    assert numbers(remaining_trials(planned[:2], [recording], protocol)) == [1]
    trials = make_trials([recording], protocol, PreprocessorConfig())
    assert trials.y.tolist() == [planned[0].target]


def test_practice_trials_are_not_counted(protocol):
    planned = make_schedule(protocol, 0)
    practice = make_schedule(protocol, 0, practice=True)
    recording = recording_of([*practice, *planned[:1]])
    assert numbers(remaining_trials(planned, [recording], protocol)) == [1, 2, 3]


def test_a_spelled_symbol_is_known_by_its_flashes():
    protocol = load_protocol("erp")
    planned = make_schedule(protocol, 3)[:4]
    recording = recording_of([planned[2]])
    assert numbers(remaining_trials(planned, [recording], protocol)) == [0, 1, 3]


@pytest.mark.parametrize(
    ("change", "n_whole"),
    [
        ({}, 4),
        ({"seconds": 1.0 + 1.6 + 1.3}, 1),
        ({"breaks": [1.0 + 1.6 + 0.7]}, 3),
        ({"extra": [(1.0 + 1.6 + 0.7, "pause")]}, 3),
        ({"extra": [(0.2, "practice/12.0")]}, 4),
    ],
)
def test_windows_to_learn_from_are_those_that_training_cuts(protocol, change, n_whole):
    recording = recording_of(make_schedule(protocol, 0), **change)
    whole = list(whole_windows(recording, protocol))
    assert len(whole) == n_whole
    assert whole == make_trials([recording], protocol, PreprocessorConfig()).y.tolist()
