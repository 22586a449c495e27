"""Devices: how many, in which precision, and how fast they multiply."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy

from sjepa_online.errors import InputError
from sjepa_online.training.pretraining.recipe import Recipe

#: Size and repetitions of the matrix product that measures a device.
_PROBE_SIZE = {"cpu": 1024, "cuda": 8192}
_PROBE_REPEATS = 5
#: Tokens that go through the network together: what a processor's caches hold, and enough to
#: fill a GPU.
_PASS_TOKENS = {"cpu": 1024, "cuda": 65536}
#: bfloat16 is worth its rounding where products are at least this many times as fast.
_WORTHWHILE = 1.5
# the first process may take long over the store while the others wait
_PATIENCE = timedelta(days=2)


class Devices(NamedTuple):
    """Fabric, and the settings of its device.

    Attributes
    ----------
    fabric : Fabric
        Launched.
    bfloat16 : bool
        Whether products run in bfloat16.
    compiled : bool
        Whether the transformer is compiled.
    pass_tokens : int
        Most tokens that go through the network together, unless one example has more.
    """

    fabric: Any
    bfloat16: bool
    compiled: bool
    pass_tokens: int


def launch_devices(recipe: Recipe, accelerator: str, devices: int, nodes: int) -> Devices:
    """Start the processes of a training, one per device.

    Under torchrun or SLURM the processes are there already, and are found.

    Parameters
    ----------
    recipe : Recipe
        Precision and number of slices.
    accelerator : str
        ``auto``, ``cpu`` or ``cuda``.
    devices, nodes : int
        Devices per machine, and machines.

    Returns
    -------
    devices : Devices

    Raises
    ------
    InputError
        The slices of a batch cannot be shared out, or there are fewer devices.
    """
    plan = recipe.optimisation
    if plan.slices % (devices * nodes):
        raise InputError(
            "The slices of a batch cannot be divided equally among the devices",
            value=f"{plan.slices} slices, {devices * nodes} devices",
            remedy="Set 'slices' under [optimisation] to a multiple of the number of devices.",
        )
    uses_cuda = accelerator == "cuda" or (accelerator == "auto" and torch.cuda.is_available())
    kind = "cuda" if uses_cuda else "cpu"
    if uses_cuda and torch.cuda.device_count() < devices:
        raise InputError(
            "This machine has fewer GPUs than --devices asks for",
            value=f"{devices} asked for, {torch.cuda.device_count()} found",
            remedy="Ask for fewer, or for --accelerator cpu.",
        )
    bfloat16 = plan.precision == "bfloat16"
    if plan.precision == "auto":
        first = torch.device(kind)
        bfloat16 = measured_peak(first, True) > _WORTHWHILE * measured_peak(first, False)
    fabric = Fabric(
        accelerator=kind,
        devices=devices,
        num_nodes=nodes,
        strategy=DDPStrategy(timeout=_PATIENCE) if devices * nodes > 1 else "auto",
        precision="bf16-mixed" if bfloat16 else "32-true",
    )
    fabric.launch()
    return Devices(fabric, bfloat16, uses_cuda, _PASS_TOKENS[kind])


def measured_peak(device: torch.device, bfloat16: bool) -> float:
    """Measure the rate of a large matrix product.

    Random data: a product of zeros is faster than real work.

    Parameters
    ----------
    device : torch.device
    bfloat16 : bool
        Precision of the matrices: bfloat16, or float32.

    Returns
    -------
    float
        Operations per second.
    """
    size = _PROBE_SIZE[device.type]
    dtype = torch.bfloat16 if bfloat16 else torch.float32
    a = torch.randn(size, size, device=device).to(dtype)
    durations = []
    for _ in range(_PROBE_REPEATS + 1):
        _wait(device)
        start = time.perf_counter()
        a @ a
        _wait(device)
        durations.append(time.perf_counter() - start)
    return 2 * size**3 / min(durations[1:])


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
