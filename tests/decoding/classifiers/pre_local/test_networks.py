"""What the batched networks read equals what the local encoder and plain convolutions give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from sjepa_online.decoding.classifiers.pre_local import ensemble, networks
from sjepa_online.decoding.classifiers.pre_local.networks import Layout, Weights, encode
from sjepa_online.model import ModelConfig
from sjepa_online.model.local_encoder import LocalEncoder

FREQUENCIES = (9.0, 13.0)
N_MEMBERS, N_TRIALS, N_VIRTUAL, N_TIMES = 3, 5, 2, 300
CONV_LAYERS = ModelConfig.for_channels().conv_layers


@pytest.fixture
def encoders() -> list[LocalEncoder]:
    """Different weights for each member."""
    made = []
    for seed in range(N_MEMBERS):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = LocalEncoder(ModelConfig.for_channels())
            for parameter in encoder.parameters():
                torch.nn.init.normal_(parameter, std=0.3)
        made.append(encoder.requires_grad_(False))
    return made


@pytest.fixture
def weights(encoders: list[LocalEncoder]) -> Weights:
    parts = [networks.encoder_weights(encoder, 1) for encoder in encoders]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


@pytest.fixture
def virtual() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return 10 * torch.randn(N_MEMBERS, N_TRIALS, N_VIRTUAL, N_TIMES, generator=generator)


def _layout(*readouts: str) -> Layout:
    return Layout(CONV_LAYERS, readouts, FREQUENCIES, slow=(0, 5), rhythmic=(1, 2, 7))


def _read(layout: Layout, weights: Weights, virtual: Tensor) -> Tensor:
    (name,) = layout.readouts
    rest = torch.zeros(N_MEMBERS, N_VIRTUAL, len(layout.rhythmic) + len(FREQUENCIES))
    return encode(layout, weights, virtual, rest)[name]


def _convolved(encoder: LocalEncoder, x: Tensor, stride: int) -> Tensor:
    """Return the first convolution ``(n, virtual, kernels, time)`` of ``(n, virtual, samples)``."""
    kernels = encoder.convolutions[0].get_parameter("weight")
    flat = torch.nn.functional.conv1d(x.flatten(0, 1)[:, None], kernels, stride=stride)
    return flat.reshape(*x.shape[:2], *flat.shape[1:])


def test_tokens_are_those_of_each_members_local_encoder(
    encoders: list[LocalEncoder], weights: Weights, virtual: Tensor
) -> None:
    tokens = _read(_layout(networks.TOKENS), weights, virtual)
    for member, encoder in enumerate(encoders):
        expected = encoder(virtual[member]).flatten(1)
        torch.testing.assert_close(tokens[member], expected, rtol=1e-4, atol=1e-5)


def test_time_courses_are_the_first_convolution_of_slow_kernels(
    encoders: list[LocalEncoder], weights: Weights, virtual: Tensor
) -> None:
    courses = _read(_layout(networks.TIME_COURSE), weights, virtual)
    for member, encoder in enumerate(encoders):
        expected = _convolved(encoder, virtual[member], stride=8)[:, :, [0, 5]].transpose(2, 3)
        torch.testing.assert_close(courses[member], expected.flatten(1), rtol=1e-4, atol=1e-4)


def test_band_power_is_the_mean_square_behind_rhythmic_kernels(
    encoders: list[LocalEncoder], weights: Weights, virtual: Tensor
) -> None:
    powers = _read(_layout(networks.BAND_POWER), weights, virtual)
    for member, encoder in enumerate(encoders):
        filtered = _convolved(encoder, virtual[member], stride=8)[:, :, [1, 2, 7]]
        expected = filtered.square().mean(dim=3).log().flatten(1)
        torch.testing.assert_close(powers[member], expected, rtol=1e-4, atol=1e-4)


def test_stimulus_readouts_are_fourier_coefficients_of_the_first_convolution(
    encoders: list[LocalEncoder], weights: Weights, virtual: Tensor
) -> None:
    powers = _read(_layout(networks.STIMULUS_POWER), weights, virtual)
    phases = _read(_layout(networks.STIMULUS_PHASE), weights, virtual)
    for member, encoder in enumerate(encoders):
        filtered = _convolved(encoder, virtual[member], stride=1).numpy().astype(float)
        seconds = np.arange(filtered.shape[-1]) / 128
        waves = np.exp(2j * np.pi * seconds[:, np.newaxis] * np.array(FREQUENCIES))
        lines = filtered @ waves / len(seconds)
        expected = np.log((np.abs(lines) ** 2).sum(axis=2)).reshape(N_TRIALS, -1)
        np.testing.assert_allclose(powers[member], expected, atol=1e-3)
        parts = np.stack([lines.real, lines.imag], axis=2).transpose(0, 1, 2, 4, 3)
        np.testing.assert_allclose(phases[member], parts.reshape(N_TRIALS, -1), atol=1e-3)


def test_a_map_that_is_kept_changes_nothing(weights: Weights, virtual: Tensor) -> None:
    layout = _layout(networks.STIMULUS_PHASE)
    kept = weights | {networks.STIMULUS_MAP: networks.stimulus_map(layout, weights, N_TIMES)}
    torch.testing.assert_close(_read(layout, kept, virtual), _read(layout, weights, virtual))


def test_powers_of_channels_are_those_that_the_readouts_take_the_logarithm_of(
    encoders: list[LocalEncoder], virtual: Tensor
) -> None:
    weights = networks.encoder_weights(encoders[0], 1)
    layout = _layout(networks.BAND_POWER, networks.STIMULUS_POWER)
    powers = networks.channel_powers(layout, weights, virtual[0])
    assert powers.shape == (N_TRIALS, 3 + 2, N_VIRTUAL, N_VIRTUAL)
    read = encode(layout, weights, virtual[:1], torch.zeros(1, N_VIRTUAL, 5))
    expected = torch.cat(
        [one[0].exp().reshape(N_TRIALS, N_VIRTUAL, -1) for one in read.values()], dim=2
    )
    diagonal = torch.diagonal(powers, dim1=2, dim2=3).transpose(1, 2)
    torch.testing.assert_close(diagonal, expected, rtol=1e-3, atol=1e-4)


def test_power_that_is_missing_is_added(weights: Weights, virtual: Tensor) -> None:
    layout = _layout(networks.BAND_POWER)
    rest = torch.full((N_MEMBERS, N_VIRTUAL, 5), 2.0)
    read = encode(layout, weights, virtual, rest)[networks.BAND_POWER]
    plain = _read(layout, weights, virtual)
    torch.testing.assert_close(read.exp(), plain.exp() + 2, rtol=1e-4, atol=1e-3)


def test_band_power_of_epochs_that_members_share_is_that_of_the_filtered_convolution(
    encoders: list[LocalEncoder], weights: Weights
) -> None:
    generator = torch.Generator().manual_seed(1)
    x = 10 * torch.randn(N_TRIALS, 4, N_TIMES, generator=generator)
    spatial = torch.randn(N_MEMBERS, N_VIRTUAL, 4, generator=generator)
    rest = torch.rand(N_MEMBERS, N_VIRTUAL, 5, generator=generator)
    powers = networks.encode_power(_layout(networks.BAND_POWER), weights, spatial, x, rest)
    for member, encoder in enumerate(encoders):
        filtered = _convolved(encoder, spatial[member] @ x, stride=8)[:, :, [1, 2, 7]]
        expected = (filtered.square().mean(dim=3) + rest[member, :, :3]).log().flatten(1)
        torch.testing.assert_close(powers[member], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("n_channels", "first"), [(6, "encode_power"), (7, "encode")])
def test_what_takes_longer_comes_last_and_the_features_are_the_same(
    weights: Weights, monkeypatch: pytest.MonkeyPatch, n_channels: int, first: str
) -> None:
    generator = torch.Generator().manual_seed(2)
    x = 10 * torch.randn(N_TRIALS, n_channels, N_TIMES, generator=generator)
    spatial = torch.randn(N_MEMBERS, N_VIRTUAL, n_channels, generator=generator)
    readout = torch.randn(N_MEMBERS, N_VIRTUAL * 3 + 1, 2, generator=generator)
    layout = replace(_layout(networks.BAND_POWER), frequencies=())
    members = ensemble.Ensemble(
        layout,
        weights | {networks.SPATIAL: spatial, networks.BAND_POWER: readout},
        np.tile(np.eye(n_channels), (4, 1, 1)),
        N_TIMES,
    )
    virtual = networks.virtual_channels(spatial, x)
    features = encode(layout, weights, virtual, torch.zeros(N_MEMBERS, N_VIRTUAL, 3))
    expected = networks.read_out(readout, features[networks.BAND_POWER]).log_softmax(dim=-1)
    other = {"encode", "encode_power"} - {first}
    monkeypatch.delattr(ensemble, other.pop())
    given = members.log_probabilities(x.numpy())[0]
    np.testing.assert_allclose(given, expected.numpy(), rtol=1e-3, atol=1e-3)


def test_readouts_that_are_not_asked_for_are_not_given(weights: Weights, virtual: Tensor) -> None:
    layout = replace(_layout(networks.TOKENS), readouts=(networks.TOKENS, networks.BAND_POWER))
    rest = torch.zeros(N_MEMBERS, N_VIRTUAL, 5)
    assert list(encode(layout, weights, virtual, rest)) == [networks.TOKENS, networks.BAND_POWER]


def test_kernels_are_sorted_by_their_peak() -> None:
    seconds = np.arange(32) / 128
    kernels = np.hanning(32) * np.cos(2 * np.pi * np.array([[4.0], [12.0], [40.0]]) * seconds)
    assert networks.choose_kernels(kernels) == ((0,), (1,))
    assert networks.choose_kernels(kernels[2:]) == ((0,), (0,))
