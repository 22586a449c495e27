"""A trained ensemble of pre-local networks, which decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sjepa_online.decoding.bad_channels.interpolation import DynamicSpatialFilter
from sjepa_online.decoding.classifiers.pre_local.networks import (
    BAND_POWER,
    SPATIAL,
    STIMULUS_MAP,
    Layout,
    Weights,
    encode,
    encode_power,
    read_out,
    stimulus_map,
    virtual_channels,
)
from sjepa_online.decoding.classifiers.stacking import combine, stacking_weights
from sjepa_online.decoding.serialization import State
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices, Integers

#: Epochs that are read at once, which bounds memory.
BATCH_SIZE = 64


class Ensemble:
    """Members that read the channels themselves, and how their readouts are weighed.

    Parameters
    ----------
    layout : Layout
    weights : dict of str to Tensor
        Of the members: the spatial filter reads channels in µV, the readouts raw features.
    covariances : ndarray, shape (1 + blocks, channels, channels)
        Mean covariance of the channels, then that behind the first convolution for each block.
    n_times : int
        Samples of a window at 128 Hz.
    stacking : ndarray, shape (readouts,), or None
        Weight of each readout; equal ones at first.
    """

    def __init__(
        self,
        layout: Layout,
        weights: Weights,
        covariances: Floats,
        n_times: int,
        stacking: Floats | None = None,
    ) -> None:
        self.layout, self.n_times = layout, n_times
        self._weights = weights
        self._stacking = np.ones(len(layout.readouts)) if stacking is None else stacking
        spatial = weights[SPATIAL]
        self._filter = DynamicSpatialFilter(
            spatial.flatten(0, 1).double().numpy(), np.asarray(covariances, dtype=np.float64)
        )
        self._whole = spatial, spatial.new_zeros(*spatial.shape[:2], len(covariances) - 1)
        self._without: tuple[Floats, tuple[Tensor, Tensor]] | None = None
        self._running = dict(weights)
        if layout.frequencies:
            self._running[STIMULUS_MAP] = stimulus_map(layout, weights, n_times)

    def predict_proba(self, X: FloatArray, bad: BoolMask | None = None) -> Floats:
        """Return the probabilities of epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)
        """
        return combine(self.log_probabilities(X, bad).mean(axis=1), self._stacking)

    def log_probabilities(self, X: FloatArray, bad: BoolMask | None = None) -> Floats:
        """Return log probabilities of each readout and member.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without.

        Returns
        -------
        log_probabilities : ndarray, shape (readouts, members, n, classes)
        """
        spatial, residual = self._in_force(bad)
        parts = []
        with torch.inference_mode():
            for batch in batches(X):
                features = self._encode(spatial, batch, residual)
                logits = [read_out(self._running[name], one) for name, one in features.items()]
                parts.append(torch.stack(logits).log_softmax(dim=-1))
        result: Floats = torch.cat(parts, dim=2).double().numpy()
        return result

    def _encode(self, spatial: Tensor, batch: Tensor, residual: Tensor) -> dict[str, Tensor]:
        layout, weights = self.layout, self._running
        n_virtual = spatial.shape[0] * spatial.shape[1]
        # of more channels the convolution would take longer than of the virtual ones
        if layout.readouts == (BAND_POWER,) and batch.shape[1] <= n_virtual:
            return {BAND_POWER: encode_power(layout, weights, spatial, batch, residual)}
        return encode(layout, weights, virtual_channels(spatial, batch), residual)

    def weigh_readouts(
        self,
        X: FloatArray,
        targets: Integers,
        held_out: Sequence[Indices],
    ) -> Floats:
        """Weigh the readouts by trials that members did not see, and return their probabilities.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
        targets : ndarray of int, shape (n,)
        held_out : sequence of ndarray of int
            The trials that each member did not see, and its image in the mirror neither; each
            trial is among those of one member at least.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)
        """
        log_probabilities = self.log_probabilities(X)
        unseen = np.zeros((log_probabilities.shape[1], len(X), 1))
        for member in range(len(unseen)):
            unseen[member, held_out[member % len(held_out)]] = 1.0
        mean = (log_probabilities * unseen).sum(axis=1) / unseen.sum(axis=0)
        used, weights = _choose_readouts(mean, targets)
        self._keep(used)
        self._stacking = weights
        return combine(mean[used], weights)

    def _keep(self, used: Sequence[int]) -> None:
        """Drop the readouts that do not decide."""
        names = tuple(self.layout.readouts[index] for index in used)
        dropped = set(self.layout.readouts) - set(names)
        for weights in (self._weights, self._running):
            for name in dropped:
                del weights[name]
        self.layout = replace(self.layout, readouts=names)

    def to_state(self) -> State:
        """Return the layout and all arrays.

        Returns
        -------
        state : State
        """
        arrays = {name: weight.numpy() for name, weight in self._weights.items()}
        config = {"layout": asdict(self.layout), "n_times": self.n_times}
        arrays |= {"covariances": self._filter.covariances, "stacking": self._stacking}
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State) -> Ensemble:
        """Build the ensemble of a state.

        Parameters
        ----------
        state : State
            That of :meth:`to_state`.

        Returns
        -------
        ensemble : Ensemble
        """
        arrays = dict(state.arrays)
        covariances, stacking = arrays.pop("covariances"), arrays.pop("stacking")
        fields = {name: _tuples(value) for name, value in state.config["layout"].items()}
        weights = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return cls(Layout(**fields), weights, covariances, state.config["n_times"], stacking)

    def _in_force(self, bad: BoolMask | None) -> tuple[Tensor, Tensor]:
        """Return the filter in force, and the power ``(members, virtual, blocks)`` it lacks."""
        if bad is None:
            return self._whole
        filters, residual = self._filter.without(bad)
        # the filter is the same object for the same channels
        if self._without is None or self._without[0] is not filters:
            shape = self._whole[0].shape
            missing = np.diagonal(residual[1:], axis1=1, axis2=2).T
            in_force = torch.from_numpy(filters.astype(np.float32)).reshape(shape)
            lacking = torch.from_numpy(missing.astype(np.float32)).reshape(*shape[:2], -1)
            self._without = filters, (in_force, lacking)
        return self._without[1]


def _choose_readouts(log_probabilities: Floats, targets: Integers) -> tuple[list[int], Floats]:
    """Return which readouts decide, and their weights; the first of them always does.

    Another one takes part where that lowers the log loss by more than its standard error
    (the rule of Breiman et al. 1984): with few trials what a weight gains is mostly noise.

    Parameters
    ----------
    log_probabilities : ndarray, shape (readouts, n, classes)
        Of trials that the members did not see.
    targets : ndarray of int, shape (n,)
    """
    used = [0]
    weights, losses = _weighed(log_probabilities[used], targets)
    for index in range(1, len(log_probabilities)):
        more_weights, fewer_losses = _weighed(log_probabilities[[*used, index]], targets)
        gain = losses - fewer_losses
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            used, weights, losses = [*used, index], more_weights, fewer_losses
    return used, weights


def _weighed(log_probabilities: Floats, targets: Integers) -> tuple[Floats, Floats]:
    """Return the weights of readouts, and the log loss of each trial with them."""
    weights = stacking_weights(log_probabilities, targets)
    of_class = combine(log_probabilities, weights)[np.arange(len(targets)), targets]
    losses: Floats = -np.log(np.maximum(of_class, np.finfo(float).tiny))
    return weights, losses


def batches(X: FloatArray) -> Iterator[Tensor]:
    """Yield the epochs in batches, whose size bounds the memory.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)

    Yields
    ------
    batch : Tensor, shape (batch, channels, samples)
    """
    for start in range(0, max(1, len(X)), BATCH_SIZE):
        yield torch.from_numpy(np.ascontiguousarray(X[start : start + BATCH_SIZE], np.float32))


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
