from __future__ import annotations

import gc
import json
import runpy
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sjepa_online.data.recording import Recording
from sjepa_online.stream import Chunk, SignalInlet, StreamEvent, discovery

SCRIPT = Path(__file__).with_name("replay_process.py")


@pytest.fixture(autouse=True)
def short_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search for 0.7 s a round: on one machine all answer 0.5 s after the start at the latest."""
    monkeypatch.setattr(discovery, "_ROUND", 0.7)


@dataclass
class Received:
    """Everything that an inlet gave, put together."""

    data: np.ndarray
    timestamps: np.ndarray
    events: list[StreamEvent] = field(default_factory=list)


@pytest.fixture
def replay_process() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start replay_process.py with options; it ends with the test at the latest."""
    with ExitStack() as stack:

        def start(**options: object) -> subprocess.Popen[bytes]:
            command = [sys.executable, str(SCRIPT), json.dumps(options)]
            process = stack.enter_context(subprocess.Popen(command))
            stack.callback(process.kill)
            return process

        yield start


@pytest.fixture
def counting_recording() -> Callable[..., Recording]:
    """Make a recording in which channel k holds the sample's index plus 100,000 k."""
    make: Callable[..., Recording] = runpy.run_path(str(SCRIPT))["counting_recording"]
    return make


@pytest.fixture
def collect() -> Callable[..., Received]:
    """Pull until there are ``n`` samples or ``until`` says so, for at most ``timeout`` s."""

    def pull_all(
        inlet: SignalInlet,
        n: int | None = None,
        until: Callable[[Chunk], bool] | None = None,
        timeout: float = 10.0,
    ) -> Received:
        chunks: list[Chunk] = []
        received = 0
        end = time.monotonic() + timeout
        while time.monotonic() < end and (n is None or received < n):
            chunks.append(inlet.pull(0.02))
            received += len(chunks[-1].timestamps)
            if until is not None and until(chunks[-1]):
                break
        return Received(
            np.concatenate([chunk.data for chunk in chunks], axis=1),
            np.concatenate([chunk.timestamps for chunk in chunks]),
            [event for chunk in chunks for event in chunk.events],
        )

    return pull_all


@pytest.fixture
def outlet() -> Iterator[Callable[..., Any]]:
    """Make outlets as any other program would, with pylsl alone; they last as long as the test."""
    import pylsl

    outlets = []

    def make(
        name: str,
        labels: list[str] | None,
        unit: str | None = "microvolts",
        sfreq: float = 250.0,
        source_id: str = "test",
        stype: str = "EEG",
        n_channels: int = 2,
        channel_format: int = pylsl.cf_float32,
    ) -> Any:
        info = pylsl.StreamInfo(name, stype, n_channels, sfreq, channel_format, source_id)
        if labels is not None:
            info.set_channel_labels(labels)
        if unit is not None:
            info.set_channel_units(unit)
        outlets.append(pylsl.StreamOutlet(info))
        return outlets[-1]

    yield make
    outlets.clear()
    # the tracebacks that pytest.raises keeps would keep outlets in sight of the next test
    gc.collect()
