"""What is wrong on the command line is told at once, in one message that says what to write."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from sjepa_apps.__main__ import main
from sjepa_apps.cli.common import check_out
from sjepa_apps.cli.evaluate.comparison import load_sides
from sjepa_online.amplifier import AS_DECLARED
from sjepa_online.errors import InputError

#: Words of a command line, and what the message must hold.
MISTAKES = [
    ("calibrate -p ssvep-exo --from sample:9", "sample:1, sample:2 or sample:3"),
    ("calibrate -p ssvep-exo --from sample:1 --out x.txt", "--out x.safetensors"),
    ("calibrate -p ssvep-exo --from sample:1 --out .", "--out NAME.safetensors"),
    ("calibrate -p ssvep-exo --from sample:1 --report x.pdf", "--report x.html"),
    ("calibrate -p ssvep-exo --from sample:1 --out one.safetensors", "add --overwrite"),
    ("calibrate -p ssvep-exo --from sample:1 --report no/x.html", "choose another --report"),
    ("calibrate -p ssvep-exo --from sample:1 --decoder rieman", "riemann"),
    ("calibrate -p ssvep-exo --from sample:1 --weights nosuch", "Known names: default"),
    ("calibrate -p ssvep-exo --from sample:1 --population nosuch", "population-ssvep"),
    ("calibrate -p ssvep --resume nosuchdir", "No such folder"),
    ("calibrate -p ssvep --headless --resume .", "holds no session.json"),
    ("calibrate -p sssvep --from sample:1", "ssvep-exo"),
    (f"calibrate -p {'a' * 300} --from sample:1", "cannot be reached"),
    (f"calibrate -p ssvep-exo --from sample:1 --out {'a' * 300}.safetensors", "cannot be reached"),
    ("evaluate scores -p ssvep-exo --train sample:1 --test sample:2 --csv . --overwrite", "--csv"),
    ("decode --decoder .", "a folder, not a file: . In it: one.safetensors"),
    (
        "decode --decoder on.safetensors",
        "No such file: on.safetensors. In its folder: one.safetensors",
    ),
    ("live --decoder nosuch/on.safetensors", "No such file: nosuch/on.safetensors. Check the path"),
    ("feedback --decoder .", "a folder"),
    ("evaluate scores -p ssvep-exo --train nosuch.fif --test sample", "nosuch.fif"),
    (
        "evaluate scores -p ssvep-exo --train sample:1 --test sample:2 "
        "--decoder riemann --decoder riemann",
        "more than once",
    ),
    ("evaluate learning-curve -p ssvep-exo --train sample:1 --test .", "a folder"),
    ("evaluate scores -p ssvep-exo --train sample:1 --test sample:2 --csv no/x.csv", "--csv"),
    ("evaluate learning-curve -p ssvep-exo --train sample:1 --test sample:2 --plot no/x.png", "no"),
    ("evaluate moabb --dataset Kalunga2016 -p ssvep-exo --csv no/x.csv", "choose another --csv"),
    ("evaluate corruption -p nosuch --train sample:1 --test sample:2", "nosuch"),
    ("evaluate grid -p ssvep-exo --data nosuch.edf", "nosuch.edf"),
    ("evaluate monitor --train nosuch.edf", "nosuch.edf"),
    ("evaluate latency --decoder nosuch", "pre-local"),
    ("replay nosuch.edf", "nosuch.edf"),
    ("export nosuch.edf --bids set --subject 1 --task x", "nosuch.edf"),
    ("population sample:1 -p ssvep-exo --out x", "--out x.safetensors"),
    ("population sample:1 -p ssvep-exo --out one.safetensors", "add --overwrite"),
    ("pretrain nosuch", "own-files"),
    ("pretrain own-files --data nosuch.edf", "nosuch.edf"),
    ("simulate --paradigm nosuch", "Known names"),
]
HEAVY = ["matplotlib", "mne", "moabb", "pylsl", "pyriemann", "scipy", "sklearn", "torch"]


def test_mistakes_are_told_before_anything_slow_is_imported(tmp_path: Path) -> None:
    # in a process of its own: this one has imported everything
    script = f"""
import contextlib, io, json, sys
from sjepa_apps import cli
for line in sys.stdin:
    sys.argv = ["sjepa-online", *line.split()]
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            cli.main()
            code = 0
        except SystemExit as ended:
            code = ended.code
    heavy = [name for name in {HEAVY} if name in sys.modules]
    print(json.dumps([code, out.getvalue(), err.getvalue(), heavy]))
"""
    (tmp_path / "one.safetensors").write_bytes(b"")
    lines = "".join(f"{line}\n" for line, _ in MISTAKES)
    told = subprocess.run(
        [sys.executable, "-c", script],
        input=lines,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    results = [json.loads(line) for line in told.stdout.splitlines()]
    for (line, wanted), (code, out, err, heavy) in zip(MISTAKES, results, strict=True):
        assert (code, out, heavy) == (2, "", []), line
        assert err.startswith("Error: "), line
        assert err.count("\n") == 1, line
        assert wanted in err, line
    assert [path.name for path in tmp_path.iterdir()] == ["one.safetensors"]


@pytest.mark.parametrize("line", ["latency --sfreq -10", "latency --sfreq nan", "grid --seeds 0"])
def test_absurd_numbers_are_refused(command: Callable, line: str) -> None:
    outcome = command("evaluate", *line.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert line.split()[1] in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc, where nobody writes")
def test_a_folder_that_cannot_be_written_is_told_before_training(command: Callable) -> None:
    out = "/proc/decoder.safetensors"
    outcome = command("calibrate", "-p", "ssvep-exo", "--from", "sample:1", "--out", out)
    assert outcome.code == 2
    assert "cannot be written" in outcome.err


def test_a_file_that_cannot_be_replaced_is_told_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    out = tmp_path / "results.csv"
    out.touch()
    check_out(out, overwrite=True)
    # as Windows does while another program shows the file
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match=r"cannot be replaced.*results\.csv.*choose another --csv"):
        check_out(out, overwrite=True, option="--csv")


@pytest.mark.parametrize("name", ["scores", "learning-curve", "corruption"])
def test_no_recording_both_trains_and_tests(command: Callable, name: str) -> None:
    both = ("--train", "sample:1", "sample:2", "--test", "sample:2", "-p", "ssvep-exo")
    outcome = command("evaluate", name, *both)
    assert outcome.code == 2
    assert "twice: " in outcome.err


def test_no_part_of_a_split_recording_both_trains_and_tests(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(0, 1e-5, (2, 1_000_000))
    raw = mne.io.RawArray(data, mne.create_info(["Cz", "Pz"], 1000.0, "eeg"), verbose="error")
    raw.save(tmp_path / "long_raw.fif", split_size="5MB", verbose="error")
    first, later = (str(tmp_path / f"long_raw{part}.fif") for part in ("", "-1"))
    with pytest.raises(InputError, match=r"twice: .*long_raw-1\.fif"):
        load_sides([first], [later], AS_DECLARED)


def test_the_monitor_is_not_measured_on_what_it_learned_from(command: Callable) -> None:
    outcome = command("evaluate", "monitor", "--train", "sample:1", "--test", "sample:1")
    assert outcome.code == 2
    assert "twice: " in outcome.err


@pytest.mark.parametrize(
    ("kind", "name"), [("weights", "default"), ("populations", "population-ssvep")]
)
def test_models_are_listed_and_shown(command: Callable, kind: str, name: str) -> None:
    assert name in {entry["name"] for entry in command("models", "list", "--json").json[kind]}
    assert name in command("models", "list").out
    assert command("models", "show", name, "--json").json["card"].startswith(f"# {name}\n")
    assert f"# {name}\n" in command("models", "show", name).out


class _Interruption:
    """Importing the command line is interrupted by Ctrl-C."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "sjepa_apps.cli":
            raise KeyboardInterrupt


def test_an_interrupt_before_the_command_begins_is_as_quiet_as_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.startswith("sjepa_apps.cli")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Interruption, *sys.meta_path])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130


def test_foreign_text_in_a_message_cannot_control_the_terminal(
    command: Callable, tmp_path: Path
) -> None:
    outcome = command("decode", "--decoder", tmp_path / "\x1b[2Jx\x07.safetensors")
    assert outcome.code == 2
    assert "x .safetensors" in outcome.err
    assert "\x1b" not in outcome.err
    assert "\x07" not in outcome.err
