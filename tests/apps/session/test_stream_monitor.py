from __future__ import annotations

import time
from contextlib import ExitStack
from types import SimpleNamespace

import numpy as np
import pylsl
import pytest

from sjepa_apps.session import stream_monitor as monitor_module
from sjepa_apps.session.stream_monitor import StreamMonitor, wait_until_back
from sjepa_online.errors import OperationError
from sjepa_online.stream import resolve_stream

SFREQ = 100.0


class Amplifier:
    """A stream that sends a second of samples when it is asked to."""

    def __init__(self, name: str, source_id: str) -> None:
        info = pylsl.StreamInfo(name, "EEG", 2, SFREQ, pylsl.cf_float32, source_id)
        info.set_channel_labels(["C3", "C4"])
        self.outlet = pylsl.StreamOutlet(info)
        self.time = pylsl.local_clock()

    def send(self) -> None:
        times = self.time + np.arange(1, SFREQ + 1) / SFREQ
        self.outlet.push_chunk(np.zeros((len(times), 2), np.float32), times.tolist())
        self.time = times[-1]


def wait_for(condition):
    end = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def well(received: bool) -> str:
    """Say as a recorder does that all is well."""
    return ""


def test_a_pause_of_a_second_is_no_loss_and_silence_is():
    amplifiers = [Amplifier("with-id", "amplifier"), Amplifier("without-id", "")]
    told = []
    streams = [resolve_stream(name) for name in ("with-id", "without-id")]
    watches = []
    with ExitStack() as stack:
        for stream, amplifier in zip(streams, amplifiers, strict=True):
            watch = StreamMonitor(stream, well, told.append)
            amplifier.send()
            watches.append(stack.enter_context(watch))
        for _ in range(2):
            for amplifier in amplifiers:
                amplifier.send()
            sent = time.monotonic()
            time.sleep(1.0)
        assert not any(watch.broken() for watch in watches)
        wait_for(lambda: any(watch.broken() for watch in watches))
        assert time.monotonic() - sent > 2.5
        wait_for(lambda: all(watch.broken() for watch in watches))
    for watch, name in zip(watches, ("with-id", "without-id"), strict=True):
        assert watch.problem == f"{name} has broken off"
    assert told == []


def test_a_source_that_ends_is_lost_at_once(monkeypatch):
    # silence alone is no loss here
    monkeypatch.setattr(monitor_module, "LOST_AFTER", 600.0)
    amplifier = Amplifier("ending", "amplifier")
    with StreamMonitor(resolve_stream("ending"), well, print) as watch:
        amplifier.send()
        time.sleep(0.3)
        amplifier.outlet = None
        wait_for(watch.broken)
    assert watch.problem == "ending has broken off"


def test_a_recorder_that_ends_is_noticed():
    amplifier, problems = Amplifier("recorded", "amplifier"), [""]
    with StreamMonitor(resolve_stream("recorded"), lambda _: problems[-1], print) as watch:
        amplifier.send()
        problems.append("The disk is full")
        wait_for(watch.broken)
    assert watch.problem == "The disk is full"


def test_who_is_not_watched_any_more_is_not_sound():
    amplifier = Amplifier("failing", "amplifier")

    def watch_until_broken():
        with StreamMonitor(resolve_stream("failing"), lambda _: 1 // 0, print) as watch:
            amplifier.send()
            wait_for(watch.broken)

    with pytest.raises(ZeroDivisionError):
        watch_until_broken()


def test_a_stream_that_sends_nothing_is_not_back(monkeypatch):
    monkeypatch.setattr(monitor_module, "LOST_AFTER", 0.1)
    monkeypatch.setattr(monitor_module, "PATIENCE", 0.0)
    amplifier = Amplifier("silent", "amplifier")
    told, shown = [], []
    presenter = SimpleNamespace(show_message=shown.append)
    stream = resolve_stream("silent")
    ended = (
        "It has broken off, and has not come back within 0 s. Begin anew. The stream silent is in"
    )
    with pytest.raises(OperationError, match=ended):
        wait_until_back(stream, "It has broken off", presenter, told.append, "Begin anew.")
    assert told == ["It has broken off"]
    assert shown == [monitor_module.BREAK]
    amplifier.send()
