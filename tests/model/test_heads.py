from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from sjepa_online.errors import InputError
from sjepa_online.model import ContextualHead, Head, PostLocalHead, PreLocalHead, SignalJEPA

HEADS = [PreLocalHead, PostLocalHead, ContextualHead]


@pytest.mark.parametrize("kind", HEADS)
def test_logits_have_one_column_per_class(
    kind: type[Head], network: SignalJEPA, x: torch.Tensor
) -> None:
    assert kind(network, 3, 536)(x).shape == (3, 3)
    assert kind(network, 2, 152, n_virtual=7)(x[..., :152]).shape == (3, 2)


@pytest.mark.parametrize("kind", HEADS)
def test_new_parameters_are_those_that_the_network_lacks(
    kind: type[Head], network: SignalJEPA
) -> None:
    head = kind(network, 4, 536)
    n_new = sum(p.numel() for p in head.new_parameters())
    # 6 channels to 4, and 4 * 4 tokens * 64 dims to 4 classes, with biases
    assert n_new == 6 * 4 + 4 + 1024 * 4 + 4
    used = network if kind is ContextualHead else network.local_encoder
    n_pretrained = sum(p.numel() for p in used.parameters())
    assert n_new + n_pretrained == sum(p.numel() for p in head.parameters())


@pytest.mark.parametrize("kind", HEADS)
def test_fine_tuning_leaves_the_given_network_alone(
    kind: type[Head], network: SignalJEPA, x: torch.Tensor
) -> None:
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    head = kind(network, 4, 536)
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    untrained = head(x)
    functional.cross_entropy(untrained, torch.tensor([0, 1, 2])).backward()
    optimiser.step()
    assert not torch.allclose(head(x), untrained)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


@torch.no_grad()
def test_the_pre_local_head_encodes_virtual_channels(network: SignalJEPA, x: torch.Tensor) -> None:
    head = PreLocalHead(network, 4, 536)
    virtual = head.spatial(x.transpose(1, 2)).transpose(1, 2)
    tokens = network.local_encoder(virtual)
    torch.testing.assert_close(head(x), head.readout(tokens.flatten(1)), rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_the_contextual_head_reads_predictions_for_bad_channels(
    network: SignalJEPA, x: torch.Tensor
) -> None:
    head = ContextualHead(network, 4, 536).eval()
    broken = x.clone()
    broken[:, 2] = torch.nan
    logits = head(broken, bad=["Cz"])
    tokens = network.completed_tokens(x, bad=["Cz"])
    virtual = head.spatial(tokens.movedim(1, -1)).movedim(-1, 1)
    torch.testing.assert_close(logits, head.readout(virtual.flatten(1)), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(logits, head(x))


@pytest.mark.parametrize("kind", HEADS)
def test_wrong_windows_are_refused(kind: type[Head], network: SignalJEPA, x: torch.Tensor) -> None:
    head = kind(network, 4, 536)
    with pytest.raises(InputError, match="4 tokens"):
        head(x[..., :280])
    with pytest.raises(InputError, match="6 channels"):
        head(x[:, :5])
    with pytest.raises(InputError, match="152 samples"):
        kind(network, 4, 100)
