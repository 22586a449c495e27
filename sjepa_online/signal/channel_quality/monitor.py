"""The monitor of channel quality: which channels are bad right now, and why."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.baseline import MEASURES, Baseline
from sjepa_online.signal.channel_quality.block_features import (
    QUARTERS,
    Array,
    Quarter,
    QuarterAnalysis,
)
from sjepa_online.signal.channel_quality.criteria import AMPLITUDE, RULES, Evidence, EvidenceFinder
from sjepa_online.signal.units import microvolt_factor

Choice = Literal["automatic", "good", "bad"]

#: Windows without evidence (4 a second) after which a bad channel is good again.
CLEAN_WINDOWS = 10
#: Windows for which evidence in more than half of the channels is taken for a movement.
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
        Why, in words; empty when it is good again as it is.
    gain : float
        By what it has to be divided from now on; 1 for a bad channel.
    """

    sample: int
    channel: str
    bad: bool
    reasons: tuple[str, ...]
    gain: float = 1.0


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
    """What the monitor knows of a channel.

    Attributes
    ----------
    channel : str
        The channel.
    bad : bool
        Whether decisions leave it out: the operator's choice, or else what was found.
    reasons : tuple of str
        What was found, in words; why it is scaled, where it is.
    choice : {"automatic", "good", "bad"}
        The operator's choice.
    gain : float
        By what it has to be divided.
    measures : mapping of str to float
        By the names of ``MEASURES``: how many times the median of the calibration; empty
        before the first window.
    """

    channel: str
    bad: bool
    reasons: tuple[str, ...]
    choice: Choice
    gain: float
    measures: Mapping[str, float]


class ChannelMonitor:
    """Judge each channel on rolling windows of one second, four times a second.

    Gross faults (no values, flat, railed, a jump, many times the amplitude) make a channel
    bad at once or within three windows, weak ones (too quiet, mains, high frequencies, drift,
    disagreement with the other channels, two channels exchanged) after seconds; see
    :mod:`~sjepa_online.signal.channel_quality.criteria`. It is good again after 2.5 s without
    evidence. A channel that is only too large, and but for its gain agrees with what the other
    channels predict for it, is good as well, divided by that gain; see
    :mod:`~sjepa_online.signal.channel_quality.rescaling`. When more than half
    of the channels look bad at once, by anything but missing, flat or railed samples, it takes that
    for a movement for 2 s and changes no state.

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
        From the calibration; channels that it lacks are held against the others' medians.

    Raises
    ------
    InputError
        The unit is unknown.
    """

    def __init__(
        self, ch_names: Sequence[str], sfreq: float, unit: str, baseline: Baseline
    ) -> None:
        self.ch_names = tuple(ch_names)
        self._factor = microvolt_factor(unit)
        self._baseline = baseline.pick(ch_names)
        self._analysis = QuarterAnalysis(sfreq)
        self._finder = EvidenceFinder(self._baseline, judge_high=sfreq == baseline.sfreq)
        n_channels = len(self.ch_names)
        self._choices: dict[str, Choice] = dict.fromkeys(self.ch_names, "automatic")
        self._found = np.zeros(n_channels, dtype=bool)
        self._gains = np.ones(n_channels)
        self._counts = np.zeros((len(RULES), n_channels), dtype=np.int64)
        self._clean = np.zeros(n_channels, dtype=np.int64)
        self._reasons: list[tuple[str, ...]] = [()] * n_channels
        self._needed = np.array([rule.needed for rule in RULES])[:, np.newaxis]
        self._lasting = np.array([rule.lasting for rule in RULES])[:, np.newaxis]
        self._n_widespread = 0
        self._n_seen = 0
        self.reset()

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels to leave out, in the order of the stream."""
        return tuple(self.ch_names[index] for index in np.flatnonzero(self._bad))

    @property
    def gains(self) -> Array:
        """By what each channel has to be divided, shape (channels,); 1 for most."""
        return self._gains.copy()

    @property
    def states(self) -> tuple[ChannelState, ...]:
        """State of every channel, in the order of the stream."""
        return tuple(
            ChannelState(
                name,
                bool(bad),
                self._reasons[channel],
                self._choices[name],
                float(self._gains[channel]),
                self._ratios(channel),
            )
            for channel, (name, bad) in enumerate(zip(self.ch_names, self._bad, strict=True))
        )

    def choose(self, channel: str, choice: Choice) -> list[StateChange]:
        """Let the operator decide on a channel; this wins over whatever is found.

        Raises
        ------
        InputError
            The channel is not one of the stream's.
        """
        if channel not in self._choices:
            raise InputError(
                "A channel that the operator chooses is one of the stream's",
                value=channel,
                remedy=f"Choose from {', '.join(self.ch_names)}.",
            )
        before = self._bad, self._gains
        self._choices[channel] = choice
        return self._changes(*before)

    def reset(self) -> None:
        """Forget the samples seen so far, as after a gap; states and choices stay."""
        self._pending = np.empty((len(self.ch_names), 0))
        self._quarters: deque[Quarter] = deque(maxlen=QUARTERS)
        self._measures: Array | None = None
        self._finder.reset()

    def update(self, chunk: ArrayLike) -> list[StateChange | Widespread]:
        """Take in the next samples and return what has changed.

        Parameters
        ----------
        chunk : array_like, shape (n_channels, n_samples)
            Unfiltered samples in the declared unit.

        Raises
        ------
        InputError
            The chunk has another shape.
        """
        values = np.asarray(chunk, dtype=np.float64)
        if values.ndim != 2 or len(values) != len(self.ch_names):
            raise InputError(
                f"A chunk has the shape ({len(self.ch_names)}, samples)",
                value=f"shape {values.shape}",
                remedy="Pass one row for each channel of the monitor.",
            )
        values = np.concatenate([self._pending, values * self._factor], axis=1)
        n = self._analysis.n_samples
        self._n_seen -= self._pending.shape[1]
        n_whole = values.shape[1] // n * n
        changes: list[StateChange | Widespread] = []
        for start in range(0, n_whole, n):
            self._n_seen += n
            self._quarters.append(self._analysis.measure(values[:, start : start + n]))
            if len(self._quarters) == QUARTERS:
                changes += self._judge()
        self._pending = values[:, n_whole:].copy()
        self._n_seen += self._pending.shape[1]
        return changes

    @property
    def _bad(self) -> NDArray[np.bool_]:
        bad = self._found.copy()
        for index, name in enumerate(self.ch_names):
            if self._choices[name] != "automatic":
                bad[index] = self._choices[name] == "bad"
        return bad

    def _judge(self) -> list[StateChange | Widespread]:
        """Judge the window of the last four quarters."""
        before = self._bad, self._gains
        # a bad channel that is too large is judged as if it were not, to see what else is wrong
        excess = np.where(self._found, self._finder.excess(self._quarters), self._gains)
        on_trial = self._found & (excess > 1)
        evidence = self._finder.find(self._quarters, before[0], excess, on_trial)
        self._measures = evidence.measures
        self._measures[AMPLITUDE] += np.log(excess)
        changes: list[StateChange | Widespread] = list(self._watch_spread(evidence))
        held = 0 < self._n_widespread <= HOLD_WINDOWS
        counting = ~(self._lasting & held)
        step = np.where(evidence.found, 1, -1)
        counts = np.clip(self._counts + step, 0, self._needed)
        self._counts = np.where(counting, counts, self._counts)
        became_bad = (self._counts >= self._needed).any(axis=0) & ~self._found
        disagrees = on_trial & np.isnan(evidence.gain)
        self._clean = np.where(evidence.lingering.any(axis=0) | disagrees, 0, self._clean + 1)
        became_good = self._found & (self._clean >= CLEAN_WINDOWS)
        self._found = (self._found | became_bad) & ~became_good
        self._counts[:, became_good] = 0
        self._gains = np.where(became_good & on_trial, evidence.gain, self._gains)
        self._reasons = [self._words(evidence, channel) for channel in range(len(self.ch_names))]
        self._gains[self._found | (became_good & ~on_trial)] = 1.0
        return changes + self._changes(*before)

    def _watch_spread(self, evidence: Evidence) -> list[Widespread]:
        """Notice when more than half of the channels look bad at once."""
        looks_bad = (evidence.found & self._lasting).any(axis=0) | self._found
        was_widespread = self._n_widespread > 0
        is_widespread = 2 * int(looks_bad.sum()) > len(self.ch_names)
        self._n_widespread = self._n_widespread + 1 if is_widespread else 0
        if is_widespread == was_widespread:
            return []
        names = tuple(name for name, bad in zip(self.ch_names, looks_bad, strict=True) if bad)
        return [Widespread(self._n_seen, is_widespread, names)]

    def _changes(self, bad: NDArray[np.bool_], gains: Array) -> list[StateChange]:
        """List the channels whose state, or whose scale while in use, is another one now."""
        now = self._bad
        changed = (now != bad) | (~now & (self._gains != gains))
        return [
            StateChange(
                self._n_seen,
                self.ch_names[channel],
                bool(now[channel]),
                self._why(channel),
                float(self._gains[channel]),
            )
            for channel in np.flatnonzero(changed).tolist()
        ]

    def _why(self, channel: int) -> tuple[str, ...]:
        if not self._bad[channel] and self._found[channel]:
            return ()
        if self._choices[self.ch_names[channel]] == "bad":
            return ("the operator's choice", *self._reasons[channel])
        return self._reasons[channel]

    def _words(self, evidence: Evidence, channel: int) -> tuple[str, ...]:
        """Say what is found now; where nothing is, what made the channel bad."""
        if not self._found[channel]:
            gain = self._gains[channel]
            return (f"scaled back from {gain:.0f} times its amplitude",) if gain > 1 else ()
        rules = np.flatnonzero(self._counts[:, channel] >= self._needed[:, 0])
        if not rules.size:
            return self._reasons[channel]
        gain = self._gains[channel]
        # several rules may hold that tell the same amplitude; the last says most of it
        loud = [rule for rule in rules if "{amplitude" in RULES[rule].words]
        words = tuple(
            RULES[rule].words.format(
                partner=self.ch_names[evidence.partner[channel]],
                **self._ratios(channel),
            )
            for rule in rules
            if rule not in loud[:-1]
        )
        return (*words, f"after division by {gain:.0f}") if gain > 1 else words

    def _ratios(self, channel: int) -> dict[str, float]:
        if self._measures is None:
            return {}
        centre = self._baseline.quantiles[1, :, channel]
        ratios = np.exp(self._measures[:, channel] - centre)
        return dict(zip(MEASURES, ratios.tolist(), strict=True))
