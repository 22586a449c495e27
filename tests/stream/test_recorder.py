from __future__ import annotations

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pylsl
import pytest
import pyxdf

from sjepa_online.errors import InputError, OperationError
from sjepa_online.stream import (
    FrameOutlet,
    Recorder,
    Replay,
    StimulusOutlet,
    StreamDescription,
    local_clock,
    resolve_stream,
)
from sjepa_online.stream.recording import hung_after, labrecorder
from sjepa_online.stream.recording.labrecorder import complete
from sjepa_online.stream.recording.recorder import _end_orphan
from sjepa_online.stream.stretch import clock_shift

SCRIPT = Path(__file__).with_name("recorder_process.py")
SIGNAL = {"n_samples": 60_000, "sfreq": 1000.0}


def load(path: Path) -> dict[str, dict]:
    streams, _ = pyxdf.load_xdf(path)
    return {stream["info"]["name"][0]: stream for stream in streams}


def labrecorder_of(pid: int) -> int:
    (child,) = psutil.Process(pid).children()
    return child.pid


def has_ended(process: psutil.Process) -> bool:
    """A process whose parent has gone may wait for long to be cleared away."""
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def wait_until(condition: Callable[[], bool], timeout: float = 15.0) -> None:
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def source(counting_recording) -> Iterator[str]:
    """Name of a stream of 1000 Hz."""
    with Replay([counting_recording(**SIGNAL)], name="rec-source", chunk=0.02) as replay:
        # an outlet that is found while it is being opened may be seen under two ids
        wait_until(lambda: replay.started_at is not None)
        yield replay.name


@pytest.fixture
def recording_process(tmp_path: Path):
    """Start recorder_process.py; give the process and the pid of its recorder."""
    started = []

    def start(path: Path, *streams: str, prefix: tuple[str, ...] = ()):
        command = [*prefix, sys.executable, str(SCRIPT), json.dumps([str(path), *streams])]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, int(process.stdout.readline())

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_recording_opens_in_pyxdf_with_every_stream_exactly(tmp_path, replay_process):
    replay_process(name="rec-exact", recording=SIGNAL, chunk=0.02)
    path = tmp_path / "exact.xdf"
    protocol = 'name = "x"\n[window]  # <&> µ\n'
    eeg = resolve_stream("rec-exact")
    pulled = pylsl.StreamInlet(eeg.info)
    pulled.open_stream(5)
    with (
        StimulusOutlet(protocol) as stimulus,
        FrameOutlet(60.0) as frames,
        Recorder(path, [eeg.uid, stimulus.uid, frames.uid]) as recorder,
    ):
        recorder.start()
        (count, _), origin = pulled.pull_sample(5)
        sent = []
        for number in range(4):
            sent.append(local_clock())
            stimulus.push(f"marker {number}", sent[-1])
            frames.push([sent[-1], sent[-1] + 1 / 60], [0, number])
            time.sleep(0.4)
        status = recorder.status()
        assert (status.running, status.problem) == (True, "")
        assert status.n_bytes > 1000 * 1.0 * 2 * 4
        time.sleep(0.6)
    streams = load(path)
    signal_ = streams["rec-exact"]
    counts = signal_["time_series"][:, 0]
    assert np.all(np.diff(counts) == 1)
    markers = streams["sjepa-online-stimulus"]
    assert [label for (label,) in markers["time_series"]] == [f"marker {k}" for k in range(4)]
    assert markers["info"]["desc"][0]["protocol"][0].split() == protocol.split()
    places = np.interp(markers["time_stamps"], signal_["time_stamps"], counts)
    expected = count + (np.array(sent) - origin) * 1000.0
    assert np.abs(places - expected).max() < 1.0
    recorded_frames = streams["sjepa-online-frames"]
    assert recorded_frames["time_series"][:, 0].tolist() == [0, 0, 0, 1, 0, 2, 0, 3]
    assert recorded_frames["info"]["desc"][0]["refresh_rate"] == ["60"]


def test_a_killed_recorder_is_told_and_loses_less_than_a_second(tmp_path, source, monkeypatch):
    path = tmp_path / "killed.xdf"
    # whoever reads the file now must not find it written again
    monkeypatch.delattr("sjepa_online.stream.recording.recorder._end_orphan")
    path.with_suffix(".log").write_text("Started data collection for another recording\n")
    with Recorder(path, [resolve_stream(source).uid]) as recorder:
        recorder.start()
        time.sleep(2.0)
        killed = local_clock()
        os.kill(labrecorder_of(recorder._process.pid), signal.SIGKILL)
        wait_until(lambda: not recorder.status().running)
        assert "not there" in recorder.status().problem
    times = load(path)[source]["time_stamps"]
    assert np.ptp(times) > 1.0
    assert killed - times[-1] < 1.0
    assert path.with_suffix(".log").read_text().count("Started data collection") == 2


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it ends within 9 s there")
@pytest.mark.parametrize("end", [Recorder.stop, lambda recorder: recorder.leave(1.0)])
def test_labrecorder_ends_within_5_s_when_the_program_that_runs_it_is_killed(tmp_path, source, end):
    path = tmp_path / "alone.xdf"
    with Recorder(path, [resolve_stream(source).uid], {"another": 1.0}) as recorder:
        recorder.start()
        time.sleep(1.0)
        left = psutil.Process(labrecorder_of(recorder._process.pid))
        killed = local_clock()
        recorder._process.kill()
        wait_until(lambda: not recorder.status().running)
        assert not end(recorder), "the file is not complete"
        assert local_clock() - killed < 1.0, "nobody waits for it"
    wait_until(lambda: has_ended(left), 5.0)
    assert local_clock() - killed < 5.0
    wait_until(lambda: "footer" in load(path)[source])
    times = load(path)[source]["time_stamps"]
    assert times[-1] > killed - 0.6


@pytest.mark.skipif(sys.platform == "win32", reason="there are no groups of processes")
def test_a_process_that_is_left_has_its_time_and_is_killed_then(tmp_path, monkeypatch):
    monkeypatch.setattr(labrecorder, "ORPHAN_SECONDS", 1.0)
    for seconds, expected in ((0, 0), (60, -signal.SIGKILL)):
        code = f"import time; time.sleep({seconds})"
        left = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
        begun = time.monotonic()
        _end_orphan(left.pid, tmp_path / "none.xdf", {})
        assert 1.0 <= time.monotonic() - begun < 2.0
        assert left.wait(1.0) == expected
        begun = time.monotonic()
        _end_orphan(left.pid, tmp_path / "none.xdf", {})
        assert time.monotonic() - begun < 0.2, "it has gone"


@pytest.mark.slow
def test_a_recorder_that_hangs_is_told_within_two_seconds_and_ends(tmp_path, source):
    path = tmp_path / "hung.xdf"
    stream = resolve_stream(source)
    inlet = pylsl.StreamInlet(stream.info)
    inlet.open_stream(5)
    with Recorder(path, [stream.uid]) as recorder:
        recorder.start()

        def hangs(receives: Callable[[], bool]) -> bool:
            return not recorder.status(receives()).running

        end = time.monotonic() + 3.0
        while time.monotonic() < end:
            assert not hangs(lambda: bool(inlet.pull_chunk(0.1)[1]))
        os.kill(labrecorder_of(recorder._process.pid), signal.SIGSTOP)
        stopped = time.monotonic()
        wait_until(lambda: hangs(lambda: bool(inlet.pull_chunk(0.1)[1])))
        assert time.monotonic() - stopped < 2.0
        assert "hangs" in recorder.status().problem
        process = recorder._process
        recorder.stop()
        assert time.monotonic() - stopped < 4.0
        assert process.poll() is not None
    assert np.ptp(load(path)[source]["time_stamps"]) > 2.0


def test_a_silent_stream_is_no_recorder_that_hangs(tmp_path):
    info = pylsl.StreamInfo("recorder-silent", "EEG", 1, 100.0, pylsl.cf_float32, "silent")
    outlet = pylsl.StreamOutlet(info)
    with Recorder(tmp_path / "silent.xdf", [outlet.get_info().uid()]) as recorder:
        recorder.start()
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            assert recorder.status(received=False).running
            time.sleep(0.1)
        recorder._process.kill()


@pytest.mark.slow
def test_the_file_is_whole_soon_after_program_and_source_are_killed(
    tmp_path, recording_process, replay_process
):
    path = tmp_path / "orphan.xdf"
    source = replay_process(name="rec-orphan", recording=SIGNAL, chunk=0.02)
    process, pid = recording_process(path, "rec-orphan")
    left = [psutil.Process(pid), psutil.Process(labrecorder_of(pid))]
    time.sleep(0.7)
    source.kill()
    source.wait()
    killed = local_clock()
    process.kill()
    wait_until(lambda: all(map(has_ended, left)), 5.0)
    stream = load(path)["rec-orphan"]
    footer = {name: value for name, (value,) in stream["footer"]["info"].items()}
    times = stream["time_stamps"]
    assert int(footer["sample_count"]) == len(times)
    assert times[-1] > killed - 0.1
    assert float(footer["last_timestamp"]) == pytest.approx(times[-1], abs=0.05)
    assert float(footer["first_timestamp"]) == pytest.approx(times[0], abs=0.05)


@pytest.mark.slow
def test_what_labrecorder_holds_back_of_a_slow_stream_is_in_the_file(tmp_path):
    kinds = {"slow": (4.0, pylsl.cf_float32), "slow-markers": (0.0, pylsl.cf_string)}
    outlets = {
        name: pylsl.StreamOutlet(pylsl.StreamInfo(name, "x", 1, rate, kind, name))
        for name, (rate, kind) in kinds.items()
    }
    path = tmp_path / "slow.xdf"
    uids = [one.get_info().uid() for one in outlets.values()]
    with Recorder(path, uids) as recorder:
        recorder.start()
        for number in range(4):
            outlets["slow"].push_sample([float(number)])
            time.sleep(0.1)
        outlets["slow-markers"].push_sample(["last"])
    streams = load(path)
    assert streams["slow"]["time_series"][:, 0].tolist() == [0, 1, 2, 3]
    assert streams["slow-markers"]["time_series"] == [["last"]]


def test_markers_of_the_last_moment_are_in_the_file(tmp_path, source):
    info = pylsl.StreamInfo("late-markers", "Markers", 1, 0.0, pylsl.cf_string, "late-markers")
    outlet = pylsl.StreamOutlet(info)
    path = tmp_path / "late.xdf"
    with Recorder(path, [resolve_stream(source).uid, outlet.get_info().uid()]) as recorder:
        recorder.start()
        time.sleep(1.0)
        outlet.push_sample(["last"])
        ended = time.monotonic()
    assert time.monotonic() - ended < 2.0
    assert load(path)["late-markers"]["time_series"] == [["last"]]


@pytest.mark.parametrize(
    ("n_channels", "sfreq", "form", "seconds"),
    [
        (8, 250.0, "float32", 1.5),
        (1, 100.0, "int16", 15.0),
        (2, 100.0, "double64", 6.3),
        (4, 0.0, "float32", 15.0),
    ],
)
def test_a_slow_stream_is_no_recorder_that_hangs(n_channels, sfreq, form, seconds):
    stream = StreamDescription("x", "EEG", n_channels, sfreq, form, "host", "id", "uid")
    assert hung_after(stream) == pytest.approx(seconds, abs=0.1)


@pytest.mark.slow
def test_the_file_tells_the_shift_of_another_clock(tmp_path):
    info = pylsl.StreamInfo("recorder-unix", "EEG", 1, 100.0, pylsl.cf_float32, "recorder-unix")
    outlet = pylsl.StreamOutlet(info)
    path = tmp_path / "unix.xdf"
    ended = threading.Event()

    def send():
        while not ended.wait(0.01):
            outlet.push_sample([1.0], time.time())

    thread = threading.Thread(target=send)
    thread.start()
    try:
        stream = resolve_stream("recorder-unix")
        shift = clock_shift(stream)
        with Recorder(path, [stream.uid], {stream.uid: shift}) as recorder:
            recorder.start()
            time.sleep(0.7)
    finally:
        ended.set()
        thread.join()
    assert shift == pytest.approx(local_clock() - time.time(), abs=0.1)
    (recorded,), _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    assert float(recorded["footer"]["info"]["clock_shift"][0]) == shift


def test_what_is_not_whole_is_cut_off_and_footers_are_added(tmp_path):
    path = tmp_path / "cut.xdf"

    def chunk(tag, body):
        return b"\x04" + struct.pack("<IH", 2 + len(body), tag) + body

    def header(number, n_channels, form):
        text = f"<info><hostname>far</hostname><channel_count>{n_channels}</channel_count>"
        text += f"<nominal_srate>{100 * (form == 'int16')}</nominal_srate>"
        text += f"<name>{form}</name><type>x</type><channel_format>{form}</channel_format></info>"
        return chunk(2, struct.pack("<I", number) + text.encode())

    stamp = struct.pack("<Bd", 8, 5.0)
    numbers = struct.pack("<I", 1) + b"\x01\x03" + stamp + 2 * b"\0\0\0\0\0" + b"\0\0\0\0"
    text = struct.pack("<I", 2) + b"\x01\x01" + stamp + b"\x01\x02hi"
    clock = chunk(4, struct.pack("<Idd", 1, 6.0, 0.25))
    whole = b"XDF:" + chunk(1, b"<info/>") + header(1, 2, "int16") + header(2, 1, "string")
    whole += chunk(3, numbers) + chunk(3, text) + clock + clock + chunk(3, numbers)
    path.write_bytes(whole + chunk(3, numbers)[:-1])
    complete(path)
    streams = load(path)
    footers = [streams[name]["footer"]["info"] for name in ("int16", "string")]
    assert [int(footer["sample_count"][0]) for footer in footers] == [6, 1]
    assert [float(footer["last_timestamp"][0]) for footer in footers] == [5.02, 5.0]
    assert len(footers[0]["clock_offsets"][0]["offset"]) == 2
    content = path.read_bytes()
    assert content.startswith(whole)
    complete(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("grows", [False, True])
def test_after_the_last_samples_of_a_lost_stream_no_recorder_hangs(tmp_path, grows):
    path = tmp_path / "lost.xdf"
    with Recorder(path, ["uid"]) as recorder:
        path.write_bytes(b"XDF:")
        recorder.status(received=not grows)
        path.write_bytes(b"XDF: and more" if grows else b"XDF:")
        recorder.status(received=True)
        end = time.monotonic() + 1.7
        while time.monotonic() < end:
            assert "hangs" not in recorder.status(received=False).problem
            assert not recorder._hung
            time.sleep(0.1)


@pytest.mark.skipif(shutil.which("unshare") is None, reason="no unshare to make a small disk")
@pytest.mark.slow
def test_a_full_disk_is_told_and_what_was_recorded_stays(tmp_path, source, recording_process):
    script = 'mount -t tmpfs -o size=40k tmpfs "$1" && shift && exec "$@"'
    prefix = ("unshare", "-Urm", "sh", "-c", script, "sh", str(tmp_path))
    if subprocess.run([*prefix, "true"], capture_output=True).returncode != 0:
        pytest.skip("this system lets nobody mount a small disk")
    process, _ = recording_process(tmp_path / "full.xdf", source, "full", prefix=prefix)
    problem, n_samples = json.loads(process.stdout.readline())
    assert "full" in problem
    assert n_samples > 1000


@pytest.mark.parametrize(
    ("name", "uids", "told"),
    [
        ("there.xdf", ["a"], "exists already"),
        ("recording.edf", ["a"], ".xdf"),
        ("missing/recording.xdf", ["a"], "folder"),
        ("recording.xdf", [], "No stream"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_overwritten(tmp_path, name, uids, told):
    there = tmp_path / "there.xdf"
    there.write_bytes(b"kept")
    with pytest.raises(InputError, match=told):
        Recorder(tmp_path / name, uids)
    assert there.read_bytes() == b"kept"


def test_a_stream_that_is_not_there_is_told_and_no_file_is_left(tmp_path):
    path = tmp_path / "nobody.xdf"
    with (
        Recorder(path, ["no-such-uid"]) as recorder,
        pytest.raises(OperationError, match="no-such-uid"),
    ):
        recorder.start(timeout=2.5)
    assert not path.exists()


def test_problems_are_told_in_the_words_of_the_recorder_not_of_its_library(tmp_path):
    recorder = Recorder(tmp_path / "session.xdf", ["uid"])
    (tmp_path / "session.log").write_text(
        "\"uid='uid'\" matched no stream!\n"
        "2026-11-22 17:24:31.196 (   0.001s) [  FC055940]  api_config.cpp:126   INFO| Loaded\n\n"
    )
    problem = recorder.status().problem
    assert "matched no stream" in problem
    assert "api_config" not in problem


def test_ctrl_c_before_anything_is_recorded_leaves_no_process(tmp_path):
    info = pylsl.StreamInfo("recorder-early", "EEG", 1, 100.0, pylsl.cf_float32, "recorder-early")
    outlet = pylsl.StreamOutlet(info)
    recorder = Recorder(tmp_path / "session.xdf", [outlet.get_info().uid()])

    started = []

    def interrupt():
        started.append(recorder._process)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), recorder:
        recorder.start(meanwhile=interrupt)
    assert started[0].poll() is not None
