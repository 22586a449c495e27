"""Programs that are started beside a command run no module of the working folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sjepa_apps.cli.windows import display_problem

IMPOSTERS = ("psutil", "typer", "numpy", "pydantic", "PyQt6")


@pytest.fixture
def trap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with modules that leave a trace where they are run; return the trace."""
    trace = tmp_path / "was-run"
    for name in IMPOSTERS:
        text = f"import pathlib\npathlib.Path({str(trace)!r}).touch()\nraise SystemExit(9)\n"
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    # a command that ran in this process has set it
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    return trace


def test_the_trap_works(trap: Path) -> None:
    subprocess.run([sys.executable, "-c", "import psutil"], check=False)
    assert trap.exists()


def test_commands_of_the_window(trap: Path) -> None:
    pytest.importorskip("PyQt6", reason="the live window needs the extra `gui`")
    from sjepa_apps.live.engine.commands import PROGRAM

    words = [sys.executable, *PROGRAM, "--version"]
    pipe = subprocess.PIPE
    # a window holds the other end of standard input
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as started:
        assert started.wait(60) == 0, started.stderr and started.stderr.read()
    assert not trap.exists()


def test_the_trial_start_of_qt(trap: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PyQt6", reason="the live window needs the extra `gui`")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert display_problem() == ""
    assert not trap.exists()


def test_the_engine(trap: Path, qtbot: Any) -> None:
    pytest.importorskip("PyQt6", reason="the live window needs the extra `gui`")
    from sjepa_apps.live.engine.client import EngineClient

    engine = EngineClient("-trap")
    heard: list[object] = []
    engine.received.connect(heard.append)
    engine.ended.connect(heard.append)
    engine.start()
    try:
        qtbot.waitUntil(lambda: bool(heard), timeout=60_000)
    finally:
        engine.stop()
    assert type(heard[0]).__name__ == "EngineReady"
    assert not trap.exists()
