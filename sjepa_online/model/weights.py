"""Weights by name or path, in this project's format or braindecode's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sjepa_online.errors import InputError
from sjepa_online.model.braindecode import is_braindecode, read_braindecode
from sjepa_online.model.checkpoint import FORMAT, read_checkpoint
from sjepa_online.model.config import ModelConfig
from sjepa_online.model.signal_jepa import SignalJEPA
from sjepa_online.resources import find_resource, list_resources
from sjepa_online.tensor_file import open_safetensors


class WeightsDescription(NamedTuple):
    """The description of a file of weights."""

    path: Path
    format: Literal["sjepa-online", "braindecode"]
    config: ModelConfig
    n_parameters: int
    provenance: dict[str, Any]


def load_weights(name_or_path: str | Path, ch_names: Sequence[str] | None = None) -> SignalJEPA:
    """Load a pretrained network.

    Parameters
    ----------
    name_or_path : str or Path
        The name of weights in the user's data folder or among the shipped ones, or the path
        of a safetensors file in this project's format or with braindecode's names.
    ch_names : sequence of str | None
        The channels of the signal, at any position on the head; None for the electrodes of
        the pretraining.

    Returns
    -------
    SignalJEPA
        In evaluation mode.

    Raises
    ------
    InputError
        There are no such weights, the file is damaged, foreign, a pickle or of a newer
        format, or some channels have no position.
    """
    network, _ = _read(find_resource("models", name_or_path))
    return (network if ch_names is None else network.with_channels(ch_names)).eval()


def describe_weights(name_or_path: str | Path) -> WeightsDescription:
    """Describe weights: their kind, their shape and their origin.

    Parameters
    ----------
    name_or_path : str or Path
        Name of shipped or pulled weights, or a file.

    Returns
    -------
    WeightsDescription

    Raises
    ------
    InputError
        As for :func:`load_weights`.
    """
    path = find_resource("models", name_or_path)
    network, provenance = _read(path)
    return WeightsDescription(
        path=path,
        format="braindecode" if provenance is None else "sjepa-online",
        config=network.config,
        n_parameters=sum(parameter.numel() for parameter in network.parameters()),
        provenance=provenance or {},
    )


def list_weights() -> dict[str, WeightsDescription]:
    """Describe all weights that have a name; files of other kinds are left out.

    Returns
    -------
    weights : dict of str to WeightsDescription

    Raises
    ------
    InputError
        A file is damaged.
    """
    found = {}
    for name, path in list_resources("models", ".safetensors").items():
        metadata, arrays = open_safetensors(path)
        if metadata.get("format") == FORMAT or is_braindecode(arrays):
            found[name] = describe_weights(path)
    return found


def _read(path: Path) -> tuple[SignalJEPA, dict[str, Any] | None]:
    metadata, arrays = open_safetensors(path)
    if metadata.get("format") == FORMAT:
        return read_checkpoint(path)
    if is_braindecode(arrays):
        return read_braindecode(path), None
    raise InputError(
        "The file has neither this project's format nor braindecode's parameter names",
        value=f"{path} with {', '.join(list(arrays)[:3]) or 'no tensors'}",
        remedy="Use weights of a SignalJEPA network.",
    )
