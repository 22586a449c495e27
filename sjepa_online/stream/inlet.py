"""Signal and markers from LSL, on one clock, with everything that goes wrong as events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sjepa_online.errors import InputError, OperationError
from sjepa_online.foreign_text import clean_text
from sjepa_online.signal.units import normalise_unit
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.discovery import StreamDescription
from sjepa_online.stream.events import (
    FrozenTimestamps,
    Gap,
    StreamEvent,
    StreamLost,
    StreamRecovered,
)
from sjepa_online.stream.library import liblsl, local_clock
from sjepa_online.stream.sample_clock import RATE_TOLERANCE, SampleClock

#: Seconds without a sample after which a regular stream counts as lost.
STALE_AFTER = 0.5
#: Seconds after which a marker stream that answers nobody counts as lost: it may send nothing.
FORGOTTEN_AFTER = 5.0
#: Seconds over which samples are counted to confirm a wrong rate.
COUNTED = 30.0
#: Seconds after which timestamps that stand still, while samples come, count as frozen.
FROZEN_AFTER = 2.0
#: Markers that are taken at once.
MARKERS_AT_ONCE = 1024
#: Seconds of signal that liblsl keeps while nobody pulls; older samples become a gap.
BUFFERED = 60

# beyond the silence on the wire, by how much (s) timestamps may step before it is no gap
_LONGEST_UNHEARD_GAP = 10.0
# the correction of the clock moves timestamps by less than this (s)
_STANDSTILL = 0.01


@dataclass(frozen=True)
class Chunk:
    """The samples that arrived since the last pull.

    Attributes
    ----------
    data : array, shape (n_channels, n_samples), float64
        Signal in the unit of the stream.
    timestamps : array, shape (n_samples,)
        When each sample was taken, on this machine's LSL clock (s).
    events : tuple of StreamEvent
        What happened since the last pull. A gap and a clock jump carry the ``index`` of the
        first sample after them, so no event means that the chunk continues the last one.
    """

    data: NDArray[np.float64]
    timestamps: NDArray[np.float64]
    events: tuple[StreamEvent, ...] = field(default=())


class Marker(NamedTuple):
    """A label and its time on this machine's LSL clock (s)."""

    label: str
    time: float


class _Inlet(Closing):
    """What both kinds of inlet share: opening with clock correction, and closing."""

    def __init__(self, stream: StreamDescription, timeout: float, *, recover: bool = True) -> None:
        lsl = liblsl()
        self.stream = stream
        self._lost_error = lsl.util.LostError
        self._timeout_error = lsl.util.TimeoutError
        self._inlet: Any = lsl.StreamInlet(
            stream.info,
            max_buflen=BUFFERED,
            recover=recover,
            processing_flags=lsl.proc_clocksync,
        )
        try:
            self._inlet.open_stream(timeout=timeout)
            self._inlet.time_correction(timeout=timeout)
            # the first pull asks for it, and would wait for ever for a source that has gone since
            self._inlet.info(timeout=timeout)
        except (lsl.util.TimeoutError, lsl.util.LostError) as error:
            raise OperationError(
                f"The stream {stream.name} on {stream.host} does not answer within {timeout:g} s: "
                "check that its source is still running and that no firewall blocks it"
            ) from error

    def close(self) -> None:
        """Disconnect; nothing can be pulled afterwards."""
        self._inlet = None


class SignalInlet(_Inlet):
    """A regular stream of numbers.

    Parameters
    ----------
    stream : StreamDescription
        From :func:`~sjepa_online.stream.discovery.resolve_stream`.
    ch_names : sequence of str, optional
        Channel names, when the stream does not give them.
    unit : str, optional
        Unit of all channels, when the stream does not give it.
    dejitter : bool
        Smooth the timestamps (see :class:`~sjepa_online.stream.sample_clock.SampleClock`).
        The default suits every source: exact timestamps stay what they are.
    timeout : float
        How long the source may take to answer (s).
    recover : bool
        Go on when a source of the same id is back. Without it a broken connection is a loss at
        once, not only after some silence.
    stale_after : float
        Seconds without a sample after which the stream counts as lost.

    Raises
    ------
    InputError
        The stream is irregular or not numeric; it has no channel names and none are given,
        or the other way round; names are not unique.
    OperationError
        The source does not answer.
    """

    def __init__(
        self,
        stream: StreamDescription,
        *,
        ch_names: Sequence[str] | None = None,
        unit: str | None = None,
        dejitter: bool = True,
        timeout: float = 5.0,
        recover: bool = True,
        stale_after: float = STALE_AFTER,
    ) -> None:
        if not stream.is_kind("signal"):
            raise InputError(
                f"A signal is a stream of numbers at a regular rate ({stream.name})",
                value=f"{stream.format} at {stream.sfreq:g} Hz",
                remedy="Choose the stream of the amplifier; see 'sjepa-online streams'.",
            )
        self.ch_names = _channel_names(stream, ch_names)
        self._units = _channel_units(stream, unit)
        super().__init__(stream, timeout, recover=recover)
        self.sfreq = stream.sfreq
        #: Samples that arrived, and samples that gaps left out.
        self.received = 0
        self.missing = 0
        #: True while nothing arrives.
        self.lost = False
        #: True while samples come whose timestamps stand still.
        self.frozen = False
        # the last timestamp that moved, and when it came
        self._moved = (-np.inf, 0.0)
        self._gone = False
        self._smooth = dejitter
        self._clock = SampleClock(stream.sfreq, smooth=dejitter)
        # when so many samples had arrived, about once a second
        self._counts: deque[tuple[float, int]] = deque()
        self._heard = local_clock()
        self._stale_after = stale_after
        self._max_samples = max(512, round(stream.sfreq))

    @property
    def effective_sfreq(self) -> float:
        """Rate (Hz) at which samples really come."""
        return self._clock.effective_sfreq

    @property
    def rate_is_wrong(self) -> bool:
        """Whether samples come at another rate than declared, by more than 1 %.

        The timestamps of a source that stamps on arrival tell another rate for a while after it
        has stalled; its samples are as many as they should be.
        """
        if not self._clock.rate_is_wrong:
            return False
        (since, before), (until, after) = self._counts[0], self._counts[-1]
        expected = self.sfreq * (until - since)
        return abs(after - before - expected) > RATE_TOLERANCE * expected

    @property
    def clock_offset(self) -> float | None:
        """Seconds from the source's clock to this machine's; None while it does not answer."""
        if self.lost:
            return None
        try:
            return float(self._inlet.time_correction(timeout=0.1))
        except (self._timeout_error, self._lost_error):
            return None

    def unit_of(self, ch_names: Sequence[str] | None = None) -> str:
        """Give the unit of these channels (of all by default): ``V``, ``mV``, ``uV``, ``nV``.

        Raises
        ------
        InputError
            A channel is not in the stream, the stream gives no unit, or more than one, or
            one that is not of voltage.
        """
        wanted = self.ch_names if ch_names is None else tuple(ch_names)
        absent = [name for name in wanted if name not in self.ch_names]
        if absent:
            raise InputError(
                f"The channels that are needed are in the stream {self.stream.name}",
                value=f"missing {', '.join(absent)}; there are {', '.join(self.ch_names)}",
                remedy="Connect these electrodes, or use a decoder for the channels at hand.",
            )
        if not self._units:
            raise InputError(
                f"A stream declares the unit of its channels ({self.stream.name})",
                value="no unit in the stream's description",
                remedy="Declare it at the source, or give it by --unit: V, mV, uV or nV.",
            )
        units = {normalise_unit(self._units[self.ch_names.index(name)]) for name in wanted}
        if len(units) > 1:
            raise InputError(
                f"EEG channels share one unit ({self.stream.name})",
                value=", ".join(sorted(units)),
                remedy="Choose the EEG channels only, or correct the units at the source.",
            )
        return units.pop()

    def pull(self, timeout: float = 0.0) -> Chunk:
        """Take what has arrived, at most about a second of it at a time.

        Parameters
        ----------
        timeout : float
            How long to wait for the first sample (s); 0 returns at once.

        Raises
        ------
        OperationError
            The source sends timestamps that are not numbers.
        """
        try:
            samples, timestamps = self._inlet.pull_chunk(
                timeout=timeout,
                max_samples=self._max_samples,
                min_samples=1 if timeout > 0 else None,
                as_numpy=True,
            )
        except self._lost_error:
            return self._end(timeout)
        if len(timestamps) == 0:
            return self._silence()
        if not np.isfinite(timestamps).all():
            raise OperationError(
                f"The stream {self.stream.name} sends timestamps that are not finite: "
                "its times cannot be trusted; restart the source"
            )
        now = local_clock()
        silence, self._heard = now - self._heard, now
        frozen = self._check_standstill(float(timestamps[-1]), now)
        times, events = self._clock.update(timestamps, silence + _LONGEST_UNHEARD_GAP)
        events += frozen
        if self.lost:
            self.lost = False
            detail = f"{self.stream.name} is back after {silence:.1f} s"
            events.insert(0, StreamRecovered(time=now, detail=detail, silence=silence))
        self.received += len(times)
        self.missing += sum(event.missing for event in events if isinstance(event, Gap))
        self._count(now)
        return Chunk(np.ascontiguousarray(samples.T, dtype=np.float64), times, tuple(events))

    def _check_standstill(self, timestamp: float, now: float) -> list[StreamEvent]:
        """Tell whether timestamps have begun to stand still, which no clock of samples sees."""
        if abs(timestamp - self._moved[0]) > _STANDSTILL:
            if self.frozen:
                # the old one has learnt that any time is possible
                self._clock = SampleClock(self.sfreq, smooth=self._smooth)
            self._moved, self.frozen = (timestamp, now), False
        elif not self.frozen and now - self._moved[1] > FROZEN_AFTER:
            self.frozen = True
            detail = (
                f"{self.stream.name} sends samples whose timestamps have stood still for "
                f"{now - self._moved[1]:.1f} s: nothing is decoded until they move again"
            )
            return [FrozenTimestamps(time=now, detail=detail)]
        return []

    def _count(self, now: float) -> None:
        if not self._counts or now - self._counts[-1][0] >= 1:
            self._counts.append((now, self.received))
        while now - self._counts[0][0] > COUNTED:
            self._counts.popleft()

    def _silence(self) -> Chunk:
        """Give an empty chunk, with the loss of the stream where it is new."""
        silence = local_clock() - self._heard
        if self.lost or silence <= self._stale_after:
            return self._nothing()
        return self._lose(
            f"{self.stream.name} has sent nothing for {silence:.1f} s; it is picked up again "
            + ("when it is back" if self.stream.source_id else "only if it was not restarted")
        )

    def _end(self, timeout: float) -> Chunk:
        """Give an empty chunk, after the usual time: a caller that asks again must not spin."""
        if self._gone:
            time.sleep(timeout)
            return self._nothing()
        self._gone = True
        why = "" if self.stream.source_id else "it has no source id, so "
        detail = f"{self.stream.name} is gone; {why}it cannot be picked up again by itself"
        return self._lose(detail, recoverable=False)

    def _lose(self, detail: str, *, recoverable: bool = True) -> Chunk:
        self.lost = True
        return self._nothing(StreamLost(time=local_clock(), detail=detail, recoverable=recoverable))

    def _nothing(self, *events: StreamEvent) -> Chunk:
        return Chunk(np.empty((len(self.ch_names), 0)), np.empty(0), events)


class MarkerInlet(_Inlet):
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
                f"Markers are one irregular channel of text or whole numbers ({stream.name})",
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
            Marker(_text(label), float(time)) for (label,), time in zip(labels, times, strict=True)
        ]


def _core(info: Any) -> tuple[str, str, str]:
    """Return what a stream keeps when its source is restarted."""
    return info.name(), info.type(), info.source_id()


def _text(label: Any) -> str:
    if isinstance(label, bytes):
        return clean_text(label.decode("utf-8", errors="replace"))
    return str(label)


def _channel_names(stream: StreamDescription, given: Sequence[str] | None) -> tuple[str, ...]:
    names = stream.ch_names if given is None else tuple(given)
    if not names:
        raise InputError(
            f"A stream names its channels ({stream.name})",
            value="no complete list of channel labels in the stream's description",
            remedy="Declare the labels at the source, or give the channel names in their order.",
        )
    if len(names) != stream.n_channels or len(set(names)) != len(names):
        raise InputError(
            f"Each channel of a stream has a name of its own ({stream.name})",
            value=f"{stream.n_channels} channels named {', '.join(names)}",
            remedy="Correct the labels at the source, or the names that you give.",
        )
    return names


def _channel_units(stream: StreamDescription, given: str | None) -> tuple[str, ...]:
    if given is None:
        return stream.units
    return (normalise_unit(given),) * stream.n_channels
