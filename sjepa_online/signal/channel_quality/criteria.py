"""The criteria of a bad channel: what is tested in a window of one second, and its text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from sjepa_online.signal.channel_quality.baseline import MEASURES, Baseline
from sjepa_online.signal.channel_quality.swaps import SwapFindings
from sjepa_online.typing import BoolMask, Floats

AMPLITUDE, DISAGREEMENT, MAINS, HIGH, DRIFT = range(len(MEASURES))

#: Log thresholds above (for too quiet: below) the median of the calibration: a factor times the
#: distance of its 99 % (1 %) quantile, and the least and the largest threshold.
LOUD = (1.3, 1.4, 1.6)
RATHER_LOUD = (1.3, 1.0, 1.6)
VERY_LOUD = (3.0, 3.0, 3.5)
UNEXPLAINED = (1.2, 1.3, 1.6)
QUIET = (1.5, 1.2, 2.5)
SHARE = (2.0, 1.6, 3.0)
DISAGREEING = (1.5, 1.5, 2.5)
#: Log threshold of the amplitude of a channel whose correlation with its prediction is below
#: the second number.
NOISY, UNRELATED_CORRELATION = 0.7, 0.4
#: Log threshold of a rescaled channel that has become too quiet for its scale.
RESCALED_QUIET = 1.1
#: Movements of the offset within a second, as the log of multiples of the amplitude: the least
#: and the largest threshold.
DRIFTING = (2.7, 3.7)
JUMP = (4.0, 4.5)
#: How much lower the thresholds are for a channel that is already bad.
HYSTERESIS = 0.2

#: Unpredicted power of a channel over its power, from which on it is unrelated to the others.
_UNRELATED = 1.0
#: Gain of the log-likelihood (nats a sample) from which on a swap of two channels is evident.
_SWAP_LIKELIHOOD = 0.2


@dataclass(frozen=True)
class Thresholds:
    """Thresholds of every channel, each of shape (channels,), from its calibration.

    Attributes
    ----------
    loud, rather_loud, very_loud, quiet : ndarray
        Log of the amplitude above (``quiet``: below) its median.
    unexplained, disagreeing : ndarray
        Log of the disagreement above its median.
    mains, high : ndarray
        Log of the shares above their medians.
    drifting, jump : ndarray
        Log of the movement of the offset within a second over the amplitude.
    """

    loud: Floats
    rather_loud: Floats
    very_loud: Floats
    quiet: Floats
    unexplained: Floats
    disagreeing: Floats
    mains: Floats
    high: Floats
    drifting: Floats
    jump: Floats

    @classmethod
    def fit(cls, baseline: Baseline, judge_high: bool) -> Self:
        """Derive the thresholds from the quantiles of a calibration.

        Parameters
        ----------
        baseline : Baseline
            Of the channels to judge.
        judge_high : bool
            False where the high-frequency share cannot be compared: no channel exceeds it then.
        """
        low, centre, high = baseline.quantiles
        above = high - centre
        amplitude, disagreement = above[AMPLITUDE], above[DISAGREEMENT]
        return cls(
            loud=_threshold(LOUD, amplitude),
            rather_loud=_threshold(RATHER_LOUD, amplitude),
            very_loud=_threshold(VERY_LOUD, amplitude),
            quiet=_threshold(QUIET, (centre - low)[AMPLITUDE]),
            unexplained=_threshold(UNEXPLAINED, disagreement),
            disagreeing=_threshold(DISAGREEING, disagreement),
            mains=_threshold(SHARE, above[MAINS]),
            high=_threshold(SHARE, above[HIGH]) if judge_high else np.full_like(amplitude, np.inf),
            drifting=np.clip(high[DRIFT] + 0.3, *DRIFTING),
            jump=np.clip(high[DRIFT] + 1.0, *JUMP),
        )


@dataclass(frozen=True)
class Window:
    """A window of one second, compared with the calibration.

    Attributes
    ----------
    missing, flat, railed : ndarray of bool, shape (channels,)
        Channels without values, without variation, or stuck at an extreme value.
    deviation : ndarray, shape (measures, channels)
        Logs of the measures less their medians in calibration, in the order of ``MEASURES``.
    drift : ndarray, shape (channels,)
        Log of the movement of the offset over the amplitude, as it is.
    correlation : ndarray, shape (channels,)
        Correlation with the prediction from the other channels; infinite before the first four
        blocks.
    rescaled : ndarray of bool, shape (channels,)
        Channels that are divided by a scale.
    swaps : SwapFindings
        Swapped and unrelated channels.
    thresholds : Thresholds
    slack : float
        How much lower the thresholds are: 0, or ``HYSTERESIS`` for channels that are bad.
    """

    missing: BoolMask
    flat: BoolMask
    railed: BoolMask
    deviation: Floats
    drift: Floats
    correlation: Floats
    rescaled: BoolMask
    swaps: SwapFindings
    thresholds: Thresholds
    slack: float = 0.0

    def exceeds(self, measure: int, threshold: Floats | float) -> BoolMask:
        """Return the channels, shape (channels,), with a measure above a log threshold.

        Parameters
        ----------
        measure : int
            Row of ``deviation``.
        threshold : ndarray, shape (channels,), or float
            Log above the median of the calibration.

        Returns
        -------
        ndarray of bool, shape (channels,)
        """
        exceeds: BoolMask = self.deviation[measure] > threshold - self.slack
        return exceeds

    @property
    def unexplained(self) -> BoolMask:
        """Channels, shape (channels,), that the other channels do not predict."""
        return self.exceeds(DISAGREEMENT, self.thresholds.unexplained)


@dataclass(frozen=True)
class Criterion:
    """One way in which a channel is bad.

    Attributes
    ----------
    text : str
        What the operator reads; may contain the ratio of a measure to its calibration
        (``{amplitude}``) and the name of a swapped channel (``{partner}``).
    n_windows : int
        Windows that meet the criterion, less those that do not, until the channel is bad.
    test : callable
        From a :class:`Window` to the channels that meet the criterion.
    no_signal : bool
        Whether such a channel carries no signal: no other criterion is applied to it, and a
        movement of the head is not the cause.
    """

    text: str
    n_windows: int
    test: Callable[[Window], BoolMask]
    no_signal: bool = False


#: All criteria; a row of :attr:`Assessment.met` belongs to each.
CRITERIA = (
    Criterion("no values", 1, lambda w: w.missing, no_signal=True),
    Criterion("flat", 1, lambda w: w.flat, no_signal=True),
    Criterion("railed: stuck at an extreme value", 2, lambda w: w.railed, no_signal=True),
    Criterion("jump: the electrode has popped", 2, lambda w: w.drift > w.thresholds.jump - w.slack),
    Criterion(
        "{amplitude:.0f} times its amplitude",
        1,
        lambda w: w.exceeds(AMPLITUDE, w.thresholds.very_loud) & w.unexplained,
    ),
    Criterion(
        "{amplitude:.0f} times its amplitude",
        3,
        lambda w: w.exceeds(AMPLITUDE, w.thresholds.loud) & w.unexplained,
    ),
    Criterion(
        "{amplitude:.1f} times its amplitude",
        8,
        lambda w: w.exceeds(AMPLITUDE, w.thresholds.rather_loud) & w.unexplained,
    ),
    Criterion(
        "noisy: {amplitude:.1f} times its amplitude, and does not follow the other channels",
        7,
        lambda w: w.exceeds(AMPLITUDE, NOISY) & (w.correlation < UNRELATED_CORRELATION + w.slack),
    ),
    Criterion(
        "too quiet: {amplitude:.2f} times its amplitude",
        12,
        lambda w: w.deviation[AMPLITUDE] < -(w.thresholds.quiet - w.slack),
    ),
    Criterion(
        "no longer too large",
        2,
        lambda w: w.rescaled & (w.deviation[AMPLITUDE] < -(RESCALED_QUIET - w.slack)),
    ),
    Criterion(
        "mains: {mains:.0f} times its share", 3, lambda w: w.exceeds(MAINS, w.thresholds.mains)
    ),
    Criterion(
        "high frequencies: {high:.0f} times their share",
        6,
        lambda w: w.exceeds(HIGH, w.thresholds.high),
    ),
    Criterion("drift", 8, lambda w: w.drift > w.thresholds.drifting - w.slack),
    Criterion(
        "disagrees with the other channels",
        14,
        lambda w: w.exceeds(DISAGREEMENT, w.thresholds.disagreeing),
    ),
    Criterion(
        "unrelated to the other channels",
        12,
        lambda w: w.swaps.unexplained > _UNRELATED - w.slack,
    ),
    Criterion(
        "seems exchanged with {partner}",
        12,
        lambda w: w.swaps.likelihood_gain > _SWAP_LIKELIHOOD * np.exp(-w.slack),
    ),
)


def apply_criteria(window: Window) -> BoolMask:
    """Apply all criteria to a window.

    Parameters
    ----------
    window : Window

    Returns
    -------
    ndarray of bool, shape (criteria, channels)
    """
    with_signal = ~(window.missing | window.flat | window.railed)
    return np.stack(
        [
            criterion.test(window) if criterion.no_signal else criterion.test(window) & with_signal
            for criterion in CRITERIA
        ]
    )


def describe(indices: Iterable[int], ratios: Mapping[str, float], partner: str) -> tuple[str, ...]:
    """Return the texts of the criteria that a channel meets.

    Parameters
    ----------
    indices : iterable of int
        Rows of ``CRITERIA``, in ascending order.
    ratios : mapping of str to float
        Measures of the channel over their medians in calibration, by the names of ``MEASURES``.
    partner : str
        The channel with which it seems exchanged.

    Returns
    -------
    tuple of str
    """
    rows = list(indices)
    # several criteria may name the same amplitude; the text of the last one says most about it
    loud = [row for row in rows if "{amplitude" in CRITERIA[row].text]
    return tuple(
        CRITERIA[row].text.format(partner=partner, **ratios) for row in rows if row not in loud[:-1]
    )


def _threshold(rule: tuple[float, float, float], distance: Floats) -> Floats:
    """Return a factor times the distance of a quantile from the median, within bounds."""
    factor, least, most = rule
    # NaN, where the sampling rate does not show the measure, is above no threshold
    return np.clip(factor * distance, least, most)
