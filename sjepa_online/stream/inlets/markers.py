"""Markers from a stream, as text, on this machine's LSL clock."""

from __future__ import annotations

from typing import Any, NamedTuple

from sjepa_online.errors import InputError, OperationError
from sjepa_online.foreign_text import clean_text
from sjepa_online.markers import marker_text
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.events import StreamEvent, StreamLost, StreamRecovered
from sjepa_online.stream.inlets.connection import Connection
from sjepa_online.stream.library import liblsl, local_clock

#: Seconds after which a marker stream that answers nobody counts as lost: it may send nothing.
FORGOTTEN_AFTER = 5.0
#: Markers that are taken at once.
MARKERS_AT_ONCE = 1024


class Marker(NamedTuple):
    """A label and its time on this machine's LSL clock (s)."""

    label: str
    time: float


class MarkerInlet(Connection):
    """A stream of markers: text, or whole numbers, which become their text.

    Parameters
    ----------
    stream : StreamDescription
        From :func:`~sjepa_online.stream.discovery.resolve_stream` with ``kind="markers"``.
    timeout : float
        How long the source may take to answer (s).
    recover : bool
        Wait for a source with the same id when the stream is lost, and go on with it. Without
        it, the loss is an error.

    Raises
    ------
    InputError
        The stream does not carry markers.
    OperationError
        The source does not answer.
    """

    def __init__(
        self, stream: StreamDescription, *, timeout: float = 5.0, recover: bool = True
    ) -> None:
        if not stream.is_kind("markers"):
            raise InputError(
                f"The stream {stream.name} carries no markers: text, or codes without a rate",
                value=f"{stream.n_channels} channels of {stream.format} at {stream.sfreq:g} Hz",
                remedy="Choose the marker stream; see 'sjepa-online streams'.",
            )
        super().__init__(stream, timeout, recover=recover)
        #: True while the stream is not in sight.
        self.lost = False
        self._heard = local_clock()
        # any other loss is an error of the next pull
        self._watched = recover and stream.source_id != ""
        self._resolver: Any = None

    def close(self) -> None:
        """Disconnect; nothing can be pulled afterwards."""
        super().close()
        self._resolver = None

    def look(self) -> list[StreamEvent]:
        """Tell whether the stream is out of sight, or back, since the last look.

        It costs some 0.1 ms; once a second is often enough.

        Returns
        -------
        list of StreamEvent
            One :class:`StreamLost` or :class:`StreamRecovered`, or nothing where all is as before.
        """
        if not self._watched:
            return []
        now = local_clock()
        if self._resolver is None:
            self._resolver, self._heard = liblsl().ContinuousResolver(forget_after=1.0), now
        name = self.stream.name
        if any(_core(info) == _core(self.stream.info) for info in self._resolver.results()):
            silence, self._heard = now - self._heard, now
            if not self.lost:
                return []
            self.lost = False
            detail = f"the markers of {name} are back after {silence:.1f} s"
            return [StreamRecovered(time=now, detail=detail, silence=silence)]
        if self.lost or now - self._heard <= FORGOTTEN_AFTER:
            return []
        self.lost = True
        detail = f"the markers of {name} are gone; they are picked up again when they are back"
        return [StreamLost(time=now, detail=detail, recoverable=True)]

    def pull(self, timeout: float = 0.0) -> list[Marker]:
        """Take the markers that have arrived, in their order, at most ``MARKERS_AT_ONCE``.

        Parameters
        ----------
        timeout : float
            How long to wait for the first marker (s); 0 returns at once.

        Returns
        -------
        list of Marker
            Times on this machine's LSL clock (s).

        Raises
        ------
        OperationError
            The stream is lost and cannot be picked up again.
        """
        try:
            labels, times = self._inlet.pull_chunk(
                timeout=timeout,
                max_samples=MARKERS_AT_ONCE,
                min_samples=1 if timeout > 0 else None,
                as_numpy=True,
            )
        except self._lost_error as error:
            raise OperationError(
                f"The marker stream {self.stream.name} is lost and cannot be picked up again: "
                "restart its source, then this program; a source id would make that unnecessary"
            ) from error
        return [
            Marker(text, float(time))
            for sample, time in zip(labels, times, strict=True)
            for text in _texts(sample)
        ]


def _core(info: Any) -> tuple[str, str, str]:
    """Return what a stream keeps when its source is restarted."""
    return info.name(), info.type(), info.source_id()


def _texts(sample: Any) -> list[str]:
    """Return what a sample of a marker stream says: each text, or the first of its numbers."""
    values = list(sample)
    if values and not isinstance(values[0], str | bytes):
        return [marker_text(values[0])]
    return [text for value in values if (text := clean_text(marker_text(value)))]
