from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from sjepa_apps.cli.common import repeat_list_options
from sjepa_online import load_decoder


def test_list_options_take_every_word_up_to_the_next_option():
    words = ["calibrate", "--from", "a.fif", "b.fif", "--json", "--train", "c", "-p", "mi"]
    assert repeat_list_options(words) == [
        "calibrate", "--from", "a.fif", "--from", "b.fif", "--json", "--train", "c", "-p", "mi",
    ]  # fmt: skip


def test_calibrate_saves_a_decoder_and_prints_one_json_document(
    command: Callable, tmp_path: Path
) -> None:
    out = tmp_path / "decoder.safetensors"
    result = command(
        "calibrate", "--paradigm", "ssvep-exo", "--from", "sample:1", "sample:2",
        "--decoder", "riemann", "--out", out, "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert document.keys() >= {
        "paradigm", "decoder", "classes", "n_trials", "cv", "fit_s", "out",
    }  # fmt: skip
    assert document["classes"] == ["13", "17", "21", "rest"]
    assert document["n_trials"] == 64
    assert document["cv"]["riemann"]["accuracy"] > 0.5
    assert document["cv"]["riemann"]["chance"] == 0.25
    assert "chance" not in result.err
    decoder = load_decoder(out)
    assert decoder.ch_names == ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4")
    assert decoder.predict_proba(np.zeros((1, 8, decoder.n_times))).shape == (1, 4)


def test_a_decoder_at_chance_is_saved_with_a_warning(command: Callable, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = ["C3", "Cz", "C4", "Pz"]
    noise = 1e-5 * rng.standard_normal((4, 200 * 128))
    raw = mne.io.RawArray(noise, mne.create_info(names, 128.0, "eeg"), verbose="error")
    labels = rng.permutation(["left_hand", "right_hand"] * 16)
    raw.set_annotations(mne.Annotations(5 + 6 * np.arange(32), 4.0, labels))
    raw.save(tmp_path / "noise_raw.fif", verbose="error")
    out = tmp_path / "decoder.safetensors"
    arguments = ["-p", "mi", "--from", tmp_path / "noise_raw.fif", "--decoder", "riemann"]
    result = command("calibrate", *arguments, "--out", out, "--json")
    assert result.code == 0, result.err
    assert result.json["cv"]["riemann"]["above_chance"] is False
    assert "Warning: riemann is at chance" in result.err
    assert "same class in each" in " ".join(result.err.split())
    assert out.exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-p", "ssvep", "--from", "sample:1"], "12.0"),
        (["-p", "sssvep", "--from", "sample:1"], "ssvep-exo"),
        (["-p", "ssvep-exo", "--from", "nothing-here.edf"], "nothing-here.edf"),
        (["-p", "ssvep-exo", "--from", "sample:1", "--decoder", "rieman"], "riemann"),
        (["-p", "ssvep-exo", "--from", "sample:1", "--participant", "9"], "--participant"),
        (["-p", "ssvep-exo", "--from", "sample:1", "--weights", "best"], "best"),
        (["-p", "ssvep-exo", "--from", "sample:1", "--device", "tpu"], "cpu"),
    ],
)
def test_wrong_input_ends_in_one_message_and_writes_nothing(
    command: Callable, tmp_path: Path, arguments: list[str], named: str
) -> None:
    out = tmp_path / "decoder.safetensors"
    result = command("calibrate", *arguments, "--out", out)
    assert result.code == 2
    assert named in result.err
    assert "Traceback" not in result.err
    assert result.out == ""
    assert not out.exists()


def test_an_existing_decoder_is_not_replaced_unasked(command: Callable, tmp_path: Path) -> None:
    out = tmp_path / "decoder.safetensors"
    out.write_bytes(b"precious")
    result = command("calibrate", "-p", "ssvep-exo", "--from", "sample:1", "--out", out)
    assert result.code == 2
    assert out.read_bytes() == b"precious"


def test_evaluate_scores_compares_decoders_side_by_side(command: Callable) -> None:
    result = command(
        "evaluate", "scores", "--paradigm", "ssvep-exo", "--train", "sample:1", "sample:2",
        "--test", "sample:3", "--decoder", "riemann", "--decoder", "pre-local",
        "--weights", "random", "--seeds", "2", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    document = result.json
    assert (document["n_train"], document["n_test"]) == (64, 32)
    assert (document["sfreq"], document["n_channels"]) == (256.0, 8)
    assert set(document["decoders"]) == {"riemann", "pre-local"}
    for scores in document["decoders"].values():
        assert scores.keys() >= {"accuracy", "accuracy_std", "itr_bits_per_min", "fit_s"}
        assert len(scores["scores"]) == 2
        assert np.mean(scores["scores"]) == pytest.approx(scores["accuracy"])
        assert scores["accuracy"] > 0.5  # chance 0.25
        assert "roc_auc" not in scores  # four classes


@pytest.mark.parametrize("content", [b"", b"\x80\x04K\x01.", pickle.dumps({"a": 1})])
def test_what_is_no_decoder_is_refused(command: Callable, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "decoder.safetensors"
    path.write_bytes(content)
    result = command("decode", "--decoder", path)
    assert result.code == 2
    assert str(path) in result.err


def test_a_truncated_decoder_is_refused(
    command: Callable, tmp_path: Path, decoder_file: Path
) -> None:
    content = decoder_file.read_bytes()
    path = tmp_path / "decoder.safetensors"
    path.write_bytes(content[: len(content) // 2])
    assert command("decode", "--decoder", path).code == 2


def test_a_mistyped_command_is_refused(command: Callable) -> None:
    result = command("calibrat")
    assert result.code == 2
    assert "calibrat" in result.err


def test_export_writes_runs_of_a_bids_data_set(command: Callable, tmp_path: Path) -> None:
    pytest.importorskip("mne_bids", reason="needs the bids extra")
    result = command(
        "export", "sample:1", "sample:2", "--bids", tmp_path / "set", "--subject", "12",
        "--task", "ssvep", "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    names = [Path(path).name for path in result.json["written"]]
    assert names == [f"sub-12_task-ssvep_run-0{run}_eeg.vhdr" for run in (1, 2)]
    again = command(
        "calibrate", "-p", "ssvep-exo", "--from", *result.json["written"],
        "--decoder", "riemann", "--out", tmp_path / "decoder.safetensors", "--json",
    )  # fmt: skip
    assert again.json["n_trials"] == 64


def test_export_looks_at_every_target_before_it_writes(command: Callable, tmp_path: Path) -> None:
    pytest.importorskip("mne_bids", reason="needs the bids extra")
    export = ("export", "sample:1", "sample:2", "--bids", tmp_path, "--subject", "1", "--task", "x")
    there = tmp_path / "sub-1" / "eeg" / "sub-1_task-x_run-02_eeg.vhdr"
    there.parent.mkdir(parents=True)
    there.touch()
    result = command(*export)
    assert result.code == 2
    assert there.name in result.err
    assert list(there.parent.iterdir()) == [there]
