"""The local encoder: each channel by itself, cut into tokens."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.errors import InputError
from sjepa_online.model.config import ModelConfig
from sjepa_online.protocol import MODEL_SFREQ

#: Centres (Hz) of the first and the last kernel of the Gabor bank.
GABOR_CENTRES = (2.0, 33.0)


def gabor_kernels(n_kernels: int, length: int) -> Tensor:
    """Return a bank of band-pass kernels that covers 2 to 33 Hz: a Hann window times a cosine.

    Parameters
    ----------
    n_kernels : int
        Number of kernels; their centres lie evenly on the scale between.
    length : int
        Samples of a kernel at 128 Hz.

    Returns
    -------
    Tensor, shape (n_kernels, length)
        Of unit norm; all but the first have zero mean.
    """
    centres = torch.linspace(GABOR_CENTRES[0], GABOR_CENTRES[1], n_kernels)
    time = (torch.arange(length) - (length - 1) / 2) / MODEL_SFREQ
    window = torch.hann_window(length + 2, periodic=False)[1:-1]
    kernels = window * torch.cos(2 * torch.pi * centres[:, None] * time)
    kernels[1:] -= kernels[1:].sum(dim=1, keepdim=True) * window / window.sum()
    normed: Tensor = kernels / kernels.norm(dim=1, keepdim=True)
    return normed


class LocalEncoder(nn.Module):
    """Strided convolutions over the time of one channel (paper: local encoder).

    The first convolution starts as a bank of Gabor filters (the paper starts at random): it is
    then of use to a readout of its output, :attr:`first_kernels`, before any training.

    Every convolution has no bias and is followed by GELU; a GroupNorm with one group per
    dimension, whose statistics run over the whole window, stands after the first one.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        dims = [1, *(dim for dim, _, _ in config.conv_layers)]
        convolutions = [
            nn.Conv1d(d_in, d_out, kernel, stride=stride, bias=False)
            for d_in, (d_out, kernel, stride) in zip(dims, config.conv_layers, strict=False)
        ]
        for convolution in convolutions[1:]:
            nn.init.kaiming_normal_(convolution.weight)
        with torch.no_grad():
            convolutions[0].weight.copy_(gabor_kernels(*config.conv_layers[0][:2])[:, None])
        self.convolutions = nn.ModuleList(convolutions)
        self.norm = nn.GroupNorm(dims[1], dims[1])

    @property
    def first_kernels(self) -> Tensor:
        """The first convolution's kernels, (dim, samples)."""
        weight: Tensor = self.convolutions[0].get_parameter("weight")
        return weight.detach()[:, 0]

    def forward(self, x: Tensor) -> Tensor:
        """Encode windows.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.

        Returns
        -------
        Tensor, shape (n, channels, time, d_model)
            One token per ``config.token_stride`` samples.

        Raises
        ------
        InputError
            The window is shorter than one token.
        """
        return self.dense_tokens(x, self.config.token_stride)

    def dense_tokens(self, x: Tensor, stride: int) -> Tensor:
        """Evaluate the same weights at a finer stride, by dilation ("à trous").

        With the paper's layers, strides of 8, 16, 32, 64 and 128 samples are possible; at 8
        every 16th token is a token of the paper.

        Parameters
        ----------
        x : Tensor, shape (n, channels, samples)
            Signal in µV at 128 Hz.
        stride : int
            Samples from one token to the next: the product of the first layers' strides.

        Returns
        -------
        Tensor, shape (n, channels, time, d_model)

        Raises
        ------
        InputError
            The stride is not such a product, or the window is shorter than one token.
        """
        self.config.n_tokens(x.shape[-1])
        dilation = 1
        reached = self.config.conv_layers[0][2]
        hidden = functional.gelu(self.norm(self._first_convolution(x)))
        for layer, (_, _, layer_stride) in enumerate(self.config.conv_layers[1:], start=1):
            weight = self.convolutions.get_parameter(f"{layer}.weight")
            if reached * layer_stride <= stride and dilation == 1:
                hidden = functional.conv1d(hidden, weight, stride=layer_stride)
                reached *= layer_stride
            else:
                hidden = functional.conv1d(hidden, weight, dilation=dilation)
                dilation *= layer_stride
            hidden = functional.gelu(hidden)
        if reached != stride:
            raise InputError(
                "This stride is no product of the first layers' strides",
                value=f"{stride} samples",
                remedy=f"The nearest smaller one is {reached}.",
            )
        return hidden.reshape(*x.shape[:2], *hidden.shape[1:]).transpose(2, 3)

    def _first_convolution(self, x: Tensor) -> Tensor:
        first: Tensor = self.convolutions[0](x.flatten(0, 1).unsqueeze(1))
        return first
