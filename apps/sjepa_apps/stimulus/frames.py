"""The frames of a trial: which frame shows what, and what the display has shown.

Nothing here knows Qt; times are in seconds, rates in Hz.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError, OperationError
from sjepa_online.protocol import Flicker, Protocol, Speller
from sjepa_online.schedule import Phase, PhaseKind, ScheduledTrial

Waveform = Literal["sinusoid", "square"]

#: A frame is late when the interval to the one before is longer than this many refreshes.
LATE_INTERVAL = 1.5
#: Phases that last equally many frames in every trial; the others make up for the rounding.
CONSTANT_PHASES: frozenset[PhaseKind] = frozenset({"stimulation", "imagery", "flash"})
#: Share by which rounding to frames may change the time that a flash is lit, or the gap.
ROUNDING_TOLERANCE = 0.1
#: Fewest intervals to measure a refresh rate from.
MIN_INTERVALS = 20
# cycles: frame times that fall on an edge, give or take rounding errors, are past it
_EDGE = 1e-6
# share of a refresh by which a frame must be late before the flicker skips what was missed
_BEHIND = 0.75


def measure_refresh_rate(swap_times: ArrayLike) -> float:
    """Return the refresh rate of a display: one over the median interval between frame swaps.

    Parameters
    ----------
    swap_times : array_like, shape (n_frames,)
        When frames were swapped (s), one after the other without a pause.

    Returns
    -------
    refresh_rate : float
        Hz.

    Raises
    ------
    OperationError
        There are too few frames to tell.
    """
    intervals = np.diff(np.asarray(swap_times, dtype=np.float64))
    if len(intervals) < MIN_INTERVALS or not np.median(intervals) > 0:
        raise OperationError(
            f"The refresh rate of the display cannot be measured: it swapped "
            f"{len(intervals) + 1} frames where {MIN_INTERVALS + 1} are needed"
        )
    return float(1.0 / np.median(intervals))


def luminance(frequency: float, seconds: ArrayLike, waveform: Waveform) -> NDArray[np.float64]:
    """Luminance of a flickering target, sampled at the times of the frames.

    The sinusoid is ``0.5 (1 + sin(2 pi f t))`` (Manyakov et al. 2013, "Sampled sinusoidal
    stimulation profile"), the square wave is on where its phase is in the first half of the
    cycle (Wang et al. 2010, frame-based approximation). Both have phase 0 at the onset.

    Parameters
    ----------
    frequency : float
        Hz.
    seconds : array_like, any shape
        Times of frames after the onset of the stimulation: their numbers over the refresh rate.
    waveform : {"sinusoid", "square"}

    Returns
    -------
    luminance : array, same shape
        From 0 (black) to 1 (white).
    """
    cycles = frequency * np.asarray(seconds, dtype=np.float64)
    if waveform == "square":
        return np.where((cycles + _EDGE) % 1.0 < 0.5, 1.0, 0.0)
    return 0.5 * (1.0 + np.sin(2.0 * np.pi * cycles))


def check_display(protocol: Protocol, refresh_rate: float) -> tuple[str, ...]:
    """Return what a display cannot show as the protocol says.

    Parameters
    ----------
    protocol : Protocol
    refresh_rate : float
        Hz.

    Returns
    -------
    warnings : tuple of str
        What is shown otherwise than the protocol says, by how much.

    Raises
    ------
    InputError
        The display is too slow for a frequency or for the flashes.
    """
    match protocol.presentation:
        case Flicker() as flicker:
            return tuple(
                warning
                for frequency in protocol.frequencies
                for warning in _check_frequency(frequency, refresh_rate, flicker.waveform)
            )
        case Speller() as speller:
            return _check_flashes(speller, refresh_rate)
        case _:
            return ()


def _check_frequency(frequency: float, refresh_rate: float, waveform: Waveform) -> Sequence[str]:
    half = refresh_rate / 2
    at_half = math.isclose(frequency, half, rel_tol=0.005)
    if (frequency > half and not at_half) or (at_half and waveform == "sinusoid"):
        why = (
            "; a sinusoid at half the refresh rate and phase 0 is the same grey in every frame"
            if at_half
            else ""
        )
        raise InputError(
            f"The display is too slow for a {waveform} wave of this frequency",
            value=f"{frequency:.4g} Hz on a display of {refresh_rate:.4g} Hz{why}",
            remedy=f"Choose a display of more than {2 * frequency:.0f} Hz, or another frequency.",
        )
    if waveform == "sinusoid":
        return ()
    error = square_edge_error(frequency, refresh_rate)
    if error < 0.5e-3:
        return ()
    return (
        f"{frequency:.4g} Hz as a square wave on a display of {refresh_rate:.4g} Hz: edges are up "
        f"to {1e3 * error:.1f} ms late, the mean frequency is kept",
    )


def square_edge_error(frequency: float, refresh_rate: float, seconds: float = 10.0) -> float:
    """Return the longest time by which an edge of a square wave waits for its frame.

    Parameters
    ----------
    frequency : float
        Of the wave (Hz).
    refresh_rate : float
        Of the display (Hz).
    seconds : float
        Length of the wave.

    Returns
    -------
    error : float
        s.
    """
    edges = np.arange(0.0, seconds, 0.5 / frequency)
    frames = np.ceil(edges * refresh_rate - _EDGE)
    return float(np.max(frames / refresh_rate - edges, initial=0.0))


def _check_flashes(speller: Speller, refresh_rate: float) -> tuple[str, ...]:
    warnings = []
    for name, seconds in (("on", speller.on), ("between", speller.between)):
        n_frames = round(seconds * refresh_rate)
        if n_frames < 1:
            raise InputError(
                "A flash, or the gap after it, is shorter than a frame of the display",
                value=f"{name} = {seconds:g} s on a display of {refresh_rate:.4g} Hz, "
                f"whose frames last {1 / refresh_rate:.3g} s",
                remedy="Choose a faster display, or make it longer in the protocol.",
            )
        shown = n_frames / refresh_rate
        if abs(shown - seconds) > ROUNDING_TOLERANCE * seconds:
            warnings.append(
                f"{name} = {1e3 * seconds:.0f} ms becomes {1e3 * shown:.0f} ms "
                f"({n_frames} frames of a display of {refresh_rate:.4g} Hz)"
            )
    return tuple(warnings)


class FramePlanner:
    """Round the phases of a session to whole frames without drift.

    Stimulation, imagery and flashes last equally many frames in every trial. All other phases
    end at the frame that is nearest to where the session would be without any rounding.

    Parameters
    ----------
    refresh_rate : float
        Of the display (Hz).
    """

    def __init__(self, refresh_rate: float) -> None:
        self.refresh_rate = refresh_rate
        self._seconds = 0.0
        self._frames = 0

    def plan(self, trial: ScheduledTrial) -> tuple[int, ...]:
        """Return the number of frames of each phase, at least one.

        Parameters
        ----------
        trial : ScheduledTrial

        Returns
        -------
        n_frames : tuple of int
            Of each phase.
        """
        counts = []
        for phase in trial.phases:
            self._seconds += phase.duration
            if phase.kind in CONSTANT_PHASES:
                count = round(phase.duration * self.refresh_rate)
            else:
                count = round(self._seconds * self.refresh_rate) - self._frames
            counts.append(max(count, 1))
            self._frames += counts[-1]
        return tuple(counts)


@dataclass(slots=True)
class FrameCount:
    """How many frames came, and how many were due and did not.

    Attributes
    ----------
    shown : int
        Frames shown.
    late : int
        Refreshes that passed without the frame that was due.
    """

    shown: int = 0
    late: int = 0

    def __str__(self) -> str:
        share = 100 * self.late / max(self.shown + self.late, 1)
        return f"{self.shown:,} frames shown, {self.late:,} late ({share:.2f} %)"


def missed_refreshes(interval: float, refresh_rate: float) -> int:
    """Return the number of refreshes without a new frame between two swaps.

    Parameters
    ----------
    interval : float
        Between the swaps (s).
    refresh_rate : float
        Hz.

    Returns
    -------
    n_missed : int
    """
    refreshes = interval * refresh_rate
    return math.floor(refreshes + 0.5) - 1 if refreshes > LATE_INTERVAL else 0


@dataclass(frozen=True, slots=True)
class ShownFrame:
    """What a swap of the display's buffers has brought.

    Attributes
    ----------
    late : int
        Refreshes that passed without the frame that was due.
    marker : str
        Marker of the phase that begins with this frame; empty elsewhere.
    """

    late: int
    marker: str = ""


class TrialPlayer:
    """Walk through the frames of a trial at the pace of the display.

    Every phase is shown from its first frame on, whose swap is the phase's onset. Where a swap
    comes late, frames within the phase are skipped, so that a flicker keeps its phase and the
    phase its length.

    Parameters
    ----------
    trial : ScheduledTrial
    counts : sequence of int
        Frames of each phase, see :class:`~sjepa_apps.stimulus.frames.FramePlanner`.
    refresh_rate : float
        Of the display (Hz).

    Attributes
    ----------
    onsets : list of float
        When each phase that was shown became visible (s).
    index : int
        Number of the next frame within its phase.
    n_frames : int
        Frames shown.
    n_late : int
        Refreshes that passed without the frame that was due.
    """

    def __init__(self, trial: ScheduledTrial, counts: Sequence[int], refresh_rate: float) -> None:
        self.trial = trial
        self.onsets: list[float] = []
        self.index = 0
        self.n_frames = 0
        self.n_late = 0
        self._counts = tuple(counts)
        self._refresh_rate = refresh_rate
        self._phase = 0
        self._previous: float | None = None

    @property
    def finished(self) -> bool:
        """Whether the last frame of the last phase has been shown."""
        return self._phase == len(self._counts)

    @property
    def phase(self) -> Phase:
        """The phase of the next frame; the last phase when the trial is over."""
        return self.trial.phases[min(self._phase, len(self._counts) - 1)]

    def shown(self, time: float) -> ShownFrame:
        """Note that the next frame has become visible, and go on.

        Parameters
        ----------
        time : float
            s.

        Returns
        -------
        frame : ShownFrame
        """
        interval = 0.0 if self._previous is None else time - self._previous
        late = missed_refreshes(interval, self._refresh_rate)
        self._previous = time
        self.n_frames += 1
        self.n_late += late
        marker = ""
        if self.index == 0:
            self.onsets.append(time)
            marker = self.phase.marker
        self._advance(time)
        return ShownFrame(late, marker)

    def _advance(self, time: float) -> None:
        behind = (time - self.onsets[-1]) * self._refresh_rate - self.index
        self.index += 1 + (round(behind) if behind > _BEHIND else 0)
        if self.index >= self._counts[self._phase]:
            self._phase += 1
            self.index = 0
