"""The quality of channels before anything is known of them: criteria in µV, without a calibration.

While electrodes are being placed there is no decoder, and so no baseline to compare with.
:class:`AbsoluteMonitor` judges each channel by what no EEG looks like. The limits are wide: a
channel that passes may still be worse than usual, which only a baseline can tell
(:class:`~sjepa_online.signal.channel_quality.monitor.ChannelMonitor`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sjepa_online.signal.channel_quality.assessment import share_at_extreme
from sjepa_online.signal.channel_quality.block_features import (
    BLOCKS_PER_WINDOW,
    BlockAnalysis,
    BlockFeatures,
)
from sjepa_online.signal.units import microvolt_factor
from sjepa_online.typing import BoolMask, Floats, Indices
from sjepa_online.validation import check_chunk, check_names

Fault = Literal["missing", "flat", "railed", "large", "mains", "noise", "drift", "bridge"]

#: A channel that spans less (µV) within a second is flat; an amplifier's own noise is larger.
FLAT = 0.5
#: A flat channel at this level (µV) or beyond stands at the amplifier's limit.
RAILED_LEVEL = 1000.0
#: Share of the samples of a second at one extreme where the amplifier clips.
CLIPPED_SHARE = 0.25
#: Share of samples without a value.
MISSING_SHARE = 0.5
#: Root mean squares (µV): from 3 to 41 Hz, of the mains, above 44 Hz. Relaxed EEG has about 10,
#: less than 5, and less than 3; a clenched jaw has 10 to 30 above 44 Hz.
LARGE, MAINS, NOISE = 75.0, 15.0, 15.0
#: µV a second by which the level moves, always in the same direction: for some windows in a row,
#: and at once, as eye movements do not.
DRIFT, FAST_DRIFT = 250.0, 1000.0
#: Root mean square (µV, 3 to 41 Hz) of the difference of two bridged channels, and its share of
#: each of them: the electrical distance of Tenke and Kayser (2001).
BRIDGE, BRIDGE_SHARE = 1.0, 0.1
#: Windows (4 a second) in a row after which two channels are bridged, and clean ones after
#: which a channel is good again.
BRIDGE_WINDOWS, CLEAN_WINDOWS = 8, 6
#: Windows in a row for which a channel drifts.
DRIFT_WINDOWS = 4
#: Blocks (of 0.25 s) that the first judgement needs.
FIRST_BLOCKS = 3

FAULTS: tuple[Fault, ...] = (
    "missing", "flat", "railed", "large", "mains", "noise", "drift", "bridge",
)  # fmt: skip
REMEDIES: dict[Fault, str] = {
    "missing": "Check the plug of the electrode: the amplifier sends no values.",
    "flat": "Check the plug and the cable of the electrode.",
    "railed": "Gel and press the electrode, then check reference and ground.",
    "large": "Press or gel the electrode, and keep its cable still.",
    "mains": "Gel the electrode (in many channels: the ground); move power supplies away.",
    "noise": "Let the participant relax jaw and forehead; gel the electrode.",
    "drift": "Wait until the gel has settled, or press the electrode.",
    "bridge": "Clean the gel between the two electrodes.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The quality of a channel.

    Attributes
    ----------
    channel : str
    faults : tuple of str
        Of ``FAULTS``; empty for a good channel.
    reasons : tuple of str
        The same in words, with what was measured.
    amplitude : float
        Root mean square from 3 to 41 Hz, in µV (in the stream's own numbers without a unit).
    """

    channel: str
    faults: tuple[Fault, ...]
    reasons: tuple[str, ...]
    amplitude: float

    @property
    def bad(self) -> bool:
        """Whether the channel has a fault."""
        return bool(self.faults)

    @property
    def remedy(self) -> str:
        """What to do about the first fault; empty for a good channel."""
        return REMEDIES[self.faults[0]] if self.faults else ""


class AbsoluteMonitor:
    """Judge each channel four times a second, from the first second on, without a baseline.

    The verdicts do not depend on how the signal is cut into chunks.

    Parameters
    ----------
    ch_names : sequence of str
        The stream's channels.
    sfreq : float
        Its rate (Hz), at least 100.
    unit : str or None
        Its unit. Without one only missing, flat and railed channels are found.

    Raises
    ------
    InputError
        The unit is unknown.
    """

    def __init__(self, ch_names: Sequence[str], sfreq: float, unit: str | None) -> None:
        self.ch_names = check_names("ch_names", ch_names)
        self._scaled = unit is not None
        self._factor = 1.0 if unit is None else microvolt_factor(unit)
        self._analysis = BlockAnalysis(sfreq)
        n_channels = len(self.ch_names)
        self._clean = np.full((len(FAULTS), n_channels), CLEAN_WINDOWS)
        self._bridged = np.zeros(n_channels, dtype=np.int64)
        self._drifting = np.zeros(n_channels, dtype=np.int64)
        self._reasons: list[dict[Fault, str]] = [{} for _ in self.ch_names]
        self._verdicts: tuple[Verdict, ...] = ()
        self.reset()

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """A verdict on each channel, in the order of the stream; empty before the first."""
        return self._verdicts

    def reset(self) -> None:
        """Forget the samples seen so far, as after a gap; the verdicts stay until the next."""
        self._pending = np.empty((len(self.ch_names), 0))
        self._blocks: deque[BlockFeatures] = deque(maxlen=BLOCKS_PER_WINDOW)

    def update(self, chunk: ArrayLike) -> bool:
        """Take in the next samples.

        Parameters
        ----------
        chunk : array_like, shape (n_channels, n_samples)
            Unfiltered samples in the declared unit.

        Returns
        -------
        bool
            Whether there are new verdicts.

        Raises
        ------
        InputError
            The chunk has another shape.
        """
        values = check_chunk(chunk, len(self.ch_names)) * self._factor
        values = np.concatenate([self._pending, values], axis=1)
        n = self._analysis.n_samples
        n_whole = values.shape[1] // n * n
        judged = False
        for start in range(0, n_whole, n):
            self._blocks.append(self._analysis.measure(values[:, start : start + n]))
            if len(self._blocks) >= FIRST_BLOCKS:
                self._judge()
                judged = True
        self._pending = values[:, n_whole:].copy()
        return judged

    def _judge(self) -> None:
        window = _Window.of(self._blocks)
        found, partner = self._find(window)
        self._clean = np.where(found, 0, self._clean + 1)
        self._verdicts = tuple(
            self._verdict(window, found[:, channel], channel, int(partner[channel]))
            for channel in range(len(self.ch_names))
        )

    def _find(self, window: _Window) -> tuple[BoolMask, Indices]:
        """Return the faults ``(faults, channels)``, and with whom each channel is bridged."""
        none = np.zeros(len(self.ch_names), dtype=bool)
        missing = window.missing >= MISSING_SHARE
        still = (window.span <= (FLAT if self._scaled else 0.0)) & ~missing
        away = still & (np.abs(window.levels[-1]) >= RAILED_LEVEL) & self._scaled
        railed = away | ((window.clipped >= CLIPPED_SHARE) & ~still & ~missing)
        dead = missing | still | railed
        near, partner = _nearest(window.spectra, window.amplitude, ~dead)
        self._bridged = np.where(near & self._scaled, self._bridged + 1, 0)
        rate = np.abs(window.drift)
        self._drifting = np.where(rate >= DRIFT, self._drifting + 1, 0)
        if not self._scaled:
            return np.array([missing, still, railed, *[none] * 5]), partner
        mains = (window.mains > MAINS) & (window.mains > window.amplitude)
        faults = [
            window.amplitude > LARGE,
            mains,
            window.high > NOISE,
            (rate >= FAST_DRIFT) | (self._drifting >= DRIFT_WINDOWS),
            self._bridged >= BRIDGE_WINDOWS,
        ]
        return np.array([missing, still & ~away, railed, *(one & ~dead for one in faults)]), partner

    def _verdict(self, window: _Window, found: BoolMask, channel: int, partner: int) -> Verdict:
        """Tell what is wrong now, or was until a moment ago."""
        reasons = self._reasons[channel]
        lasting: list[Fault] = []
        for row, fault in enumerate(FAULTS):
            if found[row]:
                reasons[fault] = self._describe(fault, window, channel, partner)
            if self._clean[row, channel] < CLEAN_WINDOWS:
                lasting.append(fault)
        return Verdict(
            self.ch_names[channel],
            tuple(lasting),
            tuple(reasons[fault] for fault in lasting),
            float(window.amplitude[channel]),
        )

    def _describe(self, fault: Fault, window: _Window, channel: int, partner: int) -> str:
        match fault:
            case "missing":
                return "no values"
            case "flat":
                return "flat"
            case "railed":
                return "at the amplifier's limit"
            case "large":
                return f"too large: {window.amplitude[channel]:.0f} µV"
            case "mains":
                return f"mains: {window.mains[channel]:.0f} µV"
            case "noise":
                return f"noise above 44 Hz: {window.high[channel]:.0f} µV"
            case "drift":
                return f"drifts by {abs(window.drift[channel]):.0f} µV a second"
        return f"bridged with {self.ch_names[partner]}"


@dataclass(frozen=True)
class _Window:
    """The last second: each of shape (channels,), ``levels`` and ``spectra`` by blocks."""

    missing: Floats
    span: Floats
    levels: Floats
    drift: Floats
    clipped: Floats
    amplitude: Floats
    mains: Floats
    high: Floats
    spectra: Floats

    @classmethod
    def of(cls, blocks: Sequence[BlockFeatures]) -> _Window:
        """Summarise blocks by medians, so that a blink is not taken for a fault.

        Parameters
        ----------
        blocks : sequence of BlockFeatures

        Returns
        -------
        window : _Window
        """
        highest = np.array([block.highest for block in blocks])
        lowest = np.array([block.lowest for block in blocks])
        levels = np.array([block.level for block in blocks])
        amplitude = np.array([block.amplitude for block in blocks])
        above = share_at_extreme(highest, np.array([block.at_highest for block in blocks]))
        below = share_at_extreme(-lowest, np.array([block.at_lowest for block in blocks]))
        mains = amplitude + np.array([block.mains for block in blocks])
        high = amplitude + np.array([block.high for block in blocks])
        return cls(
            missing=np.mean([block.missing for block in blocks], axis=0),
            span=highest.max(axis=0) - lowest.min(axis=0),
            levels=levels,
            drift=_steady_drift(levels),
            clipped=np.maximum(above, below),
            amplitude=np.exp(np.median(amplitude, axis=0)),
            mains=np.nan_to_num(np.exp(np.median(mains, axis=0))),
            high=np.nan_to_num(np.exp(np.median(high, axis=0))),
            spectra=np.array([block.spectrum for block in blocks]),
        )


def _steady_drift(levels: Floats) -> Floats:
    """Return µV a second by which levels ``(blocks, channels)`` move; 0 where they turn back."""
    steps = np.diff(levels, axis=0)
    steady = (steps > 0).all(axis=0) | (steps < 0).all(axis=0)
    drift: Floats = np.where(steady, steps.mean(axis=0) * BLOCKS_PER_WINDOW, 0.0)
    return drift


def _nearest(spectra: Floats, amplitude: Floats, usable: BoolMask) -> tuple[BoolMask, Indices]:
    """Return which channels hardly differ from another one, and from which.

    Parameters
    ----------
    spectra : ndarray, shape (blocks, channels, bins)
    amplitude : ndarray, shape (channels,)
    usable : ndarray of bool, shape (channels,)
        Channels that carry a signal.
    """
    n_blocks, n_channels, _ = spectra.shape
    if n_channels < 2:
        return np.zeros(n_channels, dtype=bool), np.zeros(n_channels, dtype=np.intp)
    flat = spectra.transpose(1, 0, 2).reshape(n_channels, -1)
    products = flat @ flat.T / n_blocks
    power = np.diag(products)
    distance = np.sqrt(np.maximum(power[:, np.newaxis] + power - 2 * products, 0.0))
    distance[~usable] = distance[:, ~usable] = np.inf
    np.fill_diagonal(distance, np.inf)
    partner = distance.argmin(axis=1)
    limit = np.minimum(BRIDGE, BRIDGE_SHARE * np.minimum(amplitude, amplitude[partner]))
    return distance.min(axis=1) < limit, partner
