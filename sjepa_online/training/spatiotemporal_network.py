"""Train the networks of filters over electrodes and time on the signals of many people."""

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
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import (
    SMALLEST_POWER,
    STRIDE,
    n_windows,
)
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import (
    BLOCK,
    SpatioTemporalNetwork,
)
from sjepa_online.training.network_training import (
    PersonTrials,
    Settings,
    TrainingData,
    train_groups,
)

Floats32 = NDArray[np.float32]

N_SEEDS = 2
EPOCHS = 30
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 2e-2
LABEL_SMOOTHING = 0.05
N_FILTERS = 32
N_TAPS = 16
DROPOUT = 0.5
#: What an epoch of the training changes: samples of shift, spread of log amplitudes of
#: electrodes, and the share of electrodes that are silent.
LARGEST_SHIFT, AMPLITUDE_SPREAD, SILENT_SHARE = 16, 0.1, 0.1


class BatchedFilters(nn.Module):
    """Several networks of one shape side by side.

    Parameters
    ----------
    n_groups : int
    shape : (windows, channels)
    seed : int
    """

    def __init__(self, n_groups: int, shape: tuple[int, int], seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        n_windows, n_channels = shape
        drawn = torch.rand(n_groups, N_FILTERS, n_channels, N_TAPS, generator=generator)
        # uniform over the square root of the number of inputs, as torch starts convolutions
        self.filters = nn.Parameter((2 * drawn - 1) / (n_channels * N_TAPS) ** 0.5)
        n_features = n_windows * N_FILTERS
        self.norm = nn.BatchNorm1d(n_groups * n_features, affine=False)
        self.weights = nn.Parameter(torch.zeros(n_groups, n_features))
        self.intercept = nn.Parameter(torch.zeros(n_groups))

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits of aligned signals.

        Parameters
        ----------
        x : Tensor, shape (groups, n, channels, samples)

        Returns
        -------
        logits : Tensor, shape (groups, n)
        """
        n_groups, n = x.shape[:2]
        per_block = BLOCK // STRIDE
        # grouped convolutions are slower than one after the other
        outputs = [
            functional.conv1d(one, filters, stride=STRIDE)
            for one, filters in zip(x, self.filters, strict=True)
        ]
        power = functional.avg_pool1d(torch.cat(outputs).square(), 2 * per_block, per_block)
        logarithm = power.clamp_min(SMALLEST_POWER).log()
        flat = logarithm.swapaxes(1, 2).reshape(n_groups, n, -1)
        normed = self.norm(flat.transpose(0, 1).reshape(n, -1)).reshape(n, n_groups, -1)
        kept = functional.dropout(normed, DROPOUT, self.training)
        return torch.einsum("ngf,gf->gn", kept, self.weights) + self.intercept[:, None]


class SignalSet(TrainingData):
    """Aligned signals of all people ``(n, channels, samples)``.

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
        self._mirror = torch.from_numpy(np.array(mirror))

    def needed(self, trials: RhythmTrials) -> RhythmTrials:
        """Return the signals, and the mean over the windows, by which they are aligned."""
        return RhythmTrials(trials.signals, trials.covariances.mean(axis=2, keepdims=True))

    def read(self, trials: RhythmTrials) -> Floats32:
        """Return aligned signals. See :meth:`TrainingData.read`."""
        return aligned_signals(trials)

    def batch(self, trials: Tensor, rows: Tensor) -> Tensor:
        """Exchange the sides of the second half, and change all. See :meth:`TrainingData.batch`."""
        x, half = trials[rows], rows.shape[1] // 2
        x[:, half:] = x[:, half:][:, :, self._mirror]
        shift = int(torch.randint(-LARGEST_SHIFT, LARGEST_SHIFT + 1, ()))
        amplitude = torch.exp(AMPLITUDE_SPREAD * torch.randn(*x.shape[:3], 1))
        heard = torch.rand(*x.shape[:3], 1) > SILENT_SHARE
        return torch.roll(x, shift, -1) * (amplitude * heard)


def aligned_signals(trials: RhythmTrials) -> Floats32:
    """Return a person's signals, whitened by the mean covariance of all trials.

    Parameters
    ----------
    trials : RhythmTrials

    Returns
    -------
    signals : ndarray, shape (n, channels, samples)
    """
    whitening = inverse_root(mean_covariance(trials.covariances).mean(axis=0))
    return np.asarray(whitening.astype(np.float32) @ trials.signals, dtype=np.float32)


def train_spatiotemporal(
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
) -> list[SpatioTemporalNetwork]:
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
    networks : list of SpatioTemporalNetwork
    """
    n_channels, n_times = people[0].trials.signals.shape[1:]
    shape = (n_windows(n_times, N_TAPS, BLOCK), n_channels)
    network = BatchedFilters(len(groups), shape, seed)
    train_groups(
        network,
        SignalSet(people, completion, mirror, seed),
        groups,
        Settings(epochs, LEARNING_RATE, WEIGHT_DECAY, LABEL_SMOOTHING),
        digest=digest,
        seed=seed,
        resume_from=resume_from,
        progress=progress,
    )
    return _split(network, shape[0])


def _split(network: BatchedFilters, n_windows: int) -> list[SpatioTemporalNetwork]:
    variance = network.norm.running_var
    assert variance is not None
    shape = (len(network.filters), 1, n_windows, N_FILTERS)
    scale = torch.rsqrt(variance + network.norm.eps).reshape(shape).numpy()
    weights = network.weights.detach().reshape(shape).numpy()
    filters = network.filters.detach()[:, None].numpy()
    return [SpatioTemporalNetwork(*one) for one in zip(filters, scale, weights, strict=True)]


def merge_spatiotemporal(
    networks: Sequence[SpatioTemporalNetwork], factor: float
) -> SpatioTemporalNetwork:
    """Return one network that averages several.

    Parameters
    ----------
    networks : sequence of SpatioTemporalNetwork
    factor : float
        What their logits are multiplied by.

    Returns
    -------
    network : SpatioTemporalNetwork
    """
    return SpatioTemporalNetwork(
        np.concatenate([one.filters for one in networks]),
        np.concatenate([one.scale for one in networks]),
        np.concatenate([one.weights for one in networks]) * np.float32(factor),
    )
