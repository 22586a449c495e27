"""Spatial block masks of pretraining (Guetschel et al. 2024)."""

from __future__ import annotations

import torch
from torch import Tensor

from sjepa_online.errors import InputError


def spatial_block_masks(
    positions: Tensor, radius: float, n_masks: int, generator: torch.Generator
) -> Tensor:
    """Draw masks that each hide all channels within a sphere around a random electrode.

    The paper's blocks of 40, 60 and 80 % of the head have a radius of 0.4, 0.6 and 0.8. At
    least one channel is hidden and at least one, the farthest from the centre, is visible.

    Parameters
    ----------
    positions : Tensor, shape (channels, 3)
        Electrode positions, with the head's radius as unit.
    radius : float
        Radius of the sphere, with the head's radius as unit.
    n_masks : int
        How many masks to draw.
    generator : torch.Generator
        Source of the random centres, on the CPU; the same state gives the same masks.

    Returns
    -------
    Tensor of bool, shape (n_masks, channels)
        True where a channel is hidden.

    Raises
    ------
    InputError
        Fewer than two channels, or a radius that is not positive.
    """
    if len(positions) < 2 or radius <= 0:
        raise InputError(
            "A spatial block mask cannot be drawn with fewer than two channels or without a radius",
            value=f"{len(positions)} channels, radius {radius}",
            remedy="Use a recording with more channels, or a radius such as 0.4.",
        )
    centres = torch.randint(len(positions), (n_masks,), generator=generator)
    distances = torch.linalg.vector_norm(positions - positions[centres].unsqueeze(1), dim=-1)
    hidden: Tensor = distances <= radius
    hidden[torch.arange(n_masks), centres] = True
    hidden[torch.arange(n_masks), distances.argmax(dim=1)] = False
    return hidden
