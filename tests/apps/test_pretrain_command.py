import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sjepa_apps.cli import app
from sjepa_online.errors import InputError

RUN = CliRunner()
TINY = """
name = "tiny"
[split]
validation_share = 0.5
[examples]
window_seconds = 1
spacing_seconds = 2.0
[network]
n_encoder_layers = 1
n_decoder_layers = 1
d_feed_forward = 16
[objective]
mask_diameter_percent = 40
target_layers = 1
[optimisation]
batch_size = 4
max_epochs = 1
precision = "float32"
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    return path


@pytest.fixture
def recordings(tmp_path: Path) -> list[Path]:
    import edfio

    paths = []
    for number in (1, 2):
        rng = np.random.default_rng(number)
        signals = [
            edfio.EdfSignal(rng.normal(0, 10, 128 * 20), 128, label=name, physical_dimension="uV")
            for name in ("Fz", "Cz", "Pz", "Oz")
        ]
        paths.append(tmp_path / f"sub-{number}_eeg.edf")
        edfio.Edf(signals).write(paths[-1])
    return paths


def test_prepare_reports_what_was_left_out_by_name_and_reason(
    recipe: Path, recordings: list[Path], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.edf"
    damaged.write_bytes(recordings[0].read_bytes()[:300])
    data = [option for path in (*recordings, damaged) for option in ("--data", str(path))]
    store = str(tmp_path / "store")
    done = RUN.invoke(
        app, ["pretrain", str(recipe), *data, "--store", store, "--prepare", "--json"]
    )
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["n_recordings"] == 2
    (left_out,) = document["left_out"]
    assert left_out["name"] == str(damaged)
    assert left_out["reason"] in done.stderr


def test_pretrain_ends_with_weights(recipe: Path, recordings: list[Path], tmp_path: Path) -> None:
    data = [option for path in recordings for option in ("--data", str(path))]
    out, store = str(tmp_path / "out"), str(tmp_path / "store")
    command = ["pretrain", str(recipe), *data, "--out", out, "--store", store, "--json"]
    done = RUN.invoke(app, [*command, "--accelerator", "cpu"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert Path(document["weights"]).is_file()
    assert document["kept"]["epoch"] == 0


@pytest.mark.parametrize(
    ("there", "told"),
    [("out", "cannot be made or written"), ("out/state.pt", "Add --resume")],
    ids=["a file", "another training"],
)
def test_an_unsuitable_folder_is_told_before_any_recording_is_read(
    recipe: Path, recordings: list[Path], tmp_path: Path, there: str, told: str
) -> None:
    (tmp_path / there).parent.mkdir(exist_ok=True)
    (tmp_path / there).touch()
    store = tmp_path / "store"
    command = ["pretrain", str(recipe), "--data", str(recordings[0]), "--store", str(store)]
    with pytest.raises(InputError, match=told):
        RUN.invoke(app, [*command, "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert not store.exists()


def test_the_benchmark_compares_with_plain_modules(recipe: Path) -> None:
    done = RUN.invoke(app, ["pretrain", str(recipe), "--benchmark", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    for ours, plain, ratio in zip(
        document["ours"], document["plain"], document["ratios"], strict=True
    ):
        assert ratio == pytest.approx(ours / plain)
    assert document["precision"] == "float32"


def test_a_recipe_without_sources_asks_for_data(recipe: Path) -> None:
    with pytest.raises(InputError, match="--data"):
        RUN.invoke(app, ["pretrain", str(recipe)], catch_exceptions=False)


def test_models_list_names_weights_and_recipes_but_no_other_files() -> None:
    document = json.loads(RUN.invoke(app, ["models", "list", "--json"]).stdout)
    weights = {entry["name"] for entry in document["weights"]}
    assert "default" in weights
    assert "population-ssvep" not in weights
    assert {"own-files", "paper-16s-40"} <= {entry["name"] for entry in document["recipes"]}


def test_models_show_tells_where_weights_come_from() -> None:
    document = json.loads(RUN.invoke(app, ["models", "show", "default", "--json"]).stdout)
    recordings = document["provenance"]["recordings"]
    assert any(name.startswith("sub-01") for name in recordings)
    assert "S001R01.edf" in recordings
    assert document["provenance"]["simulated"] == []


def test_a_packed_store_is_enough_to_train_where_the_recordings_are_not(
    recipe: Path, recordings: list[Path], tmp_path: Path
) -> None:
    recipe.write_text(TINY + '[storage]\ndtype = "packed"\n')
    options = ["--store", str(tmp_path / "packed"), "--json"]
    data = [word for path in recordings for word in ("--data", str(path))]
    prepared = RUN.invoke(app, ["pretrain", str(recipe), *data, *options, "--prepare"])
    assert prepared.exit_code == 0, prepared.output
    for path in recordings:
        path.unlink()
    out = tmp_path / "run"
    done = RUN.invoke(app, ["pretrain", str(recipe), "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["n_recordings"] == 2
    assert (out / "weights.safetensors").exists()
