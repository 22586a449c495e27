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
    """Write tensors, numbers, strings, and containers of them, with a checksum, atomically.

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
    """Read what :func:`write_state` wrote, for the same recipe on the same recordings.

    Raises
    ------
    InputError
        The file is missing, damaged, of another kind, or of another recipe or corpus.
    """
    content = path.read_bytes() if path.is_file() else b""
    if not content.startswith(_MAGIC):
        raise InputError(
            "A training is resumed from the state that it left",
            value=f"{path} is {'no such state' if content else 'missing or empty'}",
            remedy="Give the folder of the interrupted training with --out, or start without "
            "--resume.",
        )
    digest = content[len(_MAGIC) : len(_MAGIC) + _DIGEST_LENGTH]
    payload = content[len(_MAGIC) + _DIGEST_LENGTH :]
    if hashlib.sha256(payload).digest() != digest:
        raise InputError(
            "The state of a training is whole",
            value=f"{path} is truncated or damaged",
            remedy="Restore it from a copy, or start again in another folder.",
        )
    state: dict[str, Any] = torch.load(io.BytesIO(payload), map_location="cpu", weights_only=True)
    for what, expected in (("recipe", recipe_digest), ("corpus", corpus_digest)):
        if state[what] != expected:
            raise InputError(
                f"A training is resumed with the {what} that it started with",
                value=f"{path} belongs to another {what}",
                remedy=f"Use the same {what}, or start a new training in another folder.",
            )
    return state
