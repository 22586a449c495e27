from __future__ import annotations

import time

import numpy as np
import pylsl
import pytest

from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import (
    Gap,
    MarkerInlet,
    ProbabilityOutlet,
    RateMismatch,
    SignalInlet,
    StreamEvent,
    StreamLost,
    StreamRecovered,
    local_clock,
    resolve_stream,
)

LABELS = ["O1", "O2"]


def push(outlet: pylsl.StreamOutlet, timestamps: np.ndarray, chunk: int = 10) -> None:
    """Send samples that count from 0, in both channels."""
    outlet.wait_for_consumers(5)
    for k in range(0, len(timestamps), chunk):
        times = timestamps[k : k + chunk]
        outlet.push_chunk(np.arange(k, k + len(times)).repeat(2), times.tolist())


def test_a_gap_tells_its_place_and_the_missing_samples(outlet, collect):
    sender = outlet("gaps", LABELS)
    timestamps = np.delete(pylsl.local_clock() + np.arange(2000) / 250, np.arange(1203, 1240))
    with SignalInlet(resolve_stream("gaps")) as inlet:
        push(sender, timestamps)
        received = collect(inlet, n=len(timestamps))
    np.testing.assert_array_equal(received.data, np.arange(1963) * np.ones((2, 1)))
    np.testing.assert_allclose(received.timestamps, timestamps, atol=0.001)
    (gap,) = received.events
    assert isinstance(gap, Gap)
    assert gap.missing == 37
    assert gap.time == pytest.approx(timestamps[1203], abs=0.001)
    assert gap.detail == "37 samples (148 ms) are missing"
    assert (inlet.received, inlet.missing) == (1963, 37)


def test_samples_that_nobody_pulled_in_time_become_a_gap(outlet, collect, monkeypatch):
    monkeypatch.setattr("sjepa_online.stream.inlets.connection.BUFFERED", 1)
    sender = outlet("overflow", LABELS)
    with SignalInlet(resolve_stream("overflow")) as inlet:
        push(sender, pylsl.local_clock() + np.arange(250) / 250)
        collect(inlet, n=250)
        push(sender, pylsl.local_clock() + 1 + np.arange(2500) / 250)
        time.sleep(0.5)
        received = collect(inlet, timeout=0.3)
    assert received.data[0, -1] == 2499
    assert any(isinstance(event, Gap) and event.missing > 1000 for event in received.events)


def test_a_wrong_rate_is_told(outlet, collect):
    sender = outlet("rate", LABELS, sfreq=250.0)
    with SignalInlet(resolve_stream("rate")) as inlet:
        push(sender, pylsl.local_clock() + np.arange(3000) / 256)
        received = collect(inlet, n=3000)
    (event,) = received.events
    assert isinstance(event, RateMismatch)
    assert event.measured == pytest.approx(256, rel=0.001)
    assert inlet.effective_sfreq == pytest.approx(256, rel=0.001)
    assert event.detail == "The stream declares 250 Hz but sends 256 Hz"


def look_until(markers: MarkerInlet, kind: type) -> StreamEvent:
    """Look until something has happened, and expect it to be this."""
    end = time.monotonic() + 60
    while not (events := markers.look()) and time.monotonic() < end:
        time.sleep(0.05)
    (event,) = events
    assert isinstance(event, kind)
    return event


@pytest.mark.slow
def test_a_killed_source_is_lost_and_picked_up_when_it_restarts(
    replay_process, collect, monkeypatch
):
    monkeypatch.setattr("sjepa_online.stream.inlets.markers.FORGOTTEN_AFTER", 2.0)
    recording = {"n_samples": 100_000, "onsets": [0.5], "labels": ["a"]}
    options = {"name": "mortal", "recording": recording, "wait_for_consumers": 30}
    process = replay_process(**options)
    stream = resolve_stream("mortal", wait=30)
    with (
        MarkerInlet(resolve_stream("mortal-markers", kind="markers")) as markers,
        SignalInlet(stream) as inlet,
    ):
        before = collect(inlet, n=250)
        assert before.events == []
        assert [marker.label for marker in markers.pull(1.0)] == ["a"]
        assert markers.look() == []
        process.kill()
        process.wait()
        lost = collect(inlet, until=lambda chunk: len(chunk.events) > 0)
        (event,) = lost.events
        assert isinstance(event, StreamLost)
        assert event.recoverable
        assert inlet.lost
        assert collect(inlet, timeout=0.7).events == []
        assert "mortal-markers are gone" in look_until(markers, StreamLost).detail
        assert markers.lost
        assert markers.look() == []
        replay_process(**options)
        back = collect(inlet, until=lambda chunk: len(chunk.events) > 0, timeout=30)
        after = collect(inlet, n=100)
        (marker,) = markers.pull(1.0)
        assert "are back" in look_until(markers, StreamRecovered).detail
    assert isinstance(back.events[0], StreamRecovered)
    assert isinstance(back.events[1], Gap)
    assert not inlet.lost
    data = np.concatenate([back.data, after.data], axis=1)
    times = np.concatenate([back.timestamps, after.timestamps])
    np.testing.assert_array_equal(data[0], np.arange(data.shape[1]))
    assert abs(marker.time - times[0] - 0.5) < 1 / 250
    gap = round((times[0] - before.timestamps[0]) * 250) - int(lost.data.shape[1]) - 250
    assert inlet.missing == pytest.approx(gap, abs=2)


def test_streams_without_source_id_are_lost_for_good(collect):
    local_clock()
    from mne_lsl.lsl import StreamInfo, StreamOutlet

    signal = StreamInfo("nameless", "EEG", 2, 250.0, "float32", "")
    signal.set_channel_names(LABELS)
    markers = StreamInfo("nameless", "Markers", 1, 0.0, "string", "")
    outlets = [StreamOutlet(signal), StreamOutlet(markers)]
    marker_inlet = MarkerInlet(resolve_stream("nameless", kind="markers"))
    with SignalInlet(resolve_stream("nameless")) as inlet:
        outlets.clear()
        (event,) = collect(inlet, until=lambda chunk: len(chunk.events) > 0).events
        assert isinstance(event, StreamLost)
        assert not event.recoverable
        assert event.detail.startswith("nameless is gone")
        assert "cannot be picked up again" in event.detail
        begun = time.monotonic()
        assert inlet.pull(0.2).events == ()
        assert time.monotonic() - begun > 0.19, "asking again and again costs next to nothing"
    with marker_inlet, pytest.raises(OperationError, match="is lost and cannot be picked up"):
        marker_inlet.pull(5.0)


def test_a_pause_of_a_stream_without_source_id_is_no_loss_for_good(outlet, collect):
    sender = outlet("paused", LABELS, source_id="")
    with SignalInlet(resolve_stream("paused")) as inlet:
        push(sender, pylsl.local_clock() + np.arange(250) / 250)
        (lost,) = collect(inlet, until=lambda chunk: len(chunk.events) > 0).events
        assert isinstance(lost, StreamLost)
        assert lost.recoverable
        assert "only if it was not restarted" in lost.detail
        push(sender, pylsl.local_clock() + np.arange(250) / 250)
        back, *_ = collect(inlet, until=lambda chunk: len(chunk.events) > 0).events
        assert isinstance(back, StreamRecovered)


def test_channel_names_and_unit_can_be_given(outlet):
    outlet("bare", None, unit=None)
    stream = resolve_stream("bare")
    assert (stream.ch_names, stream.unit) == ((), None)
    with SignalInlet(stream) as inlet:
        assert inlet.ch_names == ("channel 1", "channel 2")
    with pytest.raises(InputError, match="do not suit the channels"):
        SignalInlet(stream, ch_names=["Cz"])
    with pytest.raises(InputError, match="do not suit the channels"):
        SignalInlet(stream, ch_names=["Cz", "Cz"])
    with pytest.raises(InputError, match="unit of voltage"):
        SignalInlet(stream, ch_names=LABELS, unit="bananas")
    with (
        SignalInlet(stream, ch_names=LABELS) as inlet,
        pytest.raises(InputError, match="declares no unit"),
    ):
        inlet.unit_of()
    with SignalInlet(stream, ch_names=LABELS, unit="mV") as inlet:
        assert inlet.unit_of() == "mV"


def test_the_unit_is_that_of_the_channels_in_use(outlet):
    outlet("mixed", ["O1", "O2", "trigger"], ["uV", "\u03bcV", "none"], n_channels=3)
    with SignalInlet(resolve_stream("mixed")) as inlet:
        assert inlet.unit_of(["O2", "O1"]) == "uV"
        with pytest.raises(InputError, match="unit of voltage"):
            inlet.unit_of()
        with pytest.raises(InputError, match=r"missing Cz; there are O1, O2, trigger"):
            inlet.unit_of(["O1", "Cz"])


def test_channels_in_volts_and_microvolts_have_no_common_unit(outlet):
    outlet("two units", LABELS, ["V", "uV"])
    with (
        SignalInlet(resolve_stream("two units")) as inlet,
        pytest.raises(InputError, match="have different units"),
    ):
        inlet.unit_of()


@pytest.mark.parametrize(
    ("kind", "sfreq", "form"),
    [("Gaze", 0.0, pylsl.cf_float32), ("EEG", 250.0, pylsl.cf_string)],
)
def test_what_is_no_signal_is_refused(outlet, kind, sfreq, form):
    outlet("irregular", LABELS, sfreq=sfreq, stype=kind, channel_format=form)
    with pytest.raises(InputError, match="carries no signal of an amplifier"):
        SignalInlet(resolve_stream("irregular"))


def test_markers_of_whole_numbers_and_of_broken_text_are_read(outlet):
    kinds = {"n_channels": 1, "sfreq": 0.0, "stype": "Markers"}
    numbers = outlet("numbers", None, None, channel_format=pylsl.cf_int32, **kinds)
    text = outlet("text", None, None, channel_format=pylsl.cf_string, **kinds)
    for sender, name, sent, label in (
        (numbers, "numbers", 13, "13"),
        (text, "text", b"\xff\x1b[31mred", "\ufffdred"),
    ):
        with MarkerInlet(resolve_stream(name)) as inlet:
            now = pylsl.local_clock()
            sender.push_sample([sent], now)
            ((received, moment),) = inlet.pull(2.0)
            assert received == label
            assert moment == pytest.approx(now, abs=0.001)
            assert inlet.pull() == []


def test_a_signal_is_no_marker_stream(outlet):
    outlet("signal", LABELS)
    with pytest.raises(InputError, match="carries no markers"):
        MarkerInlet(resolve_stream("signal"))


def test_a_source_that_vanishes_before_the_first_pull_is_not_waited_for(replay_process):
    name = "vanishing"
    process = replay_process(recording={"n_samples": 50_000}, name=name)
    with SignalInlet(resolve_stream(name, wait=20)) as inlet:
        process.kill()
        process.wait()
        begun = time.monotonic()
        for _ in range(5):
            inlet.pull(0.1)
        assert time.monotonic() - begun < 10


def test_a_source_that_vanished_before_it_was_opened_is_told():
    with ProbabilityOutlet("gone", LABELS, sfreq=8.0):
        stream = resolve_stream("gone")
    with pytest.raises(OperationError, match="does not answer within"):
        SignalInlet(stream, timeout=0.5)


def test_a_stream_of_mne_lsl_is_read(counting_recording, collect):
    mne = pytest.importorskip("mne")
    from mne_lsl.player import PlayerLSL

    raw = mne.io.RawArray(
        counting_recording(500).data * 1e-6, mne.create_info(LABELS, 250.0, "eeg"), verbose=False
    )
    player = PlayerLSL(raw, chunk_size=10, name="mne", source_id="mne", annotations=False)
    player.set_channel_units(dict.fromkeys(LABELS, "microvolts"))
    with player, SignalInlet(resolve_stream("mne")) as inlet:
        assert (inlet.ch_names, inlet.unit_of()) == (tuple(LABELS), "uV")
        received = collect(inlet, n=250)
    assert received.events == []
    np.testing.assert_allclose(np.diff(received.data[0]) % 500, 1, atol=1e-3)
