"""Train the networks of several groups of people side by side.

Seeds for the shipped network and folds of people for its score are the groups.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.errors import InputError
from sjepa_online.files import atomic_path
from sjepa_online.signal.cortex import LEAST_ELECTRODES

Floats32 = NDArray[np.float32]

BATCH_SIZE = 64
#: Share of people who are seen with some electrodes missing, drawn anew for every epoch.
THINNED_SHARE = 0.3


@dataclass(frozen=True, eq=False)
class PersonTrials:
    """The trials of one person.

    Attributes
    ----------
    trials : RhythmTrials
        On the electrodes of the population.
    is_right : ndarray of bool, shape (n,)
    """

    trials: RhythmTrials
    is_right: NDArray[np.bool_]


class TrainingData(ABC):
    """Trials of all people, as a kind of network reads them.

    Parameters
    ----------
    people : sequence of PersonTrials
    completion : Completion
        What replaces electrodes that an epoch of training leaves out.
    seed : int

    Attributes
    ----------
    person : ndarray of int, shape (n,)
        Whose each trial is.
    targets : Tensor, shape (n,)
        1 for the class right.
    """

    def __init__(self, people: Sequence[PersonTrials], completion: Completion, seed: int) -> None:
        self._people = [self.needed(one.trials) for one in people]
        self._completion, self._seed = completion, seed
        self.person = np.repeat(np.arange(len(people)), [len(one.is_right) for one in people])
        self.targets = torch.from_numpy(np.concatenate([one.is_right for one in people])).float()
        self._whole = np.concatenate([self.read(one) for one in self._people])

    def draw(self, epoch: int) -> Tensor:
        """Return all trials, some people without some electrodes.

        Parameters
        ----------
        epoch : int
            Which epoch of the training; each draws other electrodes.

        Returns
        -------
        trials : Tensor, shape (n, ...)
        """
        rng = np.random.default_rng([self._seed, epoch])
        trials = self._whole.copy()
        for index, one in enumerate(self._people):
            there = draw_electrodes(rng, one.signals.shape[1])
            if there is not None:
                estimate = self._completion.estimate(there)
                completed = estimate.complete(one.pick(np.flatnonzero(there)))
                trials[self.person == index] = self.read(completed)
        return torch.from_numpy(trials)

    def needed(self, trials: RhythmTrials) -> RhythmTrials:
        """Return the part of a person's trials that :meth:`read` needs."""
        return trials

    @abstractmethod
    def read(self, trials: RhythmTrials) -> Floats32:
        """Return a person's trials, aligned, as the network reads them ``(n, ...)``."""

    @abstractmethod
    def batch(self, trials: Tensor, rows: Tensor) -> Tensor:
        """Return some of the drawn trials, the second half of them as mirror images.

        Parameters
        ----------
        trials : Tensor, shape (n, ...)
        rows : Tensor of int, shape (groups, batch)

        Returns
        -------
        batch : Tensor, shape (groups, batch, ...)
        """


@dataclass(frozen=True)
class Settings:
    """How a kind of network is trained.

    Attributes
    ----------
    epochs : int
        Times that the training sees every trial.
    learning_rate : float
        The largest of one cycle.
    weight_decay : float
    smoothing : float
        Targets are half of it for the class left, and 1 less half of it for the class right.
    """

    epochs: int
    learning_rate: float
    weight_decay: float
    smoothing: float = 0.0


def train_groups(
    network: nn.Module,
    data: TrainingData,
    groups: Sequence[NDArray[np.bool_]],
    settings: Settings,
    *,
    digest: str = "",
    seed: int = 0,
    resume_from: Path | None = None,
    progress: Callable[[], None] = lambda: None,
) -> None:
    """Train one network for each group of people.

    Parameters
    ----------
    network : Module
        Reads ``(groups, n, ...)`` and returns logits ``(groups, n)``.
    data : TrainingData
    groups : sequence of ndarray of bool, shape (people,)
        Who belongs to each group.
    settings : Settings
    digest : str
        Name of the data and the settings; an interrupted training of another one is refused.
    seed : int
    resume_from : Path or None
        Where the state of an interrupted training is kept, and read if it is there.
    progress : callable
        Called after each epoch.

    Raises
    ------
    InputError
        The state is of another training, or damaged.
    """
    torch.manual_seed(seed)
    pools = [np.flatnonzero(group[data.person]) for group in groups]
    n_steps = max(len(data.targets) // BATCH_SIZE, 1)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.learning_rate, total_steps=n_steps * settings.epochs
    )
    training = _Training(network, optimizer, schedule, settings.smoothing, digest)
    network.train()
    done = training.restore(resume_from)
    for epoch in range(settings.epochs):
        if epoch >= done:
            trials = data.draw(epoch)
            for rows in _draw_batches(pools, n_steps, [seed, epoch]):
                training.step(data.batch(trials, rows), _mirrored_targets(data.targets[rows]))
            training.keep(resume_from, epoch + 1)
        progress()


def draw_electrodes(rng: np.random.Generator, n_channels: int) -> NDArray[np.bool_] | None:
    """Draw the electrodes that a person has in one epoch of the training.

    Parameters
    ----------
    rng : Generator
    n_channels : int

    Returns
    -------
    there : ndarray of bool, shape (channels,), or None
        None for all of them.
    """
    if rng.random() >= THINNED_SHARE:
        return None
    there = np.zeros(n_channels, dtype=bool)
    n_there = int(rng.integers(min(LEAST_ELECTRODES, n_channels), n_channels + 1))
    there[rng.permutation(n_channels)[:n_there]] = True
    return there


@dataclass
class _Training:
    network: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    smoothing: float
    digest: str

    def step(self, x: Tensor, wanted: Tensor) -> None:
        """Make one step on a batch ``(groups, n, ...)`` with its targets ``(groups, n)``."""
        smooth = wanted * (1 - self.smoothing) + self.smoothing / 2
        loss = functional.binary_cross_entropy_with_logits(self.network(x), smooth) * len(x)
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


def _mirrored_targets(targets: Tensor) -> Tensor:
    """Exchange the classes of the second half ``(groups, n)``."""
    half = targets.shape[1] // 2
    return torch.cat([targets[:, :half], 1 - targets[:, half:]], dim=1)


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
