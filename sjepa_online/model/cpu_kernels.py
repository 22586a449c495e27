"""Attention, ReLU and dropout as processors without a fused kernel for them run them fastest.

torch's fused attention has no dropout on a CPU and is slow at 8 dimensions per head, and its
dropout draws one random number per element, which takes longer than the products around it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

_BYTE = 256


def attend(
    query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None, dropout: float
) -> Tensor:
    """Attend as ``torch.nn.functional.scaled_dot_product_attention`` does.

    Parameters
    ----------
    query : Tensor, shape (n, heads, t, d)
        What asks.
    key, value : Tensor, shape (n, heads, m, d)
        What is attended to.
    padding : Tensor of bool, shape (n, m) | None
        True for the entries that nothing attends to.
    dropout : float
        Probability of dropping an attention weight.

    Returns
    -------
    Tensor, shape (n, heads, t, d)
    """
    n, n_heads = query.shape[:2]
    scale = 1 / math.sqrt(query.shape[-1])
    bias = None
    if padding is not None:
        bias = torch.zeros(padding.shape, dtype=query.dtype).masked_fill_(padding, -math.inf)
        bias = bias.repeat_interleave(n_heads, dim=0).unsqueeze(1)
    attended: Tensor = _Attention.apply(  # type: ignore[no-untyped-call]
        (query * scale).flatten(0, 1), key.flatten(0, 1), value.flatten(0, 1), bias, dropout
    )
    return attended.reshape(n, n_heads, *attended.shape[1:])


def relu_dropout(x: Tensor, dropout: float) -> Tensor:
    """Apply ReLU and then dropout, in place.

    Parameters
    ----------
    x : Tensor
        Any shape.
    dropout : float
        Probability, 0 to below 1.

    Returns
    -------
    Tensor, shape of ``x``
    """
    result: Tensor = _ReluDropout.apply(x, dropout)  # type: ignore[no-untyped-call]
    return result


def drop(x: Tensor, dropout: float) -> Tensor:
    """Apply dropout.

    Parameters
    ----------
    x : Tensor
        Any shape.
    dropout : float
        Probability, 0 to below 1.

    Returns
    -------
    Tensor, shape of ``x``
    """
    return x * _kept(x, dropout).mul_(_scale(dropout))


def _kept(like: Tensor, dropout: float) -> Tensor:
    """Draw 1 for what is kept and 0 for what is dropped, of the type of ``like``.

    One random byte per element decides, so the probability is a multiple of 1/256 (0.1
    becomes 26/256). The arithmetic avoids torch's slow operations on booleans.
    """
    n_dropped = round(dropout * _BYTE)
    seed = int(torch.randint(2**62, ()))
    words = np.random.Generator(np.random.SFC64(seed)).integers(
        0, 2**64, size=-(-like.numel() // 8), dtype=np.uint64
    )
    random_bytes = torch.from_numpy(words).view(torch.uint8)[: like.numel()].view(like.shape)
    return random_bytes.clamp_(n_dropped - 1, n_dropped).sub_(n_dropped - 1).to(like.dtype)


def _scale(dropout: float) -> float:
    """Return the factor that makes up for the zeros."""
    return _BYTE / (_BYTE - round(dropout * _BYTE))


class _Attention(torch.autograd.Function):
    """Softmax attention whose weights are kept for the gradient instead of computed again."""

    @staticmethod
    def forward(
        ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, dropout: float
    ) -> Tensor:
        with torch.autocast("cpu", enabled=False):
            scores = torch.bmm(query, key.transpose(1, 2))
            if bias is not None:
                scores += bias
            weights = torch.softmax(scores, dim=-1)
            dropped = weights * _kept(weights, dropout) if dropout else weights
            scaled = value * _scale(dropout)
            output = torch.bmm(dropped, scaled)
            ctx.save_for_backward(query, key, scaled, weights, dropped, output)
            ctx.scale = _scale(dropout)
            return output

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, scaled, weights, dropped, output = ctx.saved_tensors
        of_output = gradients[0]
        of_value = torch.bmm(dropped.transpose(1, 2), of_output) * ctx.scale
        # the softmax's gradient: weights * (their gradient - the rows' sums of weights * gradient)
        exact = torch.promote_types(output.dtype, torch.float32)
        sums = (of_output.to(exact) * output.to(exact)).sum(dim=-1, keepdim=True)
        of_scores = torch.bmm(of_output, scaled.transpose(1, 2)).mul_(dropped)
        of_scores.addcmul_(weights, sums.to(weights.dtype), value=-1)
        of_query = torch.bmm(of_scores, key)
        of_key = torch.bmm(of_scores.transpose(1, 2), query)
        return of_query, of_key, of_value, None, None


class _ReluDropout(torch.autograd.Function):
    """The result alone tells where the gradient passes: where it is above zero."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dropout: float) -> Tensor:
        result = functional.relu_(x)
        ctx.mark_dirty(x)
        ctx.scale = 1.0
        if dropout:
            ctx.scale = _scale(dropout)
            result *= _kept(result, dropout).mul_(ctx.scale)
        ctx.save_for_backward(result)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        return torch.ops.aten.threshold_backward(gradients[0] * ctx.scale, result, 0), None
