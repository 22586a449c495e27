"""The importer, on state dicts that plain torch modules make under braindecode's names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from sjepa_online.errors import InputError
from sjepa_online.model import (
    PRETRAINING_CHANNELS,
    PostLocalHead,
    describe_weights,
    load_braindecode_head,
    load_weights,
)


class Reference(nn.Module):
    """S-JEPA from plain torch modules; attributes are named as braindecode names them."""

    def __init__(self, n_channels: int = 62, n_encoder_layers: int = 2) -> None:
        super().__init__()
        blocks: list[nn.Module] = [nn.Identity()]
        dims = [1, 8, 16, 32, 64, 64]
        for layer in range(5):
            kernel, stride = (32, 8) if layer == 0 else (2, 2)
            block = [
                nn.Conv1d(dims[layer], dims[layer + 1], kernel, stride, bias=False),
                nn.Dropout(0.0),
            ]
            block += [nn.GroupNorm(8, 8)] if layer == 0 else []
            blocks.append(nn.Sequential(*block, nn.GELU()))
        self.feature_encoder = nn.Sequential(*blocks)
        self.pos_encoder = nn.Module()
        self.pos_encoder.pos_encoder_spat = nn.Embedding(n_channels, 30)
        self.transformer = nn.Transformer(64, 8, n_encoder_layers, 1, 128, batch_first=True)

    def forward(self, x: Tensor, position: Tensor) -> Tensor:
        n, channels, _ = x.shape
        tokens = self.feature_encoder(x.reshape(n * channels, 1, -1)).transpose(1, 2)
        encoded: Tensor = self.transformer.encoder(tokens.reshape(n, -1, 64) + position)
        return encoded


@pytest.fixture
def reference() -> Reference:
    torch.manual_seed(0)
    return Reference().eval()


def write(folder: Path, tensors: dict[str, Tensor], options: object = None) -> Path:
    path = folder / "model.safetensors"
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path)
    if options is not None:
        (folder / "config.json").write_text(json.dumps(options))
    return path


@torch.no_grad()
def test_imported_weights_compute_the_same(reference: Reference, tmp_path: Path) -> None:
    network = load_weights(write(tmp_path, reference.state_dict()))
    assert network.ch_names == PRETRAINING_CHANNELS
    assert (network.config.n_encoder_layers, network.config.n_decoder_layers) == (2, 1)
    assert network.config.d_feed_forward == 128
    x = 10 * torch.randn(2, 62, 280)
    position = network.position(network.ch_names, 2).flatten(0, 1)
    theirs = reference(x, position)
    torch.testing.assert_close(network(x), theirs, atol=1e-5, rtol=1e-5)
    target = position[:6].expand(2, -1, -1)
    torch.testing.assert_close(
        network.predict(theirs, target),
        reference.transformer.decoder(target, theirs),
        atol=1e-5,
        rtol=1e-5,
    )
    embedding = reference.pos_encoder.pos_encoder_spat.weight
    assert torch.equal(network.position(["Oz"], 1)[0, 0, :30], embedding[29])


def test_weights_without_a_channel_table_get_the_cosine_code(
    reference: Reference, tmp_path: Path
) -> None:
    tensors = reference.state_dict()
    del tensors["pos_encoder.pos_encoder_spat.weight"]
    table = load_weights(write(tmp_path, tensors)).channel_embedding.table
    assert table.shape == (62, 30)
    # the slowest pair of Oz's y turns by -exp(2π / 5) / 10
    assert table[29, 18:20].tolist() == pytest.approx([-0.3442, 0.9389], abs=1e-4)


def test_config_json_names_the_channels_and_heads(tmp_path: Path) -> None:
    torch.manual_seed(0)
    reference = Reference(n_channels=3)
    options = {
        "chs_info": [{"ch_name": name, "loc": [0, 0, 0]} for name in ("C4", "C3", "Cz")],
        "channel_embedding": "scratch",
        "transformer__nhead": 4,
        "activation": "torch.nn.modules.activation.GELU",
    }
    path = write(tmp_path, reference.state_dict(), options)
    network = load_weights(path)
    assert network.ch_names == ("C4", "C3", "Cz")
    assert network.config.n_heads == 4
    description = describe_weights(path)
    assert description.format == "braindecode"
    assert description.provenance == {}


@pytest.mark.parametrize(
    "options",
    [
        {"feature_encoder__mode": "layer_norm"},
        {"activation": "torch.nn.modules.activation.ReLU"},
        {"transformer__nhead": 7},
        {"feature_encoder__conv_layers_spec": [[8, 32, 8], [64, 2, 2]]},
        {"chs_info": [{"ch_name": "Cz", "loc": None}]},
        ["not", "an", "object"],
    ],
)
def test_another_architecture_is_refused(
    reference: Reference, tmp_path: Path, options: object
) -> None:
    with pytest.raises(InputError):
        load_weights(write(tmp_path, reference.state_dict(), options))


def test_a_damaged_config_json_is_refused(reference: Reference, tmp_path: Path) -> None:
    path = write(tmp_path, reference.state_dict())
    (tmp_path / "config.json").write_text('{"n_chans": 62,')
    with pytest.raises(InputError, match=r"config\.json"):
        load_weights(path)


def test_a_table_of_unknown_channels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="3 rows"):
        load_weights(write(tmp_path, Reference(n_channels=3).state_dict()))


@pytest.mark.parametrize(
    "missing", ["transformer.", "transformer.decoder.", "transformer.encoder.norm"]
)
def test_parts_of_a_network_are_refused(reference: Reference, tmp_path: Path, missing: str) -> None:
    tensors = {k: v for k, v in reference.state_dict().items() if not k.startswith(missing)}
    with pytest.raises(InputError):
        load_weights(write(tmp_path, tensors))


def test_layers_of_a_head_among_the_weights_are_refused(
    reference: Reference, tmp_path: Path
) -> None:
    tensors = reference.state_dict() | {"final_layer.linear.bias": torch.zeros(4)}
    with pytest.raises(InputError, match=r"final_layer\.linear\.bias"):
        load_weights(write(tmp_path, tensors))


def test_heads_are_read_and_wrong_ones_refused(reference: Reference, tmp_path: Path) -> None:
    network = load_weights(write(tmp_path, reference.state_dict()))
    tensors = {
        "final_layer.spat_conv.weight": torch.randn(4, 1, 62, 1, 1),
        "final_layer.spat_conv.bias": torch.randn(4),
        "final_layer.linear.weight": torch.randn(2, 4 * 3 * 64),
        "final_layer.linear.bias": torch.randn(2),
    }
    path = tmp_path / "head.safetensors"
    save_file(tensors, path)
    head = load_braindecode_head(path, network, "post-local")
    assert isinstance(head, PostLocalHead)
    assert head(torch.randn(1, 62, 408)).shape == (1, 2)
    with pytest.raises(InputError, match="pre-local head"):
        load_braindecode_head(path, network, "pre-local")
    with pytest.raises(InputError, match="2 channels"):
        load_braindecode_head(path, network.with_channels(["C3", "C4"]), "contextual")
