from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import erf

from sjepa_online.errors import InputError
from sjepa_online.model import SignalJEPA
from sjepa_online.model.local_encoder import GABOR_CENTRES, gabor_kernels
from sjepa_online.protocol import MODEL_SFREQ


def encode_with_numpy(network: SignalJEPA, signal: np.ndarray) -> np.ndarray:
    """The local encoder on one channel's samples, written out in float64."""
    state = {k: v.double().numpy() for k, v in network.local_encoder.state_dict().items()}
    hidden = signal[np.newaxis].astype(np.float64)
    for layer, (_, kernel, stride) in enumerate(network.config.conv_layers):
        windows = np.lib.stride_tricks.sliding_window_view(hidden, kernel, axis=1)[:, ::stride]
        hidden = np.einsum("itk,oik->ot", windows, state[f"convolutions.{layer}.weight"])
        if layer == 0:
            mean = hidden.mean(axis=1, keepdims=True)
            hidden = (hidden - mean) / np.sqrt(hidden.var(axis=1, keepdims=True) + 1e-5)
            hidden = hidden * state["norm.weight"][:, None] + state["norm.bias"][:, None]
        hidden = hidden * 0.5 * (1 + erf(hidden / np.sqrt(2)))
    return hidden.T


@torch.no_grad()
def test_tokens_equal_the_convolutions_written_out(network: SignalJEPA, x: torch.Tensor) -> None:
    torch.nn.init.normal_(network.local_encoder.norm.weight)
    torch.nn.init.normal_(network.local_encoder.norm.bias)
    tokens = network.local_tokens(x)
    assert tokens.shape == (3, 6, 4, 64)
    np.testing.assert_allclose(
        tokens[2, 4].numpy(), encode_with_numpy(network, x[2, 4].numpy()), atol=1e-5
    )


@pytest.mark.parametrize("stride", [8, 16, 32, 64, 128])
@torch.no_grad()
def test_dense_tokens_hold_the_tokens_of_the_paper(
    network: SignalJEPA, x: torch.Tensor, stride: int
) -> None:
    dense = network.local_encoder.dense_tokens(x, stride)
    assert dense.shape[2] == (536 - 152) // stride + 1
    torch.testing.assert_close(dense[:, :, :: 128 // stride], network.local_tokens(x))


@torch.no_grad()
def test_dense_tokens_between_are_those_of_a_shifted_window(network: SignalJEPA) -> None:
    # shifting by 24 samples a signal with a period of 64 leaves GroupNorm's statistics alone:
    # the first convolution's 64 outputs are eight whole periods
    signal = 20 * torch.randn(1, 1, 64).repeat(1, 1, 9)
    encoder = network.local_encoder
    dense = encoder.dense_tokens(signal[..., :536], 8)
    shifted = encoder.dense_tokens(signal[..., 24:560], 8)
    torch.testing.assert_close(dense[:, :, 3:], shifted[:, :, :-3], atol=1e-5, rtol=1e-5)
    assert not torch.allclose(dense[:, :, :-3], shifted[:, :, :-3], atol=0.1)


@pytest.mark.parametrize("stride", [4, 12, 100, 256])
def test_other_strides_are_refused(network: SignalJEPA, x: torch.Tensor, stride: int) -> None:
    with pytest.raises(InputError, match="stride"):
        network.local_encoder.dense_tokens(x, stride)


def test_kernels_start_as_waves_of_their_frequency_without_offset() -> None:
    kernels = gabor_kernels(16, 32).numpy()
    centres = np.linspace(*GABOR_CENTRES, 16)
    power = np.abs(np.fft.rfft(kernels, 1024)) ** 2
    peaks = power.argmax(axis=1) * MODEL_SFREQ / 1024
    # close to 0 Hz the removal of the mean moves the peak
    np.testing.assert_allclose(peaks[4:], centres[4:], atol=0.5)
    np.testing.assert_allclose(kernels[1:].sum(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(kernels, axis=1), 1, atol=1e-5)
