"""Search for LSL streams in a thread."""

from __future__ import annotations

from collections import deque

from sjepa_apps.ui.worker import Worker
from sjepa_online.markers import DECISION_SOURCE, MARK_SOURCE
from sjepa_online.stream import StreamDescription, find_streams

#: Seconds between two looks.
EVERY = 2.0


class Discovery(Worker):
    """Look for streams until :meth:`stop`; the newest list waits in ``found``."""

    def __init__(self) -> None:
        super().__init__("search for streams")
        self.found: deque[list[StreamDescription]] = deque(maxlen=1)

    def work(self) -> None:
        """Look again and again."""
        seen: list[StreamDescription] = []
        while not self._ended.is_set():
            seen = find_streams(known=seen)
            self.found.append(seen)
            self._ended.wait(EVERY)


def signals_among(streams: list[StreamDescription]) -> list[StreamDescription]:
    """Return the streams of signals, without those that this program publishes.

    Parameters
    ----------
    streams : list of StreamDescription

    Returns
    -------
    signals : list of StreamDescription
    """
    return [
        stream
        for stream in streams
        if not stream.is_kind("markers")
        and stream.format != "string"
        and stream.type != "Probability"
        and stream.type != "Frames"
    ]


def markers_among(streams: list[StreamDescription]) -> list[StreamDescription]:
    """Return the marker streams of other programs.

    Parameters
    ----------
    streams : list of StreamDescription

    Returns
    -------
    markers : list of StreamDescription
    """
    return [
        stream
        for stream in streams
        if stream.is_kind("markers")
        and not stream.source_id.startswith((DECISION_SOURCE, MARK_SOURCE))
    ]


def suitable_markers(
    signal: StreamDescription, streams: list[StreamDescription]
) -> StreamDescription | None:
    """Return the marker stream that belongs to a signal: by its name, or the only one.

    Parameters
    ----------
    signal : StreamDescription
    streams : list of StreamDescription
        In sight.

    Returns
    -------
    markers : StreamDescription or None
        None where no stream, or more than one, may be meant.
    """
    markers = markers_among(streams)
    named = [one for one in markers if one.name.startswith(signal.name)]
    candidates = named or markers
    return candidates[0] if len(candidates) == 1 else None
