"""Fine-tuning of the paper's heads by gradient descent (Guetschel et al. 2024)."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from math import ceil
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import cross_entropy

from sjepa_online.errors import InputError
from sjepa_online.model import Head
from sjepa_online.typing import FloatArray, Integers

Strategy = Literal["new", "full"]

#: Epochs in which ``full`` trains the added layers alone (paper: Fine-tuning).
WARM_UP_EPOCHS = 10
#: Epochs without a better validation loss after which training stops (paper: Fine-tuning).
PATIENCE = 50
#: The paper names no limit; early stopping ends nearly every training before it.
MAX_EPOCHS = 300
#: Share of the trials that early stopping watches.
VALIDATION_SHARE = 0.2
BATCH_SIZE = 32
LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1e-2


def fine_tune(head: Head, X: FloatArray, targets: Integers, strategy: Strategy, seed: int) -> None:
    """Train a head in place and leave it with the weights of the best validation loss.

    Parameters
    ----------
    head : Head
        Pre-local, post-local or contextual; on the device that is to train it.
    X : ndarray, shape (n, channels, samples)
        Epochs in µV at 128 Hz.
    targets : ndarray of int, shape (n,)
        Index of each epoch's class, at least two of each: one to train on, one to stop by.
    strategy : {"new", "full"}
        Train the added layers only, or after 10 epochs everything.
    seed : int
        Decides the validation trials and the order of the batches.
    """
    from sklearn.model_selection import train_test_split

    device = next(head.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    n_validation = max(ceil(VALIDATION_SHARE * len(targets)), int(targets.max()) + 1)
    train, validation = train_test_split(
        np.arange(len(targets)), test_size=n_validation, stratify=targets, random_state=seed
    )
    trials = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32)).to(device)
    labels = torch.from_numpy(targets.astype(np.int64)).to(device)
    weights = _class_weights(labels)
    head.requires_grad_(False)
    _train_added_layers(head, trials, labels, weights, train, validation, strategy, generator)
    if strategy == "full":
        _train_everything(head, trials, labels, weights, train, validation, generator)
    head.requires_grad_(False).eval()


def choose_device(name: str) -> str:
    """Return the device to run on.

    Parameters
    ----------
    name : {"auto", "cpu", "cuda", "mps"}
        ``auto`` is the fastest that this machine has.

    Returns
    -------
    device : {"cpu", "cuda", "mps"}

    Raises
    ------
    InputError
        The device is unknown or not there.
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    if name == "auto":
        return there[0]
    if name not in there:
        raise InputError(
            f"This machine has no device {name}",
            value=f"devices {', '.join(there)}",
            remedy="Choose auto, or one of these.",
        )
    return name


def _train_added_layers(
    head: Head,
    trials: Tensor,
    labels: Tensor,
    weights: Tensor,
    train: NDArray[np.int_],
    validation: NDArray[np.int_],
    strategy: Strategy,
    generator: torch.Generator,
) -> None:
    """Train the added layers on features that are computed once."""
    for parameter in head.new_parameters():
        parameter.requires_grad_(True)
    head.eval()
    features = _in_batches(head.frozen_features, trials)
    stopping = _EarlyStopping(head)
    optimiser = torch.optim.AdamW(
        head.new_parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY
    )
    for _ in range(WARM_UP_EPOCHS if strategy == "full" else MAX_EPOCHS):
        for batch in _batches(train, generator):
            loss = cross_entropy(head.classify(features[batch]), labels[batch], weights)
            _step(optimiser, loss)
        with torch.no_grad():
            loss = cross_entropy(head.classify(features[validation]), labels[validation], weights)
        if stopping.is_over(float(loss)):
            break
    stopping.restore()


def _train_everything(
    head: Head,
    trials: Tensor,
    labels: Tensor,
    weights: Tensor,
    train: NDArray[np.int_],
    validation: NDArray[np.int_],
    generator: torch.Generator,
) -> None:
    head.requires_grad_(True)
    stopping = _EarlyStopping(head)
    optimiser = torch.optim.AdamW(head.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    for _ in range(MAX_EPOCHS):
        head.train()
        for batch in _batches(train, generator):
            _step(optimiser, cross_entropy(head(trials[batch]), labels[batch], weights))
        head.eval()
        logits = _in_batches(head, trials[validation])
        if stopping.is_over(float(cross_entropy(logits, labels[validation], weights))):
            break
    stopping.restore()


class _EarlyStopping:
    """Keeps the weights of the best validation loss, and decides when the training ends."""

    def __init__(self, head: Head) -> None:
        self._head = head
        self._best_loss = float("inf")
        self._best_weights = copy.deepcopy(head.state_dict())
        self._epochs_since = 0

    def is_over(self, loss: float) -> bool:
        """Return whether the training ends after an epoch.

        Parameters
        ----------
        loss : float
            Of the validation trials, after this epoch.

        Returns
        -------
        over : bool
        """
        self._epochs_since += 1
        if loss < self._best_loss:
            self._best_loss, self._epochs_since = loss, 0
            self._best_weights = copy.deepcopy(self._head.state_dict())
        return self._epochs_since >= PATIENCE

    def restore(self) -> None:
        """Put the best weights back."""
        self._head.load_state_dict(self._best_weights)


def _step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


def _batches(trials: NDArray[np.int_], generator: torch.Generator) -> Iterator[Tensor]:
    order = torch.from_numpy(trials)[torch.randperm(len(trials), generator=generator)]
    yield from torch.split(order, BATCH_SIZE)


def _class_weights(labels: Tensor) -> Tensor:
    """Weigh classes so that each counts the same, as an ERP has five non-targets a target."""
    counts = torch.bincount(labels).float()
    return counts.sum() / (len(counts) * counts)


def _in_batches(function: Any, trials: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat([function(batch) for batch in torch.split(trials, BATCH_SIZE)])
