"""Decoders by name: ``pre-local``, ``new-contextual``, ``riemann``, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sjepa_online.decoding.auto import AutoClassifier
from sjepa_online.decoding.canonical import CanonicalClassifier
from sjepa_online.decoding.early import PrefixClassifier, prefix_lengths
from sjepa_online.decoding.fine_tuning import Strategy
from sjepa_online.decoding.names import (
    AUTO,
    DEFAULT_DECODER,
    STRATEGIES,
    HeadName,
    check_decoder_name,
)
from sjepa_online.decoding.paper_heads import PaperHead
from sjepa_online.decoding.population_start import population_start
from sjepa_online.decoding.pre_local import PreLocalClassifier
from sjepa_online.decoding.riemann import RiemannClassifier
from sjepa_online.decoding.sjepa import (
    SJEPAClassifier,
    choose_device,
    load_network,
    readouts_of,
)
from sjepa_online.decoding.state import State, TrialClassifier
from sjepa_online.decoding.transfer.population_classifier import KIND as POPULATION_IMAGERY
from sjepa_online.decoding.transfer.population_classifier import PopulationClassifier
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol

#: What is told of ``new-pre-local`` and ``full-pre-local``.
_ONE_PRE_LOCAL = (
    "; full and new are one pre-local, as its convolution is not trained "
    "(`evaluate grid` has the paper's)"
)


@dataclass(frozen=True)
class DecoderRequest:
    """Which decoder the user wants.

    Attributes
    ----------
    name : str
        ``auto``, ``riemann``, ``cca`` (SSVEP), or a head, optionally with a strategy before it
        (``full-pre-local``).
    weights : str
        Name or path of pretrained weights, or ``random``.
    random_state : int
        Seed of everything that is drawn.
    device : str
        Where networks are trained.
    population : str
        Name or path of a population to start from, ``auto`` for the shipped one of the
        paradigm where it fits, or ``none``.

    Raises
    ------
    InputError
        There is no decoder of this name, or no such device.
    """

    name: str = DEFAULT_DECODER
    weights: str = "default"
    random_state: int = 0
    device: str = "auto"
    population: str = "auto"

    def __post_init__(self) -> None:
        """Refuse an unknown name before any time is spent."""
        check_decoder_name(self.name)
        choose_device(self.device)

    def with_seed(self, seed: int) -> DecoderRequest:
        """Return the same request with another seed."""
        return replace(self, random_state=seed)

    def settle_population(
        self, protocol: Protocol, ch_names: Sequence[str], recordings: Sequence[str]
    ) -> tuple[DecoderRequest, str]:
        """Return the request with a population that suits the recordings, and what to say of it.

        Parameters
        ----------
        protocol : Protocol
        ch_names : sequence of str
            The montage.
        recordings : sequence of str
            Names of the recordings that are calibrated from or tested on.

        Raises
        ------
        InputError
            A population that was asked for by name does not fit.
        """
        if self._head not in (AUTO, "pre-local"):
            return self, "no population start: the decoder has no use for one"
        start = population_start(self.population, protocol, ch_names, recordings)
        note = start.note + (_ONE_PRE_LOCAL if self.name != self._head else "")
        return (self if start.prior else replace(self, population="none")), note

    def make(self, protocol: Protocol, ch_names: Sequence[str]) -> TrialClassifier:
        """Return a fresh classifier for this protocol and these channels."""
        riemann = RiemannClassifier(protocol.paradigm, protocol.frequencies, protocol.class_names)
        if self.name == "riemann":
            return riemann
        if self.name == "cca":
            return CanonicalClassifier(protocol.frequencies, protocol.class_names)
        if self._head in (AUTO, "pre-local"):
            network = load_network(self.weights, list(ch_names), self.random_state)
            pre_local = PreLocalClassifier(
                network.local_encoder.first_kernels.numpy(),
                readouts_of(protocol.paradigm, protocol.frequencies),
                protocol.frequencies,
                protocol.class_names,
                population_start(self.population, protocol, ch_names).prior,
                ch_names,
            )
            return AutoClassifier(pre_local, riemann) if self.name == AUTO else pre_local
        return SJEPAClassifier(
            head=cast(HeadName, self._head),
            strategy=cast(Strategy, self._strategy),
            weights=self.weights,
            ch_names=tuple(ch_names),
            random_state=self.random_state,
            class_order=protocol.class_names,
            device=self.device,
        )

    def make_early(self, protocol: Protocol, ch_names: Sequence[str]) -> PrefixClassifier:
        """Return a fresh classifier for every prefix of the window; see :meth:`make`.

        Raises
        ------
        InputError
            The window is too short for a prefix.
        """
        lengths = prefix_lengths(protocol.n_times)
        if len(lengths) < 2:
            raise InputError(
                "Deciding early needs a window that is longer than 1.25 s",
                value=f"{protocol.window.length} s",
                remedy="Calibrate without early stopping.",
            )
        classifiers = {length: self.make(protocol, ch_names) for length in lengths}
        return PrefixClassifier(classifiers)

    @property
    def _strategy(self) -> str:
        prefix = self.name.partition("-")[0]
        return prefix if prefix in STRATEGIES else "full"

    @property
    def _head(self) -> str:
        prefix, _, rest = self.name.partition("-")
        return rest if prefix in STRATEGIES else self.name


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
        if kind == "auto":
            return AutoClassifier.from_state(state)
        if kind == "prefixes":
            return PrefixClassifier.from_state(state, classifier_from_state)
        if kind == "paper-head":
            return PaperHead.from_state(state, choose_device("auto"))
        if kind == "riemann":
            return RiemannClassifier.from_state(state)
        if kind == "cca":
            return CanonicalClassifier.from_state(state)
        if kind == POPULATION_IMAGERY:
            return PopulationClassifier.from_state(state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"A decoder of the kind {kind} holds every array and setting that it needs",
            value=f"{type(error).__name__}: {error}",
            remedy="The file was changed, damaged, or made by an older version: calibrate again.",
        ) from error
    raise InputError(
        "A decoder is of a kind that this version knows",
        value=kind,
        remedy="Update sjepa-online, or calibrate again.",
    )
