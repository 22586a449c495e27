"""The names of decoders: ``pre-local``, ``new-contextual``, ``riemann``, ..."""

from __future__ import annotations

from typing import Literal, get_args

from sjepa_online.errors import InputError

HeadName = Literal["pre-local", "post-local", "contextual"]

STRATEGIES = ("full", "new")
BASELINES = ("riemann", "cca")
#: The decoder of spellers that needs no labelled flash.
UMM = "umm"
#: The decoder of flickering targets that needs no labelled trial.
FBCCA = "fbcca"
AUTO = "auto"
DEFAULT_DECODER = AUTO


def decoder_names() -> list[str]:
    """Return the name of every decoder."""
    heads: tuple[str, ...] = get_args(HeadName)
    with_strategy = [f"{strategy}-{head}" for strategy in STRATEGIES for head in heads]
    return [AUTO, *heads, *with_strategy, *BASELINES, UMM, FBCCA]


def check_decoder_name(name: str) -> None:
    """Refuse an unknown name.

    Raises
    ------
    InputError
        There is no decoder of this name.
    """
    if name not in decoder_names():
        raise InputError(
            "A decoder is auto, a head, a strategy and a head, a baseline, umm or fbcca",
            value=name,
            remedy=f"Choose among {', '.join(decoder_names())}.",
        )
