"""The assessment of a window: compare it with the calibration and apply the criteria."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sjepa_online.signal.channel_quality.baseline import (
    Baseline,
    window_disagreement,
    window_measures,
)
from sjepa_online.signal.channel_quality.block_features import BLOCKS_PER_WINDOW, BlockFeatures
from sjepa_online.signal.channel_quality.criteria import (
    AMPLITUDE,
    DISAGREEMENT,
    DRIFT,
    HYSTERESIS,
    Thresholds,
    Window,
    apply_criteria,
)
from sjepa_online.signal.channel_quality.predictability import ChannelPredictor
from sjepa_online.signal.channel_quality.rescaling import LEAST_SCALE, ScaleEstimator
from sjepa_online.signal.channel_quality.swaps import SwapDetector, SwapFindings
from sjepa_online.signal.preprocessor import LIMIT_MICROVOLTS
from sjepa_online.typing import BoolMask, Floats, Indices

#: Share of the samples of the last half second without which a channel has no values.
_MISSING_SHARE = 0.5
#: A block spans less than this share of the channel's amplitude where it is flat.
_FLAT_SHARE = 0.1
#: Distance (amplitudes) of a flat channel from its last level from which on it is railed.
_AWAY = 50.0
#: Share of the samples of a window at one extreme where the amplifier clips.
_CLIPPED_SHARE = 0.25
_KEPT_PREDICTORS = 8


@dataclass(frozen=True)
class Assessment:
    """The criteria that each channel meets in one window.

    Attributes
    ----------
    met : ndarray of bool, shape (criteria, channels)
        In the order of ``CRITERIA``.
    still_met : ndarray of bool, shape (criteria, channels)
        The same by the lower thresholds that hold for a channel that is already bad.
    measures : ndarray, shape (measures, channels)
        In the order of ``MEASURES``.
    partner : ndarray of int, shape (channels,)
        The channel with which each seems exchanged, or the channel itself.
    scale : ndarray, shape (channels,)
        Estimated scale of a channel on trial; NaN as long as it does not agree with the other
        channels, and for channels that are not on trial.
    """

    met: BoolMask
    still_met: BoolMask
    measures: Floats
    partner: Indices
    scale: Floats


class WindowAssessor:
    """Compare windows with a baseline.

    Parameters
    ----------
    baseline : Baseline
        Of the channels to judge.
    judge_high : bool
        Whether the high-frequency share can be compared.
    """

    def __init__(self, baseline: Baseline, judge_high: bool) -> None:
        self._baseline = baseline
        self._centre = baseline.quantiles[1]
        self._amplitude = self._centre[AMPLITUDE]
        self._thresholds = Thresholds.fit(baseline, judge_high)
        self._predictors: dict[bytes, ChannelPredictor] = {}
        self.reset()

    def reset(self) -> None:
        """Forget the windows seen so far."""
        self._swaps = SwapDetector(len(self._baseline.ch_names))
        self._scales = ScaleEstimator()
        self._correlations: deque[Floats] = deque(maxlen=BLOCKS_PER_WINDOW)
        self._level = np.full(len(self._baseline.ch_names), np.nan)

    def apparent_scale(self, blocks: Sequence[BlockFeatures]) -> Floats:
        """Return how many times too large each channel is.

        Parameters
        ----------
        blocks : sequence of BlockFeatures, length 4

        Returns
        -------
        ndarray, shape (channels,)
            1 for less than ``LEAST_SCALE``, and for channels whose values no electrode can show.
        """
        amplitude = np.median([block.amplitude for block in blocks], axis=0)
        ratio = np.exp(amplitude - self._amplitude)
        extremes = [np.maximum(block.highest, -block.lowest) for block in blocks]
        possible = np.max(extremes, axis=0) < LIMIT_MICROVOLTS
        return np.where((ratio >= LEAST_SCALE) & possible, ratio, 1.0)

    def assess(
        self, blocks: Sequence[BlockFeatures], bad: BoolMask, scales: Floats, on_trial: BoolMask
    ) -> Assessment:
        """Assess a window.

        Parameters
        ----------
        blocks : sequence of BlockFeatures, length 4
            The window, the newest last.
        bad : ndarray of bool, shape (channels,)
            Channels that are left out already, and so predict no other.
        scales : ndarray, shape (channels,)
            Divisor of each channel.
        on_trial : ndarray of bool, shape (channels,)
            Bad channels that are divided to find out whether they agree with the others.

        Returns
        -------
        Assessment
        """
        blocks = [block.divided(scales) for block in blocks]
        missing, flat, railed = self._without_signal(blocks)
        dead = missing | flat | railed
        measures, predictor = self._measure(blocks, ~(bad | dead | on_trial))
        spectra = blocks[-1].spectrum / np.exp(self._amplitude)[:, np.newaxis]
        slope, correlation = predictor.regression(spectra)
        self._correlations.append(np.where(predictor.predictable, correlation, 1.0))
        scale = self._scales.update(
            slope * scales, correlation, predictor.log_expected, on_trial & ~dead
        )
        ordinary = self._ordinary(measures[AMPLITUDE]) & self._ordinary(blocks[-1].amplitude)
        swaps = self._find_swaps(spectra, ordinary & ~(dead | on_trial))
        window = Window(
            missing,
            flat,
            railed,
            deviation=measures - self._centre,
            drift=measures[DRIFT],
            correlation=self._usual_correlation(),
            rescaled=scales > 1,
            swaps=swaps,
            thresholds=self._thresholds,
        )
        met, still_met = (
            apply_criteria(replace(window, slack=slack)) for slack in (0.0, HYSTERESIS)
        )
        return Assessment(met, still_met, measures, swaps.partner, scale)

    def _usual_correlation(self) -> Floats:
        """Median correlation of each channel with its prediction in the last windows."""
        median: Floats = np.median(self._correlations, axis=0)
        return median

    def _without_signal(
        self, blocks: Sequence[BlockFeatures]
    ) -> tuple[BoolMask, BoolMask, BoolMask]:
        """Find channels without values, those that are flat, and those that are railed."""
        newest = blocks[-2:]
        missing = np.mean([block.missing for block in newest], axis=0) >= _MISSING_SHARE
        span = np.max([block.highest - block.lowest for block in newest], axis=0)
        amplitude = np.exp(self._amplitude)
        still = (span <= _FLAT_SHARE * amplitude) & ~missing
        level = blocks[-1].level
        # a second ago, or before the channel was still
        self._level = np.where(still | missing, self._level, blocks[0].level)
        away = np.abs(level - self._level) > _AWAY * amplitude
        clipped = np.maximum(
            share_at_extreme(
                np.array([block.highest for block in blocks]),
                np.array([block.at_highest for block in blocks]),
            ),
            share_at_extreme(
                -np.array([block.lowest for block in blocks]),
                np.array([block.at_lowest for block in blocks]),
            ),
        )
        railed = (clipped >= _CLIPPED_SHARE) & ~still & ~missing
        return missing, still & ~away, railed | (still & away)

    def _measure(
        self, blocks: Sequence[BlockFeatures], trusted: BoolMask
    ) -> tuple[Floats, ChannelPredictor]:
        """Measure the window; channels that disagree grossly do not predict the others.

        They are taken out one by one, the worst first: one channel at many times its
        amplitude makes all disagree that it predicts, but none as much as itself.
        """
        predictor = self._predictor(trusted)
        measures: Floats = window_measures(blocks, self._amplitude, predictor)[0]
        threshold = self._centre[DISAGREEMENT] + self._thresholds.unexplained
        while predictor.trusted.sum() > 2:
            above = np.where(predictor.trusted, measures[DISAGREEMENT] - threshold, -np.inf)
            worst = int(np.argmax(above))
            if above[worst] <= 0:
                break
            predictor = predictor.without(worst)
            measures[DISAGREEMENT] = window_disagreement(blocks, self._amplitude, predictor)[0]
        return measures, predictor

    def _ordinary(self, amplitude: Floats) -> BoolMask:
        """Return the channels with an amplitude as in calibration, from its logarithm."""
        deviation = amplitude - self._amplitude
        limits = self._thresholds
        ordinary: BoolMask = (deviation < limits.rather_loud) & (deviation > -limits.quiet)
        return ordinary

    def _find_swaps(self, spectra: Floats, ordinary: BoolMask) -> SwapFindings:
        """Look for swapped and unrelated channels among those of ordinary amplitude."""
        self._swaps.update(spectra, ordinary)
        return self._swaps.find(self._predictor(ordinary & self._swaps.known))

    def _predictor(self, trusted: BoolMask) -> ChannelPredictor:
        """Keep the last predictors: the trusted channels seldom change."""
        key = trusted.tobytes()
        if key not in self._predictors:
            if len(self._predictors) >= _KEPT_PREDICTORS:
                self._predictors.clear()
            self._predictors[key] = ChannelPredictor.fit(self._baseline.correlation, trusted)
        return self._predictors[key]


def share_at_extreme(highest: Floats, at_highest: Floats) -> Floats:
    """Return the share of the samples of a window that equal its highest one.

    Parameters
    ----------
    highest : ndarray, shape (blocks, channels)
        Highest sample of each block.
    at_highest : ndarray, shape (blocks, channels)
        Share of the samples of each block that equal it.

    Returns
    -------
    share : ndarray, shape (channels,)
    """
    share: Floats = np.mean(at_highest * (highest == highest.max(axis=0)), axis=0)
    return share
