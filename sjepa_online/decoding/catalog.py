"""Decoders by name: ``auto``, ``pre-local``, ``new-contextual``, ``filter-bank``, ..."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from sjepa_online.decoding.classifiers.auto import AutoClassifier
from sjepa_online.decoding.classifiers.cca import CanonicalClassifier
from sjepa_online.decoding.classifiers.filter_bank import PreLocalClassifier
from sjepa_online.decoding.classifiers.fine_tuning import Strategy
from sjepa_online.decoding.classifiers.network import (
    choose_device,
    load_network,
    readouts_of,
)
from sjepa_online.decoding.classifiers.paper_heads import PaperHead
from sjepa_online.decoding.classifiers.pre_local.classifier import KIND as PRE_LOCAL
from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.dynamic_stopping import PrefixClassifier, prefix_lengths
from sjepa_online.decoding.names import (
    AUTO,
    BASELINES,
    DEFAULT_DECODER,
    FILTER_BANK,
    STRATEGIES,
    HeadName,
    check_decoder_name,
)
from sjepa_online.decoding.serialization import State, TrialClassifier
from sjepa_online.decoding.transfer.start import population_start
from sjepa_online.errors import InputError
from sjepa_online.model import SignalJEPA
from sjepa_online.protocol import Protocol


@dataclass(frozen=True)
class DecoderRequest:
    """Which decoder the user wants.

    Attributes
    ----------
    name : str
        ``auto``, ``filter-bank``, ``riemann``, ``cca`` (SSVEP), or a head of the paper, optionally
        with a strategy before it (``full-pre-local``).
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
        if self.name not in (AUTO, FILTER_BANK):
            return self, "no population start: the decoder has no use for one"
        start = population_start(self.population, protocol, ch_names, recordings)
        return (self if start.prior else replace(self, population="none")), start.note

    def make(self, protocol: Protocol, ch_names: Sequence[str]) -> TrialClassifier:
        """Return a fresh classifier for this protocol and these channels."""
        return self._make(protocol, ch_names, self._network(ch_names))

    def _network(self, ch_names: Sequence[str]) -> SignalJEPA | None:
        """Return the pretrained network; None for decoders that use none."""
        if self.name in BASELINES:
            return None
        return load_network(self.weights, list(ch_names), self.random_state)

    def _make(
        self, protocol: Protocol, ch_names: Sequence[str], network: SignalJEPA | None
    ) -> TrialClassifier:
        riemann = RiemannClassifier(protocol.paradigm, protocol.frequencies, protocol.class_names)
        if self.name == "riemann":
            return riemann
        if network is None:
            return CanonicalClassifier(protocol.frequencies, protocol.class_names)
        if self.name in (AUTO, FILTER_BANK):
            filter_bank = PreLocalClassifier(
                network.local_encoder.first_kernels.numpy(),
                readouts_of(protocol.paradigm, protocol.frequencies),
                protocol.frequencies,
                protocol.class_names,
                population_start(self.population, protocol, ch_names).prior,
                ch_names,
            )
            return AutoClassifier(filter_bank, riemann) if self.name == AUTO else filter_bank
        return self._make_head(protocol, ch_names, network)

    def _make_head(
        self, protocol: Protocol, ch_names: Sequence[str], network: SignalJEPA
    ) -> TrialClassifier:
        """Return a head of the paper."""
        classes, device = protocol.class_names, choose_device(self.device)
        if self._head == "pre-local":
            return PreLocalNetwork(
                network.local_encoder,
                protocol.paradigm,
                protocol.frequencies,
                classes,
                self._strategy,
                self.random_state,
                device,
                ch_names,
            )
        head = cast(HeadName, self._head)
        return PaperHead(head, self._strategy, network, classes, self.random_state, device)

    def make_early(self, protocol: Protocol, ch_names: Sequence[str]) -> PrefixClassifier:
        """Return a fresh classifier for every prefix of the window; see :meth:`make`.

        Raises
        ------
        InputError
            The window is too short for a prefix.
        """
        network = self._network(ch_names)
        # heads on tokens read nothing of less than one
        reads_tokens = network is not None and self._head in ("post-local", "contextual")
        shortest = network.config.token_length if network is not None and reads_tokens else 0
        lengths = [one for one in prefix_lengths(protocol.n_times) if one >= shortest]
        if len(lengths) < 2:
            raise InputError(
                "Deciding early needs a window that is longer than 1.25 s",
                value=f"{protocol.window.length} s",
                remedy="Calibrate without early stopping.",
            )
        return PrefixClassifier(
            {length: self._make(protocol, ch_names, network) for length in lengths}
        )

    @property
    def _strategy(self) -> Strategy:
        prefix = self.name.partition("-")[0]
        return cast(Strategy, prefix) if prefix in STRATEGIES else "full"

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
        # the filter bank's files have had this name from the first on
        if kind == "pre-local":
            return PreLocalClassifier.from_state(state)
        if kind == PRE_LOCAL:
            return PreLocalNetwork.from_state(state)
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
