"""Import of weights under the parameter names of braindecode's SignalJEPA."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from torch import Tensor

from sjepa_online.errors import InputError
from sjepa_online.model.checkpoint import load_tensors, to_tensors
from sjepa_online.model.config import ModelConfig
from sjepa_online.model.electrodes import PRETRAINING_CHANNELS
from sjepa_online.model.heads import HEADS, Head, HeadName
from sjepa_online.model.signal_jepa import SignalJEPA
from sjepa_online.tensor_file import Arrays, open_safetensors

_TABLE = "pos_encoder.pos_encoder_spat.weight"
_MARK = "feature_encoder.1.0.weight"
#: Our parts of a name -> braindecode's, applied in this order.
_RENAMES = (
    (r"^local_encoder\.norm\.", r"feature_encoder.1.2."),
    (r"^channel_embedding\.table$", _TABLE),
    (r"^context_encoder\.", r"transformer.encoder."),
    (r"^predictor\.", r"transformer.decoder."),
    (r"\.cross_attention\.", r".multihead_attn."),
    (r"\.attention\.", r".self_attn."),
    (r"\.in_projection\.", r".in_proj_"),
    (r"\.out_projection\.", r".out_proj."),
    (r"\.feed_forward\.expand\.", r".linear1."),
    (r"\.feed_forward\.contract\.", r".linear2."),
    (r"\.attention_norm\.", r".norm1."),
    (r"\.cross_attention_norm\.", r".norm2."),
    (r"(encoder\.layers\.\d+)\.feed_forward_norm\.", r"\1.norm2."),
    (r"(decoder\.layers\.\d+)\.feed_forward_norm\.", r"\1.norm3."),
)
#: Options of braindecode's class that only work with this value here.
_FIXED_OPTIONS = {
    "feature_encoder__mode": ("default",),
    "feature_encoder__conv_bias": (False,),
    "activation": ("torch.nn.modules.activation.GELU", "torch.nn.GELU"),
}


def is_braindecode(arrays: Arrays) -> bool:
    """Tell whether arrays carry braindecode's names.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Arrays of a safetensors file.

    Returns
    -------
    bool
    """
    return _MARK in arrays


def read_braindecode(path: Path) -> SignalJEPA:
    """Read the network of a braindecode state dict.

    The numbers of layers come from the names, the sizes from the shapes. A ``config.json``
    of braindecode's in the same folder is used for what weights do not tell: the number of
    heads, the strides, the channels. Without it they are the published ones. Weights that
    were published without a channel table get the cosine code of the 62 pretraining
    electrodes.

    Parameters
    ----------
    path : Path
        The safetensors file; ``config.json`` is looked for beside it.

    Returns
    -------
    SignalJEPA

    Raises
    ------
    InputError
        The file is damaged, or it or ``config.json`` describe another network.
    """
    _, arrays = open_safetensors(path)
    tensors = to_tensors(arrays, path)
    network = SignalJEPA(_config(tensors, _read_options(path), path))
    own = network.state_dict()
    tensors.setdefault(_TABLE, own["channel_embedding.table"])
    names = {_braindecode_name(name): name for name in own}
    load_tensors(network, {names.get(name, name): tensors[name] for name in tensors}, path)
    return network


def load_braindecode_head(path: str | Path, network: SignalJEPA, name: HeadName) -> Head:
    """Read the added layers of a downstream head of braindecode's.

    Parameters
    ----------
    path : str or Path
        A safetensors file with the added layers.
    network : SignalJEPA
        The network that they were added to, bound to their channels.
    name : {"pre-local", "post-local", "contextual"}
        Which head: the last two cannot be told apart by their tensors.

    Returns
    -------
    Head
        In evaluation mode.

    Raises
    ------
    InputError
        The tensors are not those of this head on this network.
    """
    _, arrays = open_safetensors(Path(path))
    tensors = to_tensors(arrays, Path(path))
    spatial, readout = (
        ("spatial_conv.1", "final_layer.1")
        if name == "pre-local"
        else ("final_layer.spat_conv", "final_layer.linear")
    )
    expected = [f"{layer}.{part}" for layer in (spatial, readout) for part in ("bias", "weight")]
    n_channels = len(network.ch_names)
    if (
        set(tensors) != set(expected)
        or tensors[f"{spatial}.weight"].flatten(1).shape[1] != n_channels
    ):
        raise InputError(
            f"These are not the tensors of a {name} head for {n_channels} channels",
            value=", ".join(f"{key} {tuple(tensors[key].shape)}" for key in sorted(tensors)),
            remedy="Check the head's name and the channels of the network.",
        )
    n_classes, n_features = tensors[f"{readout}.weight"].shape
    n_virtual = len(tensors[f"{spatial}.bias"])
    config = network.config
    n_tokens = n_features // (n_virtual * config.d_model)
    n_times = config.token_length + (n_tokens - 1) * config.token_stride
    head = HEADS[name](network, n_classes, n_times, n_virtual)
    head.spatial.load_state_dict(
        {
            "weight": tensors[f"{spatial}.weight"].flatten(1),
            "bias": tensors[f"{spatial}.bias"],
        }
    )
    head.readout.load_state_dict(
        {"weight": tensors[f"{readout}.weight"], "bias": tensors[f"{readout}.bias"]}
    )
    head.eval()
    return head


def _braindecode_name(name: str) -> str:
    convolution = re.fullmatch(r"local_encoder\.convolutions\.(\d+)\.weight", name)
    if convolution:
        return f"feature_encoder.{int(convolution[1]) + 1}.0.weight"
    for pattern, replacement in _RENAMES:
        name = re.sub(pattern, replacement, name)
    return name


def _read_options(path: Path) -> dict[str, Any]:
    options_path = path.parent / "config.json"
    if not options_path.is_file():
        return {}
    try:
        options = json.loads(options_path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(
            "The config.json beside the weights is not UTF-8 JSON",
            value=f"{options_path}: {error}",
            remedy="Download it again, or move the weights to a folder of their own.",
        ) from error
    if not isinstance(options, dict):
        raise InputError(
            "The config.json beside the weights is not a JSON object",
            value=f"{options_path}: {type(options).__name__}",
            remedy="Download it again, or move the weights to a folder of their own.",
        )
    return options


def _config(tensors: dict[str, Tensor], options: dict[str, Any], path: Path) -> ModelConfig:
    for option, values in _FIXED_OPTIONS.items():
        if options.get(option, values[0]) not in values:
            raise InputError(
                f"The option {option} has a value other than {values[0]}, which is not supported",
                value=f"{options[option]} in the config.json beside {path}",
                remedy="Use weights of the published architecture.",
            )
    feed_forward = tensors.get("transformer.encoder.layers.0.linear1.weight")
    if feed_forward is None or feed_forward.dim() != 2:
        raise InputError(
            "These are not weights of S-JEPA with a local encoder and a transformer",
            value=f"no transformer layer in {path}",
            remedy="Use the weights of the pretrained network, not those of a head.",
        )
    d_feed_forward, d_model = feed_forward.shape
    electrodes = _electrodes(tensors, options, path)
    d_spatial = options.get("pos_encoder__spat_dim", 30)
    fields = {
        "conv_layers": options.get("feature_encoder__conv_layers_spec"),
        "d_model": d_model,
        "n_heads": options.get("transformer__nhead"),
        "n_encoder_layers": _count_layers(tensors, "encoder"),
        "n_decoder_layers": _count_layers(tensors, "decoder"),
        "d_feed_forward": d_feed_forward,
        "d_spatial": d_spatial,
        "d_temporal": options.get("pos_encoder__time_dim", d_model - d_spatial),
    }
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return ModelConfig.for_channels(electrodes, **given)
    except ValidationError as error:
        raise InputError(
            "The tensors of the weights contradict their config.json",
            value=f"{path}: {error.errors()[0]['msg']}",
            remedy="Use the config.json that was published with the weights.",
        ) from error


def _electrodes(tensors: dict[str, Tensor], options: dict[str, Any], path: Path) -> tuple[str, ...]:
    names = PRETRAINING_CHANNELS
    if options.get("channel_embedding", "scratch") == "scratch" and options.get("chs_info"):
        names = tuple(str(channel["ch_name"]) for channel in options["chs_info"])
    if _TABLE in tensors and len(tensors[_TABLE]) != len(names):
        raise InputError(
            f"The channel table has not a row for each of {len(names)} channels",
            value=f"{len(tensors[_TABLE])} rows in {path}",
            remedy="Put the config.json with the weights' chs_info beside them.",
        )
    return names


def _count_layers(tensors: dict[str, Tensor], part: str) -> int:
    matches = (re.match(rf"transformer\.{part}\.layers\.(\d+)\.", name) for name in tensors)
    return len({match[1] for match in matches if match})
