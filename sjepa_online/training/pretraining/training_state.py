"""The state of an interrupted training on disk: whole and its own, or refused."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch

from sjepa_online.errors import InputError
from sjepa_online.files import atomic_write

_MAGIC = b"sjepa-online training state 1\n"
_DIGEST_LENGTH = 32


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write a training state with a checksum, atomically.

    Parameters
    ----------
    path : Path
    state : dict
        Tensors, numbers, strings, and containers of them.

    Raises
    ------
    InputError
        The folder does not exist or cannot be written.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    payload = buffer.getvalue()
    atomic_write(path, _MAGIC + hashlib.sha256(payload).digest() + payload)


def read_state(path: Path, recipe_digest: str, corpus_digest: str) -> dict[str, Any]:
    """Read the state that :func:`write_state` wrote, for the same recipe on the same recordings.

    Parameters
    ----------
    path : Path
    recipe_digest, corpus_digest : str
        Checksums of the recipe and the recordings of the training that is resumed.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        The file is missing, damaged, of another kind, or of another recipe or corpus.
    """
    content = path.read_bytes() if path.is_file() else b""
    if not content.startswith(_MAGIC):
        raise InputError(
            "There is no training state to resume from",
            value=f"{path} is {'no such state' if content else 'missing or empty'}",
            remedy="Give the folder of the interrupted training with --out, or start without "
            "--resume.",
        )
    digest = content[len(_MAGIC) : len(_MAGIC) + _DIGEST_LENGTH]
    payload = content[len(_MAGIC) + _DIGEST_LENGTH :]
    if hashlib.sha256(payload).digest() != digest:
        raise InputError(
            "The state of the training is damaged",
            value=f"{path} is truncated or damaged",
            remedy="Restore it from a copy, or start again in another folder.",
        )
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    for what, expected in (("recipe", recipe_digest), ("corpus", corpus_digest)):
        if state[what] != expected:
            raise InputError(
                f"The training was started with another {what}",
                value=f"{path} belongs to another {what}",
                remedy=f"Use the same {what}, or start a new training in another folder.",
            )
    return state
