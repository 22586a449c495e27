"""Safetensors files with a typed configuration inside: the format of all stored arrays.

A file holds arrays and, in its metadata, the name and the version of its format, a JSON
configuration, and a checksum of all that. Nothing in it can execute.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sjepa_online.errors import InputError
from sjepa_online.files import atomic_path, is_file

Arrays = dict[str, NDArray[Any]]

CHECKSUM = "sha256"


def write_tensor_file(
    path: Path,
    format_name: str,
    format_version: int,
    config: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
) -> None:
    """Write arrays and their JSON configuration atomically.

    Parameters
    ----------
    path : Path
        The file to write; an existing one is replaced only when the new one is whole.
    format_name : str
        What kind of file this is, such as ``sjepa-online decoder``.
    format_version : int
        Version of the format; readers refuse newer ones.
    config : mapping
        Anything that JSON holds.
    arrays : mapping of str to ndarray
        The tensors by name.

    Raises
    ------
    InputError, WriteError
        The file cannot be written; see :func:`~sjepa_online.files.atomic_path`.
    """
    metadata = {
        "format": format_name,
        "format_version": str(format_version),
        "config": json.dumps(config, ensure_ascii=False, allow_nan=False),
    }
    contiguous = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    metadata[CHECKSUM] = _checksum(metadata, contiguous)
    with atomic_path(path) as temporary:
        try:
            save_file(contiguous, temporary, metadata=metadata)
        except SafetensorError as error:
            raise OSError(str(error)) from error


def require_file(path: Path) -> None:
    """Refuse a path at which there is no file, and name the safetensors files that are near it.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    InputError
        Nothing is there, a folder is, or the path cannot be reached.
    """
    if is_file(path):
        return
    near = path if path.is_dir() else path.parent
    there = ", ".join(str(found) for found in sorted(near.glob("*.safetensors")))
    raise InputError(
        "This is a folder, not a file" if path.is_dir() else "No such file",
        value=str(path),
        remedy=f"In {'it' if path.is_dir() else 'its folder'}: {there}."
        if there
        else "Check the path.",
    )


def open_safetensors(path: Path) -> tuple[dict[str, str], Arrays]:
    """Read any safetensors file: its metadata and its arrays.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    metadata : dict of str to str
    arrays : dict of str to ndarray

    Raises
    ------
    InputError
        The file is missing, truncated, or no safetensors file (a renamed pickle, say).
    """
    require_file(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            return metadata, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    # NumPy lacks types that other programs write, such as numbers of 8 bits with a point
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise InputError(
            "The file is not a whole safetensors file",
            value=f"{path} ({error})",
            remedy="The file is truncated, damaged or of another kind: get it or make it again. "
            "Files of other kinds, pickles above all, are never loaded.",
        ) from error


def read_tensor_file(
    path: Path, format_name: str, format_version: int, may_lack: str | None = None
) -> tuple[dict[str, Any], Arrays]:
    """Read a file of :func:`write_tensor_file`: its configuration and its arrays.

    Parameters
    ----------
    path : Path
        The file.
    format_name : str
        Format that the file has to declare.
    format_version : int
        Newest version that can be read.
    may_lack : str, optional
        Start of the names of arrays that may hold NaN, for what was not measured.

    Returns
    -------
    configuration : dict
    arrays : dict of str to ndarray

    Raises
    ------
    InputError
        The file is damaged or was changed, holds NaN, is of another format, or of a newer version
        than ``format_version``.
    """
    metadata, arrays = open_safetensors(path)
    if metadata.get("format") != format_name:
        raise InputError(
            f"The file has another format than '{format_name}'",
            value=f"{path} of the format '{metadata.get('format', 'unknown')}'",
            remedy="Give a file that this program wrote for this purpose.",
        )
    try:
        version = int(metadata["format_version"])
        config = json.loads(metadata["config"])
        if not isinstance(config, dict):
            raise KeyError(f"the configuration is {config}")
    except (KeyError, ValueError, RecursionError) as error:
        raise InputError(
            f"The file of the format '{format_name}' lacks its version and a JSON configuration",
            value=f"{path} ({error})",
            remedy="The file was changed or damaged: get it or make it again.",
        ) from error
    if version > format_version:
        raise InputError(
            f"The file is too new: this program reads '{format_name}' up to version "
            f"{format_version}",
            value=f"{path} of version {version}",
            remedy="Update sjepa-online, or make the file again with this version.",
        )
    _refuse_nan(path, arrays, may_lack)
    if metadata.pop(CHECKSUM, "none") != _checksum(metadata, arrays):
        raise InputError(
            f"The checksum of the file of the format '{format_name}' contradicts its content",
            value=str(path),
            remedy="The file was changed or damaged: get it or make it again.",
        )
    return config, arrays


def _refuse_nan(path: Path, arrays: Arrays, may_lack: str | None) -> None:
    """Refuse what would make every probability NaN, without an error."""
    wrong = [
        name
        for name, array in arrays.items()
        if array.dtype.kind in "fc"
        and not (may_lack is not None and name.startswith(may_lack))
        and np.isnan(array).any()
    ]
    if wrong:
        raise InputError(
            "Some arrays of the file hold values that are not numbers (NaN)",
            value=f"{', '.join(wrong)} in {path}",
            remedy="What made the file has failed: make it again.",
        )


def _checksum(metadata: Mapping[str, str], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of metadata and arrays, whatever the order of their names."""
    digest = sha256(json.dumps(sorted(metadata.items())).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
