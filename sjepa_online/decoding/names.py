"""The names of decoders: ``auto``, ``pre-local``, ``new-contextual``, ``filter-bank``, ..."""

from __future__ import annotations

from typing import Literal, get_args

from sjepa_online.errors import InputError

HeadName = Literal["pre-local", "post-local", "contextual"]

STRATEGIES = ("full", "new")
#: The convex decoder behind the first convolution of the local encoder.
FILTER_BANK = "filter-bank"
BASELINES = ("riemann", "cca")
AUTO = "auto"
DEFAULT_DECODER = AUTO


def decoder_names() -> list[str]:
    """Return the name of every decoder."""
    heads: tuple[str, ...] = get_args(HeadName)
    with_strategy = [f"{strategy}-{head}" for strategy in STRATEGIES for head in heads]
    return [AUTO, *heads, *with_strategy, FILTER_BANK, *BASELINES]


def check_decoder_name(name: str) -> None:
    """Refuse an unknown name.

    Raises
    ------
    InputError
        There is no decoder of this name.
    """
    if name not in decoder_names():
        raise InputError(
            "There is no decoder of this name",
            value=name,
            remedy=f"Choose among {', '.join(decoder_names())}.",
        )
