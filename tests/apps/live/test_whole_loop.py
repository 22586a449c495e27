"""The commands that open the window by themselves: the demo, and the measurement of latency."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from sjepa_online.data import load_source
from sjepa_online.decoding import load_decoder
from sjepa_online.stream import Replay


def test_the_demo_shows_a_replay_until_the_window_is_closed(
    qtbot: Any, decoder_file: Path, short_sample: Path
) -> None:
    from sjepa_apps.live.demo import decode_in_window
    from sjepa_apps.live.window import LiveWindow

    (recording,) = load_source(str(short_sample))

    def close_at_the_end() -> None:
        (window,) = [
            one
            for one in QApplication.topLevelWidgets()
            if isinstance(one, LiveWindow) and one.isVisible()
        ]
        session = window.session
        if session.silent and session.received > 0 and session.silence > 2.0:
            looking.stop()
            window.close()

    looking = QTimer()
    looking.timeout.connect(close_at_the_end)
    looking.start(200)
    with Replay(
        [recording], name=f"window-demo-{os.getpid()}", speed=8.0, wait_for_consumers=60.0
    ) as replay:
        outcome = decode_in_window(load_decoder(decoder_file), replay)
    assert outcome.lost == 0
    assert len(outcome.correct) == 8
    assert sum(outcome.correct) >= 5
    assert len(outcome.latency_ms) > 50


def test_latency_is_measured_with_the_window(
    process: Callable[..., subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert os.environ["QT_QPA_PLATFORM"] == "offscreen"
    started = process(
        "evaluate", "latency", "--with-window", "--channels", "8", "--sfreq", "250",
        "--seconds", "4", "--json",
    )  # fmt: skip
    out, err = started.communicate(timeout=120)
    assert started.returncode == 0, err
    result = json.loads(out)
    assert result["samples_received"] == result["samples_sent"]
    assert result["decisions"] > 10
    assert 0 < result["decision_ms"]["p50"] <= result["decision_ms"]["p99"]
    window = result["window"]
    assert set(window) == {"frames_per_s", "longest_gap_ms", "memory_growth_mb", "cpu_share"}
    assert window["frames_per_s"] > 5
