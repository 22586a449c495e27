"""Small networks, and the folder with the reference outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from sjepa_online.model import ModelConfig, SignalJEPA

CHANNELS = ("Fz", "C3", "Cz", "C4", "Pz", "Oz")


@pytest.fixture
def network() -> SignalJEPA:
    """A small network on six channels, whose table differs from its initialisation."""
    torch.manual_seed(0)
    config = ModelConfig.for_channels(
        CHANNELS, n_encoder_layers=2, n_decoder_layers=1, d_feed_forward=32
    )
    network = SignalJEPA(config).eval()
    with torch.no_grad():
        network.channel_embedding.table += 0.3 * torch.randn(len(CHANNELS), 30)
    return network


@pytest.fixture
def x() -> torch.Tensor:
    """Three windows of the small network's channels, four tokens long (µV)."""
    return 20 * torch.randn(3, len(CHANNELS), 536, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def parity() -> Path:
    """The shared folder with outputs of the published reference implementation."""
    folder = Path(__file__).resolve().parents[2].parent / "shared" / "parity"
    if not folder.is_dir():
        pytest.skip("the reference outputs in ../shared/parity are not here")
    return folder
