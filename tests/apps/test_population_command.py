"""`population` for imagery, on simulated recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest

from sjepa_online.decoding.transfer.imagery_population import load_imagery_population

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
    assert not out.with_suffix(".training").exists()
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
