"""Pre-local networks side by side: the members of an ensemble as one batched network.

Each member is the paper's pre-local head (Guetschel et al. 2024): a spatial filter gives virtual
channels, the local encoder reads those. The readouts stand on the same encoder, from its first
convolution to its last. A leading axis of every weight is that of the members, so that one
batched product serves all of them: on few virtual channels most time would go into starting
operations otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sjepa_online.model.local_encoder import LocalEncoder
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.typing import FloatArray

#: Weights by name, ``(members, ...)`` each.
Weights = dict[str, Tensor]
ConvLayers = tuple[tuple[int, int, int], ...]

SPATIAL = "spatial"
#: How the names of the encoder's weights begin; all others but the spatial filter are readouts.
ENCODER = ("convolution", "norm")
#: The map of :func:`stimulus_map`, where it is computed once and for all.
STIMULUS_MAP = "stimulus-map"
#: Names of the readouts.
TIME_COURSE = "time-course"
TOKENS = "tokens"
BAND_POWER = "band-power"
STIMULUS_POWER = "stimulus-power"
STIMULUS_PHASE = "stimulus-phase"
#: Readouts that the shape of the response decides, and those that only power decides.
PHASE_LOCKED = (TIME_COURSE, TOKENS, STIMULUS_PHASE)

#: Evoked potentials are slow: kernels whose response peaks below this (Hz) read their shape.
SLOW_BELOW = 8.0
#: Rhythms of the sensorimotor cortex (Hz).
RHYTHMS = (8.0, 26.0)
#: µV²: power below is that of no electrode.
SMALLEST_POWER = 1e-6
_NORM_EPS = 1e-5


@dataclass(frozen=True)
class Layout:
    """Settings that are fixed before any training.

    Attributes
    ----------
    conv_layers : tuple of (int, int, int)
        Dimension, kernel and stride of each convolution of the local encoder.
    readouts : tuple of str
        What reads the encoder.
    frequencies : tuple of float
        Stimulus frequencies and their harmonics (Hz), for the readouts that need them.
    slow, rhythmic : tuple of int
        Kernels of the first convolution for evoked potentials, and for rhythms.
    """

    conv_layers: ConvLayers
    readouts: tuple[str, ...]
    frequencies: tuple[float, ...]
    slow: tuple[int, ...]
    rhythmic: tuple[int, ...]


def choose_kernels(kernels: FloatArray) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the kernels for evoked potentials and those for rhythms, by their peak (Hz).

    Parameters
    ----------
    kernels : ndarray, shape (kernels, taps)

    Returns
    -------
    slow, rhythmic : tuple of int
        All kernels where none has its peak in the range.
    """
    peaks = np.argmax(np.abs(np.fft.rfft(kernels, 256)), axis=1) * MODEL_SFREQ / 256
    every = tuple(range(len(kernels)))
    slow = tuple(np.flatnonzero(peaks < SLOW_BELOW).tolist())
    rhythmic = tuple(np.flatnonzero((peaks > RHYTHMS[0]) & (peaks < RHYTHMS[1])).tolist())
    return slow or every, rhythmic or every


def encoder_weights(encoder: LocalEncoder, n_members: int) -> Weights:
    """Return the weights of a local encoder, once for each member.

    A convolution becomes a matrix ``(taps * dim in, dim out)``.

    Parameters
    ----------
    encoder : LocalEncoder
    n_members : int

    Returns
    -------
    weights : dict of str to Tensor
    """
    weights = {}
    for index, convolution in enumerate(encoder.convolutions):
        kernel = convolution.get_parameter("weight").detach()
        weights[f"convolution{index}"] = kernel.permute(2, 1, 0).flatten(0, 1)
    weights["norm-weight"] = encoder.norm.weight.detach()
    weights["norm-bias"] = encoder.norm.bias.detach()
    return {
        name: one.float().expand(n_members, *one.shape).contiguous()
        for name, one in weights.items()
    }


def virtual_channels(spatial: Tensor, x: Tensor) -> Tensor:
    """Return virtual channels: epochs behind the spatial filters.

    Parameters
    ----------
    spatial : Tensor, shape (members, virtual, channels)
    x : Tensor, shape (members, n, channels, samples), or (n, channels, samples)
        Epochs of each member, or the same ones for all.

    Returns
    -------
    virtual : Tensor, shape (members, n, virtual, samples)
    """
    if x.dim() == 4:
        return torch.matmul(spatial[:, None], x)
    members, n_virtual, _ = spatial.shape
    virtual = torch.matmul(spatial.flatten(0, 1), x)
    return virtual.reshape(len(x), members, n_virtual, -1).transpose(0, 1)


def encode(
    layout: Layout, weights: Weights, virtual: Tensor, residual: Tensor
) -> dict[str, Tensor]:
    """Return the features of each readout by its name.

    Parameters
    ----------
    layout : Layout
    weights : dict of str to Tensor
        Those of :func:`encoder_weights`.
    virtual : Tensor, shape (members, n, virtual, samples)
        Virtual channels in µV at 128 Hz.
    residual : Tensor, shape (members, virtual, blocks)
        Power that the virtual channels lack because channels are bad: one block for each
        rhythmic kernel, then one for each frequency.

    Returns
    -------
    features : dict of str to Tensor, shape (members, n, d)
    """
    read: dict[str, Tensor] = {}
    wanted = set(layout.readouts)
    if wanted & {STIMULUS_POWER, STIMULUS_PHASE}:
        parts = _stimulus_parts(layout, weights, virtual)
        read[STIMULUS_PHASE] = parts.flatten(2)
        read[STIMULUS_POWER] = _log_power(
            parts.square().sum(dim=(3, 5)), residual[..., len(layout.rhythmic) :]
        )
    if wanted - {STIMULUS_POWER, STIMULUS_PHASE}:
        first = _convolve(virtual.flatten(1, 2)[..., None], weights["convolution0"], layout, 0)
        course = first.reshape(*virtual.shape[:3], *first.shape[2:])
        if TIME_COURSE in wanted:
            read[TIME_COURSE] = course[..., list(layout.slow)].flatten(2)
        if BAND_POWER in wanted:
            power = course.square().mean(dim=3)[..., list(layout.rhythmic)]
            read[BAND_POWER] = _log_power(power, residual[..., : len(layout.rhythmic)])
    if TOKENS in wanted:
        tokens = _tokens(layout, weights, first)
        read[TOKENS] = tokens.reshape(*virtual.shape[:2], -1)
    return {name: read[name] for name in layout.readouts}


def encode_power(
    layout: Layout, weights: Weights, spatial: Tensor, x: Tensor, residual: Tensor
) -> Tensor:
    """Return the features of ``BAND_POWER`` as :func:`encode` does, of epochs that members share.

    The convolution comes before the spatial filters: both are linear. That is faster where there
    are fewer channels than virtual channels of all members.

    Parameters
    ----------
    layout : Layout
    weights : dict of str to Tensor
    spatial : Tensor, shape (members, virtual, channels)
    x : Tensor, shape (n, channels, samples)
    residual : Tensor, shape (members, virtual, blocks)
        As in :func:`encode`.

    Returns
    -------
    features : Tensor, shape (members, n, d)
    """
    _, taps, stride = layout.conv_layers[0]
    kernels = weights["convolution0"][..., list(layout.rhythmic)].transpose(1, 2)
    windows = x.transpose(1, 2).contiguous().unfold(1, taps, stride).transpose(2, 3)
    course = torch.matmul(kernels.flatten(0, 1), windows.flatten(0, 1))
    course = course.reshape(*windows.shape[:2], *kernels.shape[:2], -1).permute(2, 0, 1, 3, 4)
    virtual = torch.bmm(course.flatten(1, 3), spatial.transpose(1, 2))
    power = virtual.reshape(*course.shape[:4], -1).square().mean(dim=2).transpose(2, 3)
    return _log_power(power, residual[..., : len(layout.rhythmic)])


def _log_power(power: Tensor, missing: Tensor) -> Tensor:
    """Return ``(members, n, d)`` of power ``(members, n, virtual, blocks)``."""
    return (power + missing[:, None] + SMALLEST_POWER).log().flatten(2)


def read_out(weight: Tensor, features: Tensor) -> Tensor:
    """Return the logits of features.

    Parameters
    ----------
    weight : Tensor, shape (members, d + 1, classes)
        The intercepts in the last row.
    features : Tensor, shape (members, n, d)

    Returns
    -------
    logits : Tensor, shape (members, n, classes)
    """
    return torch.baddbmm(weight[:, -1:], features, weight[:, :-1])


def channel_powers(layout: Layout, weights: Weights, X: Tensor) -> Tensor:
    """Return covariances of the channels behind the first convolution.

    One block for each rhythmic kernel, then one for each frequency: without an offset the
    diagonal of a filtered block is the power that a readout takes the logarithm of.

    Parameters
    ----------
    layout : Layout
    weights : dict of str to Tensor
        Of one member.
    X : Tensor, shape (n, channels, samples)

    Returns
    -------
    powers : Tensor, shape (n, blocks, channels, channels)
    """
    blocks = []
    if layout.rhythmic:
        first = _convolve(X[None, :, :, :, None].flatten(1, 2), weights["convolution0"], layout, 0)
        course = first.reshape(*X.shape[:2], *first.shape[2:])[..., list(layout.rhythmic)]
        course = course.permute(0, 3, 1, 2)
        blocks.append(course @ course.transpose(2, 3) / course.shape[3])
    if layout.frequencies:
        parts = _stimulus_parts(layout, weights, X[None])[0].permute(0, 3, 1, 2, 4).flatten(3)
        blocks.append(parts @ parts.transpose(2, 3))
    return torch.cat(blocks, dim=1) if blocks else X.new_empty(len(X), 0, X.shape[1], X.shape[1])


def _convolve(signal: Tensor, weight: Tensor, layout: Layout, layer: int) -> Tensor:
    """Convolve ``(members, signals, time, dim)`` with weights ``(members, taps * dim, out)``."""
    _, taps, stride = layout.conv_layers[layer]
    members, n_signals, n_times, n_dims = signal.shape
    n_windows = (n_times - taps) // stride + 1
    if taps == stride:
        # windows that do not overlap need no copy
        windows = signal[:, :, : n_windows * stride]
    else:
        windows = signal.unfold(2, taps, stride).transpose(3, 4)
    flat = windows.reshape(members, n_signals * n_windows, taps * n_dims)
    return torch.bmm(flat, weight).reshape(members, n_signals, n_windows, -1)


def _tokens(layout: Layout, weights: Weights, first: Tensor) -> Tensor:
    """Return tokens ``(members, signals, tokens, d_model)`` of the first convolution's output."""
    centred = first - first.mean(dim=2, keepdim=True)
    variance = centred.square().mean(dim=2, keepdim=True)
    gain = weights["norm-weight"][:, None, None] * torch.rsqrt(variance + _NORM_EPS)
    hidden = functional.gelu(centred * gain + weights["norm-bias"][:, None, None])
    for layer in range(1, len(layout.conv_layers)):
        hidden = functional.gelu(_convolve(hidden, weights[f"convolution{layer}"], layout, layer))
    return hidden


def stimulus_map(layout: Layout, weights: Weights, n_times: int) -> Tensor:
    """Return the map from a signal to its Fourier coefficients.

    The convolution at every sample and the transform of its output are one linear map.

    Parameters
    ----------
    layout : Layout
    weights : dict of str to Tensor
    n_times : int
        Samples of the epochs at 128 Hz.

    Returns
    -------
    map : Tensor, shape (members, samples, parts)
    """
    kernels = weights["convolution0"]
    lines = stimulus_lines(layout.frequencies, n_times, layout.conv_layers[0][1])
    return torch.matmul(lines.to(kernels.device), kernels[:, None]).flatten(2)


def _stimulus_parts(layout: Layout, weights: Weights, virtual: Tensor) -> Tensor:
    """Return Fourier coefficients ``(members, n, virtual, 2 parts, frequencies, kernels)``."""
    known = weights.get(STIMULUS_MAP)
    mapped = stimulus_map(layout, weights, virtual.shape[-1]) if known is None else known
    parts = torch.bmm(virtual.flatten(1, 2), mapped)
    return parts.reshape(*virtual.shape[:3], 2, len(layout.frequencies), -1)


@lru_cache(maxsize=32)
def stimulus_lines(frequencies: tuple[float, ...], n_times: int, taps: int) -> Tensor:
    """Return the sliding Fourier transform at the stimulus frequencies.

    Times a kernel it is the map from an epoch to the Fourier coefficients, over the whole
    window, of the epoch's convolution with that kernel at every sample.

    Parameters
    ----------
    frequencies : tuple of float
        Hz.
    n_times : int
        Samples of the epochs at 128 Hz.
    taps : int
        Length of the kernels.

    Returns
    -------
    lines : Tensor, shape (samples, 2 parts * frequencies, taps)
    """
    n_valid = n_times - taps + 1
    angles = 2 * np.pi * np.arange(n_valid)[:, np.newaxis] / MODEL_SFREQ * np.array(frequencies)
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1) / n_valid
    lines = np.zeros((n_times, 2 * len(frequencies), taps), dtype=np.float32)
    for lag in range(taps):
        lines[lag : lag + n_valid, :, lag] = waves
    return torch.from_numpy(lines)
