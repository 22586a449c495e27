import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from sjepa_online.errors import InputError, OperationError
from sjepa_online.model import load_weights
from sjepa_online.model.local_encoder import gabor_kernels
from sjepa_online.training.pretraining import launch_devices, load_recipe, pretrain
from sjepa_online.training.pretraining.monitor import EpochLog
from sjepa_online.training.pretraining.training_state import read_state, write_state

ROOT = Path(__file__).parents[3]
SAME = ("epoch", "step", "train_loss", "validation_loss", "learning_rate", "embedding_std")


class Silent:
    """Keeps what it hears."""

    def __init__(self, heard_step: Callable[..., None] | None = None) -> None:
        self.heard_step = heard_step
        self.rows: list[EpochLog] = []
        self.warnings: list[str] = []

    def on_step(self, *arguments: Any) -> None:
        if self.heard_step is not None:
            self.heard_step(*arguments)

    def on_epoch(self, row: EpochLog) -> None:
        self.rows.append(row)

    def on_warning(self, message: str) -> None:
        self.warnings.append(message)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """As in the processes that are started here: sums depend on the number of threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def train(tmp_path: Path, recordings: Path) -> Callable[..., Silent]:
    def train(
        recipe: Path,
        out: str = "run",
        on_step: Callable[..., None] | None = None,
        **options: Any,
    ) -> Silent:
        observer = Silent(on_step)
        pretrain(
            load_recipe(recipe),
            [str(recordings / "*.edf")],
            tmp_path / out,
            tmp_path / "store",
            observer,
            lambda *_: None,
            accelerator="cpu",
            **options,
        )
        return observer

    return train


def _command(recipe: Path, recordings: Path, out: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "sjepa_apps", "pretrain", str(recipe), "--json"),
        *("--data", str(recordings / "*.edf")),
        *("--out", str(out), "--store", str(out.parent / "store"), "--accelerator", "cpu"),
        *options,
    ]


def _environment() -> dict[str, str]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "apps")])
    return {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}


def _losses(folder: Path) -> list[dict[str, float]]:
    with (folder / "losses.csv").open() as file:
        return [{name: float(row[name]) for name in SAME} for row in csv.DictReader(file)]


def _assert_same(first: list[dict[str, float]], second: list[dict[str, float]], rel: float) -> None:
    assert len(first) == len(second)
    for a, b in zip(first, second, strict=True):
        assert a == pytest.approx(b, rel=rel)


def test_a_training_leaves_weights_log_and_plot(
    train: Callable[..., Silent], recipe_file: Callable[..., Path], tmp_path: Path
) -> None:
    observer = train(recipe_file())
    folder = tmp_path / "run"
    rows = _losses(folder)
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    assert rows[-1]["train_loss"] < rows[0]["train_loss"]
    assert len(observer.rows) == 3
    assert (folder / "losses.png").read_bytes().startswith(b"\x89PNG")
    network = load_weights(folder / "weights.safetensors")
    assert len(network.ch_names) == 13  # of both montages together


def test_weights_run_and_learn_on_montages_they_were_not_trained_on(
    train: Callable[..., Silent], recipe_file: Callable[..., Path], tmp_path: Path
) -> None:
    train(recipe_file(max_epochs="1"))
    torch.manual_seed(0)
    for ch_names in (("Fp1", "POz", "CPz"), ("FC1", "FC2", "CP1", "CP2", "Oz")):
        network = load_weights(tmp_path / "run" / "weights.safetensors", ch_names)
        x = 10 * torch.randn(6, len(ch_names), 280)
        assert network(x).shape == (6, len(ch_names) * 2, 64)
        head = torch.nn.Linear(64, 1)
        parameters = [*network.parameters(), *head.parameters()]
        optimizer = torch.optim.Adam(parameters, 1e-3)
        y = torch.tensor([0.0, 1.0] * 3)
        losses = []
        for _ in range(10):
            logits = head(network(x).mean(dim=1)).squeeze(1)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss.detach()))
        assert losses[-1] < losses[0]


@pytest.mark.slow
def test_two_devices_give_the_losses_of_one(
    train: Callable[..., Silent],
    recipe_file: Callable[..., Path],
    recordings: Path,
    tmp_path: Path,
) -> None:
    recipe = recipe_file()
    train(recipe, "one")
    command = _command(recipe, recordings, tmp_path / "two", "--devices", "2")
    done = subprocess.run(
        command, env=_environment(), capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == 3
    _assert_same(_losses(tmp_path / "one"), _losses(tmp_path / "two"), 1e-4)


@pytest.mark.slow
def test_a_killed_and_resumed_run_gives_the_losses_of_an_uninterrupted_one(
    train: Callable[..., Silent],
    recipe_file: Callable[..., Path],
    recordings: Path,
    tmp_path: Path,
) -> None:
    recipe = recipe_file(max_epochs="4")
    train(recipe, "whole")
    cut = tmp_path / "cut"
    process = subprocess.Popen(
        _command(recipe, recordings, cut), env=_environment(), stderr=subprocess.DEVNULL
    )
    _wait_for(lambda: (cut / "losses.csv").exists() and len(_losses(cut)) >= 1)
    process.kill()
    process.wait()
    assert len(_losses(cut)) < 4
    train(recipe, "cut", resume=True)
    _assert_same(_losses(tmp_path / "whole"), _losses(cut), 1e-9)


def test_sigterm_saves_in_the_middle_of_an_epoch_and_the_run_goes_on_from_there(
    train: Callable[..., Silent], recipe_file: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = recipe_file()
    train(recipe, "whole")

    def end_job(epoch: int, step: int, n_steps: int, *_: object) -> None:
        if (epoch, step) == (1, 2):
            assert step < n_steps
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(OperationError, match=r"Stopped as asked in epoch 1.*--resume"):
        train(recipe, "cut", on_step=end_job)
    assert len(_losses(tmp_path / "cut")) == 1
    train(recipe, "cut", resume=True)
    _assert_same(_losses(tmp_path / "whole"), _losses(tmp_path / "cut"), 1e-9)


def test_training_ends_when_the_validation_loss_no_longer_falls(
    train: Callable[..., Silent], recipe_file: Callable[..., Path], tmp_path: Path
) -> None:
    # a rate so low that nothing is learnt: the loss stays within rounding of its first value
    recipe = recipe_file(max_epochs="50\npatience_epochs = 2\nlearning_rate = 1e-12")
    rows = train(recipe).rows
    best = min(rows, key=lambda row: row.validation_loss)
    assert len(rows) < 50
    assert len(rows) == best.epoch + 3
    assert best.validation_loss == load_state_best(tmp_path / "run")


def load_state_best(folder: Path) -> float:
    """Return the validation loss that the weights' provenance gives."""
    from sjepa_online.model import describe_weights

    provenance = describe_weights(folder / "weights.safetensors").provenance
    return float(provenance["epoch"]["validation_loss"])


@pytest.mark.slow
def test_collapse_is_loud(train: Callable[..., Silent], recipe_file: Callable[..., Path]) -> None:
    # a target that is the network itself and a high rate: the classic way to collapse
    recipe = recipe_file(
        mask_diameter_percent="60\nema_start = 0.0\nema_end = 0.0",
        max_epochs="5\nlearning_rate = 0.01",
    )
    observer = train(recipe)
    assert any(row.collapsed for row in observer.rows)
    assert any(message.startswith("COLLAPSE") for message in observer.warnings)


def test_a_folder_with_a_training_is_not_overwritten(
    train: Callable[..., Silent], recipe_file: Callable[..., Path], tmp_path: Path
) -> None:
    recipe = recipe_file(max_epochs="1")
    train(recipe)
    before = (tmp_path / "run" / "state.pt").read_bytes()
    with pytest.raises(InputError, match="--resume"):
        train(recipe)
    assert (tmp_path / "run" / "state.pt").read_bytes() == before


def test_another_recipe_does_not_resume(
    train: Callable[..., Silent], recipe_file: Callable[..., Path]
) -> None:
    train(recipe_file(max_epochs="1"))
    with pytest.raises(InputError, match="another recipe"):
        train(recipe_file(max_epochs="2"), resume=True)


def test_nothing_to_resume_is_refused(
    train: Callable[..., Silent], recipe_file: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match="missing or empty"):
        train(recipe_file(), resume=True)


def test_a_corpus_smaller_than_a_batch_is_refused(
    train: Callable[..., Silent], recipe_file: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match="does not fill one batch"):
        train(recipe_file(batch_size="1000"))


@pytest.mark.parametrize("damage", ["truncated", "flipped", "foreign", "pickle"])
def test_a_damaged_state_is_refused(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "state.pt"
    state = {"recipe": "r", "corpus": "c", "weights": torch.arange(100.0)}
    write_state(path, state)
    restored = read_state(path, "r", "c")
    assert torch.equal(restored["weights"], state["weights"])
    content = bytearray(path.read_bytes())
    if damage == "truncated":
        del content[-100:]
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
    elif damage == "foreign":
        content = bytearray(b"something else")
    else:
        torch.save(state, path)
        content = bytearray(path.read_bytes())
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_state(path, "r", "c")


def test_slices_must_be_shared_out_equally(recipe_file: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="multiple of the number of devices"):
        launch_devices(load_recipe(recipe_file()), "cpu", 3, 1)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("start", ["gabor", "random"])
def test_the_first_convolution_is_trained_from_the_start_of_the_recipe(
    train: Callable[..., Silent],
    recipe_file: Callable[..., Path],
    tmp_path: Path,
    start: str,
) -> None:
    train(recipe_file(max_epochs="1", d_feed_forward=f'32\nfirst_convolution = "{start}"'))
    trained = load_weights(tmp_path / "run" / "weights.safetensors").local_encoder.first_kernels
    bank = gabor_kernels(*trained.shape)
    assert (trained - bank).abs().max() > 1e-4
    similar = torch.nn.functional.cosine_similarity(trained, bank)
    assert (similar.min() > 0.9) == (start == "gabor")
