"""The markers of a stream on their way to the engine: of one clock, and no more than it decodes."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.markers import WORDS, parse_marker
from sjepa_online.online.engine import Engine
from sjepa_online.online.events import EngineEvent
from sjepa_online.stream import Marker, MarkerInlet, local_clock
from sjepa_online.stream.inlets import MARKERS_AT_ONCE

#: Seconds that a marker may be ahead of the signal: a late reader has so much signal before it.
AHEAD = 60.0
#: So many trials may begin within so many seconds: several times the fastest flashes of a speller.
MOST_AT_ONCE, AT_ONCE = 8, 0.125
#: Seconds between two reports of markers that are left out.
REPORT_EVERY = 1.0
#: Markers that are no class, until this is told.
TOLD_AFTER = 3
# times that markers are taken in a turn: more stay in the inlet for the next one
_TURNS = 8


@dataclass
class _Count:
    """Markers that are left out for one reason, and when they may be told of next."""

    n: int = 0
    next_report: float = -math.inf
    example: str = ""

    def add(self, example: str) -> None:
        if self.n == 0:
            self.example = example
        self.n += 1

    def report(self, event: str, time: float) -> list[EngineEvent]:
        now = local_clock()
        if self.n == 0 or now < self.next_report:
            return []
        more = f"; so are {self.n - 1} more" if self.n > 1 else ""
        self.n, self.next_report = 0, now + REPORT_EVERY
        return [EngineEvent(time, event, f"{self.example}{more}")]


def _on_the_clock(marker: Marker, now: float, shift: float) -> Marker:
    """Return a marker on LSL's clock: its time as it is, or shifted as the signal's, if nearer."""
    shifted = marker.time + shift
    return marker._replace(time=shifted) if abs(shifted - now) < abs(marker.time - now) else marker


class MarkerFeed:
    """Hand markers over to an engine.

    Left out, and told at most once a second, are markers whose time is not of the signal's clock,
    and markers that follow each other faster than ``MOST_AT_ONCE`` within ``AT_ONCE`` seconds: a
    flood of them must not delay the decisions.

    Parameters
    ----------
    inlet : MarkerInlet or None
        None where all markers come as codes in the signal's stream.
    engine : Engine
    amplifier : AmplifierProfile
        Tells for which class a code stands.
    """

    def __init__(
        self,
        inlet: MarkerInlet | None,
        engine: Engine,
        amplifier: AmplifierProfile = AS_DECLARED,
    ) -> None:
        self._inlet = inlet
        self._engine = engine
        self._amplifier = amplifier
        # labels that are no class, until they are told or a class has come
        self._unknown: list[str] | None = [] if engine.mode == "markers" else None
        self._ignored, self._dropped = _Count(), _Count()
        # of the last trials that were handed over
        self._onsets: deque[float] = deque(maxlen=MOST_AT_ONCE)

    def take(
        self, now: float, codes: Sequence[Marker] = (), clock_shift: float = 0.0
    ) -> list[EngineEvent]:
        """Take the markers that have arrived.

        Parameters
        ----------
        now : float
            Timestamp (s) of the signal's newest sample.
        codes : sequence of Marker
            From the channel of codes of the signal's stream.
        clock_shift : float
            What is added (s) to the timestamps of a signal that another clock has stamped; markers
            of the same clock get it too.

        Returns
        -------
        list of EngineEvent
            Of markers that are left out.
        """
        for code in codes:
            self._hand_over(code, now)
        for _ in range(_TURNS if self._inlet is not None else 0):
            assert self._inlet is not None
            markers = self._inlet.pull()
            for marker in markers:
                self._hand_over(_on_the_clock(marker, now, clock_shift), now)
            if len(markers) < MARKERS_AT_ONCE:
                break
        return [
            *self._ignored.report("marker-ignored", now),
            *self._dropped.report("markers-dropped", now),
            *self._report_unknown(now),
        ]

    def _hand_over(self, marker: Marker, now: float) -> None:
        if not -math.inf < marker.time <= now + AHEAD:
            self._ignored.add(
                f"the marker {marker.label!r} is left out: its time is {marker.time:.3f} s, the "
                f"signal's {now:.3f} s, so they are of two clocks"
            )
        elif self._floods(marker.time):
            self._dropped.add(
                f"the marker {marker.label!r} is left out: markers come faster than "
                f"{MOST_AT_ONCE / AT_ONCE:g} a second"
            )
        elif self._engine.push_marker(self._amplifier.event(marker.label), marker.time):
            self._onsets.append(marker.time)
            self._unknown = None
        elif self._unknown is not None and parse_marker(marker.label).word not in WORDS:
            self._unknown.append(marker.label)

    def _report_unknown(self, now: float) -> list[EngineEvent]:
        """Tell once that markers come and that none of the first ones is a class."""
        if self._unknown is None or len(self._unknown) < TOLD_AFTER:
            return []
        labels, self._unknown = self._unknown, None
        protocol = self._engine.decoder.protocol
        detail = (
            f"{len(labels)} markers came ({', '.join(labels)}), none is a class of "
            f"{protocol.name}: say which is which by --event CODE={protocol.class_names[0]}, or "
            "choose others by --markers"
        )
        return [EngineEvent(now, "markers-unknown", detail)]

    def _floods(self, time: float) -> bool:
        return len(self._onsets) == MOST_AT_ONCE and abs(time - self._onsets[0]) < AT_ONCE
