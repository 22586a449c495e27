"""``sjepa-online record`` and ``repair``: an XDF file without a window."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sjepa_online.data import load_source

Process = Callable[..., subprocess.Popen[str]]


@pytest.mark.slow
def test_eeg_and_markers_are_recorded_until_ctrl_c(
    process: Process, interrupt: Callable, short_sample: Path, tmp_path: Path
) -> None:
    process("replay", short_sample, "--name", "cli-record", "--loop")
    out = tmp_path / "one.xdf"
    recorder = process("record", "--stream", "cli-record", "--out", out, "--wait", "20", "--json")
    assert recorder.stderr is not None
    while not (line := recorder.stderr.readline()).startswith("Recording"):
        assert line, "it has ended"
    assert "cli-record, cli-record-markers" in line
    time.sleep(2)
    code, seconds = interrupt(recorder)
    assert code == 130
    assert seconds < 2
    assert recorder.stdout is not None
    document = json.loads(recorder.stdout.read())
    assert document["streams"][:2] == ["cli-record", "cli-record-markers"]
    (recording,) = load_source(str(out))
    assert list(recording.ch_names) == document["channels"]
    assert recording.duration > 2
    assert not recording.notes


@pytest.mark.slow
def test_a_recorder_that_hangs_ends_the_command_with_the_reason(
    process: Process, short_sample: Path, tmp_path: Path
) -> None:
    process("replay", short_sample, "--name", "cli-hung", "--loop")
    out = tmp_path / "hung.xdf"
    recorder = process("record", "--stream", "cli-hung", "--out", out, "--wait", "20")
    assert recorder.stderr is not None
    while not (line := recorder.stderr.readline()).startswith("Recording"):
        assert line, "it has ended"
    time.sleep(1.5)
    (lab,) = (
        one
        for one in psutil.Process(recorder.pid).children(recursive=True)
        if "LabRecorder" in one.name()
    )
    lab.suspend()
    began = time.monotonic()
    _, err = recorder.communicate(timeout=10)
    assert time.monotonic() - began < 4
    assert "hangs" in err
    assert recorder.returncode == 1
    assert load_source(str(out))[0].duration > 1


def test_what_is_whole_of_a_damaged_file_is_written(process: Process, tmp_path: Path) -> None:
    damaged, out = tmp_path / "damaged.xdf", tmp_path / "whole.xdf"
    header = b"<info><version>1.0</version></info>"
    chunk = bytes([1, len(header) + 2]) + (1).to_bytes(2, "little") + header
    damaged.write_bytes(b"XDF:" + chunk + b"\x01\xff\x03\x00cut off")
    told, err = process("repair", damaged, "--out", out).communicate(timeout=60)
    assert "11 of its" in told, err
    assert out.read_bytes() == b"XDF:" + chunk
    _, err = process("repair", damaged, "--out", out).communicate(timeout=60)
    assert f"{out} exists" in err
