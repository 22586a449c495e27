from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.data import Recording, Trials
from sjepa_online.evaluation.report.letters import letters_by_repetitions
from sjepa_online.protocol import load_protocol

SYMBOLS = ("AB", "CD")
TEXT = "ABCDAB"


@pytest.fixture
def spelled():
    """Make a 2 by 2 speller in which each row and column lights up in turn, ten times a letter."""

    def make(evidence):
        fields = load_protocol("erp").model_dump()
        fields["speller"] |= {"rows": SYMBOLS, "text": TEXT, "practice_text": ""}
        protocol = type(load_protocol("erp")).model_validate(fields)
        groups = ("AB", "CD", "AC", "BD")
        onsets, labels, y, probabilities = [], [], [], []
        cues = []
        for number, target in enumerate(TEXT):
            begin = 10.0 * number
            cues.append((begin, f"cue/{target}"))
            for flash in range(40):
                lit = groups[flash % 4]
                is_target = target in lit
                onsets.append(begin + 1 + 0.2 * flash)
                labels.append(f"{'Target' if is_target else 'NonTarget'}/{lit}")
                y.append("Target" if is_target else "NonTarget")
                probabilities.append(evidence(is_target, flash))
        events = sorted([*cues, *zip(onsets, labels, strict=True)])
        recording = Recording(
            "made", np.zeros((1, 7000), np.float32), "uV", 100.0, ("Cz",),
            np.array([time for time, _ in events]), tuple(label for _, label in events),
            np.empty(0),
        )  # fmt: skip
        n = len(y)
        trials = Trials(
            np.zeros((n, 1, 152), np.float32), np.array(y), np.zeros(n, dtype=np.int64),
            np.array(onsets), ("Cz",), protocol, (),
        )  # fmt: skip
        target_first = np.array(probabilities)
        return recording, trials, np.column_stack([target_first, 1 - target_first])

    return make


def test_letters_are_right_once_the_flashes_tell_them(spelled):
    """The first three repetitions tell nothing, the later ones everything."""
    rng = np.random.default_rng(0)

    def evidence(is_target, flash):
        clear = 0.9 if is_target else 0.1
        return rng.uniform(0.45, 0.55) if flash < 12 else clear

    recording, trials, held_out = spelled(evidence)
    points = letters_by_repetitions([recording], trials, held_out)
    # a row and a column light up each symbol twice in four flashes
    assert [point.repetitions for point in points] == list(range(1, 21))
    assert all(point.right == 1.0 for point in points[7:])
    assert np.mean([point.right for point in points[:5]]) < 1.0
    assert all(point.low <= point.right <= point.high for point in points)
    assert all(point.n_letters == len(TEXT) for point in points)
    # the rate falls once all are right and more flashes only take time
    assert points[8].bits_per_minute > points[-1].bits_per_minute


def test_without_symbols_there_are_no_letters(content_of, scalp_recording):
    assert content_of("erp", scalp_recording("erp", 8)).letters == []
