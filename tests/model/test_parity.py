"""Equality with the published reference implementation, on its recorded outputs."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sjepa_online.model import SignalJEPA, load_braindecode_head, load_weights
from sjepa_online.model.braindecode import HeadName


@pytest.fixture(scope="module")
def reference(parity: Path) -> SignalJEPA:
    return load_weights(parity / "signal_jepa.safetensors")


@pytest.fixture(scope="module")
def expected(parity: Path) -> dict[str, torch.Tensor]:
    return load_file(parity / "expected.safetensors")


def assert_equal(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["x1", "x4"])
@torch.no_grad()
def test_tokens_and_positions_match(
    reference: SignalJEPA, expected: dict[str, torch.Tensor], name: str
) -> None:
    x = expected[name]
    local = reference.local_tokens(x)
    position = reference.position(reference.ch_names, local.shape[2]).flatten(0, 1)
    assert_equal(local.flatten(1, 2), expected[f"{name}.local_tokens"])
    assert_equal(position.expand(len(x), -1, -1), expected[f"{name}.position"])
    assert_equal(reference(x), expected[f"{name}.contextual_tokens"])


@pytest.mark.parametrize("name", ["pre-local", "post-local", "contextual"])
@torch.no_grad()
def test_logits_match(
    parity: Path, reference: SignalJEPA, expected: dict[str, torch.Tensor], name: HeadName
) -> None:
    stem = name.replace("-", "_")
    head = load_braindecode_head(parity / f"{stem}_head.safetensors", reference, name)
    assert_equal(head(expected["x4"]), expected[f"{stem}.logits"])


@torch.no_grad()
def test_permuted_channels_give_permuted_reference_tokens(
    parity: Path, reference: SignalJEPA, expected: dict[str, torch.Tensor]
) -> None:
    order = list(reversed(range(62)))
    names = [reference.ch_names[i] for i in order]
    permuted = load_weights(parity / "signal_jepa.safetensors", names)
    theirs = expected["x4.contextual_tokens"].unflatten(1, (62, 4))[:, order].flatten(1, 2)
    assert_equal(permuted(expected["x4"][:, order]), theirs)
