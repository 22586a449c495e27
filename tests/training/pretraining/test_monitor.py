import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sjepa_online.training.pretraining.monitor import (
    EpochLog,
    embedding_spread,
    plot_log,
    write_log,
)

ROW = EpochLog(0, 10, 0.8, 0.7, 1e-3, 0.99, 0.3, 20.0, 50.0, 0.1, None)


def test_spread_of_independent_dimensions() -> None:
    generator = torch.Generator().manual_seed(0)
    tokens = 0.5 * torch.randn(2000, 4, 16, generator=generator)
    std, rank = embedding_spread(tokens)
    assert std == pytest.approx(0.5, rel=0.02)
    assert rank == pytest.approx(16, rel=0.02)


@pytest.mark.parametrize("dims", [1, 3])
def test_rank_counts_the_directions_that_vary(dims: int) -> None:
    generator = torch.Generator().manual_seed(0)
    directions, _ = torch.linalg.qr(torch.randn(16, dims, generator=generator))
    tokens = torch.randn(500, 2, dims, generator=generator) @ directions.T
    assert embedding_spread(tokens)[1] == pytest.approx(dims, rel=0.02)


def test_embeddings_of_positions_alone_have_collapsed() -> None:
    tokens = torch.randn(1, 6, 16).expand(50, -1, -1)
    std, rank = embedding_spread(tokens)
    assert replace(ROW, embedding_std=std, effective_rank=rank).collapsed
    assert not ROW.collapsed


def test_the_log_reads_back(tmp_path: Path) -> None:
    write_log(tmp_path / "losses.csv", [ROW, replace(ROW, epoch=1, probe=0.5)])
    with (tmp_path / "losses.csv").open() as file:
        first, second = csv.DictReader(file)
    assert float(first["train_loss"]) == 0.8
    assert first["probe"] == ""
    assert float(second["probe"]) == 0.5


def test_the_plot_shows_the_probe_below_the_losses(tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot_log(tmp_path / "a.png", [ROW, replace(ROW, epoch=1)], "without")
    plot_log(tmp_path / "b.png", [ROW, replace(ROW, epoch=1, probe=0.5)], "with")
    without, with_probe = (np.asarray(imread(tmp_path / f"{name}.png")) for name in "ab")
    assert with_probe.shape[0] > without.shape[0]
    assert without.std() > 0.01
