"""Where a token comes from: a vector for its channel and a code for its time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.spatial.distance import cdist
from torch import Tensor, nn

from sjepa_online.model.config import ModelConfig
from sjepa_online.model.electrodes import template_electrodes

#: Metres. The published code divides by ten times the largest coordinate of the 62
#: pretraining electrodes (Oz's y); as a constant it is the same for any set of channels.
_CODE_SCALE = 10 * 0.114892
#: Metres over which the learned part of a vector stays alike: the spacing of a 19-channel cap.
_LENGTH_SCALE = 0.06
#: Metres from the front to the back of the template head's electrodes.
_HEAD_LENGTH = 0.2
#: Metres below which two electrodes are the same one.
_SAME_PLACE = 1e-5
#: Relative to a variance of one: keeps the solve stable for electrodes millimetres apart.
_JITTER = 1e-8


class _LinearMap(NamedTuple):
    """The vectors of one set of channels as a function of the table of trained vectors."""

    rows: Tensor  # (channels,) the nearest trained electrode
    is_trained: Tensor  # (channels, 1) whether the channel is that electrode
    weights: Tensor  # (channels, trained) of the interpolation
    offset: Tensor  # (channels, d_spatial) the part that does not depend on the table
    all_trained: bool


class ChannelEmbedding(nn.Module):
    """A vector for any electrode, exact at the electrodes that have a trained one.

    The embedding is a function of position: the cosine code, plus what training added to it.
    The addition is known at the trained electrodes and interpolated elsewhere by a Gaussian
    process of zero mean with a Matérn-3/2 kernel over distance (Rasmussen & Williams 2006,
    chapters 2 and 4.2), so that it fades to the plain code far from any trained electrode.
    The result is linear in the table, and gradients reach the table through it.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self._positions = np.array([electrode.position for electrode in config.electrodes])
        self._code = cosine_code(self._positions, config.d_spatial)
        self._maps: dict[tuple[tuple[str, ...], torch.device], _LinearMap] = {}
        self.table = nn.Parameter(torch.from_numpy(self._code).float())

    def forward(self, ch_names: Sequence[str]) -> Tensor:
        """Return the vectors of channels.

        Parameters
        ----------
        ch_names : sequence of str
            Names as amplifiers and files write them.

        Returns
        -------
        Tensor, shape (channels, d_spatial)

        Raises
        ------
        InputError
            Some names have no position.
        """
        key = (tuple(ch_names), self.table.device)
        if key not in self._maps:
            self._maps[key] = self._linear_map(*key)
        linear_map = self._maps[key]
        trained = self.table[linear_map.rows]
        if linear_map.all_trained:
            return trained
        interpolated = linear_map.offset + linear_map.weights @ self.table
        return torch.where(linear_map.is_trained, trained, interpolated)

    def _linear_map(self, ch_names: tuple[str, ...], device: torch.device) -> _LinearMap:
        electrodes = template_electrodes(ch_names)
        positions = np.array([electrode.position for electrode in electrodes])
        distances = cdist(positions, self._positions)
        is_trained = distances.min(axis=1) < _SAME_PLACE
        gram = _matern(cdist(self._positions, self._positions))
        gram[np.diag_indices_from(gram)] += _JITTER
        weights = cho_solve(cho_factor(gram), _matern(distances).T).T
        offset = cosine_code(positions, self._code.shape[1]) - weights @ self._code
        return _LinearMap(
            rows=torch.from_numpy(distances.argmin(axis=1)).to(device),
            is_trained=torch.from_numpy(is_trained[:, np.newaxis]).to(device),
            weights=torch.from_numpy(weights).float().to(device),
            offset=torch.from_numpy(offset).float().to(device),
            all_trained=bool(is_trained.all()),
        )


def cosine_code(positions: NDArray[np.float64], n_dims: int) -> NDArray[np.float64]:
    """Encode positions by sines and cosines, a third of the dimensions per coordinate.

    The code of the published reference implementation (Guetschel et al. 2024).

    Parameters
    ----------
    positions : array, shape (channels, 3)
        Positions on the template head (m).
    n_dims : int
        A multiple of 6.

    Returns
    -------
    array, shape (channels, n_dims)
    """
    angles = positions[:, :, np.newaxis] * _angular_frequencies(n_dims)
    interleaved = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    return interleaved.reshape(len(positions), n_dims)


def slow_dimensions(n_dims: int) -> NDArray[np.bool_]:
    """Tell which dimensions of the cosine code turn less than once over a head.

    The others turn up to fifteen times from ear to ear: they tell electrodes apart, but say
    nothing about which are near each other.

    Parameters
    ----------
    n_dims : int
        A multiple of 6.

    Returns
    -------
    array of bool, shape (n_dims,)
    """
    wavelengths = 2 * math.pi / _angular_frequencies(n_dims)
    return np.tile(np.repeat(wavelengths > _HEAD_LENGTH, 2), 3)


def time_code(n_tokens: int, n_dims: int, max_tokens: int, device: torch.device) -> Tensor:
    """Encode the index of a token in its window by sines and cosines.

    The code of Vaswani et al. 2017 with ``max_tokens`` in place of 10000, as in the published
    reference implementation.

    Parameters
    ----------
    n_tokens : int
        Tokens of a channel.
    n_dims : int
        Dimensions of the code.
    max_tokens : float
        Number of tokens that the slowest wave spans.
    device : torch.device or None

    Returns
    -------
    Tensor, shape (n_tokens, n_dims)
    """
    dims = torch.arange(0, n_dims, 2, device=device)
    frequencies = torch.exp(dims * (-math.log(max_tokens) / n_dims))
    angles = torch.arange(n_tokens, device=device).unsqueeze(1) * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


def _angular_frequencies(n_dims: int) -> NDArray[np.float64]:
    """Return the radians per metre of each pair of one coordinate's dimensions."""
    per_coordinate = n_dims // 3
    exponents = 1 - np.arange(0, per_coordinate, 2) / per_coordinate
    frequencies: NDArray[np.float64] = np.exp(2 * math.pi * exponents) / _CODE_SCALE
    return frequencies


def _matern(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = math.sqrt(3) * distances / _LENGTH_SCALE
    kernel: NDArray[np.float64] = (1 + scaled) * np.exp(-scaled)
    return kernel
