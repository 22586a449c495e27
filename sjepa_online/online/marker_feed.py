"""The markers of a stream on their way to the engine: of one clock, and no more than it decodes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sjepa_online.online.engine import Engine
from sjepa_online.online.events import EngineEvent
from sjepa_online.stream import Marker, MarkerInlet, local_clock
from sjepa_online.stream.inlet import MARKERS_AT_ONCE

#: Seconds that a marker may be ahead of the signal: a late reader has so much signal before it.
AHEAD = 60.0
#: Markers that may wait for their windows; 20 s of the fastest flashes of a speller.
MOST_WAITING = 256
#: Seconds between two reports of markers that are left out.
REPORT_EVERY = 1.0
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


class MarkerFeed:
    """Hand markers over to an engine.

    Left out, and told at most once a second, are markers whose time is not of the signal's clock,
    and markers that come while ``MOST_WAITING`` others wait for their windows: a flood of them must
    not delay the decisions.

    Parameters
    ----------
    inlet : MarkerInlet
    engine : Engine
    """

    def __init__(self, inlet: MarkerInlet, engine: Engine) -> None:
        self._inlet = inlet
        self._engine = engine
        self._ignored, self._dropped = _Count(), _Count()

    def take(self, now: float) -> list[EngineEvent]:
        """Take the markers that have arrived.

        Parameters
        ----------
        now : float
            Timestamp (s) of the signal's newest sample.

        Returns
        -------
        list of EngineEvent
            Of markers that are left out.
        """
        for _ in range(_TURNS):
            markers = self._inlet.pull()
            for marker in markers:
                self._hand_over(marker, now)
            if len(markers) < MARKERS_AT_ONCE:
                break
        return [
            *self._ignored.report("marker-ignored", now),
            *self._dropped.report("markers-dropped", now),
        ]

    def _hand_over(self, marker: Marker, now: float) -> None:
        if not -math.inf < marker.time <= now + AHEAD:
            self._ignored.add(
                f"the marker {marker.label!r} is left out: its time is {marker.time:.3f} s, the "
                f"signal's {now:.3f} s, so they are of two clocks"
            )
        elif self._engine.n_waiting >= MOST_WAITING:
            self._dropped.add(
                f"the marker {marker.label!r} is left out: {MOST_WAITING} markers wait for the "
                "ends of their windows, and more come than can be decoded"
            )
        else:
            self._engine.push_marker(marker.label, marker.time)
