"""Against torch.nn.Transformer, which knows nothing of this code."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sjepa_online.model import ModelConfig, transformer
from sjepa_online.model.transformer import ContextEncoder, Predictor

RENAMES = {
    "cross_attention.in_projection.": "multihead_attn.in_proj_",
    "cross_attention.out_projection.": "multihead_attn.out_proj.",
    "attention.in_projection.": "self_attn.in_proj_",
    "attention.out_projection.": "self_attn.out_proj.",
    "feed_forward.expand.": "linear1.",
    "feed_forward.contract.": "linear2.",
}
NORMS = {
    "encoder": ("attention_norm", "feed_forward_norm"),
    "decoder": ("attention_norm", "cross_attention_norm", "feed_forward_norm"),
}


def copy_weights(ours: nn.Module, theirs: nn.Module, part: str) -> None:
    source = theirs.state_dict()
    state = {}
    for name in ours.state_dict():
        other = name
        for prefix, replacement in RENAMES.items():
            other = other.replace(prefix, replacement)
        for number, norm in enumerate(NORMS[part], start=1):
            other = other.replace(f".{norm}.", f".norm{number}.")
        state[name] = source[other]
    ours.load_state_dict(state)


@pytest.fixture
def config() -> ModelConfig:
    return ModelConfig.for_channels(
        ["Cz"], n_encoder_layers=3, n_decoder_layers=2, d_feed_forward=96
    )


@pytest.fixture
def plain() -> nn.Transformer:
    torch.manual_seed(0)
    transformer = nn.Transformer(64, 8, 3, 2, 96, batch_first=True).eval()
    for parameter in transformer.parameters():
        nn.init.normal_(parameter, std=0.2)
    return transformer


@pytest.fixture
def padding() -> torch.Tensor:
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[0, 5:] = True
    padding[1, 2] = True
    return padding


def test_the_context_encoder_is_a_torch_encoder(
    config: ModelConfig, plain: nn.Transformer, padding: torch.Tensor
) -> None:
    encoder = ContextEncoder(config).eval()
    copy_weights(encoder, plain.encoder, "encoder")
    tokens = torch.randn(2, 7, 64)
    torch.testing.assert_close(encoder(tokens), plain.encoder(tokens))
    ours = encoder(tokens, padding)
    theirs = plain.encoder(tokens, src_key_padding_mask=padding)
    torch.testing.assert_close(ours[~padding], theirs[~padding])
    outputs = encoder.layer_outputs(tokens)
    assert len(outputs) == 3
    torch.testing.assert_close(outputs[0], plain.encoder.layers[0](tokens))
    torch.testing.assert_close(encoder.norm(outputs[-1]), encoder(tokens))


def test_the_predictor_is_a_torch_decoder(
    config: ModelConfig, plain: nn.Transformer, padding: torch.Tensor
) -> None:
    predictor = Predictor(config).eval()
    copy_weights(predictor, plain.decoder, "decoder")
    context, targets = torch.randn(2, 7, 64), torch.randn(2, 4, 64)
    target_padding = torch.tensor([[False, False, True, True], [False] * 4])
    torch.testing.assert_close(predictor(context, targets), plain.decoder(targets, context))
    ours = predictor(context, targets, padding, target_padding)
    theirs = plain.decoder(
        targets,
        context,
        memory_key_padding_mask=padding,
        tgt_key_padding_mask=target_padding,
    )
    torch.testing.assert_close(ours[~target_padding], theirs[~target_padding])


def test_padded_tokens_change_nothing(config: ModelConfig, padding: torch.Tensor) -> None:
    encoder = ContextEncoder(config).eval()
    tokens = torch.randn(2, 7, 64)
    other = tokens.clone()
    other[padding] = 1e6
    torch.testing.assert_close(
        encoder(tokens, padding)[~padding], encoder(other, padding)[~padding]
    )


def test_training_gradients_equal_those_of_torch(
    config: ModelConfig, plain: nn.Transformer
) -> None:
    encoder = ContextEncoder(config).eval()
    copy_weights(encoder, plain.encoder, "encoder")
    tokens = torch.randn(2, 7, 64)
    encoder(tokens).pow(3).sum().backward()
    plain.encoder(tokens).pow(3).sum().backward()
    ours = encoder.get_parameter("layers.0.attention.in_projection.weight").grad
    theirs = plain.encoder.get_parameter("layers.0.self_attn.in_proj_weight").grad
    torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)


def test_dropout_acts_in_training_alone(config: ModelConfig) -> None:
    encoder = ContextEncoder(config)
    tokens = torch.randn(1, 5, 64)
    assert not torch.equal(encoder.train()(tokens), encoder(tokens))
    assert torch.equal(encoder.eval()(tokens), encoder(tokens))


def test_new_weights_have_the_spread_of_a_torch_transformer(config: ModelConfig) -> None:
    torch.manual_seed(0)
    ours = ContextEncoder(config)
    theirs = nn.Transformer(64, 8, 3, 2, 96, batch_first=True).encoder
    copied = ContextEncoder(config)
    copy_weights(copied, theirs, "encoder")
    for name, parameter in ours.named_parameters():
        expected = copied.get_parameter(name)
        assert parameter.std().item() == pytest.approx(expected.std().item(), rel=0.3), name
        assert parameter.mean().item() == pytest.approx(expected.mean().item(), abs=0.05), name


@pytest.mark.parametrize("padded", [False, True])
def test_long_sequences_without_dropout_train_as_short_ones_do(
    monkeypatch: pytest.MonkeyPatch, padded: bool
) -> None:
    """From ``FUSED_FROM`` keys on torch's fused attention takes the place of the own kernel."""
    config = ModelConfig.for_channels(["Cz"], dropout=0.0)
    attention = transformer.Attention(config)
    tokens = torch.randn(2, transformer.FUSED_FROM, 64, requires_grad=True)
    padding = torch.zeros(2, transformer.FUSED_FROM, dtype=torch.bool)
    padding[1, 100:] = True

    def run() -> tuple[torch.Tensor, torch.Tensor]:
        output = attention(tokens, tokens, padding if padded else None)
        return output, torch.autograd.grad(output.square().sum(), tokens)[0]

    with monkeypatch.context() as patch:
        patch.setattr(transformer.cpu_kernels, "attend", None)
        fused = run()
    monkeypatch.setattr(transformer, "FUSED_FROM", transformer.FUSED_FROM + 1)
    torch.testing.assert_close(fused, run(), rtol=1e-5, atol=1e-6)
