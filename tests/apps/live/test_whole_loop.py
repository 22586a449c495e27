"""The commands that open the window by themselves: the demo, and the measurement of latency."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from multiprocessing import resource_tracker
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from sjepa_online.data import Recording
from sjepa_online.decoding import load_decoder
from sjepa_online.stream import Replay

LATENCY = (
    "evaluate", "latency", "--with-window", "--paradigm", "erp", "--decoder", "riemann",
    "--channels", "8", "--sfreq", "250", "--seconds", "1", "--json",
)  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _tracker() -> None:
    """Start the process of `multiprocessing` that lasts as long as the program."""
    resource_tracker.ensure_running()


def open_window() -> Any:
    from sjepa_apps.live.window import LiveWindow

    (window,) = [
        one
        for one in QApplication.topLevelWidgets()
        if isinstance(one, LiveWindow) and one.isVisible()
    ]
    return window


@pytest.mark.slow
def test_the_demo_shows_a_replay_until_the_window_is_closed(
    qtbot: Any, decoder_file: Path, six_trials: Recording
) -> None:
    from sjepa_apps.live.demo import decode_in_window

    limit = time.monotonic() + 100

    def close_at_the_end() -> None:
        window = open_window()
        session = window.session
        ended = session.received > 0 and (session.silence or 0.0) > 1.5
        if ended or time.monotonic() > limit:
            looking.stop()
            window.close()

    looking = QTimer()
    looking.timeout.connect(close_at_the_end)
    looking.start(100)
    with Replay(
        [six_trials], name=f"window-demo-{os.getpid()}", speed=8.0, wait_for_consumers=60.0
    ) as replay:
        outcome = decode_in_window(load_decoder(decoder_file), replay)
    assert outcome.lost == 0
    # at this speed the first trials may be over before the window hears of markers
    assert 3 <= len(outcome.correct) <= 6
    assert sum(outcome.correct) > len(outcome.correct) / 2
    assert len(outcome.latency_ms) > 50


@pytest.mark.slow
def test_latency_is_measured_with_the_window(qtbot: Any, command: Callable[..., Any]) -> None:
    refused = command("evaluate", "latency", "--view", "analysis")
    assert refused.code == 2
    assert "Add --with-window" in refused.err
    outcome = command(*LATENCY, "--view", "analysis")
    assert outcome.code == 0, outcome.err
    result = outcome.json
    assert result["samples_received"] == result["samples_sent"]
    assert result["decisions"] > 5
    assert 0 < result["decision_ms"]["p50"] <= result["decision_ms"]["p99"]
    window = result["window"]
    assert set(window) == {"frames_per_s", "longest_gap_ms", "memory_growth_mb", "cpu_share"}
    assert window["frames_per_s"] > 5


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "no decision within 0.1 s"),
        ("Cz is missing", "Cz is missing"),
        ("signal 9", "the engine has ended: signal 9"),
    ],
)
def test_a_measurement_without_a_decision_ends_and_tells_why(
    qtbot: Any,
    command: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    message: str | None,
    reason: str,
) -> None:
    from sjepa_apps.live import benchmark
    from sjepa_apps.live.engine.client import EngineClient
    from sjepa_apps.ui.discovery import Discovery
    from sjepa_online.online.events import Refused

    monkeypatch.setattr(Discovery, "start", lambda self: None)
    monkeypatch.setattr(EngineClient, "start", lambda self: None)
    if message is None:
        monkeypatch.setattr(benchmark, "FIRST_WITHIN", 0.1)

    def speak() -> None:
        engine = open_window().session.engine
        if message == "signal 9":
            engine.ended.emit(message)
        elif message is not None:
            engine.received.emit(Refused(command="open-stream", reason=message))

    QTimer.singleShot(0, speak)
    outcome = command(*LATENCY)
    assert outcome.code == 1
    assert reason in outcome.err
