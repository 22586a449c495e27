"""The baseline: how the good channels of a person measure and correlate in the calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.block_features import (
    BLOCKS_PER_WINDOW,
    BlockAnalysis,
    BlockFeatures,
)
from sjepa_online.signal.channel_quality.predictability import ChannelPredictor
from sjepa_online.signal.units import microvolt_factor
from sjepa_online.typing import BoolMask, Floats

#: Measures that are compared with the calibration: logs of the amplitude (µV), of the residual of
#: the prediction from other channels, of mains and high-frequency share, and of the movement of
#: the offset within a second over the amplitude.
MEASURES = ("amplitude", "disagreement", "mains", "high", "drift")

#: Least number of blocks with signal from which a baseline of a channel is learned.
_LEAST_BLOCKS = 16
_QUANTILES = (0.01, 0.5, 0.99)
# a channel whose samples span less (µV) carries no signal
_NO_SIGNAL = 0.01
_DRIFT_FLOOR = 0.1
# µV; offsets of quieter channels are compared with this amplitude
_LEAST_SIZE = 3.0


@dataclass(frozen=True)
class Baseline:
    """Distribution of the measures of good channels, and how the channels correlate.

    Attributes
    ----------
    ch_names : tuple of str
        Channels.
    sfreq : float
        Sampling rate (Hz) of the calibration.
    quantiles : ndarray, shape (3, measures, channels)
        1 %, 50 % and 99 % of each measure in windows of a second, in the order of
        ``MEASURES``; NaN where the sampling rate is too low to show it.
    correlation : ndarray, shape (channels, channels)
        Correlation from 3 to 41 Hz; every block has the same weight, however large it
        is. The row of a channel without signal is that of the identity.
    """

    ch_names: tuple[str, ...]
    sfreq: float
    quantiles: Floats
    correlation: Floats

    @classmethod
    def fit(
        cls, signals: Iterable[ArrayLike], ch_names: Sequence[str], sfreq: float, unit: str
    ) -> Self:
        """Learn from unfiltered signals.

        Parameters
        ----------
        signals : iterable of array_like, shape (channels, samples)
            The calibration's recordings, or the first seconds of a stream, in ``unit``.
        ch_names : sequence of str
            Their channels.
        sfreq : float
            Their sampling rate (Hz), at least 100.
        unit : str
            Their unit.

        Raises
        ------
        InputError
            No channel carries signal for 4 seconds, or the unit is unknown.
        """
        factor = microvolt_factor(unit)
        analysis = BlockAnalysis(sfreq)
        parts = [analysis.cut(np.asarray(signal, dtype=np.float64) * factor) for signal in signals]
        blocks = [block for part in parts for block in part]
        usable = np.array([_usable(block) for block in blocks]).reshape(-1, len(ch_names))
        known = usable.sum(axis=0) >= _LEAST_BLOCKS
        if not known.any():
            raise InputError(
                "No channel carries signal for 4 seconds of the calibration",
                value=f"{len(blocks) / BLOCKS_PER_WINDOW:g} s of {', '.join(ch_names)}",
                remedy="Check the electrodes, or record more.",
            )
        amplitude = np.full(len(ch_names), np.nan)
        logs = np.array([block.amplitude for block in blocks])
        for channel in np.flatnonzero(known):
            amplitude[channel] = np.median(logs[usable[:, channel], channel])
        amplitude[~known] = np.median(amplitude[known])
        whole = usable[:, known].all(axis=1)
        correlation = np.eye(len(ch_names))
        if whole.sum() >= _LEAST_BLOCKS:
            spectra = np.array([block.spectrum for block in blocks])[whole]
            among = np.ix_(known, known)
            correlation[among] = _correlation(spectra[:, known], np.exp(amplitude[known]))
        predictor = ChannelPredictor.fit(correlation, known)
        values = [window_measures(part, amplitude, predictor) for part in parts]
        good = [
            _windows(np.array([_usable(block) for block in part])).all(axis=-1) for part in parts
        ]
        quantiles = _quantiles(np.concatenate(values), np.concatenate(good), known)
        return cls(tuple(ch_names), float(sfreq), quantiles, correlation)

    def pick(self, ch_names: Sequence[str]) -> Baseline:
        """Return the baseline of other channels, in their order.

        A channel that the calibration does not have gets the medians over the others and
        counts as uncorrelated.

        Parameters
        ----------
        ch_names : sequence of str

        Returns
        -------
        Baseline
        """
        known = [name in self.ch_names for name in ch_names]
        rows = [self.ch_names.index(name) if name in self.ch_names else 0 for name in ch_names]
        middle = np.median(self.quantiles, axis=2, keepdims=True)
        both = np.outer(known, known)
        return Baseline(
            tuple(ch_names),
            self.sfreq,
            np.where(known, self.quantiles[:, :, rows], middle),
            np.where(both, self.correlation[np.ix_(rows, rows)], np.eye(len(rows))),
        )

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the arrays that a decoder's file stores beside the channels' names.

        Returns
        -------
        dict of str to ndarray
            ``sfreq``, ``quantiles`` and ``correlation``; the names are part of the file format.
        """
        return {
            "sfreq": np.array(self.sfreq),
            "quantiles": self.quantiles,
            "correlation": self.correlation,
        }

    @classmethod
    def from_arrays(cls, ch_names: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore a baseline from the arrays of :meth:`to_arrays`.

        Parameters
        ----------
        ch_names : sequence of str
        arrays : mapping of str to ndarray

        Raises
        ------
        InputError
            An array is missing, or does not suit the channels.
        """
        n = len(ch_names)
        shapes = {"sfreq": (), "quantiles": (3, len(MEASURES), n), "correlation": (n, n)}
        seen = {name: arrays[name].shape for name in shapes if name in arrays}
        if seen != shapes:
            raise InputError(
                "The file of the decoder is damaged: the arrays of its baseline have wrong shapes",
                value=f"{seen} in place of {shapes} for {n} channels",
                remedy="To mend it, calibrate again.",
            )
        return cls(
            tuple(ch_names),
            float(arrays["sfreq"]),
            np.asarray(arrays["quantiles"], dtype=np.float64),
            np.asarray(arrays["correlation"], dtype=np.float64),
        )


def window_measures(
    blocks: Sequence[BlockFeatures], amplitude: Floats, predictor: ChannelPredictor
) -> Floats:
    """Measure each window of four blocks.

    A measure of a window is the median over its blocks, so that less than half a second of
    artefact does not count.

    Parameters
    ----------
    blocks : sequence of BlockFeatures
        Without a gap.
    amplitude : ndarray, shape (channels,)
        Log of each channel's amplitude (µV) in calibration.
    predictor : ChannelPredictor
        Predicts every channel from the trusted ones.

    Returns
    -------
    ndarray, shape (windows, measures, channels)
        In the order of ``MEASURES``; one window less than ``BLOCKS_PER_WINDOW`` less the blocks.
    """
    n_channels = len(amplitude)
    if len(blocks) < BLOCKS_PER_WINDOW:
        return np.empty((0, len(MEASURES), n_channels))
    amplitudes, mains, high = (
        np.median(_windows(np.array(rows)), axis=-1)
        for rows in zip(
            *((block.amplitude, block.mains, block.high) for block in blocks), strict=True
        )
    )
    disagreement = window_disagreement(blocks, amplitude, predictor)
    levels = np.array([block.level for block in blocks])
    moved = np.abs(levels[BLOCKS_PER_WINDOW - 1 :] - levels[: 1 - BLOCKS_PER_WINDOW])
    size = np.maximum(np.exp(amplitude), _LEAST_SIZE)
    drift = np.log(moved / size + _DRIFT_FLOOR)
    return np.stack([amplitudes, disagreement, mains, high, drift], axis=1)


def window_disagreement(
    blocks: Sequence[BlockFeatures], amplitude: Floats, predictor: ChannelPredictor
) -> Floats:
    """Return the disagreement alone.

    Parameters are those of :func:`window_measures`.

    Parameters
    ----------
    blocks, amplitude, predictor
        As for :func:`window_measures`.

    Returns
    -------
    ndarray, shape (windows, channels)
    """
    spectra = np.array([block.spectrum for block in blocks])
    logs = predictor.disagreement(spectra / np.exp(amplitude)[:, np.newaxis])
    median: Floats = np.median(_windows(logs), axis=-1)
    return median


def _windows(rows: NDArray[Any]) -> NDArray[Any]:
    """Cut rows of blocks into windows, the blocks of each along the last axis."""
    if len(rows) < BLOCKS_PER_WINDOW:
        return np.empty((0, *rows.shape[1:], BLOCKS_PER_WINDOW), dtype=rows.dtype)
    return sliding_window_view(rows, BLOCKS_PER_WINDOW, axis=0)


def _usable(block: BlockFeatures) -> BoolMask:
    usable: BoolMask = (block.missing == 0) & (block.highest - block.lowest > _NO_SIGNAL)
    return usable


def _correlation(spectra: Floats, amplitude: Floats) -> Floats:
    """Mean correlation of blocks, each divided by its power."""
    scaled = spectra / amplitude[:, np.newaxis]
    scaled /= np.sqrt(np.mean(np.sum(scaled**2, axis=2), axis=1))[:, np.newaxis, np.newaxis]
    covariance = np.einsum("qcv,qdv->cd", scaled, scaled, optimize=True)
    deviation = np.sqrt(np.diag(covariance))
    result: Floats = covariance / np.outer(deviation, deviation)
    return result


def _quantiles(values: Floats, good: BoolMask, known: BoolMask) -> Floats:
    """Quantiles of each channel's good windows; other channels take the medians of these."""
    result = np.full((len(_QUANTILES), *values.shape[1:]), np.nan)
    for channel in np.flatnonzero(known):
        windows = values[good[:, channel], :, channel]
        result[:, :, channel] = np.quantile(windows, _QUANTILES, axis=0)
    middle = np.median(result[:, :, known], axis=2, keepdims=True)
    return np.where(known, result, middle)
