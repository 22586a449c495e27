"""The speller online: flashes that were decoded become a symbol."""

from __future__ import annotations

from collections import deque

import numpy as np
from scipy.special import softmax

from sjepa_online.data.letters import LETTER_GAP
from sjepa_online.decoding import Decoder
from sjepa_online.decoding.classifiers.auto import AutoClassifier
from sjepa_online.decoding.classifiers.mean_difference import UnlabelledSpeller
from sjepa_online.decoding.classifiers.umm import UmmClassifier
from sjepa_online.decoding.speller import SymbolPosterior
from sjepa_online.markers import CUE, END, NON_TARGET, PAUSE, TARGET, StimulusMarker
from sjepa_online.online.events import Decision, EngineEvent, SymbolDecision
from sjepa_online.protocol import Speller
from sjepa_online.typing import BoolMask, Floats

#: Of a symbol, before its logarithm is taken.
SMALLEST_PROBABILITY = 1e-12
#: Most flashes of a letter whose epochs are kept: those of the longest protocol there may be.
MOST_FLASHES = 1200


class SymbolSelection:
    """Gather the flashes of one selection until a symbol is sure enough, or the flashes end.

    A selection begins with ``cue`` or the next flash and ends with the marker ``end``. Where no
    cue began it, it ends as well where the next flash is more than 1 s away, or where the flashes
    of targets and others contradict each other. After a symbol is decided the flashes that still
    come count for nothing.

    Parameters
    ----------
    decoder : Decoder
        With the speller in its protocol, and the evidence of flashes or a classifier that spells
        without labels. The latter learns from each letter, which the decoder's file does not show.
    """

    def __init__(self, decoder: Decoder) -> None:
        speller = decoder.protocol.speller
        assert speller is not None
        self._speller = speller
        self._last = 0.0
        self._onset: float | None = None
        self._flashes = _evidence(decoder)
        self._begin()

    @property
    def needs_epochs(self) -> bool:
        """Whether :meth:`take_flash` reads the epoch itself."""
        return not isinstance(self._flashes, _EvidenceOfFlashes)

    @property
    def probabilities(self) -> dict[str, float]:
        """Probability of each symbol after the flashes of this selection so far."""
        probabilities = self._flashes.probabilities.tolist()
        return dict(zip(self._speller.symbols, probabilities, strict=True))

    @staticmethod
    def suits(decoder: Decoder) -> bool:
        """Return whether a decoder can decide on symbols.

        Parameters
        ----------
        decoder : Decoder

        Returns
        -------
        bool
        """
        evidence = decoder.calibration.flash_evidence
        spells = evidence is not None or isinstance(decoder.classifier, UmmClassifier)
        return decoder.protocol.speller is not None and spells

    @staticmethod
    def heeds(marker: StimulusMarker) -> bool:
        """Tell whether a marker that is no flash matters here.

        Parameters
        ----------
        marker : StimulusMarker

        Returns
        -------
        bool
        """
        return marker.word in (CUE, END, PAUSE)

    def lit(self, marker: StimulusMarker) -> str:
        """Return the symbols that light up in a flash.

        Parameters
        ----------
        marker : StimulusMarker

        Returns
        -------
        str
        """
        return self._speller.lit(marker.about)

    def take_marker(self, marker: StimulusMarker, time: float) -> list[SymbolDecision]:
        """Take in a marker, after the decisions on every flash before it.

        Parameters
        ----------
        marker : StimulusMarker
        time : float
            Its timestamp (s).

        Returns
        -------
        list of SymbolDecision
            One, where the marker ends a selection.
        """
        decided = self._end(time) if marker.word == END else []
        self._begin(marker.about if marker.word == CUE else None, cued=marker.word == CUE)
        return decided

    def take_flash(
        self, decision: Decision, epoch: Floats | None = None, *, is_last: bool = False
    ) -> list[SymbolDecision | EngineEvent]:
        """Take in the decision on a flash; return a symbol once it is sure enough.

        Parameters
        ----------
        decision : Decision
            On a flash; ``lit`` holds its symbols.
        epoch : ndarray, shape (channels, samples), or None
            Needed where the decoder :attr:`needs_epochs`.
        is_last : bool
            Whether no other flash begins within 1 s.

        Returns
        -------
        list of SymbolDecision or EngineEvent
        """
        unknown = sorted(set(decision.lit) - set(self._speller.symbols))
        if unknown:
            return [_unknown(decision.time, unknown)]
        results: list[SymbolDecision | EngineEvent] = []
        if not self._cued and self._is_of_next_letter(decision):
            results += self._end(self._last)
            self._begin()
        self._last, self._onset = decision.time, decision.onset
        self._possible = self._possible_after(decision)
        if not self._decided:
            self._flashes.add(decision, epoch)
            if self._flashes.is_sure(self._speller.confidence):
                results.append(self._decide(decision.time))
        if is_last and not self._cued:
            results += self._end(decision.time)
            self._begin()
        return results

    def _begin(self, truth: str | None = None, *, cued: bool = False) -> None:
        self._flashes.begin()
        self._truth, self._cued = truth, cued
        self._decided = False
        self._last, self._onset = 0.0, None
        self._possible = set(self._speller.symbols)

    def _is_of_next_letter(self, decision: Decision) -> bool:
        if self._onset is None:
            return False
        assert decision.onset is not None
        apart = decision.onset - self._onset
        return apart > LETTER_GAP or not self._possible_after(decision)

    def _possible_after(self, decision: Decision) -> set[str]:
        """Return the symbols that may be attended to, as the flashes' own markers tell."""
        if decision.truth == TARGET:
            return self._possible & set(decision.lit)
        return self._possible - set(decision.lit if decision.truth == NON_TARGET else "")

    def _end(self, time: float) -> list[SymbolDecision]:
        """Decide on what there is, unless a symbol was decided before."""
        if self._decided or not self._flashes.n_flashes:
            return []
        return [self._decide(max(time, self._last))]

    def _decide(self, time: float) -> SymbolDecision:
        self._decided = True
        self._flashes.settle()
        probabilities = self.probabilities
        symbol = max(probabilities, key=lambda one: probabilities[one])
        known = self._truth is None and len(self._possible) == 1
        return SymbolDecision(
            time=time,
            symbol=symbol,
            probability=probabilities[symbol],
            probabilities=probabilities,
            n_flashes=self._flashes.n_flashes,
            truth=next(iter(self._possible)) if known else self._truth,
        )


class _EvidenceOfFlashes:
    """Every flash counts by itself, as a calibrated classifier judges it."""

    def __init__(self, decoder: Decoder) -> None:
        speller, evidence = decoder.protocol.speller, decoder.calibration.flash_evidence
        assert speller is not None
        assert evidence is not None
        self._symbols, self._evidence = speller.symbols, evidence
        self.begin()

    @property
    def probabilities(self) -> Floats:
        return self._posterior.probabilities

    @property
    def n_flashes(self) -> int:
        return self._posterior.n_flashes

    def begin(self) -> None:
        self._posterior = SymbolPosterior(self._symbols, self._evidence)

    def add(self, decision: Decision, epoch: Floats | None) -> None:
        self._posterior.update(decision.lit, decision.probabilities[TARGET])

    def is_sure(self, confidence: float) -> bool:
        return self._posterior.best[1] >= confidence

    def settle(self) -> None:
        """Every flash has counted already."""


class _EvidenceOfLetter:
    """The flashes of a letter count together; probabilities are renewed after each sequence."""

    def __init__(self, speller: Speller, unlabelled: UnlabelledSpeller) -> None:
        self._speller, self._unlabelled = speller, unlabelled
        self.begin()

    def begin(self) -> None:
        self._epochs: deque[Floats] = deque(maxlen=MOST_FLASHES)
        self._lit: deque[str] = deque(maxlen=MOST_FLASHES)
        n_symbols = len(self._speller.symbols)
        self.probabilities: Floats = np.full(n_symbols, 1 / n_symbols)

    @property
    def n_flashes(self) -> int:
        return len(self._epochs)

    def add(self, decision: Decision, epoch: Floats | None) -> None:
        assert epoch is not None
        self._epochs.append(epoch)
        self._lit.append(decision.lit)
        if self.n_flashes % self._speller.groups_per_sequence == 0:
            self.probabilities = np.exp(self._unlabelled.preview(*self._letter()))

    def is_sure(self, confidence: float) -> bool:
        # a response that the letter itself has to show is overrated by its first flashes
        return False

    def settle(self) -> None:
        """Spell this letter, and the earlier ones again."""
        self.probabilities = np.exp(self._unlabelled.spell(*self._letter()))

    def _letter(self) -> tuple[Floats, BoolMask]:
        lit = [[symbol in group for symbol in self._speller.symbols] for group in self._lit]
        return np.stack(self._epochs), np.array(lit, dtype=bool)


class _EvidenceOfBoth:
    """Flashes as a calibrated classifier judges them, and the letter by what it shows itself.

    The mean of both logarithms decides, which is more careful than either.
    """

    def __init__(self, flashes: _EvidenceOfFlashes, letter: _EvidenceOfLetter) -> None:
        self._flashes, self._letter = flashes, letter

    @property
    def probabilities(self) -> Floats:
        both = np.stack([self._flashes.probabilities, self._letter.probabilities])
        logarithms = np.log(np.maximum(both, SMALLEST_PROBABILITY)).mean(axis=0)
        result: Floats = softmax(logarithms)
        return result

    @property
    def n_flashes(self) -> int:
        return self._flashes.n_flashes

    def begin(self) -> None:
        self._flashes.begin()
        self._letter.begin()

    def add(self, decision: Decision, epoch: Floats | None) -> None:
        self._flashes.add(decision, epoch)
        self._letter.add(decision, epoch)

    def is_sure(self, confidence: float) -> bool:
        # how often the flashes' own probabilities are right is known of flashes held out
        agree = int(np.argmax(self.probabilities)) == int(np.argmax(self._flashes.probabilities))
        return agree and self._flashes.is_sure(confidence)

    def settle(self) -> None:
        """Spell this letter, and the earlier ones again."""
        self._letter.settle()


def _evidence(decoder: Decoder) -> _EvidenceOfFlashes | _EvidenceOfLetter | _EvidenceOfBoth:
    """Return what gathers the evidence of a letter's flashes for this decoder."""
    classifier, speller = decoder.classifier, decoder.protocol.speller
    assert speller is not None
    if isinstance(classifier, UmmClassifier):
        return _EvidenceOfLetter(speller, classifier.speller())
    flashes = _EvidenceOfFlashes(decoder)
    unlabelled = classifier.unlabelled_speller() if isinstance(classifier, AutoClassifier) else None
    if unlabelled is None:
        return flashes
    return _EvidenceOfBoth(flashes, _EvidenceOfLetter(speller, unlabelled))


def _unknown(time: float, symbols: list[str]) -> EngineEvent:
    return EngineEvent(
        time,
        "unknown-symbols",
        f"a flash shows {' '.join(symbols)}, which the decoder's matrix does not hold; "
        "it counts for nothing",
    )
