"""Small made-up recordings as EDF files, and a recipe that trains on them in a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import edfio
import numpy as np
import pytest

MONTAGES = {
    "seven": ("Fz", "C3", "Cz", "C4", "Pz", "O1", "O2"),
    "ten": ("F3", "F4", "T7", "C3", "Cz", "C4", "T8", "P3", "Pz", "P4"),
}

RECIPE = """
name = "tiny"

[split]
train = ["1", "2"]
validation = ["3"]
untouched = ["4"]

[examples]
window_seconds = 2
spacing_seconds = 2.0
random_start = true

[network]
n_encoder_layers = 2
n_decoder_layers = 1
d_feed_forward = 32

[objective]
mask_diameter_percent = 60
target_layers = 2

[optimisation]
batch_size = 8
max_epochs = 3
warmup_epochs = 1.0
precision = "float32"
"""


def write_edf(
    path: Path, ch_names: tuple[str, ...], sfreq: int = 128, seconds: int = 30, seed: int = 0
) -> Path:
    """Write noise with a common rhythm, in µV."""
    rng = np.random.default_rng(seed)
    times = np.arange(seconds * sfreq) / sfreq
    rhythm = 20 * np.sin(2 * np.pi * 10 * times + rng.uniform(0, 6))
    signals = [
        edfio.EdfSignal(
            rhythm * rng.uniform(0.5, 1) + rng.normal(0, 10, len(times)),
            sampling_frequency=sfreq,
            label=name,
            physical_dimension="uV",
            physical_range=(-500, 500),
        )
        for name in ch_names
    ]
    edfio.Edf(signals).write(path)
    return path


@pytest.fixture
def recipe_file(tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny recipe with some lines replaced."""

    def write(**replacements: str) -> Path:
        lines = RECIPE.splitlines()
        for field, value in replacements.items():
            matching = [i for i, line in enumerate(lines) if line.startswith(f"{field} =")]
            lines[matching[0]] = f"{field} = {value}"
        path = tmp_path / "tiny.toml"
        path.write_text("\n".join(lines))
        return path

    return write


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Recordings of four subjects with two montages at two rates."""
    folder = tmp_path_factory.mktemp("recordings")
    for subject in (1, 2, 3, 4):
        write_edf(folder / f"sub-0{subject}_ses-1_eeg.edf", MONTAGES["seven"], 128, 30, subject)
        write_edf(folder / f"sub-0{subject}_ses-2_eeg.edf", MONTAGES["ten"], 200, 30, 10 + subject)
    return folder
