"""Fitted classifiers as plain values and arrays, ready for a safetensors file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sjepa_online.typing import AnyArray


@dataclass(frozen=True)
class State:
    """The state of a fitted classifier: JSON values and named arrays.

    Attributes
    ----------
    config : dict
        JSON values; ``kind`` names the classifier.
    arrays : dict of str to ndarray
        The fitted arrays.
    """

    config: dict[str, Any]
    arrays: dict[str, AnyArray]


def with_prefix(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Name arrays ``prefix/name``, so that several states fit into one file.

    Parameters
    ----------
    prefix : str
    arrays : mapping of str to ndarray

    Returns
    -------
    dict of str to ndarray
        The same arrays under their longer names.
    """
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def without_prefix(prefix: str, arrays: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """Return the arrays of one prefix under the names that :func:`with_prefix` was given.

    Parameters
    ----------
    prefix : str
    arrays : mapping of str to ndarray
        Arrays of this and of other prefixes.

    Returns
    -------
    dict of str to ndarray
    """
    start = f"{prefix}/"
    return {name[len(start) :]: array for name, array in arrays.items() if name.startswith(start)}
