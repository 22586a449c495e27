"""Signal from LSL, on this machine's clock, with everything that goes wrong as events."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sjepa_online.amplifier import AS_DECLARED, AmplifierProfile
from sjepa_online.errors import InputError, OperationError
from sjepa_online.signal.sampling import MEASURED_SECONDS, measured_rate
from sjepa_online.stream.discovery import StreamDescription, find_again
from sjepa_online.stream.events import (
    Gap,
    StreamChanged,
    StreamEvent,
    StreamLost,
    StreamRecovered,
)
from sjepa_online.stream.inlets.channels import ChannelReader
from sjepa_online.stream.inlets.connection import Connection
from sjepa_online.stream.inlets.markers import Marker
from sjepa_online.stream.inlets.source_clock import SourceClock
from sjepa_online.stream.library import local_clock

#: Seconds without a sample after which a regular stream counts as lost.
STALE_AFTER = 0.5
# a source cannot be restarted in less time (s)
_RESTARTS_AFTER = 1.0


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
    impedances : mapping of str to float
        Newest impedance (kΩ) of each electrode, where the stream carries them.
    """

    data: NDArray[np.float64]
    timestamps: NDArray[np.float64]
    events: tuple[StreamEvent, ...] = field(default=())
    markers: tuple[Marker, ...] = field(default=())
    impedances: Mapping[str, float] = field(default_factory=dict)


class SignalInlet(Connection):
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
        self._channels = ChannelReader(stream, amplifier, ch_names, unit)
        super().__init__(stream, timeout, recover=recover)
        declared = stream.sfreq or self._measure_rate()
        self._max_samples = max(512, round(declared))
        self._clock = SourceClock(
            stream.name,
            declared,
            declared=stream.sfreq > 0,
            smooth=dejitter,
            at_once=self._max_samples,
        )
        #: Rate (Hz) of the samples that :meth:`pull` gives.
        self.sfreq = self._channels.begin(declared)
        #: Samples that gaps left out.
        self.missing = 0
        #: True while nothing arrives.
        self.lost = False
        # timestamp of the last sample, as it came
        self._newest = np.inf
        self._gone = False
        self._heard = local_clock()
        self._stale_after = stale_after

    @property
    def ch_names(self) -> tuple[str, ...]:
        """Names of the channels that are used."""
        return self._channels.ch_names

    @property
    def notes(self) -> tuple[str, ...]:
        """What was left out of the stream or read in another way than declared, for people."""
        picked = self._channels.picked
        return () if picked is None else picked.notes

    @property
    def amplifier(self) -> AmplifierProfile:
        """What was said of the amplifier beside what its stream declares."""
        return AS_DECLARED if self._amplifier is None else self._amplifier

    @property
    def has_codes(self) -> bool:
        """Whether the stream has a channel of codes, whose events come as markers."""
        return self._channels.has_codes

    @property
    def received(self) -> int:
        """Samples that have arrived."""
        return self._clock.received

    @property
    def clock_shift(self) -> float:
        """What is added (s) to the stream's timestamps, which another clock gave; 0 for LSL's."""
        return self._clock.shift

    @property
    def clock_is_compared(self) -> bool:
        """Whether ``clock_shift`` is known, which it is from the first samples on."""
        return self._clock.compared

    @property
    def raw_clock_shift(self) -> float:
        """What is added (s) to timestamps as they are recorded, before clocks are synchronised."""
        return self.clock_shift and self.clock_shift + (self.clock_offset or 0.0)

    @property
    def frozen(self) -> bool:
        """Whether samples come whose timestamps stand still."""
        return self._clock.frozen

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
        """Whether samples come at another rate than declared, by more than 1 %."""
        return self._clock.rate_is_wrong

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
        return self._channels.unit_of(ch_names, self.stream.name)

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
        return self._take(samples, timestamps)

    def _take(self, samples: NDArray[Any], timestamps: NDArray[np.float64]) -> Chunk:
        """Return samples that have come, with everything that has happened since the last ones."""
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
        times, of_times = self._clock.update(timestamps, now, silence)
        events = returned + of_times
        if self.lost:
            self.lost = False
            detail = f"{self.stream.name} is back after {silence:.1f} s"
            events.insert(0, StreamRecovered(time=now, detail=detail, silence=silence))
        self.missing += sum(event.missing for event in events if isinstance(event, Gap))
        markers = self._channels.markers(samples, times)
        impedances = self._channels.impedances.read(samples)
        return Chunk(*self._channels.read(samples, times, events), markers, impedances)

    def _look_again(self, now: float) -> list[StreamEvent]:
        """See whether a restarted source declares its channels as before; read them as it does."""
        if not self.stream.source_id:
            return []
        again = find_again(self.stream)
        if again is None or again.uid == self.stream.uid:
            return []
        before, self.stream = self.stream, again
        self._clock.restart()
        if again.declaration == before.declaration:
            return []
        if problem := self._channels.pick_again(again):
            self._gone = self.lost = True
            detail = f"{again.name} is back with other channels: {problem}"
            if self._amplifier is not None:
                # who reads all channels as they are declared begins anew by itself
                detail += (
                    "; it is not read. Restart the source as it was, or begin anew to read it as "
                    "it is"
                )
            return [StreamLost(time=now, detail=detail, recoverable=False)]
        detail = f"{again.name} is back with other labels, order or unit, and is read by them"
        return [StreamChanged(time=now, detail=detail)]

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
