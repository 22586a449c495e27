"""The speller online: flashes that were decoded become a symbol."""

from __future__ import annotations

from sjepa_online.decoding import Decoder
from sjepa_online.decoding.speller import SymbolPosterior
from sjepa_online.markers import CUE, END, PAUSE, TARGET, StimulusMarker
from sjepa_online.online.events import Decision, EngineEvent, SymbolDecision


class SymbolSelection:
    """Gather the flashes of one selection until a symbol is sure enough, or the flashes end.

    A selection ends with the marker ``end``, a new one begins with ``cue`` or the next flash.
    After a symbol is decided the flashes that still come count for nothing.

    Parameters
    ----------
    decoder : Decoder
        With the evidence of flashes, and the speller in its protocol.
    """

    def __init__(self, decoder: Decoder) -> None:
        speller, evidence = decoder.protocol.speller, decoder.calibration.flash_evidence
        assert speller is not None
        assert evidence is not None
        self._symbols, self._evidence = speller.symbols, evidence
        self._confidence = speller.confidence
        self._begin()

    @property
    def probabilities(self) -> dict[str, float]:
        """Probability of each symbol after the flashes of this selection so far."""
        probabilities = self._posterior.probabilities.tolist()
        return dict(zip(self._symbols, probabilities, strict=True))

    @staticmethod
    def suits(decoder: Decoder) -> bool:
        """Tell whether the decoder has what it takes to decide on symbols.

        Parameters
        ----------
        decoder : Decoder

        Returns
        -------
        bool
        """
        evidence = decoder.calibration.flash_evidence
        return decoder.protocol.speller is not None and evidence is not None

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
        decided: list[SymbolDecision] = []
        if marker.word == END and self._posterior.n_flashes and not self._decided:
            decided = [self._decide(max(time, self._last))]
        self._begin(marker.about if marker.word == CUE else None)
        return decided

    def take_flash(self, decision: Decision) -> list[SymbolDecision | EngineEvent]:
        """Take in the decision on a flash; return a symbol once it is sure enough.

        Parameters
        ----------
        decision : Decision
            On a flash; ``lit`` holds its symbols.

        Returns
        -------
        list of SymbolDecision or EngineEvent
        """
        unknown = sorted(set(decision.lit) - set(self._symbols))
        if unknown:
            return [_unknown(decision.time, unknown)]
        if self._decided:
            return []
        self._last = decision.time
        self._posterior.update(decision.lit, decision.probabilities[TARGET])
        if self._posterior.best[1] < self._confidence:
            return []
        return [self._decide(decision.time)]

    def _begin(self, truth: str | None = None) -> None:
        self._posterior = SymbolPosterior(self._symbols, self._evidence)
        self._truth = truth
        self._decided = False
        self._last = 0.0

    def _decide(self, time: float) -> SymbolDecision:
        self._decided = True
        symbol, probability = self._posterior.best
        return SymbolDecision(
            time=time,
            symbol=symbol,
            probability=probability,
            probabilities=self.probabilities,
            n_flashes=self._posterior.n_flashes,
            truth=self._truth,
        )


def _unknown(time: float, symbols: list[str]) -> EngineEvent:
    return EngineEvent(
        time,
        "unknown-symbols",
        f"a flash shows {' '.join(symbols)}, which the decoder's matrix does not hold; "
        "it counts for nothing",
    )
