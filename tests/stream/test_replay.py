from __future__ import annotations

import subprocess
import time

import numpy as np
import pylsl
import pytest

from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import Gap, MarkerInlet, Replay, SignalInlet, resolve_stream
from sjepa_online.stream.replay import PAUSE

ONSETS = (0.0, 0.5, 1.003, 1.9999)
LABELS = ("first", "12.0", "left_hand", "last")


def test_another_process_receives_exact_samples_and_markers(replay_process, collect):
    process = replay_process(
        name="exact",
        recording={"n_samples": 509, "onsets": ONSETS, "labels": LABELS},
        wait_for_consumers=20,
        linger=0.5,
    )
    stream = resolve_stream("exact", wait=20)
    assert (stream.n_channels, stream.sfreq, stream.unit) == (2, 250.0, "microvolts")
    with (
        MarkerInlet(resolve_stream("exact-markers", kind="markers")) as marker_inlet,
        SignalInlet(stream) as inlet,
    ):
        assert (inlet.ch_names, inlet.unit_of()) == (("E0", "E1"), "uV")
        received = collect(inlet, n=509)
        markers = marker_inlet.pull()
        assert process.wait(5) == 0

    np.testing.assert_array_equal(received.data[0], np.arange(509))
    np.testing.assert_array_equal(received.data[1], 100_000 + np.arange(509))
    np.testing.assert_allclose(np.diff(received.timestamps), 1 / 250, atol=1e-5)
    assert received.events == []
    assert (inlet.received, inlet.missing) == (509, 0)
    assert tuple(marker.label for marker in markers) == LABELS
    times = np.array([marker.time for marker in markers]) - received.timestamps[0]
    np.testing.assert_allclose(times, ONSETS, atol=0.5 / 250)


def test_the_replay_keeps_to_real_time(counting_recording, collect):
    with Replay([counting_recording(500)], name="pace", wait_for_consumers=10) as replay:
        inlet = SignalInlet(resolve_stream("pace"))
        delays = []
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            chunk = inlet.pull(0.05)
            if len(chunk.timestamps):
                delays.append(pylsl.local_clock() - chunk.timestamps[-1])
        assert not replay.wait(0)
    assert min(delays) >= -0.001
    assert np.median(delays) < 0.05


def test_speed_changes_the_pace_but_not_the_timestamps(counting_recording, collect):
    recording = counting_recording(2500, onsets=(8.0,), labels=("a",))
    with (
        Replay([recording], name="fast", speed=10, wait_for_consumers=10) as replay,
        MarkerInlet(resolve_stream("fast-markers", kind="markers")) as markers,
        SignalInlet(resolve_stream("fast")) as inlet,
    ):
        received = collect(inlet, n=2500)
        elapsed = pylsl.local_clock() - replay.started_at
        (marker,) = markers.pull()
    assert 0.9 < elapsed < 2.0
    np.testing.assert_array_equal(received.data[0], np.arange(2500))
    np.testing.assert_allclose(np.diff(received.timestamps), 1 / 250, atol=1e-5)
    assert abs(marker.time - received.timestamps[2000]) < 0.5 / 250
    assert received.events == []


def test_a_loop_repeats_samples_and_markers_after_a_gap(counting_recording, collect):
    recording = counting_recording(100, onsets=(0.2,), labels=("a",))
    with (
        Replay([recording], name="loop", loop=True, speed=2, wait_for_consumers=10),
        MarkerInlet(resolve_stream("loop-markers", kind="markers")) as marker_inlet,
        SignalInlet(resolve_stream("loop")) as inlet,
    ):
        received = collect(inlet, n=300)
        markers = marker_inlet.pull()
    np.testing.assert_array_equal(received.data[0, :300], np.tile(np.arange(100), 3))
    starts = np.flatnonzero(received.data[0] == 0)
    np.testing.assert_allclose(np.diff(received.timestamps[starts]), 0.4 + PAUSE, atol=1e-4)
    gaps = [event for event in received.events if isinstance(event, Gap)]
    assert [gap.missing for gap in gaps[:2]] == pytest.approx([PAUSE * 250] * 2, abs=0.6)
    places = np.flatnonzero(received.data[0] == 50)
    times = [marker.time for marker in markers[: len(places)]]
    np.testing.assert_allclose(times, received.timestamps[places[: len(times)]], atol=1 / 250)


def test_recordings_and_breaks_are_set_apart_by_a_gap(counting_recording, collect):
    first = counting_recording(100, breaks=(0.2,), onsets=(0.2,), labels=("a",))
    with (
        Replay([first, counting_recording(50)], name="parts", wait_for_consumers=10) as replay,
        MarkerInlet(resolve_stream("parts-markers", kind="markers")) as markers,
        SignalInlet(resolve_stream("parts")) as inlet,
    ):
        received = collect(inlet, n=150)
        (marker,) = markers.pull(0.5)
    np.testing.assert_array_equal(received.data[0], [*range(100), *range(50)])
    apart = np.flatnonzero(np.diff(received.timestamps) > 1.5 / 250) + 1
    np.testing.assert_array_equal(apart, [50, 100])
    times = [event.time for event in received.events]
    assert times == pytest.approx(received.timestamps[apart])
    assert abs(marker.time - received.timestamps[50]) < 1e-4
    assert replay.duration == pytest.approx(0.6 + 2 * PAUSE)


def test_stop_ends_a_replay_at_once(counting_recording):
    with Replay([counting_recording(250_000)], name="stopped") as replay:
        while replay.sent == 0:
            time.sleep(0.01)
        before = time.monotonic()
        replay.stop()
        assert replay.wait(1)
    assert time.monotonic() - before < 0.2


@pytest.mark.slow
def test_ctrl_c_ends_the_process(replay_process):
    process = replay_process(name="interrupted", recording={"n_samples": 100_000})
    resolve_stream("interrupted", wait=20)
    process.send_signal(subprocess.signal.SIGINT)
    assert process.wait(10) == -subprocess.signal.SIGINT


def test_nobody_connecting_is_an_error(counting_recording):
    replay = Replay([counting_recording(100)], name="alone", wait_for_consumers=0.2)
    with pytest.raises(OperationError, match=r"No consumer has connected to alone within 0\.2 s"):
        replay.run()


def test_an_error_of_the_thread_reaches_the_caller(counting_recording):
    replay = Replay([counting_recording(100)], name="alone", wait_for_consumers=0.1)
    with pytest.raises(OperationError, match="No consumer"), replay:
        replay.wait()


def test_a_simulated_recording_is_labelled(counting_recording):
    with Replay([counting_recording(5000, simulated=True)], name="someone"):
        stream = resolve_stream("someone (simulated)")
        assert stream.simulated
        assert resolve_stream("someone (simulated)-markers").simulated


def test_a_transform_acts_on_chunks_in_place_of_the_recording(counting_recording, collect):
    def flatten(chunk: np.ndarray, start: int) -> np.ndarray:
        chunk[1] = start
        return chunk

    recording = counting_recording(60)
    options = {"name": "changed", "chunk": 0.04, "wait_for_consumers": 10, "transform": flatten}
    with Replay([recording], **options), SignalInlet(resolve_stream("changed")) as inlet:
        received = collect(inlet, n=60)
    np.testing.assert_array_equal(received.data[0], np.arange(60))
    np.testing.assert_array_equal(received.data[1], np.arange(60) // 10 * 10)
    assert recording.data[1, 0] == 100_000


@pytest.mark.parametrize(
    ("changes", "options", "rule"),
    [
        (None, {}, "no recording to replay"),
        ({"sfreq": 500.0}, {}, "differ in channels, rate or unit"),
        ({"n_channels": 3}, {}, "differ in channels, rate or unit"),
        ({}, {"speed": 0.0}, "speed of the replay is not positive"),
        ({}, {"speed": float("nan")}, "speed of the replay is not positive"),
    ],
)
def test_bad_input_is_refused(counting_recording, changes, options, rule):
    recordings = [] if changes is None else [counting_recording(10)]
    if changes:
        recordings.append(counting_recording(10, **changes))
    with pytest.raises(InputError, match=rule):
        Replay(recordings, **options)
