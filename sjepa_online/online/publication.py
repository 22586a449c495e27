"""The streams that a live decoder publishes over LSL, and a check that their names are free."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sjepa_online.markers import SELECTED, StimulusMarker
from sjepa_online.online.events import Decision, EngineEvent, SymbolDecision
from sjepa_online.stream import DecisionOutlet, ProbabilityOutlet, local_clock
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.library import liblsl

#: Names of the two streams.
PROBABILITIES = "sjepa-online-probabilities"
DECISIONS = "sjepa-online-decisions"
#: Seconds between looks for other streams of the same names, and after which nobody looks any more.
LOOK_EVERY, LOOK_FOR = 1.0, 10.0


class Publication(Closing):
    """The streams of probabilities and decisions.

    Parameters
    ----------
    classes : sequence of str
        Classes of the decoder.
    sfreq : float
        Decisions a second in sliding mode; 0 for decisions after markers.
    suffix : str
        Ends the names of both streams.
    """

    def __init__(self, classes: Sequence[str], sfreq: float, suffix: str = "") -> None:
        self.name = DECISIONS + suffix
        self._probabilities = ProbabilityOutlet(PROBABILITIES + suffix, classes, sfreq)
        self._decisions = DecisionOutlet(self.name)
        self._others: Any = liblsl().ContinuousResolver(prop="name", value=self.name)
        self._next_look = local_clock() + LOOK_EVERY
        self._stop_looking = local_clock() + LOOK_FOR

    def push_decision(self, decision: Decision) -> None:
        """Publish the probabilities and the class of a decision.

        Parameters
        ----------
        decision : Decision
        """
        self._probabilities.push(list(decision.probabilities.values()), decision.time)
        self._decisions.push(decision.label, decision.time)

    def push_symbol(self, decision: SymbolDecision) -> None:
        """Publish a symbol of a speller, as ``selected/SYMBOL``.

        Parameters
        ----------
        decision : SymbolDecision
        """
        self._decisions.push(str(StimulusMarker(SELECTED, decision.symbol)), decision.time)

    def look(self) -> list[EngineEvent]:
        """Tell once, in the first seconds, whether another stream has the same name.

        Returns
        -------
        list of EngineEvent
        """
        now = local_clock()
        if self._others is None or now < self._next_look:
            return []
        self._next_look = now + LOOK_EVERY
        hosts = sorted(
            info.hostname() for info in self._others.results() if info.uid() != self._decisions.uid
        )
        if hosts or now > self._stop_looking:
            self._others = None
        return [_name_taken(now, self.name, hosts)] if hosts else []

    def close(self) -> None:
        """Take the streams off the network."""
        self._others = None
        self._probabilities.close()
        self._decisions.close()


def _name_taken(time: float, name: str, hosts: Sequence[str]) -> EngineEvent:
    detail = (
        f"another program on {', '.join(hosts)} publishes {name} too: a receiver that chooses by "
        "name may take either; end one of them"
    )
    return EngineEvent(time, "name-taken", detail)
