"""Fine-tuning of pre-local networks, all members at once, from an analytic start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from sjepa_online.decoding.classifiers.fine_tuning import Strategy
from sjepa_online.decoding.classifiers.pre_local.networks import (
    ENCODER,
    SPATIAL,
    Layout,
    Weights,
    encode,
    read_out,
    virtual_channels,
)
from sjepa_online.protocol import Paradigm
from sjepa_online.typing import Indices

Folds = Sequence[Indices]

#: So often every trial is seen at most, unless that is fewer updates than this.
MOST_EPOCHS = 40
LEAST_STEPS = 100
#: The variance of features that do not vary.
SMALLEST_VARIANCE = 1e-5


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes
    ----------
    steps : int
        Most updates of the weights; fewer where there are few trials.
    batch : int
        Trials of each member in one of them, where there are as many.
    learning_rate : float
        Highest rate of the readouts; one cycle with a warm-up of 30 %.
    spatial_rate, encoder_rate : float
        Rates of the spatial filter and of the encoder as shares of it.
    weight_decay : float
        Of the readouts.
    dropout : float
        Share of the features that a readout does without.
    shift : int
        Samples by which a batch is moved in time at random, at most.
    channel_dropout : float
        Share of the batches that lack channels.
    analytic : bool
        Whether the readouts begin with what solves them for the first features, or with zero.
    """

    steps: int
    batch: int
    learning_rate: float = 2e-3
    spatial_rate: float = 0.1
    encoder_rate: float = 0.5
    weight_decay: float = 0.1
    dropout: float = 0.5
    shift: int = 0
    channel_dropout: float = 0.25
    analytic: bool = True


SCHEDULES: dict[Paradigm | None, Schedule] = {
    "erp": Schedule(steps=300, batch=64, shift=3, analytic=False),
    "mi": Schedule(steps=40, batch=16, learning_rate=1e-3),
    "ssvep": Schedule(steps=40, batch=16),
    None: Schedule(steps=200, batch=32),
}


@dataclass(frozen=True)
class Views:
    """Other views of the same trials, as maps of the channels.

    Attributes
    ----------
    dropped : Tensor, shape (masks, channels, channels)
        Channels of which some are estimates from the others.
    mirror : Tensor, shape (channels, channels), or None
        Left and right exchanged.
    mirrored_classes : Tensor of int, shape (classes,)
        What each class is in the mirror.
    """

    dropped: Tensor
    mirror: Tensor | None
    mirrored_classes: Tensor


@dataclass(frozen=True)
class Trials:
    """Training data of the members.

    Attributes
    ----------
    X : Tensor, shape (n, channels, samples)
        Whitened epochs.
    targets : Tensor of int, shape (n,)
        Class indices.
    folds : sequence of ndarray of int
        The trials of each member.
    powers : Tensor, shape (blocks, channels, channels)
        Mean of :func:`channel_powers` of the epochs.
    views : Views
    """

    X: Tensor
    targets: Tensor
    folds: Folds
    powers: Tensor
    views: Views

    def to(self, device: str) -> Trials:
        """Return the same trials on a device.

        Parameters
        ----------
        device : str

        Returns
        -------
        trials : Trials
        """
        views = Views(
            self.views.dropped.to(device),
            None if self.views.mirror is None else self.views.mirror.to(device),
            self.views.mirrored_classes.to(device),
        )
        X, targets, powers = (one.to(device) for one in (self.X, self.targets, self.powers))
        return Trials(X, targets, self.folds, powers, views)


def train(
    layout: Layout,
    weights: Weights,
    trials: Trials,
    strategy: Strategy,
    schedule: Schedule,
    seed: int,
) -> None:
    """Train every member in place on trials of its own.

    Parameters
    ----------
    layout : Layout
    weights : dict of str to Tensor
        The start; readouts as :func:`readout_start` gives them.
    trials : Trials
    strategy : {"new", "full"}
        Train the spatial filter and the readouts only, or everything.
    schedule : Schedule
    seed : int
        Decides the order of the trials, and what is left out and moved.
    """
    rng = np.random.default_rng(seed)
    generator = torch.Generator(trials.X.device).manual_seed(seed)
    optimiser = _optimiser(weights, strategy, schedule)
    rates = [group["lr"] for group in optimiser.param_groups]
    batches = _Batches(trials.folds, schedule.batch, rng)
    n_steps = min(schedule.steps, max(LEAST_STEPS, MOST_EPOCHS * batches.n_per_epoch))
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, rates, total_steps=n_steps)
    balance = _balance(trials)
    for _ in range(n_steps):
        chosen = torch.from_numpy(batches.next()).to(trials.X.device)
        x, labels = _shifted(trials.X[chosen], schedule.shift, rng), trials.targets[chosen]
        spatial, residual, labels = _view(
            weights[SPATIAL], labels, trials, schedule.channel_dropout, rng
        )
        features = encode(layout, weights, virtual_channels(spatial, x), residual)
        loss = x.new_zeros(())
        for name, values in features.items():
            dropped = _drop(_standardised(values), schedule.dropout, generator)
            logits = read_out(weights[name], dropped)
            losses = cross_entropy(logits.flatten(0, 1), labels.flatten(), reduction="none")
            loss = loss + (losses.reshape(labels.shape) * balance.gather(1, labels)).mean(1).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        cycle.step()
    for weight in weights.values():
        weight.requires_grad_(False)


def residual_power(spatial: Tensor, in_force: Tensor, powers: Tensor) -> Tensor:
    """Return the power that the virtual channels lack because channels are bad.

    Parameters
    ----------
    spatial : Tensor, shape (members, virtual, channels)
        The filters of all channels.
    in_force : Tensor
        The filters without the bad channels.
    powers : Tensor, shape (blocks, channels, channels)
        Mean covariances of the channels.

    Returns
    -------
    residual : Tensor, shape (members, virtual, blocks)
    """
    residual = spatial - in_force
    mapped = torch.einsum("mvc,bcd->mvbd", residual, powers)
    return torch.einsum("mvbd,mvd->mvb", mapped, residual)


def _view(
    spatial: Tensor, labels: Tensor, trials: Trials, dropout: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the filter, the missing power and the labels of one batch's view."""
    views = trials.views
    residual = spatial.new_zeros(*spatial.shape[:2], len(trials.powers))
    if views.mirror is not None and rng.random() < 0.5:
        return spatial @ views.mirror, residual, views.mirrored_classes[labels]
    if len(views.dropped) and rng.random() < dropout:
        in_force = spatial @ views.dropped[int(rng.integers(len(views.dropped)))]
        return in_force, residual_power(spatial, in_force, trials.powers), labels
    return spatial, residual, labels


def _optimiser(weights: Weights, strategy: Strategy, schedule: Schedule) -> torch.optim.AdamW:
    encoder = [name for name in weights if name.startswith(ENCODER)]
    readouts = [name for name in weights if name != SPATIAL and name not in encoder]
    rate = schedule.learning_rate
    groups: list[dict[str, Any]] = [
        {"params": [weights[SPATIAL]], "lr": rate * schedule.spatial_rate, "weight_decay": 0.0},
        {
            "params": [weights[name] for name in readouts],
            "lr": rate,
            "weight_decay": schedule.weight_decay,
        },
    ]
    if strategy == "full":
        parameters = [weights[name] for name in encoder]
        groups.append({"params": parameters, "lr": rate * schedule.encoder_rate, "weight_decay": 0})
    for group in groups:
        for parameter in group["params"]:
            parameter.requires_grad_(True)
    return torch.optim.AdamW(groups)


def _balance(trials: Trials) -> Tensor:
    """Return weights ``(members, classes)`` by which every class counts the same."""
    n_classes = len(trials.views.mirrored_classes)
    counts = torch.stack(
        [
            torch.bincount(trials.targets[torch.from_numpy(fold)], minlength=n_classes)
            for fold in trials.folds
        ]
    )
    return counts.sum(dim=1, keepdim=True) / (n_classes * counts.clamp(min=1))


def _shifted(x: Tensor, most: int, rng: np.random.Generator) -> Tensor:
    """Move epochs in time; what enters at one end is the other end."""
    return torch.roll(x, int(rng.integers(-most, most + 1)), dims=-1) if most else x


def _standardised(features: Tensor) -> Tensor:
    # torch's own variance takes three times as long on a CPU
    centred = features - features.mean(dim=1, keepdim=True)
    variance = centred.square().mean(dim=1, keepdim=True)
    return centred * torch.rsqrt(variance + SMALLEST_VARIANCE)


def _drop(features: Tensor, share: float, generator: torch.Generator) -> Tensor:
    if not share:
        return features
    kept = torch.empty_like(features).bernoulli_(1 - share, generator=generator)
    return features * kept / (1 - share)


class _Batches:
    """Trials ``(members, batch)``, each member's in an order of its own."""

    def __init__(self, folds: Folds, size: int, rng: np.random.Generator) -> None:
        self._folds, self._rng = folds, rng
        self._n_trials = min(len(fold) for fold in folds)
        self._size = min(size, self._n_trials)
        self.n_per_epoch = self._n_trials // self._size
        self._orders: Indices = np.empty((len(folds), 0), dtype=np.intp)

    def next(self) -> Indices:
        """Draw the next batch; a new order begins where too few trials are left.

        Returns
        -------
        indices : ndarray of int, shape (members, batch)
        """
        if self._orders.shape[1] < self._size:
            drawn = [self._rng.permutation(fold)[: self._n_trials] for fold in self._folds]
            self._orders = np.stack(drawn)
        batch, self._orders = self._orders[:, : self._size], self._orders[:, self._size :]
        return batch
