"""Streams as vendors' programs declare and stamp them."""

from __future__ import annotations

import gc
import time

import numpy as np
import pylsl
import pytest

from sjepa_online.amplifier import AS_DECLARED, describe
from sjepa_online.errors import InputError
from sjepa_online.stream import (
    ClockJump,
    ClockOffset,
    MarkerInlet,
    SignalInlet,
    StreamChanged,
    StreamLost,
    find_again,
    find_streams,
    resolve_stream,
)
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.inlets.source_clock import SourceClock

LABELS = ["O1", "Oz", "O2"]


def make(name, labels, units=None, types=None, sfreq=250.0, stype="EEG", source="amp"):
    info = pylsl.StreamInfo(name, stype, len(labels), sfreq, pylsl.cf_float32, source)
    channels = info.desc().append_child("channels")
    for index in range(len(labels)):
        node = channels.append_child("channel")
        for key, values in (("label", labels), ("unit", units), ("type", types)):
            if values is not None and values[index]:
                node.append_child_value(key, values[index])
    return pylsl.StreamOutlet(info)


def send(sender, values, start, sfreq=250.0):
    """Send the same value of each channel, as often as there are times."""
    for k in range(0, 50, 10):
        times = start + np.arange(k, k + 10) / sfreq
        sender.push_chunk(np.tile(np.asarray(values, float), (10, 1)).tolist(), times.tolist())


def test_electrodes_come_in_their_unit_and_codes_as_markers(collect):
    labels = [*LABELS, "aux", "TRIGGER"]
    sender = make("caps", labels, ["uV", "mV", "uV", "", "none"])
    with SignalInlet(resolve_stream("caps"), amplifier=AS_DECLARED) as inlet:
        assert (inlet.ch_names, inlet.unit_of(), inlet.has_codes) == (tuple(LABELS), "uV", True)
        sender.wait_for_consumers(5)
        now = pylsl.local_clock()
        send(sender, [1, 2, 3, 9, 0], now)
        send(sender, [1, 2, 3, 9, 7], now + 0.2)
        chunks, n, end = [], 0, time.monotonic() + 10
        while n < 100 and time.monotonic() < end:
            chunks.append(inlet.pull(0.05))
            n += len(chunks[-1].timestamps)
    data = np.concatenate([chunk.data for chunk in chunks], axis=1)
    np.testing.assert_allclose(data, np.tile([[1], [2000], [3]], 100))
    ((code, when),) = [marker for chunk in chunks for marker in chunk.markers]
    assert code == "7"
    assert when == pytest.approx(now + 0.2, abs=0.002)


def test_impedances_come_with_the_electrodes_that_they_belong_to():
    labels = [*LABELS, "Imp O1", "Imp O2"]
    types = ["EEG", "EEG", "EEG", "impedance", "impedance"]
    sender = make("measuring", labels, ["uV", "uV", "uV", "kohm", ""], types)
    with SignalInlet(resolve_stream("measuring"), amplifier=AS_DECLARED) as inlet:
        assert inlet.ch_names == tuple(LABELS)
        sender.wait_for_consumers(5)
        send(sender, [1, 2, 3, 7, 2500], pylsl.local_clock())
        chunk = inlet.pull(5.0)
    assert chunk.impedances == {"O1": 7.0, "O2": 2.5}


@pytest.mark.parametrize("clock", [1.7e9, -pylsl.local_clock()], ids=["Unix time", "from zero"])
def test_another_clock_is_noticed_at_once_and_corrected(clock, collect):
    sender = make("unix", LABELS, ["uV"] * 3)
    with SignalInlet(resolve_stream("unix"), amplifier=AS_DECLARED) as inlet:
        sender.wait_for_consumers(5)
        sent = pylsl.local_clock()
        send(sender, [1, 2, 3], sent + clock - 0.2)
        received = collect(inlet, n=50)
    (event,) = received.events
    assert isinstance(event, ClockOffset)
    assert inlet.clock_shift == pytest.approx(-clock, abs=0.5)
    assert abs(received.timestamps[-1] - sent) < 0.5


def test_samples_of_another_clock_that_have_waited_make_no_jump_of_years():
    clock = SourceClock("unix", 250.0, declared=True, smooth=True, at_once=512)
    stamps = 1.7e9 + np.arange(1100) / 250
    now = 100.0
    events = []
    for first, last in ((0, 512), (512, 1024), (1024, 1100)):
        times, new = clock.update(stamps[first:last], now, 0.0)
        events += new
    (offset,) = (one for one in events if isinstance(one, ClockOffset))
    jumps = [one.seconds for one in events if isinstance(one, ClockJump)]
    assert all(abs(step) < 3 for step in jumps)
    assert times[-1] == pytest.approx(now, abs=0.01)
    assert clock.shift == offset.seconds


def test_a_stream_without_a_rate_is_measured_and_read_without_breaks():
    sender = make("irregular", LABELS, ["uV"] * 3, sfreq=0.0)
    import threading

    ended = threading.Event()

    def run():
        begun = time.perf_counter()
        n = 0
        while not ended.is_set():
            while n < (time.perf_counter() - begun) * 200:
                sender.push_sample([1.0, 2.0, 3.0])
                n += 1
            time.sleep(0.004)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        with SignalInlet(resolve_stream("irregular"), amplifier=AS_DECLARED) as inlet:
            assert inlet.sfreq == 200
            end = time.monotonic() + 2
            chunks = []
            while time.monotonic() < end:
                chunks.append(inlet.pull(0.05))
    finally:
        ended.set()
        thread.join()
    times = np.concatenate([chunk.timestamps for chunk in chunks])
    assert np.all(np.diff(times) >= 0)
    assert np.diff(times).mean() == pytest.approx(1 / 200, rel=0.1)


@pytest.mark.parametrize(
    ("labels", "units", "factor"),
    [
        (["O2", "Imp Oz", "O1", "Oz"], ["uV", "kohm", "uV", "uV"], 1.0),
        (["O1", "Oz", "O2", "Imp Oz"], ["mV", "mV", "mV", "kohm"], 1e3),
    ],
)
def test_a_source_that_is_back_with_other_labels_or_units_is_read_by_them(
    labels, units, factor, collect
):
    first = ["O1", "Oz", "O2", "Imp Oz"]
    value = {"O1": 1.0, "Oz": 2.0, "O2": 3.0, "Imp Oz": 9.0}

    def restarted(labels, units):
        types = ["impedance" if label.startswith("Imp") else "EEG" for label in labels]
        return make("restarted", labels, units, types)

    sender = restarted(first, ["uV", "uV", "uV", "kohm"])
    with SignalInlet(resolve_stream("restarted"), amplifier=AS_DECLARED) as inlet:
        sender.wait_for_consumers(5)
        send(sender, [value[name] for name in first], pylsl.local_clock())
        collect(inlet, n=50)
        del sender
        gc.collect()
        sender = restarted(labels, units)
        events, end = [], time.monotonic() + 30
        data = np.empty((3, 0))
        while not data.size and time.monotonic() < end:
            send(sender, [value[name] for name in labels], pylsl.local_clock())
            chunk = inlet.pull(0.2)
            events += chunk.events
            data = chunk.data
    np.testing.assert_allclose(data, factor * np.array([[1], [2], [3]]) * np.ones(data.shape[1]))
    assert chunk.impedances == {"Oz": 9.0}
    assert any(isinstance(event, StreamChanged) for event in events)


def test_a_source_that_is_back_without_an_electrode_ends_with_the_reason(collect):
    sender = make("poorer", LABELS, ["uV"] * 3)
    with SignalInlet(resolve_stream("poorer"), amplifier=AS_DECLARED) as inlet:
        sender.wait_for_consumers(5)
        send(sender, [1, 2, 3], pylsl.local_clock())
        collect(inlet, n=50)
        del sender
        gc.collect()
        sender = make("poorer", ["O1", "aux", "O2"], ["uV"] * 3)
        lost, end = [], time.monotonic() + 30
        while not any(not one.recoverable for one in lost) and time.monotonic() < end:
            send(sender, [1, 2, 3], pylsl.local_clock())
            chunk = inlet.pull(0.2)
            assert not (chunk.data.size and lost)
            lost += [event for event in chunk.events if isinstance(event, StreamLost)]
    assert "it lacks Oz" in lost[-1].detail


def test_of_the_streams_of_one_device_the_eeg_is_meant():
    labels = ["TP9", "AF7", "AF8", "TP10", "Right AUX"]
    senders = [make("Muse", labels, ["microvolts"] * 5, sfreq=256.0, source="Muse00")]
    for kind, sfreq in (("PPG", 64.0), ("ACC", 52.0)):
        senders.append(make("Muse", ["a", "b", "c"], sfreq=sfreq, stype=kind, source="Muse00"))
    stream = resolve_stream("Muse")
    assert (stream.type, resolve_stream("Muse@Muse00/PPG").type) == ("EEG", "PPG")
    assert resolve_stream(stream.selector).uid == stream.uid
    uid = stream.uid
    del senders[0]
    gc.collect()
    senders.append(make("Muse", labels, ["microvolts"] * 5, sfreq=256.0, source="Muse00"))
    again = find_again(stream)
    assert again is not None
    assert (again.type, again.uid != uid) == ("EEG", True)


def test_a_stream_of_another_type_is_taken_when_it_is_named():
    sender = make("exg", LABELS, ["uV"] * 3, stype="EXG")
    with pytest.raises(InputError, match=r"exg \(EXG"):
        resolve_stream(None, wait=0.5)
    with SignalInlet(resolve_stream("exg"), amplifier=AS_DECLARED) as inlet:
        assert inlet.ch_names == tuple(LABELS)
    del sender


def test_markers_of_several_channels_of_numbers_and_with_running_numbers(outlet):
    kinds = {"sfreq": 0.0, "stype": "Markers"}
    pairs = outlet("pairs", None, None, n_channels=2, channel_format=pylsl.cf_string, **kinds)
    numbers = outlet("floats", None, None, n_channels=1, **kinds)
    for sender, name, sent, labels in (
        (pairs, "pairs", ["trial 1", "mk12=S  1"], ["trial 1", "S 1"]),
        (numbers, "floats", [769.0], ["769"]),
    ):
        with MarkerInlet(resolve_stream(name, kind="markers")) as inlet:
            sender.push_sample(sent)
            assert [marker.label for marker in inlet.pull(2.0)] == labels


def test_what_no_stream_can_be_is_told_and_never_opened(monkeypatch):
    class Impossible:
        def __init__(self, n_channels, sfreq):
            self.n_channels, self.sfreq = n_channels, sfreq

        def channel_count(self):
            return self.n_channels

        def nominal_srate(self):
            return self.sfreq

        def channel_format(self):
            return pylsl.cf_float32

        def __getattr__(self, name):
            return lambda: f"{name} of {self.n_channels} at {self.sfreq}"

    wrong = [(2**31, 250.0), (-3, 250.0), (8, float("inf")), (8, float("nan")), (8, -1.0)]
    infos = [Impossible(*one) for one in wrong]
    monkeypatch.setattr(pylsl, "resolve_streams", lambda **_: infos)
    monkeypatch.setattr(pylsl, "StreamInlet", lambda *_, **__: pytest.fail("it was opened"))
    found = find_streams(0.1)
    assert len(found) == len(wrong)
    assert all(stream.problem and not stream.is_kind("signal") for stream in found)
    assert all(stream.summary()["problem"] for stream in found)


def test_a_mute_source_delays_no_other_and_is_given_up(outlet, monkeypatch):
    outlet("talking", LABELS[:2])
    for number in range(4):
        outlet(f"mute{number}", LABELS[:2])
    real = pylsl.StreamInlet
    asked = []

    def open_inlet(info, **options):
        if info.name().startswith("mute"):
            asked.append(info.name())
            time.sleep(1.0)
            raise pylsl.util.TimeoutError
        return real(info, **options)

    monkeypatch.setattr(pylsl, "StreamInlet", open_inlet)
    begun, found = time.monotonic(), []
    for _ in range(5):
        found = find_streams(0.7, found)
    assert time.monotonic() - begun < 12
    assert {stream.ch_names for stream in found if stream.name == "talking"} == {("O1", "Oz")}
    assert max(asked.count(f"mute{number}") for number in range(4)) <= 3


def test_a_description_that_no_file_can_hold_is_told():
    info = pylsl.StreamInfo("dirty", "EEG", 1, 250.0, pylsl.cf_float32, "dirty")
    info.desc().append_child_value("evil", "\x1b[2J")
    sender = pylsl.StreamOutlet(info)
    (stream,) = [one for one in find_streams(1.0) if one.name == "dirty"]
    assert "control characters" in stream.problem
    del sender


def test_a_profile_names_the_channels_of_a_stream_that_names_none(outlet):
    outlet("bare", None, None, n_channels=3)
    stream = resolve_stream("bare")
    assert isinstance(stream, StreamDescription)
    with pytest.raises(InputError, match=r"bare does not name its channels.*--channels"):
        SignalInlet(stream, amplifier=AS_DECLARED)
    profile = describe(channels="Fp1,-,Fp2", unit="nV", scale=2)
    with SignalInlet(stream, amplifier=profile) as inlet:
        assert (inlet.ch_names, inlet.unit_of()) == (("Fp1", "Fp2"), "nV")
