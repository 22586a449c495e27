"""How many operations a pretraining step takes."""

from __future__ import annotations

from sjepa_online.model import ModelConfig


def training_operations(
    config: ModelConfig, n_times: int, n_channels: int, n_visible: int
) -> float:
    """Count the operations of one example: products and convolutions, a multiply-add as two.

    What is trained runs forward once and backward at twice the cost; the target forward only.

    Parameters
    ----------
    config : ModelConfig
        The network.
    n_times : int
        Samples of a window.
    n_channels, n_visible : int
        Channels, and how many of them are not masked.

    Returns
    -------
    operations : float
    """
    n_tokens = config.n_tokens(n_times)
    n_hidden = n_channels - n_visible
    context, queries = n_visible * n_tokens, n_hidden * n_tokens
    local = _local_encoder(config, n_times)
    trained = (
        n_visible * local
        + config.n_encoder_layers * _layer(config, context)
        + config.n_decoder_layers * (_layer(config, queries) + _cross(config, queries, context))
    )
    target = n_channels * local + config.n_encoder_layers * _layer(config, n_channels * n_tokens)
    return 3 * trained + target


def _local_encoder(config: ModelConfig, n_times: int) -> float:
    operations, d_in, length = 0.0, 1, n_times
    for d_out, kernel, stride in config.conv_layers:
        length = (length - kernel) // stride + 1
        operations += 2 * length * d_in * kernel * d_out
        d_in = d_out
    return operations


def _layer(config: ModelConfig, n: int) -> float:
    """Self-attention and feed-forward over ``n`` tokens."""
    d = config.d_model
    return 2 * n * (4 * d * d + 2 * d * config.d_feed_forward) + 4 * n * n * d


def _cross(config: ModelConfig, n: int, n_seen: int) -> float:
    """Attention of ``n`` tokens to ``n_seen`` others."""
    d = config.d_model
    return 2 * d * d * (2 * n + 2 * n_seen) + 4 * n * n_seen * d
