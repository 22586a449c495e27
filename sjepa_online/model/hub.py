"""Weights of other people: from the Hugging Face hub or a file, into the user's own folder."""

from __future__ import annotations

import re
from pathlib import Path

from sjepa_online.errors import InputError, OperationError
from sjepa_online.model.checkpoint import save_checkpoint
from sjepa_online.model.weights import describe_weights, load_weights
from sjepa_online.resources import user_folder

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_FILES = ["*.safetensors", "config.json"]


def pull_weights(hub_id: str, name: str | None = None) -> Path:
    """Download weights from the Hugging Face hub and import them.

    Parameters
    ----------
    hub_id : str
        OWNER/NAME of a model on the hub, such as ``braindecode/signal-jepa``.
    name : str | None
        What to call them; the hub's name by default.

    Returns
    -------
    Path
        The imported file; its name is now known to ``load_weights``.

    Raises
    ------
    InputError
        ``hub_id`` is no such name, the hub extra is missing, or the weights cannot be used.
    OperationError
        The hub has no such model, or cannot be reached.
    """
    if _HUB_ID.fullmatch(hub_id) is None:
        raise InputError(
            "The name of a model on the hub has not the form OWNER/NAME",
            value=hub_id,
            remedy="For a file or a folder on this machine use `models import`.",
        )
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise InputError(
            "The hub extra is not installed",
            value=str(error),
            remedy='Run in the folder of sjepa-online: pip install -c constraints.txt ".[hub]"',
        ) from error
    try:
        folder = snapshot_download(hub_id, allow_patterns=_FILES)
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise OperationError(
            f"The hub gave no weights for {hub_id}: {' '.join(str(error).split())[:300]}"
        ) from error
    return import_weights(Path(folder), name or hub_id.split("/")[1], source=f"hub:{hub_id}")


def import_weights(path: Path, name: str | None = None, source: str | None = None) -> Path:
    """Check weights and keep them in this project's format under a name.

    Parameters
    ----------
    path : Path
        A ``.safetensors`` file in this project's format or with braindecode's names, or a
        folder with one and, maybe, braindecode's ``config.json``.
    name : str | None
        What to call them; the file's or folder's name by default.
    source : str | None
        Where they come from, for the provenance; ``path`` by default.

    Returns
    -------
    Path
        The file in the user's data folder.

    Raises
    ------
    InputError
        There is not exactly one file of weights, it cannot be used, or the name is taken.
    """
    file = _weights_file(path)
    name = name or (path.name if path.is_dir() else path.stem)
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name):
        raise InputError(
            "The name of the weights has other characters than letters, digits and . _ -",
            value=name,
            remedy="Give one with --name.",
        )
    target = user_folder("models") / f"{name}.safetensors"
    if target.exists():
        raise InputError(
            "There are other weights of this name already",
            value=f"{target} exists",
            remedy="Choose another name with --name, or delete that file.",
        )
    description = describe_weights(file)
    provenance = {**description.provenance, "imported_from": source or str(path)}
    target.parent.mkdir(parents=True, exist_ok=True)
    save_checkpoint(load_weights(file), target, provenance)
    return target


def _weights_file(path: Path) -> Path:
    if path.is_file():
        return path
    files = sorted(path.glob("*.safetensors")) if path.is_dir() else []
    if len(files) != 1:
        raise InputError(
            "There is not exactly one .safetensors file",
            value=f"{path} with {len(files)} of them" if path.is_dir() else f"{path}, not found",
            remedy="Give the path of the file itself.",
        )
    return files[0]
