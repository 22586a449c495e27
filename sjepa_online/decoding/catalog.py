"""Decoders by name: ``filter-bank``, ``new-contextual``, ``riemann``, ...

The names are known without torch, for the help texts of the command line; estimators are imported
where one is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol

if TYPE_CHECKING:
    from sjepa_online.decoding.base import EpochClassifier
    from sjepa_online.decoding.classifiers.fbcca import FilterBankCCA
    from sjepa_online.decoding.classifiers.fine_tuning import Strategy
    from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
    from sjepa_online.decoding.classifiers.umm import UmmClassifier
    from sjepa_online.decoding.transfer.start import PopulationStart
    from sjepa_online.model import SignalJEPA
    from sjepa_online.model.heads import HeadName
    from sjepa_online.typing import FloatArray, Floats

AUTO = "auto"
DEFAULT_DECODER = AUTO
FILTER_BANK = "filter-bank"
HEADS = ("pre-local", "post-local", "contextual")
STRATEGIES = ("full", "new")
BASELINES = ("riemann", "cca")
#: The decoders that need no labelled trial: of spellers, and of flickering targets.
UMM, FBCCA = "umm", "fbcca"
#: The decoder that other people's imagery trained; labels refine it.
POPULATION = "population"
#: Decoders that are the convex filter bank, or made of it.
_CONVEX = (AUTO, FILTER_BANK)


def decoder_names() -> list[str]:
    """Return the name of every decoder.

    Returns
    -------
    names : list of str
    """
    with_strategy = [f"{strategy}-{head}" for strategy in STRATEGIES for head in HEADS]
    return [AUTO, FILTER_BANK, *HEADS, *with_strategy, *BASELINES, POPULATION, UMM, FBCCA]


def check_decoder_name(name: str) -> None:
    """Refuse an unknown name.

    Parameters
    ----------
    name : str

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


@dataclass(frozen=True)
class DecoderPlan:
    """A decoder that can be made: everything that it needs has been read.

    Attributes
    ----------
    request : DecoderRequest
        What the user wants, with ``none`` for a population that does not suit.
    classifier : EpochClassifier
        Unfitted; :meth:`make` returns copies of it.
    note : str
        Which population start the decoder has, or why none.
    """

    request: DecoderRequest
    classifier: EpochClassifier
    note: str

    def make(self) -> EpochClassifier:
        """Return an unfitted classifier, which shares nothing that a fit changes.

        Returns
        -------
        classifier : EpochClassifier
        """
        return self.classifier.clone()


@dataclass(frozen=True)
class DecoderRequest:
    """Which decoder the user wants.

    Attributes
    ----------
    name : str
        ``auto``, ``filter-bank``, ``riemann``, ``population`` (imagery), ``cca`` and ``fbcca``
        (SSVEP), ``umm`` (ERP), or a head, optionally with a strategy before it
        (``full-pre-local``).
    weights : str
        Name or path of pretrained weights, or ``random``.
    random_state : int
        Seed of everything that is drawn.
    device : {"auto", "cpu", "cuda", "mps"}
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
        from sjepa_online.decoding.classifiers.fine_tuning import choose_device

        check_decoder_name(self.name)
        choose_device(self.device)

    def with_seed(self, seed: int) -> DecoderRequest:
        """Return the same request with another seed.

        Parameters
        ----------
        seed : int
            Of everything that the fit draws at random.

        Returns
        -------
        request : DecoderRequest
        """
        return replace(self, random_state=seed)

    def resolve(
        self,
        protocol: Protocol,
        ch_names: Sequence[str],
        recordings: Sequence[str] = (),
        *,
        dynamic_stopping: bool = False,
        epochs: Sequence[FloatArray] = (),
    ) -> DecoderPlan:
        """Read the weights and the population that the decoder needs.

        Parameters
        ----------
        protocol : Protocol
        ch_names : sequence of str
            The montage.
        recordings : sequence of str
            Names of the recordings that are calibrated from or tested on: a population that was
            made from one of them would flatter the score.
        dynamic_stopping : bool
            Whether the decoder may decide before the end of the window.
        epochs : sequence of ndarray, shape (n, channels, samples)
            Trials that are calibrated from or tested on, in µV at 128 Hz: by them people of whom
            a population was made are recognised, whatever their recordings are called.

        Returns
        -------
        DecoderPlan

        Raises
        ------
        InputError
            The weights cannot be read, a population that was asked for by name does not suit, or
            the window is too short for dynamic stopping.
        """
        start = self._start(protocol, ch_names, recordings, epochs)
        classifier = self._classifier(protocol, ch_names, start)
        if dynamic_stopping:
            from sjepa_online.decoding.dynamic_stopping import for_prefixes

            classifier = for_prefixes(classifier, protocol)
        settled = self if start.suits else replace(self, population="none")
        return DecoderPlan(settled, classifier, start.note)

    def make(
        self,
        protocol: Protocol,
        ch_names: Sequence[str],
        *,
        dynamic_stopping: bool = False,
        epochs: Sequence[FloatArray] = (),
    ) -> EpochClassifier:
        """Return an unfitted classifier; a caller that needs several resolves the request once.

        See :meth:`DecoderRequest.resolve`.

        The parameters are those of :meth:`resolve`.
        """
        return self.resolve(
            protocol, ch_names, dynamic_stopping=dynamic_stopping, epochs=epochs
        ).classifier

    def _start(
        self,
        protocol: Protocol,
        ch_names: Sequence[str],
        recordings: Sequence[str],
        epochs: Sequence[FloatArray],
    ) -> PopulationStart:
        """Find what other people's recordings give to the decoder."""
        from sjepa_online.decoding.transfer.start import decoder_start

        return decoder_start(self.name, self.population, protocol, ch_names, recordings, epochs)

    def _classifier(
        self, protocol: Protocol, ch_names: Sequence[str], start: PopulationStart
    ) -> EpochClassifier:
        from sjepa_online.decoding.classifiers.auto import AutoClassifier
        from sjepa_online.decoding.classifiers.cca import CCAClassifier
        from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
        from sjepa_online.decoding.classifiers.network import load_network, readouts_of
        from sjepa_online.decoding.classifiers.riemann import RiemannClassifier

        paradigm, frequencies = protocol.paradigm, protocol.frequencies
        riemann = RiemannClassifier(paradigm, frequencies, protocol.class_names)
        if self.name == "riemann":
            return riemann
        if self.name == "cca":
            return CCAClassifier(frequencies, protocol.class_names)
        if self.name == FBCCA:
            return make_fbcca(protocol)
        if self.name == UMM:
            return make_umm(protocol, start.response)
        if self.name == POPULATION and start.imagery is not None:
            return start.imagery
        if self.name not in _CONVEX:
            return self._head_of_the_paper(protocol, ch_names)
        network = load_network(self.weights, list(ch_names), self.random_state)
        filter_bank = FilterBankClassifier(
            network.local_encoder.first_kernels.numpy(),
            readouts_of(paradigm, frequencies),
            frequencies,
            protocol.class_names,
            start.prior,
            ch_names,
        )
        if self.name == FILTER_BANK:
            return filter_bank
        member = self._pre_local(network, protocol, ch_names)
        umm = make_umm(protocol, start.response) if protocol.speller is not None else None
        return AutoClassifier(filter_bank, riemann, member, start.imagery, umm)

    def _head_of_the_paper(self, protocol: Protocol, ch_names: Sequence[str]) -> EpochClassifier:
        from sjepa_online.decoding.classifiers.fine_tuning import choose_device
        from sjepa_online.decoding.classifiers.network import load_network
        from sjepa_online.decoding.classifiers.paper_heads import PaperHead
        from sjepa_online.signal import resolve_channel_names

        names, seed = resolve_channel_names(list(ch_names)), self._seed
        network = load_network(self.weights, names, seed)
        if self._head == "pre-local":
            return self._pre_local(network, protocol, names)
        head, strategy = cast("HeadName", self._head), cast("Strategy", self._strategy)
        device = choose_device(self.device)
        return PaperHead(head, strategy, network, protocol.class_names, seed, device)

    def _pre_local(
        self, network: SignalJEPA, protocol: Protocol, ch_names: Sequence[str]
    ) -> PreLocalNetwork:
        from sjepa_online.decoding.classifiers.fine_tuning import choose_device
        from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork

        return PreLocalNetwork(
            network.local_encoder,
            protocol.paradigm,
            protocol.frequencies,
            protocol.class_names,
            cast("Strategy", self._strategy),
            self._seed,
            choose_device(self.device),
            ch_names,
        )

    @property
    def _seed(self) -> int:
        """The seed that SJEPAClassifier draws."""
        from sklearn.utils import check_random_state

        return int(check_random_state(self.random_state).randint(2**31 - 1))

    @property
    def _strategy(self) -> str:
        prefix = self.name.partition("-")[0]
        return prefix if prefix in STRATEGIES else "full"

    @property
    def _head(self) -> str:
        prefix, _, rest = self.name.partition("-")
        return rest if prefix in STRATEGIES else self.name


def make_umm(protocol: Protocol, prior: Floats | None = None) -> UmmClassifier:
    """Return the decoder that spells without labels, which knows nothing of the person yet.

    Parameters
    ----------
    protocol : Protocol
    prior : ndarray, shape (channels, samples), or None
        The response of other people.

    Returns
    -------
    UmmClassifier

    Raises
    ------
    InputError
        The protocol is of another paradigm.
    """
    from sjepa_online.decoding.classifiers.umm import UmmClassifier

    if protocol.paradigm != "erp":
        raise InputError(
            f"The decoder umm compares flashes, and the protocol {protocol.name} shows none",
            value=f"a protocol of {protocol.paradigm}",
            remedy="Choose another decoder for this paradigm; riemann suits all.",
        )
    return UmmClassifier(protocol.class_names, protocol.window.start, prior)


def make_fbcca(protocol: Protocol) -> FilterBankCCA:
    """Return the decoder of flickering targets that needs no labels.

    Parameters
    ----------
    protocol : Protocol

    Returns
    -------
    FilterBankCCA

    Raises
    ------
    InputError
        The protocol has no stimulus frequency.
    """
    from sjepa_online.decoding.classifiers.fbcca import FilterBankCCA

    frequencies = tuple(spec.frequency for spec in protocol.classes)
    return FilterBankCCA(frequencies, protocol.class_names)


def classifier_from_state(state: State) -> EpochClassifier:
    """Build the classifier that a state describes.

    Parameters
    ----------
    state : State

    Returns
    -------
    EpochClassifier

    Raises
    ------
    InputError
        The kind of classifier is unknown, or something is missing or does not fit.
    """
    kind = state.config.get("kind")
    classes = _classes_by_kind()
    if kind not in classes:
        raise InputError(
            "This version does not know the decoder's kind of classifier",
            value=kind,
            remedy="Update sjepa-online, or calibrate again.",
        )
    try:
        return classes[kind].from_state(state, classifier_from_state)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"The file lacks an array or a setting that a decoder of the kind {kind} needs",
            value=f"{type(error).__name__}: {error}",
            remedy="The file was changed, damaged, or made by an older version: calibrate again.",
        ) from error


def _classes_by_kind() -> dict[str, type[EpochClassifier]]:
    from sjepa_online.decoding.classifiers.auto import AutoClassifier
    from sjepa_online.decoding.classifiers.cca import CCAClassifier
    from sjepa_online.decoding.classifiers.fbcca import FilterBankCCA
    from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
    from sjepa_online.decoding.classifiers.paper_heads import PaperHead
    from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
    from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
    from sjepa_online.decoding.classifiers.umm import UmmClassifier
    from sjepa_online.decoding.dynamic_stopping import PrefixClassifier
    from sjepa_online.decoding.transfer.flicker_classifier import FlickerPopulation
    from sjepa_online.decoding.transfer.imagery.classifier import PopulationClassifier

    kinds: tuple[type[EpochClassifier], ...] = (
        AutoClassifier,
        CCAClassifier,
        FilterBankCCA,
        FilterBankClassifier,
        FlickerPopulation,
        PaperHead,
        PopulationClassifier,
        PreLocalNetwork,
        PrefixClassifier,
        RiemannClassifier,
        UmmClassifier,
    )
    # files of version 0.1.0 call the filter bank pre-local, which names the network today
    return {one.kind: one for one in kinds} | {"pre-local": FilterBankClassifier}
