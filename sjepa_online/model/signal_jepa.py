"""Signal-JEPA (Guetschel et al. 2024, doi:10.3217/978-3-99161-014-4-003)."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from sjepa_online.errors import InputError
from sjepa_online.model.channel_embedding import ChannelEmbedding, time_code
from sjepa_online.model.config import ModelConfig
from sjepa_online.model.local_encoder import LocalEncoder
from sjepa_online.model.transformer import ContextEncoder, Predictor


class SignalJEPA(nn.Module):
    """Local encoder, position, contextual encoder and predictor, for any set of channels.

    Parameters
    ----------
    config : ModelConfig
        The shape of the network and the electrodes with a trained vector.
    ch_names : sequence of str | None
        The channels of the signal; None for ``config.electrodes``.

    Attributes
    ----------
    ch_names : tuple of str
        The channels of the signal, in its order.

    Raises
    ------
    InputError
        There is no channel, some have no position, or two are the same electrode.
    """

    def __init__(self, config: ModelConfig, ch_names: Sequence[str] | None = None) -> None:
        super().__init__()
        self.config = config
        self.local_encoder = LocalEncoder(config)
        self.channel_embedding = ChannelEmbedding(config)
        self.context_encoder = ContextEncoder(config)
        self.predictor = Predictor(config)
        names = [electrode.name for electrode in config.electrodes]
        self._bind(names if ch_names is None else ch_names)

    def with_channels(self, ch_names: Sequence[str]) -> SignalJEPA:
        """Return a copy of this network, weights included, for a signal of other channels.

        Parameters
        ----------
        ch_names : sequence of str
            Names of the channels, in their order.

        Returns
        -------
        SignalJEPA

        Raises
        ------
        InputError
            There is no channel, some have no position, or two are the same electrode.
        """
        network = deepcopy(self)
        network._bind(ch_names)
        return network

    def _bind(self, ch_names: Sequence[str]) -> None:
        if not ch_names:
            raise InputError(
                "The signal has no channel",
                value="no channel",
                remedy="Name the channels of the signal.",
            )
        with torch.no_grad():
            self.channel_embedding(ch_names)
        self.ch_names = tuple(ch_names)

    def local_tokens(self, x: Tensor) -> Tensor:
        """Cut each channel into tokens.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz, the channels in the order of ``ch_names``.

        Returns
        -------
        Tensor, shape (n, channels, time, d_model)

        Raises
        ------
        InputError
            Another number of channels, or a window shorter than one token.
        """
        self._check(x)
        tokens: Tensor = self.local_encoder(x)
        return tokens

    def position(self, ch_names: Sequence[str], n_tokens: int) -> Tensor:
        """Return the embeddings that are added to local tokens: of the channel, then of the time.

        Parameters
        ----------
        ch_names : sequence of str
            Names of the channels, in their order.
        n_tokens : int
            Tokens of each channel.

        Returns
        -------
        Tensor, shape (channels, n_tokens, d_model)

        Raises
        ------
        InputError
            Some channels have no position.
        """
        channel: Tensor = self.channel_embedding(ch_names)
        time = time_code(n_tokens, self.config.d_temporal, self.config.max_tokens, channel.device)
        return torch.cat(
            [
                channel.unsqueeze(1).expand(-1, n_tokens, -1),
                time.expand(len(ch_names), -1, -1),
            ],
            dim=-1,
        )

    def forward(self, x: Tensor, bad: Sequence[str] | None = None) -> Tensor:
        """Return contextual tokens.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz, the channels in the order of ``ch_names``.
        bad : sequence of str | None
            Channels whose tokens are left out; their samples may hold anything, NaN included.

        Returns
        -------
        Tensor, shape (n, good channels * time, d_model)
            Channel by channel.

        Raises
        ------
        InputError
            Another number of channels, a window shorter than one token, an unknown bad
            channel, or no good one.
        """
        self._check(x)
        good, _ = self._split_channels(bad)
        tokens = self.local_encoder(x[:, good] if bad else x)
        position = self.position(self.ch_names, tokens.shape[2])[good]
        contextual: Tensor = self.context_encoder((tokens + position).flatten(1, 2))
        return contextual

    def predict(
        self,
        context: Tensor,
        target_positions: Tensor,
        context_padding: Tensor | None = None,
        target_padding: Tensor | None = None,
    ) -> Tensor:
        """Predict the embeddings of masked tokens. See :meth:`Predictor.forward`."""
        predicted: Tensor = self.predictor(
            context, target_positions, context_padding, target_padding
        )
        return predicted

    def completed_tokens(self, x: Tensor, bad: Sequence[str] | None = None) -> Tensor:
        """Return contextual tokens of every channel, those of bad channels predicted.

        Parameters
        ----------
        x, bad
            As for :meth:`forward`.

        Returns
        -------
        Tensor, shape (n, channels, time, d_model)

        Raises
        ------
        InputError
            As for :meth:`forward`.
        """
        context: Tensor = self(x, bad)
        n_tokens = self.config.n_tokens(x.shape[-1])
        good, missing = self._split_channels(bad)
        tokens = context.reshape(len(x), len(good), n_tokens, -1)
        if not missing:
            return tokens
        target = self.position(self.ch_names, n_tokens)[missing].flatten(0, 1)
        predicted = self.predict(context, target.expand(len(x), -1, -1))
        together = torch.cat([tokens, predicted.reshape(len(x), len(missing), n_tokens, -1)], dim=1)
        order = torch.tensor(good + missing, device=x.device).argsort()
        completed: Tensor = together[:, order]
        return completed

    def _split_channels(self, bad: Sequence[str] | None) -> tuple[list[int], list[int]]:
        bad = bad or ()
        unknown = [name for name in bad if name not in self.ch_names]
        if unknown:
            raise InputError(
                "The signal has no such channel",
                value=", ".join(unknown),
                remedy=f"The channels are {', '.join(self.ch_names)}.",
            )
        good = [i for i, name in enumerate(self.ch_names) if name not in bad]
        if not good:
            raise InputError(
                "No channel is good",
                value=f"all {len(self.ch_names)} channels are bad",
                remedy="Mend an electrode or mark it as good.",
            )
        return good, [i for i, name in enumerate(self.ch_names) if name in bad]

    def _check(self, x: Tensor) -> None:
        if x.dim() != 3 or x.shape[1] != len(self.ch_names):
            raise InputError(
                f"The signal has not the shape (n, {len(self.ch_names)} channels, samples)",
                value=tuple(x.shape),
                remedy="Bind the network to the signal's channels with with_channels().",
            )
