"""The live decoder as a program uses it, through real LSL on the loopback interface."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Iterator
from pathlib import Path

import pylsl
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError, OperationError
from sjepa_online.online import DECISIONS, LiveDecision, LiveDecoder, LiveEvent, Publication
from sjepa_online.online.events import EngineEvent
from sjepa_online.stream import Replay, find_streams


@pytest.fixture
def replay(recording: Recording) -> Iterator[Replay]:
    """Other simulated trials than those of the decoder, again and again."""
    name = f"online-{os.getpid()}"
    with Replay([recording], name=name, loop=True, speed=4.0, wait_for_consumers=60.0) as replay:
        yield replay


def test_iterating_gives_what_is_published(decoder: Decoder, replay: Replay) -> None:
    suffix = f"-{os.getpid()}"
    decided = []
    with LiveDecoder.open(decoder, replay.name, mode="sliding", publish=suffix) as live:
        (published,) = [one for one in find_streams(2.0) if one.name == DECISIONS + suffix]
        inlet = pylsl.StreamInlet(published.info)
        inlet.open_stream(5.0)
        for event in live:
            if isinstance(event, LiveDecision):
                decided.append(event)
            if len(decided) == 20:
                break
        labels, times = inlet.pull_chunk(timeout=1.0)
    published_labels = {round(time, 2): label for (label,), time in zip(labels, times, strict=True)}
    # the inlet was there for the last ones at least
    for one in decided[-5:]:
        assert published_labels[round(one.time, 2)] == one.label


def test_events_end_after_a_time_though_nothing_comes(decoder: Decoder, replay: Replay) -> None:
    with LiveDecoder.open(decoder, replay.name, replay.marker_name, mode="markers") as live:
        begun = time.monotonic()
        for event in live.events(1.0):
            assert not isinstance(event, EngineEvent), event
        assert 0.9 < time.monotonic() - begun < 3.0
        assert live.ended == ""


def test_a_thread_calls_back_until_the_statement_ends(decoder: Decoder, replay: Replay) -> None:
    events: queue.Queue[LiveEvent] = queue.Queue()
    with LiveDecoder.open(decoder, replay.name, mode="sliding") as live:
        with live.in_thread(events.put):
            first, second = (events.get(timeout=20) for _ in range(2))
        n_events = events.qsize()
        time.sleep(0.5)
        assert events.qsize() == n_events
    assert isinstance(first, LiveDecision)
    assert isinstance(second, LiveDecision)
    assert second.time - first.time == pytest.approx(0.125, abs=0.01)


def test_an_error_of_the_callback_is_raised_where_the_thread_ends(
    decoder: Decoder, replay: Replay
) -> None:
    called = queue.Queue[LiveEvent]()

    def fail(event: LiveEvent) -> None:
        called.put(event)
        raise OSError("the robot has no power")

    with LiveDecoder.open(decoder, replay.name, mode="sliding") as live:
        thread = live.in_thread(fail)
        thread.__enter__()
        called.get(timeout=20)
        with pytest.raises(OSError, match="no power"):
            thread.__exit__(None, None, None)


def test_a_decoder_or_stream_that_is_not_there_is_one_error(
    decoder: Decoder, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="nowhere"):
        LiveDecoder.open(tmp_path / "nowhere.safetensors")
    with pytest.raises(InputError, match="no-such-stream"):
        LiveDecoder.open(decoder, "no-such-stream", wait=0.5)


def test_a_stream_that_is_gone_for_good_ends_the_iteration(decoder: Decoder) -> None:
    """Without a source id it can never be picked up again."""
    name = f"online-gone-{os.getpid()}"
    info = pylsl.StreamInfo(name, "EEG", len(decoder.ch_names), 250.0, pylsl.cf_float32, "")
    info.set_channel_labels(list(decoder.ch_names))
    info.set_channel_units("microvolts")
    source = pylsl.StreamOutlet(info)
    with LiveDecoder.open(decoder, name, mode="sliding") as live:
        del source
        (lost,) = live.events(20.0)
        assert isinstance(lost, EngineEvent)
        assert lost.event == "stream-lost"
        assert "gone" in live.ended
        thread = live.in_thread(print)
        thread.__enter__()
        with pytest.raises(OperationError, match="gone"):
            thread.__exit__(None, None, None)


def test_two_programs_that_publish_under_one_name_are_told() -> None:
    suffix = f"-twice-{os.getpid()}"

    def look(publication: Publication, seconds: float) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        end = time.monotonic() + seconds
        while not events and time.monotonic() < end:
            events = publication.look()
            time.sleep(0.05)
        return events

    with Publication(("left", "right"), 0.0, suffix) as first:
        assert look(first, 2.5) == []
        with Publication(("left", "right"), 0.0, suffix) as second:
            for publication in (second, first):
                (event,) = look(publication, 9.0)
                assert event.event == "name-taken"
                assert DECISIONS + suffix in event.detail
                assert publication.look() == []
