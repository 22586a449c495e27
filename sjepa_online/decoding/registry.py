"""Decoders by name: ``pre-local``, ``new-contextual``, ``riemann``, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sjepa_online.decoding.fine_tuning import Strategy
from sjepa_online.decoding.paper_heads import HEADS, HeadName, PaperHead
from sjepa_online.decoding.pre_local import PreLocalClassifier
from sjepa_online.decoding.riemann import RiemannClassifier
from sjepa_online.decoding.sjepa import SJEPAClassifier, choose_device
from sjepa_online.decoding.state import State, TrialClassifier
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol

STRATEGIES = ("full", "new")
BASELINES = ("riemann",)
DEFAULT_DECODER = "pre-local"


@dataclass(frozen=True)
class DecoderRequest:
    """Which decoder the user wants.

    Attributes
    ----------
    name : str
        A head, optionally with a strategy before it (``full-pre-local``), or ``riemann``.
    weights : str
        Name or path of pretrained weights, or ``random``.
    random_state : int
        Seed of everything that is drawn.
    device : str
        Where networks are trained.

    Raises
    ------
    InputError
        There is no decoder of this name, or no such device.
    """

    name: str = DEFAULT_DECODER
    weights: str = "default"
    random_state: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse an unknown name before any time is spent."""
        if self.name not in decoder_names():
            raise InputError(
                "A decoder is a head, a strategy and a head, or a baseline",
                value=self.name,
                remedy=f"Choose among {', '.join(decoder_names())}.",
            )
        choose_device(self.device)

    def with_seed(self, seed: int) -> DecoderRequest:
        """Return the same request with another seed."""
        return replace(self, random_state=seed)

    def make(self, protocol: Protocol, ch_names: Sequence[str]) -> TrialClassifier:
        """Return a fresh classifier for this protocol and these channels."""
        if self.name == "riemann":
            return RiemannClassifier(protocol.paradigm, protocol.frequencies, protocol.class_names)
        prefix, _, rest = self.name.partition("-")
        strategy, head = (prefix, rest) if prefix in STRATEGIES else ("full", self.name)
        return SJEPAClassifier(
            head=cast(HeadName, head),
            strategy=cast(Strategy, strategy),
            weights=self.weights,
            ch_names=tuple(ch_names),
            random_state=self.random_state,
            paradigm=protocol.paradigm,
            frequencies=protocol.frequencies,
            class_order=protocol.class_names,
            device=self.device,
        )


def decoder_names() -> list[str]:
    """Return the name of every decoder."""
    with_strategy = [f"{strategy}-{head}" for strategy in STRATEGIES for head in HEADS]
    return [*HEADS, *with_strategy, *BASELINES]


def classifier_from_state(state: State) -> TrialClassifier:
    """Build the classifier that a state describes.

    Raises
    ------
    InputError
        The kind of classifier is unknown, or something is missing or does not fit.
    """
    kind = state.config.get("kind")
    try:
        if kind == "pre-local":
            return PreLocalClassifier.from_state(state)
        if kind == "paper-head":
            return PaperHead.from_state(state, choose_device("auto"))
        if kind == "riemann":
            return RiemannClassifier.from_state(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"A decoder of the kind {kind} holds every array and setting that it needs",
            value=f"{type(error).__name__}: {error}",
            remedy="The file was changed or damaged: calibrate again.",
        ) from error
    raise InputError(
        "A decoder is of a kind that this version knows",
        value=kind,
        remedy="Update sjepa-online, or calibrate again.",
    )
