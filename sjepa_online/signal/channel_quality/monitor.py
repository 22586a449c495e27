"""The monitor of channel quality: which channels are bad right now, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.assessment import Assessment, WindowAssessor
from sjepa_online.signal.channel_quality.baseline import MEASURES, Baseline
from sjepa_online.signal.channel_quality.block_features import (
    BLOCKS_PER_WINDOW,
    BlockAnalysis,
    BlockFeatures,
)
from sjepa_online.signal.channel_quality.criteria import AMPLITUDE, CRITERIA, describe
from sjepa_online.signal.units import microvolt_factor
from sjepa_online.typing import BoolMask, Floats
from sjepa_online.validation import check_choice, check_chunk, check_names

Choice = Literal["automatic", "good", "bad"]

#: Windows (4 a second) that meet no criterion, after which a bad channel is good again.
CLEAN_WINDOWS = 10
#: Windows in which more than half of the channels may meet a criterion, by a movement.
HOLD_WINDOWS = 8


@dataclass(frozen=True, slots=True)
class StateChange:
    """A channel has become bad, is good again, or is used again at another scale.

    Attributes
    ----------
    sample : int
        Samples that the monitor had seen, the last one of the window included.
    channel : str
        The channel.
    bad : bool
        Its state from now on.
    reasons : tuple of str
        Texts of the criteria; empty when it is good again as it is.
    scale : float
        Divisor of the channel from now on; 1 for a bad channel.
    """

    sample: int
    channel: str
    bad: bool
    reasons: tuple[str, ...]
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Widespread:
    """More than half of the channels look bad at once, or no longer do.

    Attributes
    ----------
    sample : int
        Samples that the monitor had seen, the last one of the window included.
    begins : bool
        False when it is over.
    channels : tuple of str
        Channels that look bad.
    """

    sample: int
    begins: bool
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChannelState:
    """The state of a channel.

    Attributes
    ----------
    channel : str
        The channel.
    bad : bool
        Whether decisions leave it out, by the operator's choice or by the criteria.
    reasons : tuple of str
        Texts of the criteria that it meets, or of its scale.
    choice : {"automatic", "good", "bad"}
        The operator's choice.
    scale : float
        Divisor of the channel.
    measures : mapping of str to float
        Ratios of the measures to their medians in calibration, by the names of ``MEASURES``;
        empty before the first window.
    """

    channel: str
    bad: bool
    reasons: tuple[str, ...]
    choice: Choice
    scale: float
    measures: Mapping[str, float]


class ChannelMonitor:
    """Judge each channel on rolling windows of one second, four times a second.

    Gross faults (no values, flat, railed, a jump, many times the amplitude) make a channel
    bad at once or within three windows, weak ones (too quiet, mains, high frequencies, drift,
    disagreement with the other channels, two channels exchanged) after seconds; see
    :mod:`~sjepa_online.signal.channel_quality.criteria`. It is good again after 2.5 s in which it
    meets no criterion. A channel that is too large but otherwise agrees with its prediction from
    the other channels is good as well, divided by its scale; see
    :mod:`~sjepa_online.signal.channel_quality.rescaling`. When more than half of the channels meet
    criteria other than missing, flat or railed samples at once, the cause is taken to be a movement
    for 2 s, and no state changes.

    The states do not depend on how the signal is cut into chunks.

    Parameters
    ----------
    ch_names : sequence of str
        The stream's channels.
    sfreq : float
        Its rate (Hz), at least 100. At another rate than the baseline's the high-frequency
        share is not judged.
    unit : str
        Its unit.
    baseline : Baseline
        From the calibration; channels that it lacks are compared with the others' medians.

    Raises
    ------
    InputError
        The unit is unknown.
    """

    def __init__(
        self, ch_names: Sequence[str], sfreq: float, unit: str, baseline: Baseline
    ) -> None:
        self.ch_names = check_names("ch_names", ch_names)
        self._factor = microvolt_factor(unit)
        self._baseline = baseline.pick(ch_names)
        self._analysis = BlockAnalysis(sfreq)
        self._assessor = WindowAssessor(self._baseline, judge_high=sfreq == baseline.sfreq)
        n_channels = len(self.ch_names)
        self._choices: dict[str, Choice] = dict.fromkeys(self.ch_names, "automatic")
        self._found = np.zeros(n_channels, dtype=bool)
        self._scales = np.ones(n_channels)
        self._counts = np.zeros((len(CRITERIA), n_channels), dtype=np.int64)
        self._clean = np.zeros(n_channels, dtype=np.int64)
        self._reasons: list[tuple[str, ...]] = [()] * n_channels
        self._needed = np.array([criterion.n_windows for criterion in CRITERIA])[:, np.newaxis]
        self._lasting = np.array([not criterion.no_signal for criterion in CRITERIA])[:, np.newaxis]
        self._n_widespread = 0
        self._n_seen = 0
        self.reset()

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels to leave out, in the order of the stream."""
        return tuple(self.ch_names[index] for index in np.flatnonzero(self._bad))

    @property
    def scales(self) -> Floats:
        """Divisor of each channel, shape (channels,); 1 for most."""
        return self._scales.copy()

    @property
    def states(self) -> tuple[ChannelState, ...]:
        """State of every channel, in the order of the stream."""
        return tuple(
            ChannelState(
                name,
                bool(bad),
                self._reasons[channel],
                self._choices[name],
                float(self._scales[channel]),
                self._ratios(channel),
            )
            for channel, (name, bad) in enumerate(zip(self.ch_names, self._bad, strict=True))
        )

    def choose(self, channel: str, choice: Choice) -> list[StateChange]:
        """Let the operator decide on a channel; this overrides the criteria.

        Parameters
        ----------
        channel : str
            One of the channels.
        choice : {"automatic", "good", "bad"}
            ``automatic`` leaves the decision to the criteria again.

        Returns
        -------
        list of StateChange

        Raises
        ------
        InputError
            The channel is not one of the stream's, or the choice is unknown.
        """
        check_choice("choice", choice, get_args(Choice))
        if channel not in self._choices:
            raise InputError(
                "The stream has no such channel",
                value=channel,
                remedy=f"Choose from {', '.join(self.ch_names)}.",
            )
        before = self._bad, self._scales
        self._choices[channel] = choice
        return self._changes(*before)

    def reset(self) -> None:
        """Forget the samples seen so far, as after a gap; states and choices stay."""
        self._pending = np.empty((len(self.ch_names), 0))
        self._blocks: deque[BlockFeatures] = deque(maxlen=BLOCKS_PER_WINDOW)
        self._measures: Floats | None = None
        self._assessor.reset()

    def update(self, chunk: ArrayLike) -> list[StateChange | Widespread]:
        """Take in the next samples.

        Parameters
        ----------
        chunk : array_like, shape (n_channels, n_samples)
            Unfiltered samples in the declared unit.

        Returns
        -------
        list of StateChange or Widespread
            Changes, in the order of the samples.

        Raises
        ------
        InputError
            The chunk has another shape.
        """
        values = check_chunk(chunk, len(self.ch_names))
        values = np.concatenate([self._pending, values * self._factor], axis=1)
        n = self._analysis.n_samples
        self._n_seen -= self._pending.shape[1]
        n_whole = values.shape[1] // n * n
        changes: list[StateChange | Widespread] = []
        for start in range(0, n_whole, n):
            self._n_seen += n
            self._blocks.append(self._analysis.measure(values[:, start : start + n]))
            if len(self._blocks) == BLOCKS_PER_WINDOW:
                changes += self._assess()
        self._pending = values[:, n_whole:].copy()
        self._n_seen += self._pending.shape[1]
        return changes

    @property
    def _bad(self) -> BoolMask:
        bad = self._found.copy()
        for index, name in enumerate(self.ch_names):
            if self._choices[name] != "automatic":
                bad[index] = self._choices[name] == "bad"
        return bad

    def _assess(self) -> list[StateChange | Widespread]:
        """Assess the window of the last four blocks and update the states."""
        before = self._bad, self._scales
        # a bad channel that is too large is divided by its scale, to find other faults
        apparent = self._assessor.apparent_scale(self._blocks)
        scales = np.where(self._found, apparent, self._scales)
        on_trial = self._found & (scales > 1)
        assessment = self._assessor.assess(self._blocks, before[0], scales, on_trial)
        self._measures = assessment.measures
        self._measures[AMPLITUDE] += np.log(scales)
        changes: list[StateChange | Widespread] = list(self._check_spread(assessment))
        held = 0 < self._n_widespread <= HOLD_WINDOWS
        counting = ~(self._lasting & held)
        step = np.where(assessment.met, 1, -1)
        counts = np.clip(self._counts + step, 0, self._needed)
        self._counts = np.where(counting, counts, self._counts)
        became_bad = (self._counts >= self._needed).any(axis=0) & ~self._found
        disagrees = on_trial & np.isnan(assessment.scale)
        self._clean = np.where(assessment.still_met.any(axis=0) | disagrees, 0, self._clean + 1)
        became_good = self._found & (self._clean >= CLEAN_WINDOWS)
        self._found = (self._found | became_bad) & ~became_good
        self._counts[:, became_good] = 0
        self._scales = np.where(became_good & on_trial, assessment.scale, self._scales)
        self._reasons = [
            self._describe(assessment, channel) for channel in range(len(self.ch_names))
        ]
        self._scales[self._found | (became_good & ~on_trial)] = 1.0
        return changes + self._changes(*before)

    def _check_spread(self, assessment: Assessment) -> list[Widespread]:
        """Report when more than half of the channels begin or cease to look bad at once."""
        looks_bad = (assessment.met & self._lasting).any(axis=0) | self._found
        was_widespread = self._n_widespread > 0
        is_widespread = 2 * int(looks_bad.sum()) > len(self.ch_names)
        self._n_widespread = self._n_widespread + 1 if is_widespread else 0
        if is_widespread == was_widespread:
            return []
        names = tuple(name for name, bad in zip(self.ch_names, looks_bad, strict=True) if bad)
        return [Widespread(self._n_seen, is_widespread, names)]

    def _changes(self, bad: BoolMask, scales: Floats) -> list[StateChange]:
        """List the channels whose state, or whose scale while in use, has changed."""
        now = self._bad
        changed = (now != bad) | (~now & (self._scales != scales))
        return [
            StateChange(
                self._n_seen,
                self.ch_names[channel],
                bool(now[channel]),
                self._why(channel),
                float(self._scales[channel]),
            )
            for channel in np.flatnonzero(changed).tolist()
        ]

    def _why(self, channel: int) -> tuple[str, ...]:
        if not self._bad[channel] and self._found[channel]:
            return ()
        if self._choices[self.ch_names[channel]] == "bad":
            return ("the operator's choice", *self._reasons[channel])
        return self._reasons[channel]

    def _describe(self, assessment: Assessment, channel: int) -> tuple[str, ...]:
        """Return the texts of the criteria met now or, where there is none, the earlier ones."""
        if not self._found[channel]:
            scale = self._scales[channel]
            return (f"scaled back from {scale:.0f} times its amplitude",) if scale > 1 else ()
        met = np.flatnonzero(self._counts[:, channel] >= self._needed[:, 0])
        if not met.size:
            return self._reasons[channel]
        partner = self.ch_names[assessment.partner[channel]]
        texts = describe(met.tolist(), self._ratios(channel), partner)
        scale = self._scales[channel]
        return (*texts, f"after division by {scale:.0f}") if scale > 1 else texts

    def _ratios(self, channel: int) -> dict[str, float]:
        if self._measures is None:
            return {}
        centre = self._baseline.quantiles[1, :, channel]
        ratios = np.exp(self._measures[:, channel] - centre)
        return dict(zip(MEASURES, ratios.tolist(), strict=True))
