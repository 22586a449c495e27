from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import psutil
import pytest

from sjepa_apps.cli import doctor
from sjepa_apps.cli.common import progress_bar, say
from sjepa_online.data import load_source
from sjepa_online.evaluation import demo as demo_module

#: How often `decode` is killed in each phase.
KILLS = int(os.environ.get("SJEPA_KILLS", "0"))
NAMELESS_AMPLIFIER = Path(__file__).with_name("nameless_amplifier.py")
Process = Callable[..., subprocess.Popen[str]]


def next_json(process: subprocess.Popen[str]) -> dict:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    return json.loads(line)


@pytest.mark.slow
def test_decode_prints_decisions_and_ctrl_c_ends_it(
    process: Process, interrupt: Callable, decoder_file: Path, short_sample: Path
) -> None:
    replay = process("replay", short_sample, "--name", "cli-decode", "--speed", "4", "--loop")
    decode = process("decode", "--decoder", decoder_file, "--stream", "cli-decode", "--json")
    line = next_json(decode)
    assert line.keys() == {"time", "label", "probabilities", "bad_channels", "latency_ms"}
    assert set(line["probabilities"]) == {"13", "17", "21", "rest"}
    assert sum(line["probabilities"].values()) == pytest.approx(1.0)
    assert line["label"] == max(line["probabilities"], key=line["probabilities"].__getitem__)
    second = next_json(decode)
    assert second["time"] - line["time"] == pytest.approx(0.125, abs=0.008)
    for started in (decode, replay):
        code, seconds = interrupt(started)
        assert code == 130
        assert seconds < 2
    assert "Traceback" not in decode.stderr.read()


@pytest.mark.slow
def test_a_fault_of_replay_is_left_out_live(
    process: Process, interrupt: Callable, decoder_file: Path, short_sample: Path
) -> None:
    fault = ("--corrupt", "O2:dropped@0-")
    process("replay", short_sample, "--name", "cli-corrupt", "--speed", "4", "--loop", *fault)
    decode = process("decode", "--decoder", decoder_file, "--stream", "cli-corrupt", "--json")
    while "O2" not in (line := next_json(decode)).get("bad_channels", ()):
        assert "label" in line or line["event"] in ("channel-bad", "no-good-channel"), line
    assert line["bad_channels"] == ["O2"]
    code, _ = interrupt(decode)
    assert code == 130


@pytest.mark.slow
def test_a_stream_that_vanishes_is_an_event(
    process: Process, decoder_file: Path, short_sample: Path
) -> None:
    replay = process("replay", short_sample, "--name", "cli-vanish", "--speed", "4", "--loop")
    decode = process("decode", "--decoder", decoder_file, "--stream", "cli-vanish", "--json")
    next_json(decode)
    replay.kill()
    while "event" not in (line := next_json(decode)):
        pass
    assert line["event"] == "stream-lost"
    assert line["detail"]


@pytest.mark.slow
@pytest.mark.timeout(120 + 40 * KILLS)
def test_decode_can_be_started_again_after_a_kill_in_any_phase(
    process: Process, decoder_file: Path, short_sample: Path
) -> None:
    process("replay", short_sample, "--name", "cli-kill", "--speed", "4", "--loop")
    words = ("decode", "--decoder", decoder_file, "--stream", "cli-kill", "--json")
    random = np.random.default_rng(0)
    for phase in ("loading", "deciding") * KILLS or ("deciding",):
        decode = process(*words)
        if phase == "deciding":
            next_json(decode)
        time.sleep(random.uniform(0.0, 2.0))
        left = psutil.Process(decode.pid).children(recursive=True)
        decode.kill()
        decode.wait()
        assert not psutil.wait_procs(left, 5.0)[1]
    decode = process(*words)
    while "event" in (line := next_json(decode)):
        pass  # of a replay that is faster than its clock
    assert line["label"]


@pytest.mark.slow
def test_decode_ends_when_a_stream_without_source_id_is_gone(
    process: Process, decoder_file: Path
) -> None:
    (recording,) = load_source("sample:3")
    words = [sys.executable, NAMELESS_AMPLIFIER, "cli-nameless", *recording.ch_names]
    amplifier = subprocess.Popen(words)
    decode = process("decode", "--decoder", decoder_file, "--stream", "cli-nameless", "--json")
    try:
        next_json(decode)
    finally:
        amplifier.kill()
        amplifier.wait()
    out, err = decode.communicate(timeout=60)
    assert decode.returncode == 1
    assert json.loads(out.splitlines()[-1])["event"] == "stream-lost"
    assert "cli-nameless is gone" in err
    assert "Traceback" not in err


def test_no_stream_is_one_message(process: Process, decoder_file: Path) -> None:
    decode = process("decode", "--decoder", decoder_file, "--stream", "nobody", "--wait", "1")
    out, err = decode.communicate(timeout=60)
    assert decode.returncode == 2
    assert "nobody" in err
    assert "Traceback" not in err
    assert out == ""


@pytest.mark.slow
def test_a_stream_of_another_montage_is_refused(
    process: Process, decoder_file: Path, tmp_path: Path
) -> None:
    import mne
    import numpy as np

    info = mne.create_info(["C3", "C4"], 256.0, "eeg")
    noise = 1e-5 * np.random.default_rng(0).standard_normal((2, 256 * 30))
    path = tmp_path / "motor_raw.fif"
    mne.io.RawArray(noise, info, verbose="error").save(path, verbose="error")
    process("replay", path, "--name", "cli-montage", "--loop")
    decode = process("decode", "--decoder", decoder_file, "--stream", "cli-montage")
    _, err = decode.communicate(timeout=60)
    assert decode.returncode == 2
    assert "Oz" in err


@pytest.mark.slow
def test_streams_lists_what_is_in_sight(process: Process, short_sample: Path) -> None:
    process("replay", short_sample, "--name", "cli-listed", "--loop")
    for _ in range(5):
        out, err = process("streams", "--json", "--wait", "2").communicate(timeout=60)
        found = {stream["name"]: stream for stream in json.loads(out)}
        if "cli-listed" in found:
            break
    assert found["cli-listed"]["sfreq"] == 256.0, err
    assert found["cli-listed"]["n_channels"] == 8
    assert found["cli-listed"]["unit"] == "microvolts"
    assert "cli-listed-markers" in found


@pytest.mark.slow
def test_the_demo_decodes_a_replayed_session(
    monkeypatch: pytest.MonkeyPatch, short_sample: Path
) -> None:
    monkeypatch.setattr(demo_module, "LIVE_SOURCE", str(short_sample))
    monkeypatch.setattr(demo_module, "CALIBRATION_SOURCES", ["sample:1"])
    result = demo_module.run_demo(8.0, progress_bar, say)
    assert result["n_decoded"] == 8
    assert result["samples_lost"] == 0
    assert result["accuracy"] > result["chance"]
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["p99"]


@pytest.mark.slow
def test_latency_counts_every_sample(process: Process) -> None:
    measured = process(
        "evaluate", "latency", "--channels", "8", "--sfreq", "500", "--seconds", "2",
        "--decoder", "riemann", "--json",
    )  # fmt: skip
    out, err = measured.communicate(timeout=120)
    assert measured.returncode == 0, err
    document = json.loads(out)
    assert document["samples_sent"] == document["samples_received"]
    assert document["decisions"] >= 10
    assert document["decision_ms"]["p50"] <= document["end_to_end_ms"]["p50"]


@pytest.mark.slow
def test_doctor_finds_lsl_and_versions(process: Process) -> None:
    out, err = process("doctor", "--json").communicate(timeout=120)
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert checks["LSL"]["ok"], err
    assert "torch" in checks["versions"]["found"]


def test_doctor_asks_for_nothing_that_an_installation_lacks() -> None:
    required = [one for one in metadata.requires("sjepa-online") or () if "extra ==" not in one]
    installed = {re.split(r"[^\w-]", one)[0] for one in required}
    assert set(doctor.PACKAGES) - {"sjepa-online"} <= installed
