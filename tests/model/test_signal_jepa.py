from __future__ import annotations

import pytest
import torch

from sjepa_online.errors import InputError
from sjepa_online.model import SignalJEPA


@torch.no_grad()
def test_permuting_channels_permutes_tokens(network: SignalJEPA, x: torch.Tensor) -> None:
    order = [3, 0, 5, 1, 4, 2]
    permuted = network.with_channels([network.ch_names[i] for i in order])
    expected = network(x).unflatten(1, (6, 4))[:, order].flatten(1, 2)
    torch.testing.assert_close(permuted(x[:, order]), expected)


@torch.no_grad()
def test_dropping_channels_equals_masking_their_tokens(
    network: SignalJEPA, x: torch.Tensor
) -> None:
    padding = torch.zeros(3, 6, 4, dtype=torch.bool)
    padding[:, [1, 4]] = True
    tokens = network.local_tokens(x) + network.position(network.ch_names, 4)
    masked = network.context_encoder(tokens.flatten(1, 2), padding.flatten(1))
    torch.testing.assert_close(
        network(x, bad=["C3", "Pz"]), masked[:, ~padding[0].flatten()], atol=1e-5, rtol=1e-5
    )


@torch.no_grad()
def test_dropping_channels_equals_a_network_without_them(
    network: SignalJEPA, x: torch.Tensor
) -> None:
    kept = [0, 2, 3, 5]
    smaller = network.with_channels([network.ch_names[i] for i in kept])
    torch.testing.assert_close(network(x, bad=["C3", "Pz"]), smaller(x[:, kept]))


@torch.no_grad()
def test_a_bad_channel_may_hold_anything(network: SignalJEPA, x: torch.Tensor) -> None:
    broken = x.clone()
    broken[:, 1] = torch.nan
    broken[:, 4] = torch.inf
    bad = ["C3", "Pz"]
    assert torch.equal(network(broken, bad), network(x, bad))
    assert torch.equal(network.completed_tokens(broken, bad), network.completed_tokens(x, bad))


@torch.no_grad()
def test_completed_tokens_are_seen_ones_and_predictions_in_place(
    network: SignalJEPA, x: torch.Tensor
) -> None:
    completed = network.completed_tokens(x, bad=["Fz", "Pz"])
    context = network(x, bad=["Fz", "Pz"])
    torch.testing.assert_close(completed[:, [1, 2, 3, 5]].flatten(1, 2), context)
    pz = network.position(["Pz"], 4).flatten(0, 1)
    fz = network.position(["Fz"], 4).flatten(0, 1)
    # both at once: the predictor's queries see each other
    both = network.predict(context, torch.cat([pz, fz]).expand(3, -1, -1))
    torch.testing.assert_close(completed[:, 4], both[:, :4], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(completed[:, 0], both[:, 4:], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_the_position_joins_channel_and_time(network: SignalJEPA) -> None:
    position = network.position(["Cz", "Oz"], 3)
    assert position.shape == (2, 3, 64)
    table = network.channel_embedding.table
    assert torch.equal(position[0, :, :30], table[2].expand(3, -1))
    assert torch.equal(position[1, :, :30], table[5].expand(3, -1))
    assert torch.equal(position[0, :, 30:], position[1, :, 30:])
    assert not torch.equal(position[0, 0, 30:], position[0, 1, 30:])


def test_a_bound_copy_leaves_the_network_alone(network: SignalJEPA) -> None:
    copy = network.with_channels(["C3", "C4"])
    with torch.no_grad():
        copy.channel_embedding.table.zero_()
    assert network.ch_names == ("Fz", "C3", "Cz", "C4", "Pz", "Oz")
    assert bool(network.channel_embedding.table.any())


def test_wrong_input_is_refused(network: SignalJEPA, x: torch.Tensor) -> None:
    with pytest.raises(InputError, match="6 channels"):
        network(x[:, :5])
    with pytest.raises(InputError, match="6 channels"):
        network.local_tokens(x[0])
    with pytest.raises(InputError, match="152 samples"):
        network(x[..., :100])
    with pytest.raises(InputError, match="O1"):
        network(x, bad=["O1"])
    with pytest.raises(InputError, match="all 6 channels"):
        network(x, bad=network.ch_names)
    with pytest.raises(InputError, match="has no channel"):
        network.with_channels([])
    with pytest.raises(InputError, match="C3"):
        network.with_channels(["C3", "c3"])
