"""Weights on disk: tensors, the network's configuration, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from sjepa_online.errors import InputError
from sjepa_online.model.config import ModelConfig
from sjepa_online.model.signal_jepa import SignalJEPA
from sjepa_online.tensor_file import Arrays, read_tensor_file, write_tensor_file

FORMAT = "sjepa-online weights"
FORMAT_VERSION = 1


def save_checkpoint(
    network: SignalJEPA, path: str | Path, provenance: Mapping[str, Any] | None = None
) -> None:
    """Write a network's weights and configuration, atomically.

    Parameters
    ----------
    network : SignalJEPA
        Its binding to the channels of a signal is not part of the file.
    path : str or Path
        The ``.safetensors`` file to write.
    provenance : mapping | None
        Anything that JSON can hold about how the weights came to be.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    content = {
        "network": network.config.model_dump(mode="json"),
        "provenance": dict(provenance or {}),
    }
    arrays = {name: tensor.detach().cpu().numpy() for name, tensor in network.state_dict().items()}
    write_tensor_file(Path(path), FORMAT, FORMAT_VERSION, content, arrays)


def read_checkpoint(path: Path) -> tuple[SignalJEPA, dict[str, Any]]:
    """Read a network and its provenance.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    network : SignalJEPA
    provenance : dict

    Raises
    ------
    InputError
        The file is damaged, of another or a newer format, or its configuration is invalid
        or that of other weights.
    """
    content, arrays = read_tensor_file(path, FORMAT, FORMAT_VERSION)
    try:
        config = ModelConfig.model_validate(content["network"])
        provenance = dict(content["provenance"])
    except (ValidationError, KeyError, TypeError) as error:
        raise InputError(
            "The file lacks the network's configuration or their provenance",
            value=f"{path} ({error})",
            remedy="Download or make the file again.",
        ) from error
    network = SignalJEPA(config)
    load_tensors(network, to_tensors(arrays, path), path)
    return network, provenance


def to_tensors(arrays: Arrays, path: Path) -> dict[str, Tensor]:
    """Turn the arrays of a file into tensors of 32-bit floating-point numbers.

    Parameters
    ----------
    arrays : mapping of str to ndarray
    path : Path
        The file.

    Returns
    -------
    dict of str to Tensor
        32-bit.

    Raises
    ------
    InputError
        A value is not a finite floating-point number.
    """
    tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
    for name, tensor in tensors.items():
        if not tensor.is_floating_point() or not bool(torch.isfinite(tensor).all()):
            raise InputError(
                "Some weights are not finite floating-point numbers",
                value=f"{name} in {path} ({tensor.dtype})",
                remedy="Use weights of a training that did not diverge.",
            )
    return {name: tensor.float() for name, tensor in tensors.items()}


def load_tensors(network: SignalJEPA, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load tensors into a network, which must have exactly these names and shapes.

    Parameters
    ----------
    network : Module
    tensors : mapping of str to Tensor
    path : Path
        The file, for the error.

    Raises
    ------
    InputError
        A tensor is missing, unknown or of another shape.
    """
    expected = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if expected != found:
        wrong = sorted({name for name, _ in expected.items() ^ found.items()})
        raise InputError(
            "The tensors of the weights are not those of their configuration",
            value=f"{path}: missing, unknown or of another shape: {', '.join(wrong)}",
            remedy="Use weights of this network.",
        )
    network.load_state_dict(tensors)
