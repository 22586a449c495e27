"""What the window remembers for an engine that is started again; the engine is a script."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import QProcess

from sjepa_apps.live.engine.client import EngineClient
from sjepa_online.online.commands import LoadDecoder, command_to_line
from sjepa_online.online.events import Refused

#: Answers every command with a line of the file that it is given, and notes what it is asked.
SCRIPT = """
import sys
for answer in open(sys.argv[1], "rb"):
    command = sys.stdin.buffer.readline()
    open(sys.argv[2], "ab").write(command)
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()
sys.stdin.buffer.read()
"""


def test_a_decoder_that_is_refused_is_not_asked_for_after_a_restart(
    wait_for: Callable[..., None], ready: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, asked = tmp_path / "answers", tmp_path / "asked"
    refused = Refused(command="load-decoder", reason="it is for other channels")
    answers.write_bytes(command_to_line(ready) + command_to_line(refused))
    started = QProcess.start
    script = ["-c", SCRIPT, str(answers), str(asked)]
    monkeypatch.setattr(QProcess, "start", lambda self, *_: started(self, sys.executable, script))
    client = EngineClient()
    received: list[Any] = []
    client.received.connect(received.append)
    client.start()
    good, other = LoadDecoder(path=ready.path), LoadDecoder(path="other.safetensors")
    client.send(good)
    wait_for(lambda: received == [ready])
    client.send(other)
    wait_for(lambda: received == [ready, refused])
    asked.unlink()
    client.start()
    wait_for(lambda: len(received) > 2)
    assert asked.read_bytes() == command_to_line(good)
    client.stop()
