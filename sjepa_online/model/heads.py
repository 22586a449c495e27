"""The three downstream heads of the paper (Guetschel et al. 2024).

Each works on its own copy of the pretrained layers that it uses, and gives the logits of the
classes. The paper's strategies train either the added layers alone (``new-``) or, after
them, everything (``full-``): :meth:`Head.new_parameters` are the added ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import chain
from typing import Literal

import torch
from torch import Tensor, nn

from sjepa_online.errors import InputError
from sjepa_online.model.signal_jepa import SignalJEPA

HeadName = Literal["pre-local", "post-local", "contextual"]


class Head(nn.Module):
    """Base of the heads: a linear map over channels and a readout of all tokens.

    Parameters
    ----------
    network : SignalJEPA
        The pretrained network; it is not changed.
    n_classes : int
        Number of classes.
    n_times : int
        Samples of a window at 128 Hz.
    n_virtual : int
        Number V of virtual channels that the map over channels gives.

    Raises
    ------
    InputError
        The window is shorter than one token.
    """

    def __init__(
        self, network: SignalJEPA, n_classes: int, n_times: int, n_virtual: int = 4
    ) -> None:
        super().__init__()
        self.n_tokens = network.config.n_tokens(n_times)
        self.spatial = nn.Linear(len(network.ch_names), n_virtual)
        self.readout = nn.Linear(n_virtual * self.n_tokens * network.config.d_model, n_classes)

    def new_parameters(self) -> list[nn.Parameter]:
        """Return the parameters of the added layers.

        Returns
        -------
        parameters : list of Parameter
        """
        return list(chain(self.spatial.parameters(), self.readout.parameters()))

    def frozen_features(self, x: Tensor) -> Tensor:
        """Return the input of the added layers, which is constant while they train alone.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor
        """
        raise NotImplementedError

    def classify(self, features: Tensor) -> Tensor:
        """Return the logits (n, classes) of :meth:`frozen_features`.

        Parameters
        ----------
        features : Tensor
            Output of :meth:`frozen_features`.

        Returns
        -------
        Tensor, shape (n, classes)
            Logits.
        """
        return self._read_out(self._map_channels(features))

    def _map_channels(self, signal: Tensor) -> Tensor:
        """Map ``signal`` (n, channels, ...) to virtual channels (n, V, ...)."""
        weight = self.spatial.weight
        if signal.shape[1] != weight.shape[1]:
            raise InputError(
                f"The signal has not the {weight.shape[1]} channels of the head's spatial filter",
                value=f"{signal.shape[1]} channels",
                remedy="Give the channels that the filter was made for, in their order.",
            )
        bias: Tensor = self.spatial.bias.reshape(-1, *[1] * (signal.dim() - 2))
        virtual: Tensor = torch.tensordot(signal, weight, dims=([1], [1])).movedim(-1, 1) + bias
        return virtual

    def _read_out(self, tokens: Tensor) -> Tensor:
        """Return the logits (n, classes) of tokens (n, V, time, d_model)."""
        if tokens.shape[2] != self.n_tokens:
            raise InputError(
                f"The window does not give the head's {self.n_tokens} tokens per channel",
                value=f"{tokens.shape[2]} tokens",
                remedy="Use windows of the length that the head was made for.",
            )
        logits: Tensor = self.readout(tokens.flatten(1))
        return logits


class PreLocalHead(Head):
    """Virtual channels first, then the local encoder on those."""

    def __init__(
        self, network: SignalJEPA, n_classes: int, n_times: int, n_virtual: int = 4
    ) -> None:
        super().__init__(network, n_classes, n_times, n_virtual)
        self.local_encoder = deepcopy(network.local_encoder)

    def frozen_features(self, x: Tensor) -> Tensor:
        """Return the signal itself, as the first layer is an added one.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor
        """
        return x

    def classify(self, features: Tensor) -> Tensor:
        """Return the logits (n, classes) of the signal.

        Parameters
        ----------
        features : Tensor
            Output of :meth:`frozen_features`.

        Returns
        -------
        Tensor, shape (n, classes)
            Logits.
        """
        return self.forward(features)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor, shape (n, classes)

        Raises
        ------
        InputError
            Another number of channels or tokens than the filter's and the readout's.
        """
        return self._read_out(self.local_encoder(self._map_channels(x)))


class PostLocalHead(Head):
    """The local encoder on every channel, then the map over channels."""

    def __init__(
        self, network: SignalJEPA, n_classes: int, n_times: int, n_virtual: int = 4
    ) -> None:
        super().__init__(network, n_classes, n_times, n_virtual)
        self.local_encoder = deepcopy(network.local_encoder)

    def frozen_features(self, x: Tensor) -> Tensor:
        """Return local tokens (n, channels, time, d_model).

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor
        """
        tokens: Tensor = self.local_encoder(x)
        return tokens

    def forward(self, x: Tensor) -> Tensor:
        """Return logits; parameters and errors as for :meth:`PreLocalHead.forward`.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor, shape (n, classes)
            Logits.
        """
        return self._read_out(self._map_channels(self.local_encoder(x)))


class ContextualHead(Head):
    """Local and contextual encoder on every channel, then the map over channels."""

    def __init__(
        self, network: SignalJEPA, n_classes: int, n_times: int, n_virtual: int = 4
    ) -> None:
        super().__init__(network, n_classes, n_times, n_virtual)
        self.network = deepcopy(network)

    def frozen_features(self, x: Tensor) -> Tensor:
        """Return contextual tokens (n, channels, time, d_model).

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor
        """
        return self.network.completed_tokens(x)

    def forward(self, x: Tensor, bad: Sequence[str] | None = None) -> Tensor:
        """Return logits; the predictor supplies the tokens of bad channels.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.
        bad : sequence of str | None
            Channels that are not read.

        Returns
        -------
        Tensor, shape (n, classes)

        Raises
        ------
        InputError
            As for :meth:`SignalJEPA.forward`, or another number of tokens than the readout's.
        """
        return self._read_out(self._map_channels(self.network.completed_tokens(x, bad)))


HEADS: dict[HeadName, type[Head]] = {
    "pre-local": PreLocalHead,
    "post-local": PostLocalHead,
    "contextual": ContextualHead,
}
