import pytest
import torch
from torch.nn.functional import layer_norm

from sjepa_online.model import ModelConfig, SignalJEPA, spatial_block_masks
from sjepa_online.signal.montage import channel_positions
from sjepa_online.training.pretraining.arithmetic import training_operations
from sjepa_online.training.pretraining.benchmark import PlainTraining
from sjepa_online.training.pretraining.corpus import Pass
from sjepa_online.training.pretraining.objective import Objective, gather_channels

CH_NAMES = ("F3", "F4", "T7", "C3", "Cz", "C4", "T8", "P3", "Pz", "P4")


@pytest.fixture
def network() -> SignalJEPA:
    torch.manual_seed(0)
    config = ModelConfig.for_channels(
        CH_NAMES, n_encoder_layers=3, n_decoder_layers=2, d_feed_forward=32, dropout=0.0
    )
    return SignalJEPA(config)


@pytest.fixture
def part() -> Pass:
    generator = torch.Generator().manual_seed(0)
    positions = torch.from_numpy(channel_positions(CH_NAMES)).float()
    return Pass(
        CH_NAMES,
        10 * torch.randn(4, len(CH_NAMES), 408, generator=generator),
        spatial_block_masks(positions, 0.8, 4, generator),
    )


def _one_by_one(network: SignalJEPA, part: Pass, n_layers: int) -> torch.Tensor:
    """The same error by loops over examples, without gathering or padding."""
    total = torch.zeros(())
    position = network.position(CH_NAMES, 3)
    for signal, hidden in zip(part.signal, part.hidden, strict=True):
        local = network.local_encoder(signal[None])
        outputs = network.context_encoder.layer_outputs((local + position).flatten(1, 2))
        mean = sum(outputs[-n_layers:]) / n_layers
        targets = layer_norm(mean, mean.shape[-1:]).reshape(local.shape)[:, hidden]
        seen = network.local_encoder(signal[None, ~hidden]) + position[~hidden]
        context = network.context_encoder(seen.flatten(1, 2))
        queries = position[hidden].flatten(0, 1)[None]
        predicted = network.predictor(context, queries).reshape(targets.shape)
        total = total + (predicted - targets.detach()).abs().mean(dim=(2, 3)).sum()
    return total


def test_the_error_is_that_of_examples_one_by_one(network: SignalJEPA, part: Pass) -> None:
    assert len(set(part.hidden.sum(dim=1).tolist())) > 1  # so that padding is needed
    objective = Objective(network, 2)
    torch.testing.assert_close(objective(part), _one_by_one(network, part, 2), rtol=1e-5, atol=1e-5)


def test_its_gradient_is_that_of_examples_one_by_one(network: SignalJEPA, part: Pass) -> None:
    Objective(network, 2)(part).backward()
    ours = {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}
    network.zero_grad()
    _one_by_one(network, part, 2).backward()
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, rtol=1e-3, atol=1e-4, msg=name)


def test_hidden_signal_reaches_the_targets_and_nothing_else(
    network: SignalJEPA, part: Pass
) -> None:
    objective = Objective(network, 2)
    visible = gather_channels(~part.hidden)
    changed = part.signal.clone()
    changed[part.hidden] = changed[part.hidden].flip(-1)
    encoded = objective._visible_tokens(part.signal, visible)
    assert torch.equal(objective._visible_tokens(changed, visible), encoded)
    assert not torch.allclose(objective(part._replace(signal=changed)), objective(part))


def test_the_target_gets_no_gradient_and_follows_the_network(
    network: SignalJEPA, part: Pass
) -> None:
    objective = Objective(network, 2)
    objective(part).backward()
    assert all(p.grad is None for p in objective.target.parameters())
    before = [p.clone() for p in objective.target.parameters()]
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 1.0
    objective.update_target(0.75)
    for old, new in zip(before, objective.target.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.25)


def test_gather_lists_each_examples_channels() -> None:
    chosen = torch.tensor([[True, False, True, False], [False, False, False, True]])
    gathered = gather_channels(chosen)
    assert gathered.padding is not None
    listed = [
        channels[~padding].tolist()
        for channels, padding in zip(gathered.channels, gathered.padding, strict=True)
    ]
    assert listed == [[0, 2], [3]]
    assert gather_channels(chosen[:1]).padding is None


def test_the_plain_network_computes_the_same_error(network: SignalJEPA, part: Pass) -> None:
    plain = PlainTraining(network, 2)
    _copy(network.context_encoder, plain.encoder)
    _copy(network.context_encoder, plain.target)
    _copy(network.predictor, plain.predictor)
    torch.testing.assert_close(plain(part), Objective(network, 2)(part), rtol=1e-5, atol=1e-5)


def test_operations_are_those_that_torch_counts(network: SignalJEPA, part: Pass) -> None:
    from torch.utils.flop_counter import FlopCounterMode

    hidden = part.hidden[:1].expand(4, -1)  # without padding
    with FlopCounterMode(display=False) as counter:
        Objective(network, 2)(part._replace(hidden=hidden)).backward()
    n_visible = len(CH_NAMES) - int(hidden[0].sum())
    expected = 4 * training_operations(network.config, 408, len(CH_NAMES), n_visible)
    assert counter.get_total_flops() == pytest.approx(expected, rel=0.05)


def _copy(ours: torch.nn.Module, plain: torch.nn.Module) -> None:
    """Copy weights under the names of nn.Transformer."""
    renamed = {}
    for name, value in ours.state_dict().items():
        cross = "cross_attention_norm" in name or "layers.0.cross" in "".join(ours.state_dict())
        last = "norm3" if cross and hasattr(ours.layers[0], "cross_attention") else "norm2"
        for a, b in (
            ("cross_attention_norm", "norm2"),
            ("attention_norm", "norm1"),
            ("feed_forward_norm", last),
            ("cross_attention", "multihead_attn"),
            ("attention.", "self_attn."),
            ("in_projection.", "in_proj_"),
            ("out_projection", "out_proj"),
            ("feed_forward.expand", "linear1"),
            ("feed_forward.contract", "linear2"),
        ):
            name = name.replace(a, b)
        renamed[name] = value
    plain.load_state_dict(renamed)
