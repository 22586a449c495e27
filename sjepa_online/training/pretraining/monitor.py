"""The log and the plot of a training, and the check for a collapse."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sjepa_online.files import atomic_path, atomic_write

#: Below either, the embeddings tell (almost) nothing about the signal.
COLLAPSED_STD = 0.02
COLLAPSED_RANK = 2.0


@dataclass(frozen=True)
class EpochLog:
    """One line of ``losses.csv``.

    Attributes
    ----------
    embedding_std, effective_rank : float
        Of the contextual tokens of validation examples; see :func:`embedding_spread`.
    examples_per_s, arithmetic_share : float
        Speed of training, and its share of the matrix product's rate on this device.
    probe : float | None
        Accuracy of the probe, in the epochs that have one.
    """

    epoch: int
    step: int
    train_loss: float
    validation_loss: float
    learning_rate: float
    ema_decay: float
    embedding_std: float
    effective_rank: float
    examples_per_s: float
    arithmetic_share: float
    probe: float | None

    @property
    def collapsed(self) -> bool:
        """Whether the embeddings hardly depend on the signal."""
        return self.embedding_std < COLLAPSED_STD or self.effective_rank < COLLAPSED_RANK


def embedding_spread(tokens: Tensor) -> tuple[float, float]:
    """Measure how much embeddings vary from example to example.

    The mean over examples is removed from each channel and time, because a collapsed network
    still tells positions apart.

    Parameters
    ----------
    tokens : Tensor, shape (n, channels * time, d_model)
        Embeddings of examples of one montage.

    Returns
    -------
    std : float
        Standard deviation, the mean over dimensions.
    effective_rank : float
        Exponential of the entropy of the covariance's normalised eigenvalues (Roy & Vetterli
        2007), from 1 to d_model.
    """
    rows = (tokens - tokens.mean(dim=0)).flatten(0, 1).double()
    std = rows.square().mean(dim=0).sqrt().mean()
    eigenvalues = torch.linalg.eigvalsh(rows.T @ rows / len(rows)).clamp(min=0)
    shares = eigenvalues / eigenvalues.sum().clamp(min=1e-30)
    entropy = -torch.special.xlogy(shares, shares).sum()
    return float(std), float(entropy.exp())


def write_log(path: Path, rows: Sequence[EpochLog]) -> None:
    """Write the epochs as CSV, atomically.

    Parameters
    ----------
    path : Path
    rows : sequence of EpochLog
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, [field.name for field in fields(EpochLog)])
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    atomic_write(path, buffer.getvalue().encode())


def plot_log(path: Path, rows: Sequence[EpochLog], title: str) -> None:
    """Draw the losses over epochs as in the paper's Figure 4, and the probe beside them.

    Parameters
    ----------
    path : Path
        Of the figure.
    rows : sequence of EpochLog
    title : str
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    probed = [row for row in rows if row.probe is not None]
    figure = Figure(figsize=(8, 5 if probed else 3.5), layout="constrained")
    FigureCanvasAgg(figure)
    losses, *below = figure.subplots(2 if probed else 1, 1, sharex=True, squeeze=False)[:, 0]
    epochs = [row.epoch for row in rows]
    losses.plot(epochs, [row.train_loss for row in rows], label="training")
    losses.plot(epochs, [row.validation_loss for row in rows], label="validation")
    best = min(rows, key=lambda row: row.validation_loss)
    losses.plot(best.epoch, best.validation_loss, "ko", label=f"best, epoch {best.epoch}")
    losses.set(ylabel="L1 loss", title=title)
    losses.legend()
    for axes in below:
        axes.plot([row.epoch for row in probed], [row.probe for row in probed], "o-")
        axes.set(ylabel="probe accuracy")
    (below or [losses])[-1].set_xlabel("epoch")
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", dpi=120)


def log_from_state(rows: Sequence[dict[str, Any]]) -> list[EpochLog]:
    """Rebuild the log of a training state.

    Parameters
    ----------
    rows : sequence of dict
        One for each epoch.

    Returns
    -------
    list of EpochLog
    """
    return [EpochLog(**row) for row in rows]
