from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from operator import eq
from pathlib import Path

import numpy as np
import pytest

from sjepa_apps.session import controller
from sjepa_apps.session import feedback as online
from sjepa_apps.session.checks import check_channels
from sjepa_online import load_decoder
from sjepa_online.data import Recording, load_source
from sjepa_online.decoding import DecoderRequest
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.stream import Replay
from sjepa_online.training import calibrate as train


def replay(name: str) -> Replay:
    recording = Recording(
        name="noise",
        data=10 * np.random.default_rng(0).standard_normal((2, 20_000)).astype(np.float32),
        unit="uV",
        sfreq=250.0,
        ch_names=("Oz", "O1"),
        onsets=np.empty(0),
        labels=(),
        breaks=np.empty(0),
    )
    return Replay([recording], name=name)


def calibrate(command: Callable, folder: Path, *arguments: object):
    return command(
        "calibrate", "--headless", "--folder", folder, "--wait", "0.7", "--trials", 10,
        *arguments, "--json",
    )  # fmt: skip


def test_no_stream_is_one_message_and_makes_no_folder(command, tmp_path, protocol_file):
    result = calibrate(command, tmp_path / "new", "-p", protocol_file, "--stream", "nobody")
    assert result.code == 2
    assert "nobody" in result.err
    assert result.out == ""
    assert not (tmp_path / "new").exists()


def test_one_of_two_streams_has_to_be_named(command, tmp_path, protocol_file):
    with replay("command-one"), replay("command-two"):
        time.sleep(0.5)
        result = calibrate(command, tmp_path / "new", "-p", protocol_file)
    assert result.code == 2
    assert "command-one" in result.err
    assert "command-two" in result.err


@pytest.mark.parametrize(
    ("wrong", "named"),
    [("cue = 0.1 s", "line {line}"), ("cues = 0.1", "flicker.cues"), ("cue = -1", "flicker.cue")],
)
def test_a_typing_error_in_the_protocol_is_named(command, tmp_path, protocol_file, wrong, named):
    before, after = protocol_file.read_text().split("cue = 0.1")
    protocol_file.write_text(before + wrong + after)
    result = calibrate(command, tmp_path / "new", "-p", protocol_file)
    assert result.code == 2
    assert named.format(line=before.count("\n") + 1) in result.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--from", "sample", "--folder", "x"], "--folder"),
        (["--from", "sample", "--participant", "7"], "--participant"),
        (["--headless", "--from", "nowhere", "--trials", "3"], "nowhere"),
        (
            ["--from", "sample", "--headless", "--skip-practice", "--wait", "3"],
            "--from excludes --headless, --skip-practice, --wait",
        ),
        (["--from", "sample", "--lsl-scope", "site"], "--from excludes --lsl-scope"),
        (["--headless", "--resume", "nowhere"], "No such folder"),
        (["--headless", "--trials", "8"], "5 or more trials of each class"),
        (
            ["--headless", "--display", "2", "--photodiode"],
            "--headless excludes --display, --photodiode",
        ),
        (["--from", "sample", "--windowed"], "--from excludes --windowed"),
        (["--headless", "--unit", "furlong"], "uV (or V, mV, nV)"),
        (["--wait", "3"], "--wait 3"),
    ],
)
def test_options_that_do_not_fit_are_refused(command, protocol_file, arguments, named):
    result = command("calibrate", "-p", protocol_file, *arguments)
    assert result.code == 2
    assert named in result.err


@pytest.mark.slow
def test_ctrl_c_ends_a_session_within_two_seconds(process, interrupt, tmp_path, protocol_file):
    with replay("command-interrupted"):
        session = process(
            "calibrate", "-p", protocol_file, "--headless", "--folder", tmp_path / "new",
            "--stream", "command-interrupted", "--trials", "10",
        )  # fmt: skip
        # liblsl may have something to say before
        assert any("Checking" in line for line in iter(session.stderr.readline, ""))
        time.sleep(2.0)
        code, seconds = interrupt(session)
    assert code == 130
    assert seconds < 2.0
    assert "Traceback" not in session.stderr.read()


@pytest.mark.slow
def test_feedback_shows_and_scores_what_the_decoder_chooses(
    command, process, tmp_path, protocol_file, monkeypatch
):
    monkeypatch.setattr(online, "FEEDBACK", 0.1)
    monkeypatch.setattr(online, "READY", 1.0)
    text = protocol_file.read_text().replace("trials_per_class = 2", "trials_per_class = 6")
    protocol_file.write_text(text.replace("stimulation = 0.3", "stimulation = 1.3"))
    process(
        "simulate", "-p", protocol_file, "--name", "command-feedback", "--channels", 16,
        "--session", 2,
    )  # fmt: skip
    protocol = load_protocol(protocol_file)
    recordings = load_source(f"simulated:{protocol_file}:0")
    request = DecoderRequest("riemann")
    path = tmp_path / "decoder.safetensors"
    train(recordings, protocol, PreprocessorConfig(), request).decoder.save(path)
    result = command(
        "feedback", "--decoder", path, "-p", protocol_file, "--headless", "--trials", 2,
        "--stream", "command-feedback (simulated)", "--wait", 60, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    told = result.json
    assert told["targets"] == [trial.target for trial in make_schedule(protocol, 0)[:2]]
    assert set(told["selected"]) <= set(protocol.class_names)
    n_correct = sum(map(eq, told["targets"], told["selected"]))
    assert (told["n_trials"], told["n_correct"]) == (2, n_correct)
    # of at least so many, where both classes are equally probable
    p_value = {2: 1 / 4, 1: 3 / 4, 0: 1.0}[n_correct]
    assert told["p_value"] == pytest.approx(p_value)
    assert told["seconds"] == pytest.approx([1.1875] * 2, abs=0.05)
    run = Path(told["folder"])
    assert run.parent == path.parent
    kept = json.loads((run / "results.json").read_text())
    assert kept == {name: value for name, value in told.items() if name != "folder"}
    assert len((run / "results.csv").read_text().splitlines()) == 3
    (recorded,) = load_source(str(run / "feedback_part-1.xdf"))
    assert sum(label.startswith("selected/") for label in recorded.labels) == 2
    for target, selected in zip(told["targets"], told["selected"], strict=True):
        verdict = "right" if target == selected else "wrong"
        assert f"Selected: {selected} ({verdict})" in result.err


@pytest.mark.slow
def test_a_session_with_a_simulated_participant_yields_a_decoder(
    command, process, tmp_path, protocol_file, monkeypatch
):
    monkeypatch.setattr(controller, "check_channels", partial(check_channels, seconds=2.5))
    text = protocol_file.read_text()
    protocol_file.write_text(text.replace("trials_per_class = 2", "trials_per_class = 6"))
    process("simulate", "-p", protocol_file, "--name", "command-participant", "--channels", 8)
    folder = tmp_path / "new"
    result = command(
        "calibrate", "-p", protocol_file, "--headless", "--folder", folder, "--trials", 10,
        "--stream", "command-participant (simulated)", "--decoder", "riemann", "--json",
        "--participant", "P/7", "--session", "2", "--notes", "<slept well>",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert document["n_trials"] == 10
    assert document["cv"].keys() == {"riemann"}
    assert document["recording"] == [str(folder / "session_part-1.xdf")]
    page = Path(document["report"]).read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert all(told in page for told in ("P/7", "&lt;slept well&gt;", "command-participant"))
    decoder = load_decoder(document["out"])
    assert decoder.calibration.simulated
    assert decoder.calibration.sources == tuple(document["recording"])
    assert "10 of 10 trials" in result.err
    again = command(
        "calibrate", "-p", protocol_file, "--headless", "--resume", folder, "--json",
        "--stream", "command-participant (simulated)",
    )  # fmt: skip
    assert again.code == 2
    assert "--overwrite" in again.err
    other = command("calibrate", "-p", protocol_file, "--resume", folder, "--unit", "mV")
    assert other.code == 2
    listed = command("sessions", tmp_path, "--json")
    (entry,) = listed.json
    assert (entry["participant"], entry["session"], entry["paradigm"]) == ("P/7", "2", "short")
    assert (entry["n_recorded"], entry["n_trials"]) == (10, 10)
    assert entry["score"] == document["cv"]["riemann"]["accuracy"]
    assert "10 of 10" in command("sessions", tmp_path).out
    assert command("sessions", tmp_path, "--participant", "8", "--json").json == []
    assert "No such folder: sessions" in command("sessions", "sessions").err
    # the next day begins with what was recorded
    short = command(
        "calibrate", "-p", protocol_file, "--headless", "--folder", tmp_path / "next",
        "--trials", 2, "--from", document["recording"][0], "--skip-practice",
        "--stream", "command-participant (simulated)", "--decoder", "riemann", "--json",
    )  # fmt: skip
    assert short.code == 0, short.err
    assert short.json["n_trials"] == 12
    assert "1 earlier recording, 2 trials of today: used" in short.err
    assert "--resume excludes --unit" in other.err
    # the decoder that the session was begun with
    resume = ("calibrate", "-p", protocol_file, "--headless", "--resume", folder, "--json",
              "--stream", "command-participant (simulated)", "--overwrite")  # fmt: skip
    assert command(*resume).json["decoder"] == "riemann"
