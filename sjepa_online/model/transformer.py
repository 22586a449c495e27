"""Contextual encoder and predictor: a post-norm transformer (Vaswani et al. 2017) with ReLU."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.model import cpu_kernels
from sjepa_online.model.config import ModelConfig

#: Keys from which on torch's fused attention without dropout trains faster on a CPU than the
#: kernel of this package: 1.3 to 2.3 times from 248 keys on, 0.7 to 0.9 times for up to 76.
FUSED_FROM = 128


class Attention(nn.Module):
    """Multi-head attention with one input projection for query, key and value."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.dropout = config.dropout
        self.in_projection = nn.Linear(config.d_model, 3 * config.d_model)
        self.out_projection = nn.Linear(config.d_model, config.d_model)

    def forward(self, tokens: Tensor, memory: Tensor, padding: Tensor | None) -> Tensor:
        """Return the attention of ``tokens`` (n, t, d) to ``memory`` (n, m, d).

        Parameters
        ----------
        tokens : Tensor, shape (n, t, d_model)
        memory : Tensor, shape (n, m, d_model)
            Tokens that are attended to.
        padding : Tensor of bool or None
            True for entries that only fill the batch.

        Returns
        -------
        Tensor, shape of the first argument
        """
        if memory is tokens:
            query, key, value = self.in_projection(tokens).chunk(3, dim=-1)
        else:
            d_model = tokens.shape[-1]
            weight, bias = self.in_projection.weight, self.in_projection.bias
            query = functional.linear(tokens, weight[:d_model], bias[:d_model])
            key, value = functional.linear(memory, weight[d_model:], bias[d_model:]).chunk(2, -1)
        attended = _attend(
            self._split(query),
            self._split(key),
            self._split(value),
            padding,
            self.dropout if self.training else 0.0,
        )
        output: Tensor = self.out_projection(attended.transpose(1, 2).flatten(2))
        return output

    def _split(self, tokens: Tensor) -> Tensor:
        return tokens.reshape(*tokens.shape[:2], self.n_heads, -1).transpose(1, 2)


class FeedForward(nn.Module):
    """Two linear layers with ReLU and dropout between them."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.expand = nn.Linear(config.d_model, config.d_feed_forward)
        self.contract = nn.Linear(config.d_feed_forward, config.d_model)
        self.dropout = config.dropout

    def forward(self, tokens: Tensor) -> Tensor:
        """Transform ``tokens`` (n, t, d), each by itself.

        Parameters
        ----------
        tokens : Tensor, shape (n, t, d_model)

        Returns
        -------
        Tensor, shape of the first argument
        """
        hidden = self.expand(tokens)
        if self.training and hidden.is_cpu:
            hidden = cpu_kernels.relu_dropout(hidden, self.dropout)
        else:
            hidden = functional.dropout(functional.relu(hidden), self.dropout, self.training)
        output: Tensor = self.contract(hidden)
        return output


class Dropout(nn.Module):
    """Dropout of the terms that are added to the residual stream."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.dropout = config.dropout

    def forward(self, x: Tensor) -> Tensor:
        """Drop elements of ``x`` in training.

        Parameters
        ----------
        x : Tensor
            Any shape.

        Returns
        -------
        Tensor, shape of the first argument
        """
        if self.training and self.dropout and x.is_cpu:
            return cpu_kernels.drop(x, self.dropout)
        return functional.dropout(x, self.dropout, self.training)


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each added to its input and normalised."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.dropout = Dropout(config)

    def forward(self, tokens: Tensor, padding: Tensor | None) -> Tensor:
        """Transform ``tokens`` (n, t, d), blind to those in ``padding`` (n, t).

        Parameters
        ----------
        tokens : Tensor, shape (n, t, d_model)
        padding : Tensor of bool or None
            True for entries that only fill the batch.

        Returns
        -------
        Tensor, shape of the first argument
        """
        attended = self.attention(tokens, tokens, padding)
        tokens = self.attention_norm(tokens + self.dropout(attended))
        output: Tensor = self.feed_forward_norm(tokens + self.dropout(self.feed_forward(tokens)))
        return output


class PredictorLayer(nn.Module):
    """An encoder layer with attention to the context between its two parts."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.attention = Attention(config)
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.cross_attention = Attention(config)
        self.cross_attention_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.dropout = Dropout(config)

    def forward(
        self,
        targets: Tensor,
        context: Tensor,
        target_padding: Tensor | None,
        context_padding: Tensor | None,
    ) -> Tensor:
        """Transform ``targets`` (n, m, d) with a view on ``context`` (n, t, d).

        Parameters
        ----------
        targets : Tensor, shape (n, m, d_model)
        context : Tensor, shape (n, t, d_model)
        target_padding : Tensor of bool, shape (n, m), or None
            True for entries that only fill the batch.
        context_padding : Tensor of bool, shape (n, t), or None
            The same for the context.

        Returns
        -------
        Tensor, shape of the first argument
        """
        attended = self.attention(targets, targets, target_padding)
        targets = self.attention_norm(targets + self.dropout(attended))
        attended = self.cross_attention(targets, context, context_padding)
        targets = self.cross_attention_norm(targets + self.dropout(attended))
        output: Tensor = self.feed_forward_norm(targets + self.dropout(self.feed_forward(targets)))
        return output


class ContextEncoder(nn.Module):
    """The contextual encoder: as many tokens in as out, so that any of them can be left out."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(EncoderLayer(config) for _ in range(config.n_encoder_layers))
        self.norm = nn.LayerNorm(config.d_model)
        _initialise(self)

    def forward(self, tokens: Tensor, padding: Tensor | None = None) -> Tensor:
        """Return contextual tokens.

        Parameters
        ----------
        tokens : Tensor, shape (n, t, d_model)
            Local tokens with their position added.
        padding : Tensor of bool, shape (n, t) | None
            True for entries that only fill the batch; no token sees them.

        Returns
        -------
        Tensor, shape (n, t, d_model)
        """
        output: Tensor = self.norm(self.layer_outputs(tokens, padding)[-1])
        return output

    def layer_outputs(self, tokens: Tensor, padding: Tensor | None = None) -> list[Tensor]:
        """Return every layer's output (n, t, d_model), before the last norm.

        Parameters
        ----------
        tokens : Tensor, shape (n, t, d_model)
        padding : Tensor of bool or None
            True for entries that only fill the batch.

        Returns
        -------
        list of Tensor, shape (n, t, d_model)
            One for each layer.
        """
        outputs = []
        for layer in self.layers:
            tokens = layer(tokens, padding)
            outputs.append(tokens)
        return outputs


class Predictor(nn.Module):
    """Predicts the embeddings of tokens from their position and the tokens that are seen.

    The query of a masked token is its position alone: the published weights have no mask
    token, and the context tokens carry their own position already.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(PredictorLayer(config) for _ in range(config.n_decoder_layers))
        self.norm = nn.LayerNorm(config.d_model)
        _initialise(self)

    def forward(
        self,
        context: Tensor,
        target_positions: Tensor,
        context_padding: Tensor | None = None,
        target_padding: Tensor | None = None,
    ) -> Tensor:
        """Predict embeddings.

        Parameters
        ----------
        context : Tensor, shape (n, t, d_model)
            Contextual tokens of what is seen.
        target_positions : Tensor, shape (n, m, d_model)
            Positions of what is not.
        context_padding, target_padding : Tensor of bool, shape (n, t) and (n, m) | None
            True for entries that only fill the batch.

        Returns
        -------
        Tensor, shape (n, m, d_model)
        """
        targets = target_positions
        for layer in self.layers:
            targets = layer(targets, context, target_padding, context_padding)
        output: Tensor = self.norm(targets)
        return output


def _attend(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, dropout: float
) -> Tensor:
    """Attend by the kernel that is fastest for this device, precision and purpose.

    Parameters are those of :func:`sjepa_online.model.cpu_kernels.attend`.
    """
    in_training = torch.is_grad_enabled() and query.requires_grad
    fused = dropout == 0 and key.shape[2] >= FUSED_FROM
    if query.is_cpu and (query.dtype is torch.bfloat16 or (in_training and not fused)):
        return cpu_kernels.attend(query, key, value, padding, dropout)
    return functional.scaled_dot_product_attention(
        query,
        key,
        value,
        attn_mask=None if padding is None else ~padding[:, None, None, :],
        dropout_p=dropout,
    )


def _initialise(module: nn.Module) -> None:
    """Initialise as torch.nn.Transformer does: Xavier weights, no bias in attention."""
    for parameter in module.parameters():
        if parameter.dim() > 1:
            nn.init.xavier_uniform_(parameter)
    for part in module.modules():
        if isinstance(part, Attention):
            nn.init.zeros_(part.in_projection.bias)
            nn.init.zeros_(part.out_projection.bias)
