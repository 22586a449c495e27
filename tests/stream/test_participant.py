from __future__ import annotations

import json
import queue
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pylsl
import pytest

from sjepa_online.errors import InputError
from sjepa_online.stream import ParticipantStream, SignalInlet, resolve_stream

SCRIPT = Path(__file__).with_name("participant_process.py")
make_participant = runpy.run_path(str(SCRIPT))["make_participant"]


class Process:
    """A participant in another process, and what it prints."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self._lines: queue.Queue[dict[str, Any]] = queue.Queue()
        threading.Thread(target=self._read, args=(popen.stdout,), daemon=True).start()

    def _read(self, lines: Iterator[str]) -> None:
        for line in lines:
            self._lines.put(json.loads(line))

    def next(self, key: str, text: str = "") -> Any:
        """Wait for a line with this key that holds the text."""
        while True:
            line = self._lines.get(timeout=20)
            if key in line and text in str(line[key]):
                return line[key]


@pytest.fixture
def participant_process() -> Iterator[Callable[..., Process]]:
    """Start participant_process.py with options; it ends with the test at the latest."""
    with ExitStack() as stack:

        def start(**options: object) -> Process:
            command = [sys.executable, str(SCRIPT), json.dumps(options)]
            popen = stack.enter_context(
                subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            )
            stack.callback(popen.kill)
            return Process(popen)

        yield start


@pytest.fixture
def marker_outlet(outlet) -> Callable[..., Any]:
    """Make marker streams as any other program would."""

    def make(name: str, source_id: str = "stimulus") -> Any:
        return outlet(
            name, None, None, 0.0, source_id, "Markers", 1, channel_format=pylsl.cf_string
        )

    return make


@pytest.mark.slow
def test_every_marker_is_answered_to_the_sample_also_when_its_stream_returns(
    participant_process, collect
):
    """What arrives is what the same participant gives who is shown the markers offline."""
    sfreq = 500.0
    name, marker_name = "exact-participant", "exact-stimulus"
    process = participant_process(paradigm="ssvep", sfreq=sfreq, name=name, markers=marker_name)
    started_at = process.next("started_at")
    stream = resolve_stream(f"{name} (simulated)", wait=20)
    assert (stream.type, stream.unit, stream.simulated) == ("EEG", "microvolts", True)
    shown: list[tuple[float, str]] = []
    with SignalInlet(stream, dejitter=False) as inlet:
        received = []
        for source_id in ("first", "another"):  # the program restarts under another id
            info = pylsl.StreamInfo(marker_name, "Markers", 1, 0.0, pylsl.cf_string, source_id)
            markers = pylsl.StreamOutlet(info)
            process.next("report", "Answering")
            for text in ("12.0", "end"):
                shown.append((pylsl.local_clock(), text))
                markers.push_sample([text], shown[-1][0])
                received.append(collect(inlet, timeout=0.8))
            del markers
            process.next("report", "are gone")

    timestamps = np.concatenate([part.timestamps for part in received])
    data = np.concatenate([part.data for part in received], axis=1)
    assert not [event for part in received for event in part.events]
    places = np.round((timestamps - started_at) * sfreq).astype(int)
    np.testing.assert_allclose(timestamps, started_at + places / sfreq, atol=1e-4)
    np.testing.assert_array_equal(np.diff(places), 1)

    offline, idle = (make_participant("ssvep", sfreq) for _ in range(2))
    for when, text in shown:
        offline.push_marker(text, when - started_at)
    expected = offline.generate(places[-1] + 1)
    # a fifth of what a shift by one sample would change
    np.testing.assert_allclose(data, expected[:, places], atol=0.1)
    assert np.abs(idle.generate(places[-1] + 1) - expected).max() > 1.0


def test_samples_come_when_they_would_have_been_taken(collect):
    participant = make_participant("mi", 250.0)
    with ParticipantStream(participant, name="pace-participant", markers="nobody-sends-this"):
        inlet = SignalInlet(resolve_stream("pace-participant (simulated)"))
        delays = []
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            chunk = inlet.pull(0.05)
            if len(chunk.timestamps):
                delays.append(pylsl.local_clock() - chunk.timestamps[-1])
    assert min(delays) >= -0.001
    assert np.median(delays) < 0.02


def test_a_late_marker_is_reported(marker_outlet):
    reports: queue.Queue[str] = queue.Queue()
    markers = marker_outlet("late-stimulus")
    participant = make_participant("ssvep", 250.0)
    with ParticipantStream(
        participant, name="late-participant", markers="late-stimulus", report=reports.put
    ):
        while "Answering" not in reports.get(timeout=10):
            pass
        markers.push_sample(["12.0"], pylsl.local_clock())
        markers.push_sample(["end"], pylsl.local_clock() - 0.5)
        report = reports.get(timeout=5)
    assert "end came 0." in report
    assert reports.empty()


def test_of_two_marker_streams_none_is_answered_until_one_is_left(marker_outlet):
    reports: queue.Queue[str] = queue.Queue()
    first = marker_outlet("two-stimulus", "one")
    second = pylsl.StreamOutlet(
        pylsl.StreamInfo("two-stimulus", "Markers", 1, 0.0, pylsl.cf_string, "two")
    )
    with ParticipantStream(
        make_participant("erp", 250.0),
        name="two-participant",
        markers="two-stimulus",
        report=reports.put,
    ):
        assert "exactly one marker stream" in reports.get(timeout=10)
        del second
        assert "Answering" in reports.get(timeout=10)
    assert first is not None


def test_a_signal_is_no_stimulus(outlet):
    outlet("a-signal", ["C3", "C4"])
    stream = ParticipantStream(
        make_participant("mi", 250.0), name="misled-participant", markers="a-signal"
    )
    with pytest.raises(InputError, match="a-signal"):
        stream.run(20.0)


def test_it_ends_after_the_seconds_that_it_is_given():
    participant = make_participant("mi", 250.0)
    begun = time.monotonic()
    ParticipantStream(participant, name="short-participant", markers="nobody").run(0.5)
    assert participant.n_generated == 125
    assert 0.45 < time.monotonic() - begun < 2.5
