from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sjepa_online.errors import InputError
from sjepa_online.model import PRETRAINING_CHANNELS, spatial_block_masks
from sjepa_online.signal.montage import channel_positions

OCCIPITAL = ("POz", "PO3", "PO4", "O1", "Oz", "O2", "PO7", "PO8")


def draw(ch_names: tuple[str, ...], radius: float, seed: int = 0, n: int = 200) -> torch.Tensor:
    positions = torch.from_numpy(channel_positions(ch_names))
    return spatial_block_masks(positions, radius, n, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("radius", [0.4, 0.6, 0.8])
def test_each_mask_is_the_sphere_around_one_electrode(radius: float) -> None:
    positions = channel_positions(PRETRAINING_CHANNELS)
    distances = np.linalg.norm(positions[:, None] - positions[None], axis=-1)
    spheres = {tuple(row) for row in distances <= radius}
    drawn = {tuple(row) for row in draw(PRETRAINING_CHANNELS, radius, n=2000).numpy()}
    assert drawn == spheres


@settings(deadline=None)  # the first draw reads the montage
@given(
    radius=st.floats(0.01, 3),
    n_channels=st.integers(2, 8),
    seed=st.integers(0, 2**31),
)
def test_something_is_hidden_and_something_visible(
    radius: float, n_channels: int, seed: int
) -> None:
    masks = draw(OCCIPITAL[:n_channels], radius, seed, n=16)
    assert masks.shape == (16, n_channels)
    assert bool(masks.any(dim=1).all())
    assert bool((~masks).any(dim=1).all())


def test_the_same_generator_state_gives_the_same_masks() -> None:
    assert torch.equal(draw(OCCIPITAL, 0.3, seed=5), draw(OCCIPITAL, 0.3, seed=5))
    assert not torch.equal(draw(OCCIPITAL, 0.3, seed=5), draw(OCCIPITAL, 0.3, seed=6))


def test_larger_blocks_hide_more() -> None:
    shares = [draw(PRETRAINING_CHANNELS, r).double().mean() for r in (0.4, 0.6, 0.8)]
    assert 0.05 < shares[0] < shares[1] < shares[2] < 0.6


@pytest.mark.parametrize(("n_channels", "radius"), [(1, 0.4), (8, 0.0), (8, -1.0)])
def test_masks_that_hide_nothing_are_refused(n_channels: int, radius: float) -> None:
    with pytest.raises(InputError, match="two channels"):
        draw(OCCIPITAL[:n_channels], radius)
