"""Signal and markers from LSL, on one clock, with everything that goes wrong as events."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile, CodeReader, pick_channels
from sjepa_online.errors import InputError, OperationError
from sjepa_online.foreign_text import clean_text
from sjepa_online.markers import marker_text
from sjepa_online.signal.decimator import HIGHEST_SFREQ, Decimator, decimation_factor
from sjepa_online.signal.sampling import MEASURED_SECONDS, measured_rate
from sjepa_online.signal.units import microvolt_factor, normalise_unit
from sjepa_online.stream.closing import Closing
from sjepa_online.stream.discovery import StreamDescription, find_again
from sjepa_online.stream.events import (
    ClockJump,
    ClockOffset,
    FrozenTimestamps,
    Gap,
    StreamChanged,
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

#: A clock so far (s) off LSL's is another one; delays on the way are shorter.
OTHER_CLOCK = 10.0

# jitter (s) of samples that are stamped on arrival, in a stream that declares no rate
_UNDECLARED_JITTER = 0.1
# a source cannot be restarted in less time (s)
_RESTARTS_AFTER = 1.0
# beyond the silence on the wire, by how much (s) timestamps may step before it is no gap
_LONGEST_UNHEARD_GAP = 10.0
# the correction of the clock moves timestamps by less than this (s)
_STANDSTILL = 0.01


class Marker(NamedTuple):
    """A label and its time on this machine's LSL clock (s)."""

    label: str
    time: float


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
    markers : tuple of Marker
        Codes that began in the stream's channel of codes.
    """

    data: NDArray[np.float64]
    timestamps: NDArray[np.float64]
    events: tuple[StreamEvent, ...] = field(default=())
    markers: tuple[Marker, ...] = field(default=())


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
    """A stream of numbers.

    With ``amplifier`` its electrodes come, in their order, and the codes of its trigger channel
    as markers; without, all of its channels as they are declared.

    Parameters
    ----------
    stream : StreamDescription
        From :func:`~sjepa_online.stream.discovery.resolve_stream`.
    amplifier : AmplifierProfile, optional
        What is known of the amplifier beside what the stream declares.
    ch_names : sequence of str, optional
        Without ``amplifier``: channel names, when the stream does not give them.
    unit : str, optional
        Without ``amplifier``: unit of all channels, when the stream does not give it.
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
        The stream is not numeric, its samples do not come regularly, or its electrodes cannot be
        told; see :func:`~sjepa_online.amplifier.pick_channels`.
    OperationError
        The source does not answer.
    """

    def __init__(
        self,
        stream: StreamDescription,
        *,
        amplifier: AmplifierProfile | None = None,
        ch_names: Sequence[str] | None = None,
        unit: str | None = None,
        dejitter: bool = True,
        timeout: float = 5.0,
        recover: bool = True,
        stale_after: float = STALE_AFTER,
    ) -> None:
        if not stream.is_kind("signal"):
            raise InputError(
                f"The stream {stream.name} carries no signal of an amplifier",
                value=f"{stream.n_channels} channels of {stream.format} at {stream.sfreq:g} Hz",
                remedy="Choose the stream of the amplifier; see 'sjepa-online streams'.",
            )
        self._amplifier = amplifier
        self._picked = None if amplifier is None else pick_channels(stream.declaration, amplifier)
        if self._picked is None:
            self.ch_names = _channel_names(stream, ch_names)
            self._units = _channel_units(stream, unit)
        else:
            self.ch_names = self._picked.ch_names
            self._units = (self._picked.unit,) * len(self.ch_names)
        decimation_factor(stream.sfreq or 1.0)
        super().__init__(stream, timeout, recover=recover)
        declared = stream.sfreq or self._measure_rate()
        self._decimator = (
            Decimator(len(self.ch_names), declared) if declared > HIGHEST_SFREQ else None
        )
        self._codes = CodeReader(None if amplifier is None else amplifier.idle)
        #: Rate (Hz) of the samples that :meth:`pull` gives.
        self.sfreq = declared if self._decimator is None else self._decimator.sfreq
        self._source_sfreq = declared
        #: Samples that arrived, and samples that gaps left out.
        self.received = 0
        self.missing = 0
        #: True while nothing arrives.
        self.lost = False
        #: What is added (s) to the stream's timestamps, which another clock gave; 0 for LSL's.
        self.clock_shift = 0.0
        # timestamp of the last sample, as it came
        self._newest = np.inf
        self._clock_told = False
        self._gone = False
        #: True while samples come whose timestamps stand still.
        self.frozen = False
        # the last timestamp that moved, and when it came
        self._moved = (-np.inf, 0.0)
        self._smooth = dejitter
        self._clock = self._new_clock()
        # when so many samples had arrived, about once a second
        self._counts: deque[tuple[float, int]] = deque()
        self._heard = local_clock()
        self._stale_after = stale_after
        self._max_samples = max(512, round(declared))

    def _new_clock(self) -> SampleClock:
        least = 0.0 if self.stream.sfreq else _UNDECLARED_JITTER
        return SampleClock(self._source_sfreq, smooth=self._smooth, least_tolerance=least)

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the stream or read in another way than declared, for people."""
        return () if self._picked is None else self._picked.notes

    @property
    def amplifier(self) -> AmplifierProfile:
        """What was said of the amplifier beside what its stream declares."""
        return AS_DECLARED if self._amplifier is None else self._amplifier

    @property
    def has_codes(self) -> bool:
        """Whether the stream has a channel of codes, whose events come as markers."""
        return self._picked is not None and self._picked.trigger is not None

    def _measure_rate(self) -> float:
        """Measure the rate of a stream that declares none, over some seconds of samples."""
        end = time.monotonic() + MEASURED_SECONDS + 1.0
        stamps: list[float] = []
        while time.monotonic() < end:
            _, new = self._inlet.pull_chunk(timeout=0.2, max_samples=1024)
            stamps += list(new)
            if stamps and stamps[-1] - stamps[0] > MEASURED_SECONDS:
                break
        return measured_rate(np.array(stamps), self.stream.name)

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
        expected = self._source_sfreq * (until - since)
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

        Parameters
        ----------
        ch_names : sequence of str, optional
            Channels of the stream.

        Returns
        -------
        {"V", "mV", "uV", "nV"}

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
                f"The stream {self.stream.name} lacks channels that are needed",
                value=f"missing {', '.join(absent)}; there are {', '.join(self.ch_names)}",
                remedy="Connect these electrodes, or use a decoder for the channels at hand.",
            )
        if not self._units:
            raise InputError(
                f"The stream {self.stream.name} declares no unit",
                value="no unit in the stream's description",
                remedy="Say which it is: --unit uV (or V, mV, nV).",
            )
        units = {normalise_unit(self._units[self.ch_names.index(name)]) for name in wanted}
        if len(units) > 1:
            raise InputError(
                f"The EEG channels of {self.stream.name} have different units",
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

        Returns
        -------
        Chunk
            Without samples where none has arrived; its events may tell why.

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
        returned: list[StreamEvent] = []
        step = float(timestamps[0]) - self._newest
        self._newest = float(timestamps[-1])
        # a reader that is late finds samples that follow each other; a restarted source has a gap
        if self.lost or step > _RESTARTS_AFTER or -np.inf < step < 0:
            returned = self._look_again(now)
            self._heard = local_clock()
            if self._gone:
                return self._nothing(*returned)
        frozen = self._check_standstill(float(timestamps[-1]), now)
        self._compare_clocks(timestamps, now, returned)
        times, events = self._clock.update(
            timestamps + self.clock_shift, silence + _LONGEST_UNHEARD_GAP
        )
        events = returned + events + frozen
        if self.lost:
            self.lost = False
            detail = f"{self.stream.name} is back after {silence:.1f} s"
            events.insert(0, StreamRecovered(time=now, detail=detail, silence=silence))
        self.received += len(times)
        self.missing += sum(event.missing for event in events if isinstance(event, Gap))
        self._count(now)
        return self._chunk(samples, times, events)

    def _chunk(
        self, samples: NDArray[Any], times: NDArray[np.float64], events: list[StreamEvent]
    ) -> Chunk:
        """Return the channels that are used, at the rate of this inlet."""
        if self._picked is None:
            data = np.ascontiguousarray(samples.T, dtype=np.float64)
        else:
            data = self._picked.take(samples)
        markers = self._markers(samples, times)
        if self._decimator is None:
            return Chunk(data, times, tuple(events), markers)
        if any(isinstance(event, Gap | ClockJump) for event in events):
            self._decimator.reset()
        decimated, kept = self._decimator.update(data)
        moved = [_moved(event, kept) for event in events]
        return Chunk(decimated, times[kept], tuple(moved), markers)

    def _markers(self, samples: NDArray[Any], times: NDArray[np.float64]) -> tuple[Marker, ...]:
        if self._picked is None or self._picked.trigger is None:
            return ()
        places, codes = self._codes.update(np.asarray(samples[:, self._picked.trigger], float))
        return tuple(
            Marker(code, float(times[place])) for place, code in zip(places, codes, strict=True)
        )

    def _compare_clocks(
        self, timestamps: NDArray[np.float64], now: float, events: list[StreamEvent]
    ) -> None:
        """Measure once how far the stream's clock is off LSL's; a distance of hours is no delay."""
        offset = now - float(timestamps[-1])
        waiting = len(timestamps) >= self._max_samples
        if self._clock_told or (waiting and abs(offset) > BUFFERED + OTHER_CLOCK):
            # of what has waited for long, only the newest sample tells the clock
            return
        self._clock_told = True
        if waiting:
            return
        self.clock_shift = offset if abs(offset) > OTHER_CLOCK else 0.0
        if self.clock_shift:
            detail = (
                f"{self.stream.name} is stamped by another clock than LSL's, {-offset:+.3f} s off; "
                "this is corrected, to within some ms"
            )
            events.append(ClockOffset(time=now, detail=detail, seconds=offset))

    def _look_again(self, now: float) -> list[StreamEvent]:
        """See whether a restarted source declares its channels as before; read them as it does."""
        if not self.stream.source_id:
            return []
        again = find_again(self.stream)
        if again is None or again.uid == self.stream.uid:
            return []
        before, self.stream = self.stream, again
        self._clock_told = False
        if again.declaration == before.declaration:
            return []
        try:
            problem = self._pick_again(again)
        except InputError as error:
            problem = str(error)
        if problem:
            self._gone = self.lost = True
            detail = f"{again.name} is back with other channels, and is not read: {problem}"
            return [StreamLost(time=now, detail=detail, recoverable=False)]
        detail = f"{again.name} is back with other labels, order or unit, and is read by them"
        return [StreamChanged(time=now, detail=detail)]

    def _pick_again(self, again: StreamDescription) -> str:
        """Take the same electrodes by their new places and units; return why that cannot be."""
        if self._picked is None or self._amplifier is None:
            return "its labels or units differ"
        new = pick_channels(again.declaration, self._amplifier)
        absent = [name for name in self.ch_names if name not in new.ch_names]
        if absent:
            return f"it lacks {', '.join(absent)}"
        order = [new.ch_names.index(name) for name in self.ch_names]
        factors = new.microvolts[order] / microvolt_factor(self._picked.unit)
        self._picked = replace(
            self._picked,
            rows=new.rows[order],
            scales=None if np.all(factors == 1) else factors[:, np.newaxis],
            trigger=new.trigger,
        )
        return ""

    def _check_standstill(self, timestamp: float, now: float) -> list[StreamEvent]:
        """Tell whether timestamps have begun to stand still, which no clock of samples sees."""
        if abs(timestamp - self._moved[0]) > _STANDSTILL:
            if self.frozen:
                # the old one has learnt that any time is possible
                self._clock = self._new_clock()
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


def _moved(event: StreamEvent, kept: NDArray[np.intp]) -> StreamEvent:
    """Return an event with its place among the samples that are kept."""
    if isinstance(event, Gap | ClockJump):
        return replace(event, index=int(np.searchsorted(kept, event.index)))
    return event


def _channel_names(stream: StreamDescription, given: Sequence[str] | None) -> tuple[str, ...]:
    if given is None:
        labels = stream.ch_names or ("",) * stream.n_channels
        return tuple(
            label if label and labels.count(label) == 1 else f"channel {number}"
            for number, label in enumerate(labels, start=1)
        )
    names = tuple(given)
    if len(names) != stream.n_channels or len(set(names)) != len(names):
        raise InputError(
            f"The names that are given do not suit the channels of {stream.name}",
            value=f"{stream.n_channels} channels, and the names {', '.join(names)}",
            remedy="Give each channel a name of its own.",
        )
    return names


def _channel_units(stream: StreamDescription, given: str | None) -> tuple[str, ...]:
    if given is None:
        return stream.units
    return (normalise_unit(given),) * stream.n_channels
