"""The options that describe an amplifier or a recording, in commands that read files."""

from __future__ import annotations

import inspect
import json
from typing import Any

import mne
import numpy as np
import pytest
from typer.testing import CliRunner

from sjepa_apps.cli import app
from sjepa_apps.cli.description import describes_signal
from sjepa_online.amplifier import AmplifierProfile
from sjepa_online.errors import InputError

#: The commands that read a stream or a file.
READERS = [
    "streams", "doctor", "record", "calibrate", "decode", "live", "feedback", "replay", "export",
    "population", "pretrain", "evaluate scores", "evaluate corruption", "evaluate learning-curve",
    "evaluate monitor", "evaluate grid", "evaluate spelling",
]  # fmt: skip


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=True)


@pytest.fixture
def recording(tmp_path):
    """Two classes of imagery in channels called a, b, c; in volts that the file calls so."""
    rng = np.random.default_rng(0)
    sfreq, onsets = 250, 5.0 + 6.0 * np.arange(20)
    data = 1e-5 * rng.standard_normal((3, int((onsets[-1] + 6) * sfreq)))
    times = np.arange(data.shape[1]) / sfreq
    for number, onset in enumerate(onsets):
        inside = (times >= onset) & (times < onset + 4)
        data[number % 2, inside] += 1.5e-5 * np.sin(2 * np.pi * 10 * times[inside])
    raw = mne.io.RawArray(data, mne.create_info(["a", "b", "c"], sfreq, "eeg"), verbose="error")
    raw.set_annotations(mne.Annotations(onsets, 4.0, ["code 1", "code 2"] * 10))
    path = tmp_path / "odd_raw.fif"
    raw.save(path, verbose="error")
    return path


def test_names_and_codes_are_said_by_options_or_a_profile(recording, tmp_path):
    command = ("calibrate", "-p", "mi", "--from", recording, "--decoder", "riemann", "--json")
    refused = run(*command, "--out", tmp_path / "none.safetensors")
    assert isinstance(refused.exception, InputError)
    assert "--channels" in refused.exception.remedy
    events = ("--event", "code 1=left_hand", "--event", "code 2=right_hand")
    out = tmp_path / "one.safetensors"
    done = run(*command, *events, "--channels", "a=C3,b=C4,c=-", "--out", out)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n_trials"] == 20
    profile = tmp_path / "cap.toml"
    profile.write_text(
        'channels = ["C3", "C4", "Cz"]\n[events]\n"code 1" = "left_hand"\n"code 2" = "right_hand"\n'
    )
    other = run(*command, "--amplifier", profile, "--out", tmp_path / "two.safetensors")
    assert other.exit_code == 0, other.output
    wrong = run(
        *command, "--amplifier", profile, "--unit", "nV", "--out", tmp_path / "x.safetensors"
    )
    assert isinstance(wrong.exception, InputError)
    assert "too small" in wrong.exception.problem


@pytest.mark.parametrize("command", READERS)
def test_every_command_that_reads_a_signal_has_them(command):
    told = run(*command.split(), "--help").output
    for option in ("--channels", "--unit", "--scale", "--amplifier", "--markers", "--event"):
        assert option in told


def test_what_is_said_reaches_the_command_and_a_mistake_is_told_before_it():
    seen = []

    @describes_signal(files=True)
    def command(amplifier: AmplifierProfile, name: str, n: int = 3) -> None:
        seen.append((amplifier, name, n))

    names = list(inspect.signature(command).parameters)
    assert names == [
        "name", "n", "amplifier", "channels", "unit", "scale", "markers", "event", "stream",
    ]  # fmt: skip
    nothing = dict.fromkeys(names[2:])
    command(**(nothing | {"name": "x", "n": 1, "unit": "mV", "stream": "amp"}))
    ((profile, *rest),) = seen
    assert (profile.unit, profile.stream, rest) == ("mV", "amp", ["x", 1])
    with pytest.raises(InputError):
        command(**(nothing | {"name": "x", "n": 1, "channels": "Q7"}))
    assert len(seen) == 1


def test_profiles_are_listed_and_shown():
    listed = json.loads(run("amplifiers", "list", "--json").stdout)
    assert {"openbci-cyton", "unicorn", "biosemi-128", "muse"} <= set(listed)
    shown = run("amplifiers", "show", "unicorn").stdout
    assert '"Fz", "C3", "Cz"' in shown
    assert isinstance(run("amplifiers", "show", "nosuch").exception, InputError)


def test_a_second_montage_of_a_person_is_exported(recording, tmp_path):
    pytest.importorskip("mne_bids")
    command = ("export", recording, "--bids", tmp_path / "set", "--subject", "01", "--json")
    for task, channels in (("one", "C3,C4,Cz"), ("two", "C3,-,Oz"), ("three", "Cz,C4,C3")):
        done = run(*command, "--task", task, "--channels", channels)
        assert done.exit_code == 0, done.output or done.exception
    written = sorted((tmp_path / "set" / "sub-01" / "eeg").glob("*_eeg.vhdr"))
    assert [path.name for path in written] == [
        f"sub-01_task-{task}_eeg.vhdr" for task in ("one", "three", "two")
    ]
