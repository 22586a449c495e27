from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from sjepa_apps.session.folder import SessionFolder
from sjepa_online.stream import discovery, resolve_stream

PROTOCOL = """
name = "short"
paradigm = "ssvep"

[window]
start = 0.0
length = 1.1875

[[classes]]
name = "12.0"
frequency = 12.0

[[classes]]
name = "8.57"
frequency = 8.57142857

[flicker]
trials_per_class = 2
practice_trials = 1
cue = 0.1
stimulation = 0.3
rest = 0.1
"""


@pytest.fixture(autouse=True)
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_ROUND", 0.7)


@pytest.fixture
def kill_recorder() -> Callable[[], None]:
    """Kill the recorder of this process."""

    def kill() -> None:
        for child in psutil.Process().children(recursive=True):
            if "LabRecorder" in child.name():
                child.kill()

    return kill


@pytest.fixture
def protocol_file(tmp_path: Path) -> Path:
    path = tmp_path / "short.toml"
    path.write_text(PROTOCOL)
    return path


@pytest.fixture
def script() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a script of this folder; it ends with the test at the latest."""
    with ExitStack() as stack:

        def start(name: str, *arguments: object) -> subprocess.Popen[str]:
            command = [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]
            started = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(started.kill)
            return started

        yield start


@pytest.fixture
def amplifier(
    script: Callable[..., subprocess.Popen[str]],
) -> Callable[..., tuple[subprocess.Popen[str], float]]:
    """Switch on an amplifier of this name; give its process and the time of its first sample."""

    def start(name: str, *arguments: object) -> tuple[subprocess.Popen[str], float]:
        process = script("amplifier_process.py", name, *arguments)
        assert process.stdout is not None
        return process, float(process.stdout.readline())

    return start


@pytest.fixture
def begin(tmp_path: Path, protocol_file: Path) -> Callable[[str], SessionFolder]:
    """Begin a session with the stream of this name."""

    def create(name: str) -> SessionFolder:
        stream = resolve_stream(name)
        return SessionFolder.create(tmp_path / "session", str(protocol_file), stream, seed=0)

    return create
