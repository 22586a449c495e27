"""The objective of S-JEPA (Guetschel et al. 2024): predict tokens of a moving average."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.model import SignalJEPA
from sjepa_online.training.pretraining.corpus import Pass


class Gathered(NamedTuple):
    """Which channels each example keeps, padded to the same number.

    Attributes
    ----------
    channels : Tensor of int, shape (n, k)
        Channels by number; entries beyond an example's own are 0.
    padding : Tensor of bool, shape (n, k) | None
        True for those entries; None when there are none.
    """

    channels: Tensor
    padding: Tensor | None


def gather_channels(chosen: Tensor) -> Gathered:
    """List the chosen channels of each example.

    Parameters
    ----------
    chosen : Tensor of bool, shape (n, channels)

    Returns
    -------
    Gathered
    """
    counts = chosen.sum(dim=1)
    largest = int(counts.max())
    order = torch.argsort(~chosen, dim=1, stable=True)[:, :largest]
    padding = torch.arange(largest) >= counts.unsqueeze(1)
    if not bool(padding.any()):
        return Gathered(order, None)
    return Gathered(order.masked_fill(padding, 0), padding)


class Objective(nn.Module):
    """The network, its moving average, and the error between their views.

    Parameters
    ----------
    network : SignalJEPA
        What is trained.
    n_target_layers : int
        The targets are the mean of the outputs of this many last layers.
    compiled : bool
        Whether to compile the transformer for the device.
    """

    def __init__(self, network: SignalJEPA, n_target_layers: int, compiled: bool = False) -> None:
        super().__init__()
        self.network = network
        self.target = deepcopy(network).requires_grad_(False)
        self.n_target_layers = n_target_layers
        self._encode: Callable[..., Tensor] = network.context_encoder
        self._predict: Callable[..., Tensor] = network.predictor
        self._encode_target: Callable[..., list[Tensor]] = self.target.context_encoder.layer_outputs
        if compiled:
            self._encode = torch.compile(self._encode, dynamic=True)
            self._predict = torch.compile(self._predict, dynamic=True)
            self._encode_target = torch.compile(self._encode_target, dynamic=True)

    def forward(self, part: Pass) -> Tensor:
        """Compare prediction and target.

        Parameters
        ----------
        part : Pass

        Returns
        -------
        Tensor, shape ()
            Sum over masked channels of the mean absolute difference of their tokens.
        """
        device = self.network.channel_embedding.table.device
        visible, hidden = gather_channels(~part.hidden), gather_channels(part.hidden)
        visible, hidden = _to(visible, device), _to(hidden, device)
        signal = part.signal.to(device, non_blocking=True)
        targets = self._targets(part.ch_names, signal, hidden)
        n_tokens = targets.shape[2]
        position = self.network.position(part.ch_names, n_tokens)
        tokens = self._visible_tokens(signal, visible) + position[visible.channels]
        context_padding = _per_token(visible.padding, n_tokens)
        context = self._encode(tokens.flatten(1, 2), context_padding)
        queries = position[hidden.channels].flatten(1, 2)
        predicted = self._predict(
            context, queries, context_padding, _per_token(hidden.padding, n_tokens)
        ).reshape(targets.shape)
        difference = (predicted.float() - targets).abs()
        if hidden.padding is not None:
            difference = difference.masked_fill(hidden.padding[:, :, None, None], 0.0)
        return difference.sum() / (n_tokens * difference.shape[-1])

    def _visible_tokens(self, signal: Tensor, visible: Gathered) -> Tensor:
        """Encode visible channels only, as rows of one batch without padding."""
        rows = torch.arange(len(signal), device=signal.device).unsqueeze(1)
        picked = signal[rows, visible.channels]
        if visible.padding is None:
            tokens: Tensor = self.network.local_encoder(picked)
            return tokens
        real = ~visible.padding
        encoded = self.network.local_encoder(picked[real].unsqueeze(1)).squeeze(1)
        tokens = encoded.new_zeros(*real.shape, *encoded.shape[1:])
        tokens[real] = encoded
        return tokens

    @torch.no_grad()
    def _targets(self, ch_names: tuple[str, ...], signal: Tensor, hidden: Gathered) -> Tensor:
        """Return the targets of hidden channels, shape (n, hidden channels, time, d_model)."""
        self.target.eval()
        tokens = self.target.local_encoder(signal)
        position = self.target.position(ch_names, tokens.shape[2])
        outputs = self._encode_target((tokens + position).flatten(1, 2), None)
        mean = torch.stack(outputs[-self.n_target_layers :]).float().mean(dim=0)
        normalised = functional.layer_norm(mean, mean.shape[-1:])
        every = normalised.reshape(tokens.shape)
        rows = torch.arange(len(signal), device=signal.device).unsqueeze(1)
        return every[rows, hidden.channels]

    @torch.no_grad()
    def update_target(self, decay: float) -> None:
        """Move the target towards the network.

        Parameters
        ----------
        decay : float
            Share of the target's own weights that stays, 0 to 1.
        """
        pairs = zip(self.target.parameters(), self.network.parameters(), strict=True)
        for average, parameter in pairs:
            average.lerp_(parameter, 1 - decay)


def _to(gathered: Gathered, device: torch.device) -> Gathered:
    padding = None if gathered.padding is None else gathered.padding.to(device)
    return Gathered(gathered.channels.to(device), padding)


def _per_token(padding: Tensor | None, n_tokens: int) -> Tensor | None:
    return None if padding is None else padding.repeat_interleave(n_tokens, dim=1)
