"""The engine process as the window meets it: lines in, lines out."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder, load_decoder
from sjepa_online.online import Decision, LiveService, decode_recording
from sjepa_online.online.commands import (
    ChooseChannel,
    CloseStream,
    LoadDecoder,
    OpenStream,
    UseMarkers,
    command_to_line,
)
from sjepa_online.online.events import read_event
from sjepa_online.stream import Replay

#: As many electrodes as the decoder has, and none of its own.
FRONTAL = ["Fz", "F1", "F2", "F3", "F4", "AFz", "AF3", "AF4"]


class Engine:
    """The process, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.messages: list[Any] = []

    def ask(self, command: Any) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command_to_line(command))
        self.process.stdin.flush()

    def until(self, kind: str, **fields: Any) -> Any:
        """Read up to the next message of a kind."""
        assert self.process.stdout is not None
        while line := self.process.stdout.readline():
            message = read_event(line)
            self.messages.append(message)
            if message.kind == kind and all(
                getattr(message, name) == value for name, value in fields.items()
            ):
                return message
        raise AssertionError(f"the engine has ended before it said {kind}")


@pytest.fixture(scope="module")
def running() -> Iterator[Engine]:
    """An engine process that lasts as long as this module, and ends by itself with its input."""
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "sjepa_apps.live.engine.process", "--suffix=-2"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(process.kill)
        engine = Engine(process)
        engine.until("ready")
        yield engine
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=60) == 0


@pytest.fixture
def engine(running: Engine) -> Iterator[Engine]:
    """The engine process without a stream; each test loads its decoder."""
    yield running
    running.ask(CloseStream())


@pytest.mark.slow
def test_it_decides_as_the_engine_does_offline(
    engine: Engine, decoder_file: Path, six_trials: Recording
) -> None:
    engine.ask(LoadDecoder(path=str(decoder_file)))
    ready = engine.until("decoder")
    assert ready.protocol.class_names == ("13", "17", "21", "rest")
    assert len(ready.patterns) == 3
    assert all(max(map(abs, pattern.values)) == pytest.approx(1) for pattern in ready.patterns)
    name = f"engine-process-{os.getpid()}"
    with Replay([six_trials], name=name, speed=8.0, wait_for_consumers=60.0) as replay:
        engine.ask(OpenStream(selector=name, markers=f"{name}-markers", mode="markers"))
        decisions = [engine.until("decision") for _ in range(3)]
    assert replay.started_at is not None
    offline = [
        one
        for one in decode_recording(load_decoder(decoder_file), six_trials)
        if isinstance(one, Decision)
    ]
    assert len(offline) == len(six_trials.onsets)
    for live in decisions:
        # a trial may be over before the engine hears of markers
        trial = int(np.argmin(np.abs(six_trials.onsets + replay.started_at - live.onset)))
        expected = offline[trial]
        assert (live.label, live.truth) == (expected.label, expected.truth)
        np.testing.assert_allclose(
            list(live.probabilities.values()), list(expected.probabilities.values()), atol=1e-4
        )


def test_a_channel_is_forced_bad_and_a_decoder_that_is_refused_changes_nothing(
    engine: Engine,
    decoder_file: Path,
    six_trials: Recording,
    tmp_path: Path,
    edit_tensor_file: Callable[..., None],
) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(decoder_file.read_bytes()[:-100])
    newer = tmp_path / "newer.safetensors"
    newer.write_bytes(
        decoder_file.read_bytes().replace(b'"format_version":"1"', b'"format_version":"9"')
    )
    elsewhere = tmp_path / "elsewhere.safetensors"
    elsewhere.write_bytes(decoder_file.read_bytes())
    edit_tensor_file(elsewhere, lambda config, _: config.update(ch_names=FRONTAL))
    name = f"engine-choice-{os.getpid()}"
    with Replay([six_trials], name=name, speed=4.0, loop=True, wait_for_consumers=60.0):
        engine.ask(LoadDecoder(path=str(decoder_file)))
        engine.ask(OpenStream(selector=name))
        engine.ask(ChooseChannel(channel="Oz", choice="bad"))
        engine.until("decoding", stream=name)
        assert engine.until("decision").bad_channels == ("Oz",)
        report = next(one for one in engine.until("channels").channels if one.channel == "Oz")
        assert (report.bad, report.choice) == (True, "bad")
        engine.messages.clear()
        for path, words in ((damaged, "truncated"), (newer, "version"), (elsewhere, "AFz")):
            engine.ask(LoadDecoder(path=str(path)))
            assert words in engine.until("refused", command="load-decoder").reason
            engine.until("decision")
        # nothing was begun anew
        assert {message.kind for message in engine.messages} <= {
            "refused", "decision", "channels", "health", "event",
        }  # fmt: skip
        health = engine.until("health")
        assert not health.lost
        assert health.sfreq == pytest.approx(six_trials.sfreq, rel=0.01)
        engine.ask(ChooseChannel(channel="Oz", choice="automatic"))
        while engine.until("decision").bad_channels:
            pass


def test_no_sample_passes_while_a_decoder_loads(
    engine: Engine, decoder_file: Path, six_trials: Recording
) -> None:
    name = f"engine-loading-{os.getpid()}"
    with Replay([six_trials], name=name, speed=4.0, wait_for_consumers=60.0) as replay:
        # the stream is asked for while the first of several decoders is being read
        for _ in range(3):
            engine.ask(LoadDecoder(path=str(decoder_file)))
        engine.ask(OpenStream(selector=name))
        engine.messages.clear()
        decision = engine.until("decision")
        kinds = [message.kind for message in engine.messages]
        assert kinds.index("decoder") < kinds.index("decoding")
    first = next(
        one
        for one in decode_recording(load_decoder(decoder_file), six_trials, mode="sliding")
        if isinstance(one, Decision)
    )
    assert replay.started_at is not None
    assert decision.time - replay.started_at == pytest.approx(first.time, abs=0.02)


def test_a_stream_that_is_not_there_is_waited_for_and_one_that_does_not_fit_is_refused(
    engine: Engine, decoder_file: Path, outlet: Callable[..., Any]
) -> None:
    engine.ask(OpenStream(selector=f"engine-late-{os.getpid()}"))
    assert "engine-late" in engine.until("event", event="waiting-for-stream").detail
    late = outlet(f"engine-late-{os.getpid()}", ("C3", "Cz", "C4"), source_id="")
    engine.until("health")
    engine.ask(LoadDecoder(path=str(decoder_file)))
    assert "Oz" in engine.until("refused", command="open-stream").reason
    engine.until("health")
    # without a source id it has to be looked for again
    del late
    engine.until("event", event="waiting-for-stream")


def test_markers_that_come_later_are_waited_for(
    engine: Engine, decoder_file: Path, six_trials: Recording
) -> None:
    name = f"engine-markers-{os.getpid()}"
    with Replay([six_trials], name=name, speed=4.0, loop=True, wait_for_consumers=60.0):
        engine.ask(LoadDecoder(path=str(decoder_file)))
        engine.ask(OpenStream(selector=name, mode="markers"))
        told = engine.until("event", event="waiting-for-markers").detail
        assert "none is in sight" in told
        engine.ask(UseMarkers(selector=f"{name}-markers"))
        engine.until("decoding", stream=name, mode="markers")
        assert engine.until("decision").onset is not None


def test_early_stopping_begins_with_the_markers(
    decoder_file: Path, six_trials: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = load_decoder(decoder_file).window_lengths
    monkeypatch.setattr(Decoder, "window_lengths", (128, whole))
    messages: queue.Queue[Any] = queue.Queue()
    commands: queue.Queue[Any] = queue.Queue()

    def until(kind: str, **fields: Any) -> None:
        while (message := messages.get(timeout=20)).kind != kind or any(
            getattr(message, name) != value for name, value in fields.items()
        ):
            pass

    name = f"engine-early-{os.getpid()}"
    working = threading.Thread(target=LiveService(messages.put, "-3").run, args=(commands,))
    working.start()
    try:
        with Replay([six_trials], name=name, loop=True, wait_for_consumers=60.0):
            commands.put(LoadDecoder(path=str(decoder_file)))
            commands.put(OpenStream(selector=name))
            until("decoding", mode="sliding")
            until("event", event="whole-windows")
            commands.put(UseMarkers(selector=f"{name}-markers"))
            until("decoding", mode="markers")
            commands.put(OpenStream(selector=name, markers=f"{name}-markers", mode="sliding"))
            until("decoding", mode="sliding")
    finally:
        commands.put(None)
        working.join()
        # the loader ends a moment after its engine
        for thread in threading.enumerate():
            if thread.name.startswith("loader"):
                thread.join()


def test_a_line_that_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="kind"):
        read_event(json.dumps({"kind": "unheard-of"}))
