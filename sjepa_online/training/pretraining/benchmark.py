"""The speed of a training step, beside the same network built plainly from torch's modules."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from sjepa_online.model import PRETRAINING_CHANNELS, SignalJEPA, spatial_block_masks
from sjepa_online.signal.montage import channel_positions
from sjepa_online.training.pretraining.arithmetic import training_operations
from sjepa_online.training.pretraining.corpus import Pass, derived_seed
from sjepa_online.training.pretraining.devices import Devices, measured_peak
from sjepa_online.training.pretraining.objective import Objective, gather_channels
from sjepa_online.training.pretraining.recipe import Recipe

_REPETITIONS = 5
_DECAY = 0.996


class BenchmarkResult(NamedTuple):
    """Examples per second, a number per repetition, and how they compare.

    Attributes
    ----------
    ours, plain, plain_same_precision : list of float
        Examples per second; the sides take turns. ``plain`` runs in float32, as modules of
        torch do unless told otherwise.
    ratios, ratios_same_precision : list of float
        Ours over plain of each repetition.
    operations_per_example : float
        Of ours.
    peak : float
        Operations per second of a large matrix product in our precision, measured before.
    share : float
        Of ours (median) in the peak.
    """

    ours: list[float]
    plain: list[float]
    plain_same_precision: list[float]
    ratios: list[float]
    ratios_same_precision: list[float]
    operations_per_example: float
    peak: float
    share: float


class PlainTraining(nn.Module):
    """S-JEPA from ``nn.TransformerEncoder`` and ``nn.TransformerDecoder``.

    Every token goes through the context encoder, which is told not to look at masked ones.
    """

    def __init__(self, network: SignalJEPA, n_target_layers: int) -> None:
        super().__init__()
        config = network.config
        size = (config.d_model, config.n_heads, config.d_feed_forward, config.dropout)
        self.network = network
        self.encoder = nn.TransformerEncoder(
            nn.TransformerEncoderLayer(*size, batch_first=True),
            config.n_encoder_layers,
            nn.LayerNorm(config.d_model),
            enable_nested_tensor=False,
        )
        self.predictor = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(*size, batch_first=True),
            config.n_decoder_layers,
            nn.LayerNorm(config.d_model),
        )
        self.target = deepcopy(self.encoder).requires_grad_(False).eval()
        self.target_local = deepcopy(network.local_encoder).requires_grad_(False)
        self.n_target_layers = n_target_layers

    def forward(self, part: Pass) -> Tensor:
        """Return the sum over masked channels of the mean absolute difference of their tokens.

        Parameters
        ----------
        part : Pass

        Returns
        -------
        loss : Tensor, shape ()
        """
        signal = part.signal.to(self.network.channel_embedding.table.device)
        masked = part.hidden.to(signal.device)
        local = self.network.local_encoder(signal)
        n_tokens = local.shape[2]
        position = self.network.position(part.ch_names, n_tokens)
        unseen = masked.repeat_interleave(n_tokens, dim=1)
        context = self.encoder((local + position).flatten(1, 2), src_key_padding_mask=unseen)
        hidden = gather_channels(part.hidden)
        channels = hidden.channels.to(signal.device)
        padding = torch.zeros_like(channels, dtype=torch.bool)
        if hidden.padding is not None:
            padding = hidden.padding.to(signal.device)
        predicted = self.predictor(
            position[channels].flatten(1, 2),
            context,
            tgt_key_padding_mask=padding.repeat_interleave(n_tokens, dim=1),
            memory_key_padding_mask=unseen,
        )
        rows = torch.arange(len(signal), device=signal.device).unsqueeze(1)
        targets = self._targets(signal, position).reshape(local.shape)[rows, channels]
        error = (predicted.float().reshape(targets.shape) - targets).abs().mean(dim=(2, 3))
        return torch.sum(error.masked_fill(padding, 0.0))

    @torch.no_grad()
    def _targets(self, signal: Tensor, position: Tensor) -> Tensor:
        self.target.eval()
        tokens = (self.target_local(signal) + position).flatten(1, 2)
        outputs = []
        for layer in self.target.layers:
            tokens = layer(tokens)
            outputs.append(tokens)
        mean = torch.stack(outputs[-self.n_target_layers :]).float().mean(dim=0)
        return functional.layer_norm(mean, mean.shape[-1:])

    @torch.no_grad()
    def update_target(self, decay: float) -> None:
        """Move the target towards the encoder.

        Parameters
        ----------
        decay : float
            Share that the target keeps, from 0 to 1.
        """
        pairs = [(self.target, self.encoder), (self.target_local, self.network.local_encoder)]
        for target, trained in pairs:
            for average, parameter in zip(target.parameters(), trained.parameters(), strict=True):
                average.lerp_(parameter, 1 - decay)


def run_benchmark(
    recipe: Recipe, devices: Devices, report: Callable[[str], None]
) -> BenchmarkResult:
    """Time training steps of a recipe, ours and plain ones in turn.

    A step is forward, backward, AdamW and the moving average, on noise in the montage of
    Lee2019 (62 channels); all sides see the same examples and masks.

    Parameters
    ----------
    recipe : Recipe
        Window, mask, network, precision and batch size.
    devices : Devices
        Where; more than one process is not measured.
    report : callable
        Told of each repetition.

    Returns
    -------
    result : BenchmarkResult
    """
    n_tokens = len(PRETRAINING_CHANNELS) * recipe.examples.window_seconds
    batch_size = min(recipe.optimisation.batch_size, max(1, devices.pass_tokens // n_tokens))
    part = _example_pass(recipe, batch_size)
    config = recipe.network.config(PRETRAINING_CHANNELS)
    torch.manual_seed(recipe.optimisation.seed)
    device = devices.fabric.device
    n_layers = recipe.objective.target_layers
    ours = Objective(SignalJEPA(config), n_layers, devices.compiled).to(device)
    plain = PlainTraining(SignalJEPA(config), n_layers).to(device)
    steps = {
        "ours": _step(ours, part, devices.fabric.autocast),
        "plain": _step(plain, part, nullcontext),
        "plain_same_precision": _step(plain, part, devices.fabric.autocast),
    }
    peak = measured_peak(device, devices.bfloat16)
    speeds: dict[str, list[float]] = {name: [] for name in steps}
    for repetition in range(_REPETITIONS + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if repetition:
                speeds[name].append(batch_size / (time.perf_counter() - start))
        if repetition:
            values = ", ".join(f"{name} {values[-1]:.3g}" for name, values in speeds.items())
            report(f"{values} examples/s")
    n_channels = part.hidden.shape[1]
    n_visible = n_channels - round(int(part.hidden.sum()) / batch_size)
    operations = training_operations(config, recipe.examples.n_times, n_channels, n_visible)
    return BenchmarkResult(
        **speeds,
        ratios=_ratios(speeds["ours"], speeds["plain"]),
        ratios_same_precision=_ratios(speeds["ours"], speeds["plain_same_precision"]),
        operations_per_example=operations,
        peak=peak,
        share=statistics.median(speeds["ours"]) * operations / peak,
    )


def _ratios(ours: list[float], plain: list[float]) -> list[float]:
    return [a / b for a, b in zip(ours, plain, strict=True)]


def _example_pass(recipe: Recipe, batch_size: int) -> Pass:
    generator = torch.Generator().manual_seed(derived_seed(recipe.optimisation.seed))
    shape = (batch_size, len(PRETRAINING_CHANNELS), recipe.examples.n_times)
    positions = torch.from_numpy(channel_positions(PRETRAINING_CHANNELS)).float()
    return Pass(
        ch_names=PRETRAINING_CHANNELS,
        signal=10 * torch.randn(shape, generator=generator),
        hidden=spatial_block_masks(positions, recipe.objective.mask_radius, batch_size, generator),
    )


def _step(
    side: Objective | PlainTraining, part: Pass, precision: Callable[[], Any]
) -> Callable[[], None]:
    trained = [parameter for parameter in side.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, fused=True)
    side.train()

    def step() -> None:
        optimizer.zero_grad()
        with precision():
            loss = side(part)
        loss.backward()
        optimizer.step()
        side.update_target(_DECAY)
        # reading the loss waits for the device
        float(loss.detach())

    return step
