"""What speaks against a channel in a window of one second."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.signal.channel_quality.baseline import (
    MEASURES,
    Baseline,
    window_disagreement,
    window_measures,
)
from sjepa_online.signal.channel_quality.block_features import QUARTERS, Array, Quarter
from sjepa_online.signal.channel_quality.predictability import CrossPrediction
from sjepa_online.signal.channel_quality.rescaling import LEAST_GAIN, GainWatch
from sjepa_online.signal.channel_quality.swaps import Likeness, LikenessWatch
from sjepa_online.signal.preprocessor import LIMIT_MICROVOLTS

BoolArray = NDArray[np.bool_]

AMPLITUDE, DISAGREEMENT, MAINS, HIGH, DRIFT = range(len(MEASURES))


@dataclass(frozen=True)
class Rule:
    """One kind of evidence.

    Attributes
    ----------
    words : str
        What it means; may name the measures' ratios to the calibration, and a partner.
    needed : int
        Windows with evidence, less those without, that make the channel bad.
    lasting : bool
        Whether a movement of the head could cause it, so that it has to last when more than
        half of the channels show it.
    """

    words: str
    needed: int
    lasting: bool = True


#: The rows of :class:`Evidence`.
RULES = (
    Rule("no values", 1, lasting=False),
    Rule("flat", 1, lasting=False),
    Rule("railed: stuck at an extreme value", 2, lasting=False),
    Rule("jump: the electrode has popped", 2),
    Rule("{amplitude:.0f} times its amplitude", 1),
    Rule("{amplitude:.0f} times its amplitude", 3),
    Rule("{amplitude:.1f} times its amplitude", 8),
    Rule("noisy: {amplitude:.1f} times its amplitude, and does not follow the other channels", 7),
    Rule("too quiet: {amplitude:.2f} times its amplitude", 12),
    Rule("no longer too large", 2),
    Rule("mains: {mains:.0f} times its share", 3),
    Rule("high frequencies: {high:.0f} times their share", 6),
    Rule("drift", 8),
    Rule("disagrees with the other channels", 14),
    Rule("unrelated to the other channels", 12),
    Rule("seems exchanged with {partner}", 12),
)

#: Log thresholds above (for too quiet: below) the median of the calibration: a factor times the
#: distance of its 99 % (1 %) quantile, but at least and at most so much.
LOUD = (1.3, 1.4, 1.6)
RATHER_LOUD = (1.3, 1.0, 1.6)
VERY_LOUD = (3.0, 3.0, 3.5)
#: The same for a channel that does not follow the others: its correlation with what they
#: predict is below the second number.
NOISY, UNRELATED_CORRELATION = 0.7, 0.4
UNEXPLAINED = (1.2, 1.3, 1.6)
QUIET = (1.5, 1.2, 2.5)
#: The same for a channel that is scaled back, whose gain may end at any time.
SCALED_QUIET = 1.1
SHARE = (2.0, 1.6, 3.0)
DISAGREEING = (1.5, 1.5, 2.5)
#: Movements of the offset within a second, as the log of multiples of the amplitude.
DRIFTING = (2.7, 3.7)
JUMP = (4.0, 4.5)
#: How much lower the thresholds are for a channel that is already bad.
HYSTERESIS = 0.2

#: Share of the samples of the last half second without which a channel has no values.
_MISSING_SHARE = 0.5
#: A quarter spans less than this share of the channel's amplitude where it is flat.
_FLAT_SHARE = 0.1
#: A flat channel is railed where it is so many amplitudes away from its last level.
_AWAY = 50.0
#: Share of the samples of a window at one extreme where the amplifier clips.
_CLIPPED_SHARE = 0.25
#: Power of what the others do not predict, over the channel's own, where it is unrelated.
_UNRELATED = 1.0
#: Gain of the likelihood (nats a sample) by which an exchange of two channels is evident.
_EXCHANGE_GAIN = 0.2
_KEPT_PREDICTIONS = 8


@dataclass(frozen=True)
class Evidence:
    """What was found in one window.

    Attributes
    ----------
    found : ndarray of bool, shape (rules, channels)
        Evidence by each rule.
    lingering : ndarray of bool, shape (rules, channels)
        The same by the lower thresholds that hold for a channel that is already bad.
    measures : ndarray, shape (measures, channels)
        In the order of ``MEASURES``.
    partner : ndarray of int, shape (channels,)
        With which channel each would change places, if with any.
    gain : ndarray, shape (channels,)
        Of a channel on trial, by how much it is too large; NaN as long as it does not agree
        with the others, and for all other channels.
    """

    found: BoolArray
    lingering: BoolArray
    measures: Array
    partner: NDArray[np.intp]
    gain: Array


class EvidenceFinder:
    """Hold windows against a baseline.

    Parameters
    ----------
    baseline : Baseline
        Of the channels in question.
    judge_high : bool
        Whether the high-frequency share can be compared.
    """

    def __init__(self, baseline: Baseline, judge_high: bool) -> None:
        self._baseline = baseline
        low, centre, high = baseline.quantiles
        self._amplitude = centre[AMPLITUDE]
        above = high - centre
        self._centre = centre
        self._loud = _limit(LOUD, above[AMPLITUDE])
        self._rather_loud = _limit(RATHER_LOUD, above[AMPLITUDE])
        self._very_loud = _limit(VERY_LOUD, above[AMPLITUDE])
        self._unexplained = _limit(UNEXPLAINED, above[DISAGREEMENT])
        self._disagreeing = _limit(DISAGREEING, above[DISAGREEMENT])
        self._quiet = _limit(QUIET, (centre - low)[AMPLITUDE])
        self._mains = _limit(SHARE, above[MAINS])
        self._high = _limit(SHARE, above[HIGH]) if judge_high else np.full_like(above[HIGH], np.inf)
        self._drifting = np.clip(high[DRIFT] + 0.3, *DRIFTING)
        self._jump = np.clip(high[DRIFT] + 1.0, *JUMP)
        self._predictions: dict[bytes, CrossPrediction] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the windows seen so far."""
        self._watch = LikenessWatch(len(self._baseline.ch_names))
        self._gain_watch = GainWatch()
        self._correlations: deque[Array] = deque(maxlen=QUARTERS)
        self._level = np.full(len(self._baseline.ch_names), np.nan)

    def excess(self, quarters: Sequence[Quarter]) -> Array:
        """Return how many times too large each channel is, 1 for less than ``LEAST_GAIN``.

        Channels that reach what no electrode can show are not said to be too large.
        """
        amplitude = np.median([quarter.amplitude for quarter in quarters], axis=0)
        ratio = np.exp(amplitude - self._amplitude)
        extremes = [np.maximum(quarter.highest, -quarter.lowest) for quarter in quarters]
        possible = np.max(extremes, axis=0) < LIMIT_MICROVOLTS
        return np.where((ratio >= LEAST_GAIN) & possible, ratio, 1.0)

    def find(
        self, quarters: Sequence[Quarter], bad: BoolArray, scales: Array, on_trial: BoolArray
    ) -> Evidence:
        """Judge a window.

        Parameters
        ----------
        quarters : sequence of Quarter, length 4
            The window, the newest last.
        bad : ndarray of bool, shape (channels,)
            Channels that are left out already, and so predict no other.
        scales : ndarray, shape (channels,)
            By what each channel is divided first.
        on_trial : ndarray of bool, shape (channels,)
            Channels whose scale makes their size ordinary, to see whether they agree.
        """
        quarters = [quarter.divided(scales) for quarter in quarters]
        missing, flat, railed = self._dead(quarters)
        dead = missing | flat | railed
        measures, prediction = self._measure(quarters, ~(bad | dead | on_trial))
        spectra = quarters[-1].spectrum / np.exp(self._amplitude)[:, np.newaxis]
        slope, correlation = prediction.regression(spectra)
        self._correlations.append(np.where(prediction.predictable, correlation, 1.0))
        gain = self._gain_watch.update(
            slope * scales, correlation, prediction.log_expected, on_trial & ~dead
        )
        ordinary = self._ordinary(measures[AMPLITUDE]) & self._ordinary(quarters[-1].amplitude)
        ordinary &= ~(dead | on_trial)
        likeness = self._compare(spectra, ordinary)
        found, lingering = (
            self._hold_against_thresholds(measures, likeness, slack, scales > 1) & ~dead
            for slack in (0.0, HYSTERESIS)
        )
        gone = np.stack([missing, flat, railed])
        return Evidence(
            np.concatenate([gone, found]),
            np.concatenate([gone, lingering]),
            measures,
            likeness.partner,
            gain,
        )

    def _hold_against_thresholds(
        self, measures: Array, likeness: Likeness, slack: float, scaled: BoolArray
    ) -> BoolArray:
        """Apply the rules after the first three, with thresholds that are lower by the slack."""
        excess = measures - self._centre
        whole_window = len(self._correlations) == QUARTERS
        follows = np.median(self._correlations, axis=0) if whole_window else np.inf
        unexplained = excess[DISAGREEMENT] > self._unexplained - slack
        return np.stack(
            [
                measures[DRIFT] > self._jump - slack,
                (excess[AMPLITUDE] > self._very_loud - slack) & unexplained,
                (excess[AMPLITUDE] > self._loud - slack) & unexplained,
                (excess[AMPLITUDE] > self._rather_loud - slack) & unexplained,
                (excess[AMPLITUDE] > NOISY - slack) & (follows < UNRELATED_CORRELATION + slack),
                excess[AMPLITUDE] < -(self._quiet - slack),
                scaled & (excess[AMPLITUDE] < -(SCALED_QUIET - slack)),
                excess[MAINS] > self._mains - slack,
                excess[HIGH] > self._high - slack,
                measures[DRIFT] > self._drifting - slack,
                excess[DISAGREEMENT] > self._disagreeing - slack,
                likeness.unexplained > _UNRELATED - slack,
                likeness.gain > _EXCHANGE_GAIN * np.exp(-slack),
            ]
        )

    def _dead(self, quarters: Sequence[Quarter]) -> tuple[BoolArray, BoolArray, BoolArray]:
        """Find channels without values, those that are flat, and those that are railed."""
        newest = quarters[-2:]
        missing = np.mean([quarter.missing for quarter in newest], axis=0) >= _MISSING_SHARE
        span = np.max([quarter.highest - quarter.lowest for quarter in newest], axis=0)
        amplitude = np.exp(self._amplitude)
        still = (span <= _FLAT_SHARE * amplitude) & ~missing
        level = quarters[-1].level
        # a second ago, or before the channel was still
        self._level = np.where(still | missing, self._level, quarters[0].level)
        away = np.abs(level - self._level) > _AWAY * amplitude
        clipped = np.maximum(
            _share_at_extreme(
                np.array([quarter.highest for quarter in quarters]),
                np.array([quarter.at_highest for quarter in quarters]),
            ),
            _share_at_extreme(
                -np.array([quarter.lowest for quarter in quarters]),
                np.array([quarter.at_lowest for quarter in quarters]),
            ),
        )
        railed = (clipped >= _CLIPPED_SHARE) & ~still & ~missing
        return missing, still & ~away, railed | (still & away)

    def _measure(
        self, quarters: Sequence[Quarter], trusted: BoolArray
    ) -> tuple[Array, CrossPrediction]:
        """Measure the window; channels that disagree grossly do not predict the others.

        They are taken out one by one, the worst first: one channel at many times its
        amplitude makes all disagree that it predicts, but none as much as itself.
        """
        prediction = self._prediction(trusted)
        measures: Array = window_measures(quarters, self._amplitude, prediction)[0]
        threshold = self._centre[DISAGREEMENT] + self._unexplained
        while prediction.trusted.sum() > 2:
            excess = np.where(prediction.trusted, measures[DISAGREEMENT] - threshold, -np.inf)
            worst = int(np.argmax(excess))
            if excess[worst] <= 0:
                break
            prediction = prediction.without(worst)
            measures[DISAGREEMENT] = window_disagreement(quarters, self._amplitude, prediction)[0]
        return measures, prediction

    def _ordinary(self, amplitude: Array) -> BoolArray:
        """Tell which channels have an amplitude as in calibration, from its logarithm."""
        excess = amplitude - self._amplitude
        ordinary: BoolArray = (excess < self._rather_loud) & (excess > -self._quiet)
        return ordinary

    def _compare(self, spectra: Array, ordinary: BoolArray) -> Likeness:
        """See whether channels of ordinary amplitude behave like themselves."""
        self._watch.update(spectra, ordinary)
        return self._watch.judge(self._prediction(ordinary & self._watch.known))

    def _prediction(self, trusted: BoolArray) -> CrossPrediction:
        """Keep the last predictions: the trusted channels seldom change."""
        key = trusted.tobytes()
        if key not in self._predictions:
            if len(self._predictions) >= _KEPT_PREDICTIONS:
                self._predictions.clear()
            self._predictions[key] = CrossPrediction.fit(self._baseline.correlation, trusted)
        return self._predictions[key]


def _limit(rule: tuple[float, float, float], distance: Array) -> Array:
    """Threshold over the median: a factor times the distance of a quantile, within bounds."""
    factor, least, most = rule
    # NaN, where the sampling rate does not show the measure, is above no threshold
    return np.clip(factor * distance, least, most)


def _share_at_extreme(highest: Array, at_highest: Array) -> Array:
    """Share of samples of the window that equal its highest one, from those of the quarters."""
    share: Array = np.mean(at_highest * (highest == highest.max(axis=0)), axis=0)
    return share
