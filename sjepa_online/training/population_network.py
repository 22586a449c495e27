"""Train the network of a population of imagery on the covariances of many people.

All groups are one batched network, which reads each batch with one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.decoding.transfer.imagery.alignment import inverse_root, mean_covariance
from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    SMALLEST_POWER,
    upper_triangles,
)
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.training.network_training import (
    PersonTrials,
    Settings,
    TrainingData,
    train_groups,
)

Floats32 = NDArray[np.float32]

N_SEEDS = 2
EPOCHS = 48
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
DROPOUT = 0.5
#: Spread of the spatial filters around the electrodes at the start.
START_NOISE = 0.1


class BatchedNetwork(nn.Module):
    """Several networks of one shape side by side.

    Parameters
    ----------
    n_groups : int
    shape : (windows, kernels, channels)
    seed : int
    """

    def __init__(self, n_groups: int, shape: tuple[int, int, int], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        n_channels = shape[-1]
        noise = torch.randn(n_groups, n_channels, n_channels, generator=generator)
        self.spatial = nn.Parameter(torch.eye(n_channels) + START_NOISE * noise)
        n_features = shape[0] * shape[1] * n_channels
        self.norm = nn.BatchNorm1d(n_groups * n_features, affine=False)
        self.weights = nn.Parameter(torch.zeros(n_groups, n_features))
        self.intercept = nn.Parameter(torch.zeros(n_groups))
        rows, columns = np.triu_indices(n_channels)
        self.rows, self.columns = torch.from_numpy(rows), torch.from_numpy(columns)
        self.twice = torch.from_numpy(np.where(rows == columns, 1.0, 2.0)).float()

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of covariances.

        Parameters
        ----------
        x : Tensor, shape (groups, n, blocks, triangle)

        Returns
        -------
        logits : Tensor, shape (groups, n)
        """
        n_groups, n = x.shape[:2]
        form = self.spatial[:, :, self.rows] * self.spatial[:, :, self.columns] * self.twice
        power = torch.bmm(x.reshape(n_groups, -1, x.shape[-1]), form.transpose(1, 2))
        logarithm = power.clamp_min(SMALLEST_POWER).log().reshape(n_groups, n, -1)
        normed = self.norm(logarithm.transpose(0, 1).reshape(n, -1)).reshape(n, n_groups, -1)
        kept = functional.dropout(normed, DROPOUT, self.training)
        return torch.einsum("ngf,gf->gn", kept, self.weights) + self.intercept[:, None]


class TrainingSet(TrainingData):
    """Aligned trials of all people, as upper triangles ``(n, blocks, triangle)``.

    Parameters
    ----------
    people : sequence of PersonTrials
    completion : Completion
        What replaces electrodes that an epoch of training leaves out.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.
    seed : int
    """

    def __init__(
        self,
        people: Sequence[PersonTrials],
        completion: Completion,
        mirror: NDArray[np.intp],
        seed: int,
    ) -> None:
        super().__init__(people, completion, seed)
        self._exchanged = torch.from_numpy(mirrored_triangle(mirror))

    def read(self, trials: RhythmTrials) -> Floats32:
        """Return triangles. See :meth:`TrainingData.read`."""
        return triangles(trials.covariances)

    def batch(self, trials: Tensor, rows: Tensor) -> Tensor:
        """Exchange the sides of the second half. See :meth:`TrainingData.batch`."""
        x, half = trials[rows], rows.shape[1] // 2
        x[:, half:] = x[:, half:][..., self._exchanged]
        return x


def triangles(covariances: Floats32) -> Floats32:
    """Return a person's aligned trials as upper triangles.

    Parameters
    ----------
    covariances : ndarray, shape (n, kernels, windows, channels, channels)

    Returns
    -------
    triangles : ndarray, shape (n, windows * kernels, triangle)
    """
    whitening = inverse_root(mean_covariance(covariances).mean(axis=0)).astype(np.float32)
    aligned = np.asarray(whitening @ covariances @ whitening, dtype=np.float32)
    chosen = upper_triangles(aligned).swapaxes(1, 2)
    flat = chosen.reshape(len(covariances), -1, chosen.shape[-1])
    return np.ascontiguousarray(flat)


def mirrored_triangle(mirror: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the place of each entry of an upper triangle in that of the mirror image.

    Parameters
    ----------
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.

    Returns
    -------
    places : ndarray of int, shape (triangle,)
    """
    n_channels = len(mirror)
    rows, columns = np.triu_indices(n_channels)
    position = np.zeros((n_channels, n_channels), dtype=np.intp)
    position[rows, columns] = position[columns, rows] = np.arange(len(rows))
    return position[mirror[rows], mirror[columns]]


def train_networks(
    people: Sequence[PersonTrials],
    groups: Sequence[NDArray[np.bool_]],
    mirror: NDArray[np.intp],
    completion: Completion,
    *,
    digest: str = "",
    seed: int = 0,
    epochs: int = EPOCHS,
    resume_from: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[PowerNetwork]:
    """Train one network for each group of people; see :func:`train_groups`.

    Parameters
    ----------
    people : sequence of PersonTrials
    groups : sequence of ndarray of bool, shape (people,)
        Who belongs to each group.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.
    completion : Completion
    digest : str
    seed : int
    epochs : int
    resume_from : Path or None
    progress : callable

    Returns
    -------
    networks : list of PowerNetwork
    """
    _, n_kernels, n_windows, n_channels, _ = people[0].trials.covariances.shape
    network = BatchedNetwork(len(groups), (n_windows, n_kernels, n_channels), seed)
    train_groups(
        network,
        TrainingSet(people, completion, mirror, seed),
        groups,
        Settings(epochs, LEARNING_RATE, WEIGHT_DECAY),
        digest=digest,
        seed=seed,
        resume_from=resume_from,
        progress=progress,
    )
    return _split(network, (n_windows, n_kernels, n_channels))


def _split(network: BatchedNetwork, shape: tuple[int, int, int]) -> list[PowerNetwork]:
    n_groups = len(network.spatial)
    variance = network.norm.running_var
    assert variance is not None
    scale = torch.rsqrt(variance + network.norm.eps).reshape(n_groups, 1, *shape).numpy()
    weights = network.weights.detach().reshape(n_groups, 1, *shape).numpy()
    spatial = network.spatial.detach()[:, None].numpy()
    return [PowerNetwork(*one) for one in zip(spatial, scale, weights, strict=True)]


def merge(networks: Sequence[PowerNetwork]) -> PowerNetwork:
    """Return one network that averages several.

    Parameters
    ----------
    networks : sequence of PowerNetwork

    Returns
    -------
    network : PowerNetwork
    """
    return PowerNetwork(
        np.concatenate([one.spatial for one in networks]),
        np.concatenate([one.scale for one in networks]),
        np.concatenate([one.weights for one in networks]),
    )
