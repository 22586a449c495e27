from __future__ import annotations

import numpy as np
import pytest

from sjepa_apps.stimulus.frames import FramePlanner, TrialPlayer, luminance
from sjepa_online.schedule import Phase, ScheduledTrial

RATE = 60.0
TRIAL = ScheduledTrial(
    0,
    "12.0",
    (
        Phase("cue", 0.1, "cue/12.0"),
        Phase("stimulation", 0.5, "12.0"),
        Phase("rest", 0.1, "end"),
    ),
)


def play(times: np.ndarray) -> tuple[TrialPlayer, list[tuple[str, int, float]], list[str]]:
    """Swap at these times; give what each frame showed, and the markers."""
    player = TrialPlayer(TRIAL, FramePlanner(RATE).plan(TRIAL), RATE)
    shown, markers = [], []
    for time in times:
        if player.finished:
            break
        shown.append((player.phase.kind, player.index, time))
        markers.append(player.shown(time).marker)
    return player, shown, markers


def test_every_frame_is_shown_in_its_turn():
    player, shown, markers = play(100 + np.arange(60) / RATE)
    assert player.finished
    assert [kind for kind, _, _ in shown] == ["cue"] * 6 + ["stimulation"] * 30 + ["rest"] * 6
    assert [marker for marker in markers if marker] == ["cue/12.0", "12.0", "end"]
    np.testing.assert_allclose(player.onsets, 100 + np.array([0, 6, 36]) / RATE)
    assert (player.n_frames, player.n_late) == (42, 0)


def test_flicker_keeps_its_phase_when_frames_come_late():
    times = 100 + np.arange(60) / RATE
    times[15:] += 2 / RATE
    player, shown, _ = play(times)
    assert player.n_late == 2
    onset = player.onsets[1]
    for kind, index, time in shown[17:30]:
        assert kind == "stimulation"
        at_swap = luminance(12.0, time - onset, "sinusoid")
        assert luminance(12.0, index / RATE, "sinusoid") == pytest.approx(float(at_swap), abs=1e-6)
    assert player.onsets[2] - onset == pytest.approx(0.5)


def test_jitter_of_the_swap_times_skips_nothing():
    jitter = np.random.default_rng(0).uniform(-0.3, 0.3, 60) / RATE
    player, shown, _ = play(100 + np.arange(60) / RATE + jitter)
    assert player.n_frames == 42
    assert [index for kind, index, _ in shown if kind == "stimulation"] == list(range(30))


def test_phase_that_a_hang_outlasts_is_followed_by_the_next_one_from_its_beginning():
    times = 100 + np.arange(60) / RATE
    times[3:] += 0.4
    player, shown, markers = play(times)
    first = [index for kind, index, _ in shown if kind == "stimulation"]
    assert first[0] == 0
    assert len(first) == 30
    assert [marker for marker in markers if marker] == ["cue/12.0", "12.0", "end"]
    assert player.n_late == 24
