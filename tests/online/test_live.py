"""The live decoder on real inlets, over a stand-in for liblsl that gives what a test puts in."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.online import (
    EngineEvent,
    LiveDecision,
    LiveDecoder,
    LiveEvent,
    decode_recording,
)
from sjepa_online.online.events import STREAM_EVENTS
from sjepa_online.online.marker_feed import AT_ONCE, MOST_AT_ONCE
from sjepa_online.stream import (
    MarkerInlet,
    SignalInlet,
    StreamDescription,
)

SFREQ = 250.0
CHUNK = 25


class LostError(Exception):
    """As pylsl's."""


@dataclass
class Source:
    """What an outlet has sent and nobody has pulled: values, each with its time."""

    identity: tuple[str, str, str] = ("", "", "")
    values: deque[Any] = field(default_factory=deque)
    times: deque[float] = field(default_factory=deque)
    gone: bool = False

    def name(self) -> str:
        return self.identity[0]

    def type(self) -> str:
        return self.identity[1]

    def source_id(self) -> str:
        return self.identity[2]

    def send(self, values: Sequence[Any], times: Sequence[float]) -> None:
        self.values.extend(values)
        self.times.extend(times)


class StandInInlet:
    """As pylsl's, on a source in this process."""

    def __init__(self, info: Source, **_: object) -> None:
        self.source = info

    def open_stream(self, timeout: float) -> None: ...

    def time_correction(self, timeout: float) -> float:
        return 0.0

    def info(self, timeout: float) -> None: ...

    def pull_chunk(self, max_samples: int = 1024, **_: object) -> tuple[Any, NDArray[np.float64]]:
        if self.source.gone:
            raise LostError
        n = min(max_samples, len(self.source.times))
        values = [self.source.values.popleft() for _ in range(n)]
        return np.array(values), np.array([self.source.times.popleft() for _ in range(n)])


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Stand in for liblsl and its clock, whose time the test sets."""
    clock = SimpleNamespace(now=0.0, in_sight=[])
    lsl = SimpleNamespace(
        util=SimpleNamespace(LostError=LostError, TimeoutError=TimeoutError),
        proc_clocksync=1,
        StreamInlet=StandInInlet,
        ContinuousResolver=lambda **_: SimpleNamespace(results=lambda: clock.in_sight),
    )
    for module in ("connection", "markers"):
        monkeypatch.setattr(f"sjepa_online.stream.inlets.{module}.liblsl", lambda: lsl)
    for module in (
        "stream.inlets.signal",
        "stream.inlets.markers",
        "online.live",
        "online.marker_feed",
    ):
        monkeypatch.setattr(f"sjepa_online.{module}.local_clock", lambda: clock.now)
    return clock


class Bench:
    """A live decoder, and the sources of its signal and markers."""

    def __init__(
        self,
        decoder: Decoder,
        clock: SimpleNamespace,
        mode: str = "sliding",
        sfreq: float = SFREQ,
        unit: str = "uV",
    ) -> None:
        self.clock, self.sfreq = clock, sfreq
        self.signal = Source(("amplifier", "EEG", "device"))
        self.markers = Source(("stimulus", "Markers", "device"))
        clock.in_sight = [self.signal, self.markers]
        n_channels = len(decoder.ch_names)
        signal = SignalInlet(
            StreamDescription(
                "amplifier", "EEG", n_channels, sfreq, "float32", "here", "device", "1",
                ch_names=decoder.ch_names, units=(unit,) * n_channels, info=self.signal,
            )
        )  # fmt: skip
        markers = MarkerInlet(
            StreamDescription(
                "stimulus", "Markers", 1, 0.0, "string", "here", "device", "2", info=self.markers
            )
        )
        self.live = LiveDecoder(decoder, signal, markers, mode=mode)

    def play(self, data: NDArray[Any], sent_sfreq: float | None = None) -> list[LiveEvent]:
        """Send a signal in chunks from the present on, and poll after each."""
        results: list[LiveEvent] = []
        sent_sfreq = sent_sfreq or self.sfreq
        start = self.clock.now
        for first in range(0, data.shape[1], CHUNK):
            chunk = data[:, first : first + CHUNK]
            times = start + np.arange(first, first + chunk.shape[1]) / sent_sfreq
            self.signal.send(list(chunk.T), times.tolist())
            self.clock.now = float(times[-1]) + 1 / sent_sfreq
            results += self.live.poll(0.0)
        return results


def _decisions(results: Sequence[LiveEvent]) -> list[LiveDecision]:
    return [one for one in results if isinstance(one, LiveDecision)]


def _events(results: Sequence[LiveEvent]) -> list[EngineEvent]:
    """Return the events that are not of the stream itself, which has gaps too."""
    return [
        one
        for one in results
        if isinstance(one, EngineEvent)
        and (one.event not in STREAM_EVENTS or "windows that reach over it" in one.detail)
    ]


@pytest.mark.parametrize("time", [1e9, np.nan, np.inf, -np.inf])
def test_a_marker_of_another_clock_is_told_and_silences_nothing(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace, time: float
) -> None:
    bench = Bench(decoder, clock, "markers")
    bench.markers.send([("left",)], [time])
    bench.markers.send([(label,) for label in recording.labels], recording.onsets.tolist())
    results = bench.play(recording.data)
    (event,) = _events(results)
    assert event.event == "marker-ignored"
    assert event.time == pytest.approx((CHUNK - 1) / SFREQ), "a time on the signal's clock"
    assert "'left'" in event.detail
    expected = decode_recording(decoder, recording)
    decided = _decisions(results)
    assert [one.label for one in decided] == [one.label for one in expected]
    assert [one.onset for one in decided] == pytest.approx(recording.onsets.tolist())


def test_markers_during_a_long_silence_of_the_amplifier_are_none_of_another_clock(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    bench = Bench(decoder, clock, "markers")
    before = bench.play(recording.data[:, :500])
    clock.now += 100.0
    bench.markers.send([("left",)], [clock.now - 1.0])
    assert [one.event for one in bench.live.poll(0.0)] == ["stream-lost"]
    bench.markers.send([("right",)], [clock.now + 1.0])
    after = bench.play(recording.data)
    assert [one.event for one in _events(before + after)] == ["gap", "window-skipped"]
    assert [one.onset for one in _decisions(after)] == pytest.approx([clock.now - 17.0 + 1.0])


@pytest.mark.parametrize("mode", ["sliding", "markers"])
@pytest.mark.parametrize("sent", [500.0, 256.0])
def test_nothing_is_decided_at_a_wrong_rate_and_decoding_starts_afresh_at_the_right_one(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace, sent: float, mode: str
) -> None:
    """The source is restarted after 15 s, and sends at the right rate from 17 s on."""
    bench = Bench(decoder, clock, mode)
    onsets = (1.0, 10.0, 26.0)
    bench.markers.send([("left",)] * 3, onsets)
    wrong = bench.play(np.tile(recording.data, 4)[:, : round(15 * sent)], sent)
    (event,) = _events(wrong)
    assert event.event == "not-decoded"
    assert f"sends {sent:g} Hz" in event.detail
    assert 5.0 < event.time < 8.0, "as soon as a rate can be told"
    assert all(one.time < event.time for one in _decisions(wrong))
    clock.now += 2.0
    right = bench.play(recording.data)
    gap, *skipped = _events(right)
    assert gap.event == "gap"
    assert gap.time < 25.0
    assert [one.event for one in skipped] == ["window-skipped"] * (mode == "markers")
    decided = [one for one in right if isinstance(one, LiveDecision)]
    assert decided
    assert all(one.time > gap.time + 1.17 for one in decided), "whole windows only"
    if mode == "markers":
        assert [one.onset for one in decided] == pytest.approx([26.0])


def test_a_source_that_stamps_on_arrival_and_stalls_is_decoded_on(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    """After 10 s nothing comes for 1 s, and then all of it at once, stamped with that time."""
    bench = Bench(decoder, clock)
    data = np.tile(recording.data, 3)[:, : round(30 * SFREQ)]
    results: list[LiveEvent] = []
    for first in range(0, data.shape[1], CHUNK):
        chunk = data[:, first : first + CHUNK]
        taken = (first + CHUNK) / SFREQ
        arrival = 11.0 if 10.0 < taken < 11.0 else taken
        bench.signal.send(list(chunk.T), [arrival] * chunk.shape[1])
        if arrival != 11.0 or taken >= 11.0 - CHUNK / SFREQ:
            clock.now = arrival
            results += bench.live.poll(0.0)
    assert "not-decoded" not in [one.event for one in _events(results)]
    assert _decisions(results)[-1].time > 29.0


@pytest.mark.parametrize("flat", [0.0, 14.0])
@pytest.mark.parametrize(
    ("declared", "factor", "suits"), [("uV", 1e-6, "V"), ("uV", 1e-3, "mV"), ("V", 1.0, "uV")]
)
def test_an_amplitude_that_contradicts_the_unit_is_refused_whenever_the_signal_begins(
    decoder: Decoder,
    recording: Recording,
    clock: SimpleNamespace,
    declared: str,
    factor: float,
    suits: str,
    flat: float,
) -> None:
    bench = Bench(decoder, clock, unit=declared)
    bench.play(np.zeros((4, round(flat * SFREQ))))
    with pytest.raises(InputError, match=rf"The amplitude would suit {suits}:"):
        bench.play(factor * recording.data[:, :1000])


def test_the_amplitude_is_compared_only_until_it_is_known(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    bench = Bench(decoder, clock)
    bench.play(recording.data)
    bench.play(1e6 * recording.data)


def test_markers_that_vanish_and_come_back_are_told(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    """Their source sends signal on by the same device, and nothing else tells."""
    bench = Bench(decoder, clock, "markers")
    assert bench.play(recording.data[:, :1500]) == []
    clock.in_sight.remove(bench.markers)
    (lost,) = bench.play(recording.data[:, 1500:])
    assert isinstance(lost, EngineEvent)
    assert lost.event == "stream-lost"
    assert bench.live.ended == ""
    assert "stimulus" in lost.detail
    assert 10.0 < lost.time < 13.0
    clock.in_sight.append(bench.markers)
    (back,) = bench.play(recording.data)
    assert isinstance(back, EngineEvent)
    assert back.event == "stream-recovered"
    assert back.time - 17.0 < 1.2


def test_a_flood_of_markers_delays_no_decision_and_is_told_once_a_second(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    """Ten thousand markers a second."""
    bench = Bench(decoder, clock, "markers")
    n_sent = 0
    results: list[LiveEvent] = []
    data = recording.data[:, : round(8 * SFREQ)]
    for first in range(0, data.shape[1], CHUNK):
        times = clock.now + np.arange(1000) * 1e-4
        bench.markers.send([("left",)] * 1000, times.tolist())
        n_sent += 1000
        results += bench.play(data[:, first : first + CHUNK])
    decisions, events = _decisions(results), _events(results)
    assert {one.event for one in events} == {"markers-dropped"}
    assert all(later.time - one.time > 0.99 for one, later in pairwise(events))
    n_dropped = sum(1 + int(re.search(r"so are (\d+) more", one.detail)[1]) for one in events)
    # the last second is told of in the next one
    assert 0.85 * n_sent < n_dropped < n_sent - len(decisions)
    window = decoder.protocol.window
    n_seconds = data.shape[1] / SFREQ - window.start - window.length
    assert len(decisions) == pytest.approx(n_seconds * MOST_AT_ONCE / AT_ONCE, rel=0.05)
    per_chunk = Counter(int(one.time * SFREQ / CHUNK) for one in decisions)
    assert max(per_chunk.values()) <= MOST_AT_ONCE


def test_many_markers_of_another_clock_are_told_at_once(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    bench = Bench(decoder, clock, "markers")
    bench.markers.send([("left",)] * 3000, [1e9] * 3000)
    (event,) = _events(bench.play(recording.data[:, : 3 * CHUNK]))
    assert event.event == "marker-ignored"
    assert "so are 2999 more" in event.detail


def test_timestamps_that_stand_still_are_told_and_nothing_is_decided(
    decoder: Decoder, recording: Recording, clock: SimpleNamespace
) -> None:
    bench = Bench(decoder, clock)
    assert _decisions(bench.play(recording.data[:, :1000]))
    results: list[LiveEvent] = []
    frozen = clock.now
    for first in range(1000, 2500, CHUNK):
        chunk = recording.data[:, first : first + CHUNK]
        bench.signal.send(list(chunk.T), [frozen] * chunk.shape[1])
        clock.now += CHUNK / SFREQ
        results += bench.live.poll(0.0)
    told = [one for one in results if getattr(one, "event", "") == "frozen-timestamps"]
    assert len(told) == 1
    assert told[0].time - frozen == pytest.approx(2.1, abs=0.21)
    assert not _decisions(results[results.index(told[0]) :])
    again = bench.play(recording.data)
    assert _decisions(again)[0].time > clock.now - recording.data.shape[1] / SFREQ + 1.0
