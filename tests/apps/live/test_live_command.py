from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from sjepa_apps.cli import live as live_module


def test_without_a_display_it_says_so(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("other systems always have a display")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    outcome = command("live")
    assert outcome.code == 2
    assert "DISPLAY" in outcome.err
    assert not live_module.has_window()


def test_without_pyqt_it_names_the_extra(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        live_module, "find_spec", lambda name: None if name == "PyQt6" else find(name)
    )
    outcome = command("live")
    assert outcome.code == 2
    assert "sjepa-online[gui]" in outcome.err


def test_ctrl_c_closes_the_window_and_its_engine(
    process: Callable[..., Any],
    interrupt: Callable[..., tuple[int, float]],
    decoder_file: Path,
    short_sample: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process("replay", short_sample, "--name", "live-command", "--loop")
    started = process("live", "--decoder", decoder_file, "--stream", "live-command")
    engines: list[psutil.Process] = []
    deadline = time.monotonic() + 60
    while not engines and time.monotonic() < deadline:
        children = psutil.Process(started.pid).children()
        engines = [one for one in children if "engine_process" in " ".join(one.cmdline())]
        time.sleep(0.2)
    # until the engine is there, so that there is something to end
    time.sleep(6.0)
    code, seconds = interrupt(started)
    assert code == 130
    assert seconds < 4
    assert not engines[0].is_running()
    assert "Traceback" not in started.stderr.read()
