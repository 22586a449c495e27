"""Faults of electrodes, put into recordings on purpose."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import inf, isfinite
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.signal import detrend

from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError
from sjepa_online.signal.units import microvolt_factor

FaultKind = Literal["noise", "flat", "drift", "mains", "pop", "swap", "dropped", "rail", "gain"]
KINDS: tuple[FaultKind, ...] = get_args(FaultKind)

GRAMMAR = (
    "A SPEC is CHANNEL:KIND[=VALUE]@FROM-[TO], several of them with commas between; FROM and TO "
    f"are seconds, without TO the fault lasts to the end; KIND is one of {' '.join(KINDS)}; "
    "swap needs the other channel as its VALUE, gain may have a factor (10 unless given). "
    "Example: C3:flat@10-20,Oz:noise@30-,C4:gain=100@5-6,O1:swap=O2@40-60."
)

#: Amplitudes of the faults, in multiples of the channel's own amplitude.
NOISE = 5.0
DRIFT = 50.0
MAINS = 10.0
POP = 100.0
#: A jump is no smaller than this (µV).
LEAST_POP_MICROVOLTS = 500.0
#: Frequency (Hz) of the mains, and frequencies that a drift is made of.
MAINS_FREQUENCY = 50.0
DRIFT_FREQUENCIES = (0.07, 0.13, 0.23)
#: Mean time between the jumps of a popped electrode, and the time constant of each (s).
POP_INTERVAL = 1.0
POP_DECAY = 1.0
#: Where an amplifier rails (µV): the range of an ADS1299 at a gain of 24.
RAIL_MICROVOLTS = 187_500.0
DEFAULT_GAIN = 10.0

_FAULT = re.compile(
    r"(?P<channel>[^:,]+):(?P<kind>[a-z]+)(=(?P<value>[^@,]+))?"
    r"@(?P<start>\d+(\.\d*)?)-(?P<stop>\d+(\.\d*)?)?"
)
# samples that are drawn together, so that any cut gives the same
_BLOCK = 1024
# jumps older than this (time constants) have decayed to below 1e-5
_POP_MEMORY = 12.0


@dataclass(frozen=True)
class Fault:
    """One fault of one channel.

    Attributes
    ----------
    channel : str
        The channel.
    kind : str
        noise: white noise at 5 times the channel's amplitude is added. flat: its median.
        drift: a slow wander over 50 times the amplitude is added. mains: 50 Hz at 10 times
        the amplitude is added. pop: jumps of 100 times the amplitude, at least 500 µV, the
        first at the start, more about every second, each decaying within a second. swap:
        changes places with another channel. dropped: NaN. rail: stuck at 187.5 mV. gain:
        times a factor.
    start, stop : float
        From when to when (s).
    partner : str
        The other channel of a swap.
    factor : float
        The factor of a gain.
    """

    channel: str
    kind: FaultKind
    start: float = 0.0
    stop: float = inf
    partner: str = ""
    factor: float = DEFAULT_GAIN

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        if self.kind not in KINDS:
            raise _grammar_error(self.kind)
        if not 0 <= self.start < self.stop:
            raise _grammar_error(f"from {self.start:g} s to {self.stop:g} s")
        if (self.kind == "swap") != bool(self.partner) or self.partner == self.channel:
            raise _grammar_error(f"{self.kind} of {self.channel!r} with {self.partner!r}")
        if not isfinite(self.factor):
            raise _grammar_error(f"gain={self.factor}")

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that are wrong while the fault lasts."""
        return (self.channel, self.partner) if self.partner else (self.channel,)


def parse_faults(spec: str) -> tuple[Fault, ...]:
    """Read the SPEC of ``--corrupt``.

    Parameters
    ----------
    spec : str
        Faults with commas between them.

    Returns
    -------
    tuple of Fault
        In the order of the text.

    Raises
    ------
    InputError
        The text breaks the grammar, which the message gives.
    """
    return tuple(_parse(part) for part in spec.split(","))


def draw_faults(
    kind: FaultKind,
    ch_names: Sequence[str],
    n_channels: int,
    rng: np.random.Generator,
    factor: float = DEFAULT_GAIN,
) -> tuple[Fault, ...]:
    """Draw channels that have a fault from beginning to end.

    Swapped channels are exchanged in a ring, so that each carries another's signal.

    Parameters
    ----------
    kind : str
        The fault.
    ch_names : sequence of str
        Channels to draw from.
    n_channels : int
        How many are wrong.
    rng : numpy.random.Generator
        Where they are drawn from.
    factor : float
        The factor of a gain.

    Returns
    -------
    tuple of Fault
        One for each channel; of swaps one fewer, as each exchanges two channels.

    Raises
    ------
    InputError
        There are not as many channels, or a single one is to be swapped.
    """
    if not 0 <= n_channels <= len(ch_names) or (kind == "swap" and n_channels == 1):
        raise InputError(
            "Faults cannot be drawn: no channel, or only one to change places",
            value=f"{kind} of {n_channels} of {len(ch_names)} channels",
            remedy="Choose another share of channels.",
        )
    drawn = [str(name) for name in rng.choice(list(ch_names), n_channels, replace=False)]
    if kind == "swap":
        return tuple(Fault(name, kind, partner=partner) for name, partner in pairwise(drawn))
    return tuple(Fault(name, kind, factor=factor) for name in drawn)


class Corruption:
    """Put faults into a signal, chunk by chunk or a whole recording at once.

    What is added to a sample depends on its index alone: every cut into chunks gives the same
    signal. The object is a ``transform`` of :class:`sjepa_online.stream.Replay`.

    Parameters
    ----------
    faults : iterable of Fault
        Applied in this order.
    recordings : sequence of Recording
        What they will be put into; tells the channels, the rate, and each channel's amplitude
        (median over seconds of the deviation from a line) and median.
    seed : int
        Seed of noise, jumps and drift.

    Raises
    ------
    InputError
        A channel is not in the recordings, or there is no recording.
    """

    def __init__(
        self, faults: Iterable[Fault], recordings: Sequence[Recording], seed: int = 0
    ) -> None:
        self.faults = tuple(faults)
        if not recordings:
            raise InputError(
                "There is no recording to put faults into", value="none", remedy="Name a SOURCE."
            )
        first = recordings[0]
        self._ch_names = first.ch_names
        self._sfreq = first.sfreq
        self._rail = RAIL_MICROVOLTS / microvolt_factor(first.unit)
        self._least_pop = LEAST_POP_MICROVOLTS / microvolt_factor(first.unit)
        self._seed = seed
        wrong = {name for fault in self.faults for name in fault.channels}
        unknown = sorted(wrong - set(self._ch_names))
        if unknown:
            raise InputError(
                "The recording lacks the channel of a fault",
                value=", ".join(unknown),
                remedy=f"Choose from {', '.join(self._ch_names)}.",
            )
        self._median: dict[str, float] = {}
        self._amplitude: dict[str, float] = {}
        for name in sorted(wrong):
            parts = [recording.channels([name])[0] for recording in recordings]
            values = [part[np.isfinite(part)].astype(np.float64) for part in parts]
            deviations = [self._deviations(part) for part in values]
            # a channel without a value has the median and the amplitude 0
            whole = np.concatenate(values)
            self._median[name] = float(np.median(whole)) if whole.size else 0.0
            self._amplitude[name] = float(np.median(np.concatenate(deviations)))

    def __call__(self, chunk: NDArray[np.float32], start_sample: int) -> NDArray[np.float32]:
        """Return the chunk with the faults that fall into it.

        Parameters
        ----------
        chunk : array, shape (n_channels, n_samples)
            Samples; not changed.
        start_sample : int
            Index of the first one.
        """
        result = chunk.copy()
        for number, fault in enumerate(self.faults):
            first = _sample(fault.start, self._sfreq) - start_sample
            last = min(_sample(fault.stop, self._sfreq) - start_sample, chunk.shape[1])
            first = max(first, 0)
            if first < last:
                self._put(result[:, first:last], number, start_sample + first)
        return result

    def apply(self, recording: Recording) -> Recording:
        """Return the recording with the faults, their times counted from its start.

        Parameters
        ----------
        recording : Recording
            It is not changed.

        Returns
        -------
        Recording
            A copy; all but its data is the same.

        Raises
        ------
        InputError
            Its channels or its rate are not those of the recordings the faults were made for.
        """
        if (recording.ch_names, recording.sfreq) != (self._ch_names, self._sfreq):
            raise InputError(
                "The faults were made for recordings of other channels or another rate",
                value=f"{', '.join(recording.ch_names)} at {recording.sfreq:g} Hz",
                remedy=f"Use {', '.join(self._ch_names)} at {self._sfreq:g} Hz.",
            )
        return replace(recording, data=self(recording.data, 0))

    def _put(self, part: NDArray[np.float32], number: int, start: int) -> None:
        """Put a fault into samples, in place, all of which it concerns."""
        fault = self.faults[number]
        row = self._ch_names.index(fault.channel)
        if fault.kind == "swap":
            pair = [row, self._ch_names.index(fault.partner)]
            part[pair] = part[pair[::-1]]
        elif fault.kind == "flat":
            part[row] = self._median[fault.channel]
        elif fault.kind == "dropped":
            part[row] = np.nan
        elif fault.kind == "rail":
            part[row] = self._rail
        elif fault.kind == "gain":
            centre = self._median[fault.channel]
            part[row] = centre + fault.factor * (part[row] - centre)
        else:
            amplitude = self._amplitude[fault.channel]
            if fault.kind == "pop":
                amplitude = max(amplitude, self._least_pop / POP)
            shape = self._shape(fault, number, np.arange(start, start + part.shape[1]))
            part[row] += (amplitude * shape).astype(np.float32)

    def _shape(self, fault: Fault, number: int, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """Give what an additive fault adds, in multiples of the channel's amplitude."""
        time = samples / self._sfreq
        rng = np.random.default_rng([self._seed, number])
        if fault.kind == "noise":
            return NOISE * self._white(number, samples)
        if fault.kind == "mains":
            wave = MAINS * np.sqrt(2) * np.sin(2 * np.pi * (MAINS_FREQUENCY * time + rng.random()))
            return np.asarray(wave, dtype=np.float64)
        since = time - fault.start
        if fault.kind == "drift":
            waves = [
                np.sin(2 * np.pi * frequency * since * (1 + 0.2 * rng.random()))
                for frequency in DRIFT_FREQUENCIES
            ]
            return np.asarray(DRIFT * np.sum(waves, axis=0), dtype=np.float64)
        return POP * self._jumps(number, since)

    def _white(self, number: int, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """White noise of deviation 1, the same for a sample whenever it is asked for."""
        blocks = range(int(samples[0]) // _BLOCK, int(samples[-1]) // _BLOCK + 1)
        noise = [
            np.random.default_rng([self._seed, number, block]).standard_normal(_BLOCK)
            for block in blocks
        ]
        first = int(samples[0]) - blocks[0] * _BLOCK
        white: NDArray[np.float64] = np.concatenate(noise)[first : first + len(samples)]
        return white

    def _jumps(self, number: int, since: NDArray[np.float64]) -> NDArray[np.float64]:
        """Jumps that decay: one at the start, one at a random time in each interval after it."""
        last = int(since[-1] / POP_INTERVAL)
        earliest = max(int((since[0] - _POP_MEMORY * POP_DECAY) / POP_INTERVAL), 0)
        total = np.zeros_like(since)
        for interval in range(earliest, last + 1):
            delay, size, sign = np.random.default_rng([self._seed, number, interval]).random(3)
            onset = (interval + delay) * POP_INTERVAL if interval else 0.0
            size = (0.5 + size) * (1 if sign < 0.5 else -1) if interval else 1.0
            passed = since - onset
            total += np.where(passed >= 0, size * np.exp(-np.maximum(passed, 0) / POP_DECAY), 0)
        return total

    def _deviations(self, signal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the deviation from a line in each second of a signal; 0 when it is shorter."""
        n_second = round(self._sfreq)
        n_whole = len(signal) // n_second * n_second
        if not n_whole:
            return np.zeros(1)
        seconds = detrend(signal[:n_whole].reshape(-1, n_second), axis=1)
        return np.asarray(seconds.std(axis=1), dtype=np.float64)


def _sample(time: float, sfreq: float) -> int:
    """First sample at or after a time; far beyond any recording when there is none."""
    return int(np.ceil(time * sfreq - 1e-6)) if isfinite(time) else np.iinfo(np.int64).max


def _parse(text: str) -> Fault:
    match = _FAULT.fullmatch(text.strip())
    if match is None or match["kind"] not in KINDS:
        raise _grammar_error(text)
    kind, value = match["kind"], match["value"] or ""
    if value and kind not in ("swap", "gain"):
        raise _grammar_error(text)
    try:
        factor = float(value) if kind == "gain" and value else DEFAULT_GAIN
    except ValueError as error:
        raise _grammar_error(text) from error
    return Fault(
        match["channel"].strip(),
        next(known for known in KINDS if known == kind),
        float(match["start"]),
        float(match["stop"]) if match["stop"] else inf,
        value.strip() if kind == "swap" else "",
        factor,
    )


def _grammar_error(text: str) -> InputError:
    return InputError("This description of faults cannot be read", value=repr(text), remedy=GRAMMAR)
