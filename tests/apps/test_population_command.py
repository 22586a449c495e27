"""`population` for imagery, on simulated recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest

from sjepa_apps.cli.populations.imagery import make_imagery_population
from sjepa_online.data import load_recording
from sjepa_online.decoding.transfer.imagery.population import load_imagery_population
from sjepa_online.model import load_weights
from sjepa_online.protocol import load_protocol
from sjepa_online.training import imagery_population

CH_NAMES = ["FC3", "FCz", "FC4", "C3", "Cz", "C4", "CP3", "CPz", "CP4", "Oz"]


def _record(folder: Path, name: str, seed: int) -> Path:
    """Write a minute of noise with eight cues, for one simulated person."""
    signal = 1e-5 * np.random.default_rng(seed).normal(size=(len(CH_NAMES), 128 * 62))
    raw = mne.io.RawArray(signal, mne.create_info(CH_NAMES, 128, "eeg"), verbose="error")
    cues = ["left_hand", "right_hand"] * 4
    raw.set_annotations(mne.Annotations(10 + 6 * np.arange(8), 4.0, cues))
    path = folder / f"{name}_raw.fif"
    raw.save(path, verbose="error")
    return path


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    return [_record(tmp_path, f"sub-{seed}_ses-1", seed) for seed in range(3)]


def test_it_trains_saves_and_describes(
    command: Callable[..., Any], recordings: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "others.safetensors"
    made = command("population", *recordings, "-p", "mi", "--out", out, "--json")
    assert made.code == 0
    assert made.json["people"] == ["sub-0", "sub-1", "sub-2"]
    assert "Oz" not in made.json["ch_names"]
    assert load_imagery_population(out).config.n_trials == 24
    assert "24 trials of 3 people" in out.with_suffix(".md").read_text(encoding="utf-8")
    assert not list(tmp_path.glob("others.training*"))
    shown = command("models", "show", out)
    assert "population of imagery" in shown.out


def test_recordings_of_one_person_are_refused(
    command: Callable[..., Any], recordings: list[Path], tmp_path: Path
) -> None:
    again = _record(tmp_path, "sub-0_ses-2", 9)
    out = tmp_path / "one.safetensors"
    refused = command("population", recordings[0], again, "-p", "mi", "--out", out)
    assert refused.code == 2
    assert "of one person" in refused.err
    assert not out.exists()


def test_a_copy_under_another_name_is_refused(
    command: Callable[..., Any], recordings: list[Path], tmp_path: Path
) -> None:
    copy = _record(tmp_path, "sub-8_ses-1", 1)
    out = tmp_path / "twice.safetensors"
    refused = command("population", *recordings, copy, "-p", "mi", "--out", out)
    assert refused.code == 2
    assert "sub-1 and sub-8" in refused.err.replace("\n", " ")


def test_the_first_convolution_can_be_that_of_pretrained_weights(
    command: Callable[..., Any], recordings: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "others.safetensors"
    made = command(
        "population", *recordings, "-p", "mi", "--weights", "default", "--out", out, "--json"
    )
    assert made.code == 0
    population = load_imagery_population(out)
    assert population.config.weights == "default"
    kernels = load_weights("default").local_encoder.first_kernels.numpy()
    np.testing.assert_allclose(
        population.kernels * np.linalg.norm(kernels, axis=1, keepdims=True), kernels, atol=1e-6
    )


def test_starts_are_compared_on_people_who_did_not_train(
    command: Callable[..., Any], recordings: list[Path], tmp_path: Path
) -> None:
    tested = [
        _record(tmp_path, f"sub-{person}_ses-{session}", 10 * person + session)
        for person in (7, 8)
        for session in (1, 2)
    ]
    options = ["--people", "2,3", "--trials", "0,4", "--seeds", "1", "--epochs", "1", "--json"]
    starts = ["--start", "cosines", "--start", "noise"]
    sides = ["--train", *recordings, "--test", *tested]
    found = command("evaluate", "transfer", "-p", "mi", *sides, *starts, *options)
    assert found.code == 0
    scores = found.json["scores"]
    assert len(scores) == 2 * 2 * 2 * 2
    assert found.json["chance"] == 0.5
    assert {one["person"] for one in scores} == {"sub-7", "sub-8"}
    refused = command("evaluate", "transfer", "-p", "mi", *sides, "--people", "4")
    assert refused.code == 2
    assert "3 people" in refused.err


def test_tokens_of_weights_are_compared(
    command: Callable[..., Any], recordings: list[Path], tmp_path: Path
) -> None:
    others = [_record(tmp_path, f"sub-{seed}_ses-2", 20 + seed) for seed in range(2)]
    found = command("evaluate", "tokens", *recordings[:2], *others, "-p", "mi", "--seeds", "1")
    assert found.code == 0
    assert "local-covariance, default" in found.out
    assert "chance 0.50" in found.out


def test_an_interrupted_training_says_how_to_go_on(
    recordings: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(imagery_population, "train_population", interrupted)
    state = tmp_path / "others.training"
    people = [load_recording(path) for path in recordings]
    for goes_on in (False, True):
        with pytest.raises(KeyboardInterrupt):
            make_imagery_population(
                people, load_protocol("mi"), tmp_path / "others.safetensors", None
            )
        told = capsys.readouterr().err
        assert f"The same command goes on from {state}" in told
        assert (f"Going on from {state}" in told) == goes_on
        state.write_bytes(b"")
