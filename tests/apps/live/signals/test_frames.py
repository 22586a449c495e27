"""The meter of frames, by a clock that the test sets."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from sjepa_apps.live.signals.frames import FrameMeter


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time (s), in a list of one."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    return now


def test_gaps_are_those_of_the_last_minute_and_of_the_whole_run(clock: list[float]) -> None:
    rng = np.random.default_rng(0)
    gaps = rng.gamma(1.0, 0.2, 2000)
    times = 100.0 + np.concatenate([[0.0], np.cumsum(gaps)])
    meter = FrameMeter()
    for n, now in enumerate(times):
        clock[0] = now
        meter.frame()
        recent = gaps[:n][times[1 : n + 1] >= now - 60.0]
        assert meter.recent_gap == pytest.approx(recent.max(initial=0.0))
    assert meter.longest_gap == pytest.approx(gaps.max())
    assert meter.count == 2001
    assert meter.longest_gap > meter.recent_gap
    meter.reset()
    assert (meter.longest_gap, meter.recent_gap, meter.count) == (0.0, 0.0, 0)


def test_a_stay_on_another_tab_is_no_gap(opened: Any, clock: list[float]) -> None:
    canvas = opened.signals.canvas
    canvas.repaint()
    clock[0] += 0.04
    canvas.repaint()
    opened.show_view("Connect")
    clock[0] += 3.0
    opened.show_view("Signals")
    canvas.repaint()
    clock[0] += 0.05
    canvas.repaint()
    opened._refresh()
    assert opened.health.figures["frames"].text().endswith("gap ≤ 50 ms")
