"""Train the network of a population of imagery on many people at once.

Seeds for the shipped network and folds of people for its score are groups of one batched
network, which reads each batch of covariances with one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.decoding.transfer.imagery.alignment import inverse_root, mean_covariance
from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_path

Floats32 = NDArray[np.float32]

N_SEEDS = 4
N_FOLDS = 5
EPOCHS = 48
BATCH_SIZE = 64
LEARNING_RATE = 2e-3
WEIGHT_DECAY = 1e-2
DROPOUT = 0.5
#: Spread of the spatial filters around the electrodes at the start.
START_NOISE = 0.1
#: Share of people who are seen with some electrodes missing, drawn anew for every epoch.
THINNED_SHARE = 0.3
LEAST_ELECTRODES = 3
_SMALLEST_POWER = 1e-6


@dataclass(frozen=True, eq=False)
class PersonTrials:
    """The trials of one person.

    Attributes
    ----------
    covariances : ndarray, shape (n, kernels, windows, channels, channels)
        On the electrodes of the population.
    is_right : ndarray of bool, shape (n,)
    """

    covariances: Floats32
    is_right: NDArray[np.bool_]


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
        logarithm = power.clamp_min(_SMALLEST_POWER).log().reshape(n_groups, n, -1)
        normed = self.norm(logarithm.transpose(0, 1).reshape(n, -1)).reshape(n, n_groups, -1)
        kept = functional.dropout(normed, DROPOUT, self.training)
        return torch.einsum("ngf,gf->gn", kept, self.weights) + self.intercept[:, None]


class TrainingSet:
    """Aligned trials of all people, as upper triangles.

    Parameters
    ----------
    people : sequence of PersonTrials
    completion : Completion
        What replaces electrodes that an epoch of training leaves out.
    seed : int
    """

    def __init__(self, people: Sequence[PersonTrials], completion: Completion, seed: int) -> None:
        self._people, self._completion, self._seed = people, completion, seed
        self.person = np.repeat(np.arange(len(people)), [len(one.is_right) for one in people])
        self.targets = torch.from_numpy(np.concatenate([one.is_right for one in people])).float()
        self._whole = np.concatenate([triangles(one.covariances) for one in people])

    def draw(self, epoch: int) -> Tensor:
        """Return all trials, some people without some electrodes.

        Parameters
        ----------
        epoch : int
            Which epoch of the training; each draws other electrodes.

        Returns
        -------
        trials : Tensor, shape (n, blocks, triangle)
        """
        rng = np.random.default_rng([self._seed, epoch])
        trials = self._whole.copy()
        for index, one in enumerate(self._people):
            if rng.random() < THINNED_SHARE:
                there = _draw_electrodes(rng, one.covariances.shape[-1])
                completed = self._completion(one.covariances, there)
                trials[self.person == index] = triangles(completed)
        return torch.from_numpy(trials)


def _draw_electrodes(rng: np.random.Generator, n_channels: int) -> NDArray[np.bool_]:
    there = np.zeros(n_channels, dtype=bool)
    n_there = int(rng.integers(min(LEAST_ELECTRODES, n_channels), n_channels + 1))
    there[rng.permutation(n_channels)[:n_there]] = True
    return there


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
    aligned = whitening @ covariances @ whitening
    rows, columns = np.triu_indices(covariances.shape[-1])
    chosen = aligned[..., rows, columns].swapaxes(1, 2)
    flat = chosen.reshape(len(covariances), -1, len(rows))
    return np.ascontiguousarray(flat, dtype=np.float32)


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
    """Train one network for each group of people.

    Parameters
    ----------
    people : sequence of PersonTrials
    groups : sequence of ndarray of bool, shape (people,)
        Who belongs to each group.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.
    completion : Completion
    digest : str
        Name of the data and the settings; an interrupted training of another one is refused.
    seed : int
    epochs : int
    resume_from : Path or None
        Where the state of an interrupted training is kept, and read if it is there.
    progress : callable
        Called after each epoch.

    Returns
    -------
    networks : list of PowerNetwork
    """
    _, n_kernels, n_windows, n_channels, _ = people[0].covariances.shape
    torch.manual_seed(seed)
    data = TrainingSet(people, completion, seed)
    pools = [np.flatnonzero(group[data.person]) for group in groups]
    network = BatchedNetwork(len(groups), (n_windows, n_kernels, n_channels), seed)
    n_steps = max(len(data.targets) // BATCH_SIZE, 1)
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, LEARNING_RATE, total_steps=n_steps * epochs
    )
    training = _Training(network, optimizer, schedule, digest)
    exchanged = torch.from_numpy(mirrored_triangle(mirror))
    done = training.restore(resume_from)
    for epoch in range(epochs):
        if epoch >= done:
            trials = data.draw(epoch)
            for batch in _draw_batches(pools, n_steps, [seed, epoch]):
                training.step(trials, data.targets, batch, exchanged)
            training.keep(resume_from, epoch + 1)
        progress()
    return _split(network, (n_windows, n_kernels, n_channels))


@dataclass
class _Training:
    network: BatchedNetwork
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    digest: str

    def step(self, trials: Tensor, targets: Tensor, batch: Tensor, exchanged: Tensor) -> None:
        """Make one step on a batch, half of which is mirrored.

        Parameters
        ----------
        trials : Tensor, shape (n, blocks, triangle)
        targets : Tensor, shape (n,)
        batch : Tensor of int, shape (groups, n)
            Trials of each group.
        exchanged : Tensor of int, shape (triangle,)
            Places of the mirror image.
        """
        x, wanted = trials[batch], targets[batch]
        half = batch.shape[1] // 2
        x[:, half:] = x[:, half:][..., exchanged]
        wanted = torch.cat([wanted[:, :half], 1 - wanted[:, half:]], dim=1)
        loss = functional.binary_cross_entropy_with_logits(self.network(x), wanted) * len(batch)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        self.schedule.step()

    def keep(self, path: Path | None, epoch: int) -> None:
        """Write the state after an epoch.

        Parameters
        ----------
        path : Path or None
            None writes nothing.
        epoch : int
        """
        if path is None:
            return
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "schedule": self.schedule.state_dict(),
            "random": torch.get_rng_state(),
            "epoch": epoch,
            "digest": self.digest,
        }
        with atomic_path(path) as temporary:
            torch.save(state, temporary)

    def restore(self, path: Path | None) -> int:
        """Read a state that :meth:`keep` wrote.

        Parameters
        ----------
        path : Path or None
            None reads nothing.

        Returns
        -------
        epoch : int
            Epochs that are trained already.
        """
        if path is None or not path.exists():
            return 0
        try:
            state = torch.load(path, weights_only=True)
            if state["digest"] != self.digest:
                raise ValueError("it is of other recordings or settings")
            self.network.load_state_dict(state["network"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.schedule.load_state_dict(state["schedule"])
        except (RuntimeError, KeyError, ValueError, UnpicklingError, EOFError) as error:
            raise InputError(
                "The state of an interrupted training cannot be resumed",
                value=f"{path}: {error}",
                remedy="Delete it to train from the start.",
            ) from error
        torch.set_rng_state(state["random"])
        return int(state["epoch"])


def _draw_batches(pools: Sequence[NDArray[np.intp]], n_steps: int, seed: Sequence[int]) -> Tensor:
    """Return which trials each group sees: ``(steps, groups, BATCH_SIZE)``."""
    rng = np.random.default_rng(seed)
    n_needed = n_steps * BATCH_SIZE
    drawn = []
    for pool in pools:
        rounds = -(-n_needed // len(pool))
        order = np.concatenate([rng.permutation(pool) for _ in range(rounds)])[:n_needed]
        drawn.append(order.reshape(n_steps, BATCH_SIZE))
    return torch.from_numpy(np.stack(drawn, axis=1))


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
