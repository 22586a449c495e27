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
def test_new_and_pretrained_parameters_are_all_and_apart(
    kind: type[Head], network: SignalJEPA
) -> None:
    head = kind(network, 4, 536)
    new, pretrained = head.new_parameters(), head.pretrained_parameters()
    # 6 channels to 4, and 4 * 4 tokens * 64 dims to 4 classes, with biases
    assert sum(p.numel() for p in new) == 6 * 4 + 4 + 1024 * 4 + 4
    assert {id(p) for p in new}.isdisjoint({id(p) for p in pretrained})
    assert len(new) + len(pretrained) == len(list(head.parameters()))
    used = network if kind is ContextualHead else network.local_encoder
    assert sum(p.numel() for p in pretrained) == sum(p.numel() for p in used.parameters())


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


@pytest.mark.parametrize("kind", [PreLocalHead, PostLocalHead])
@torch.no_grad()
def test_a_filter_for_fewer_channels_equals_zeros_for_the_others(
    kind: type[Head], network: SignalJEPA, x: torch.Tensor
) -> None:
    head = kind(network, 4, 536)
    good = [0, 2, 3, 5]
    fewer = head(x[:, good], head.spatial.weight[:, good])
    zeros = head.spatial.weight.clone()
    zeros[:, [1, 4]] = 0
    torch.testing.assert_close(fewer, head(x, zeros), rtol=1e-4, atol=1e-4)


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
