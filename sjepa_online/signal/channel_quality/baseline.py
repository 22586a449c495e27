"""What a subject's channels look like when they are good: learned from the calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from sjepa_online.errors import InputError
from sjepa_online.signal.channel_quality.block_features import (
    QUARTERS,
    Array,
    Quarter,
    QuarterAnalysis,
)
from sjepa_online.signal.channel_quality.predictability import CrossPrediction
from sjepa_online.signal.units import microvolt_factor

#: What is compared with the calibration: logs of the amplitude (µV), of the residual of the
#: prediction from other channels, of mains and high-frequency share, and of the movement of
#: the offset within a second over the amplitude.
MEASURES = ("amplitude", "disagreement", "mains", "high", "drift")

#: Least number of quarters in which a channel carries signal, for it to have a baseline.
_LEAST_QUARTERS = 16
_QUANTILES = (0.01, 0.5, 0.99)
# a channel whose samples span less (µV) carries no signal
_NO_SIGNAL = 0.01
_DRIFT_FLOOR = 0.1
# µV; offsets are not held against the amplitude of channels that are quieter
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
        ``MEASURES``; NaN where the sampling rate shows none of it.
    correlation : ndarray, shape (channels, channels)
        Correlation from 3 to 41 Hz; every quarter of a second counts alike, however large it
        is. The row of a channel without signal is that of the identity.
    """

    ch_names: tuple[str, ...]
    sfreq: float
    quantiles: Array
    correlation: Array

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
        analysis = QuarterAnalysis(sfreq)
        parts = [analysis.cut(np.asarray(signal, dtype=np.float64) * factor) for signal in signals]
        quarters = [quarter for part in parts for quarter in part]
        usable = np.array([_usable(quarter) for quarter in quarters]).reshape(-1, len(ch_names))
        known = usable.sum(axis=0) >= _LEAST_QUARTERS
        if not known.any():
            raise InputError(
                "At least one channel carries signal for 4 seconds of the calibration",
                value=f"{len(quarters) / QUARTERS:g} s of {', '.join(ch_names)}",
                remedy="Check the electrodes, or record more.",
            )
        amplitude = np.full(len(ch_names), np.nan)
        logs = np.array([quarter.amplitude for quarter in quarters])
        for channel in np.flatnonzero(known):
            amplitude[channel] = np.median(logs[usable[:, channel], channel])
        amplitude[~known] = np.median(amplitude[known])
        whole = usable[:, known].all(axis=1)
        correlation = np.eye(len(ch_names))
        if whole.sum() >= _LEAST_QUARTERS:
            spectra = np.array([quarter.spectrum for quarter in quarters])[whole]
            among = np.ix_(known, known)
            correlation[among] = _correlation(spectra[:, known], np.exp(amplitude[known]))
        prediction = CrossPrediction.fit(correlation, known)
        values = [window_measures(part, amplitude, prediction) for part in parts]
        good = [_windows(np.array([_usable(q) for q in part])).all(axis=-1) for part in parts]
        quantiles = _quantiles(np.concatenate(values), np.concatenate(good), known)
        return cls(tuple(ch_names), float(sfreq), quantiles, correlation)

    def pick(self, ch_names: Sequence[str]) -> Baseline:
        """Return the baseline of other channels, in their order.

        A channel that the calibration does not have takes the medians over the others and
        is taken for uncorrelated.
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
        """Return the arrays that a decoder's file stores beside the channels' names."""
        return {
            "sfreq": np.array(self.sfreq),
            "quantiles": self.quantiles,
            "correlation": self.correlation,
        }

    @classmethod
    def from_arrays(cls, ch_names: Sequence[str], arrays: Mapping[str, NDArray[Any]]) -> Self:
        """Restore what :meth:`to_arrays` gave.

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
                f"A baseline of {n} channels holds arrays of the shapes {shapes}",
                value=seen,
                remedy="The file is damaged: calibrate again.",
            )
        return cls(
            tuple(ch_names),
            float(arrays["sfreq"]),
            np.asarray(arrays["quantiles"], dtype=np.float64),
            np.asarray(arrays["correlation"], dtype=np.float64),
        )


def window_measures(
    quarters: Sequence[Quarter], amplitude: Array, prediction: CrossPrediction
) -> Array:
    """Compare each window of four quarters with the calibration.

    A measure of a window is the median over its quarters, so that less than half a second of
    artefact does not count.

    Parameters
    ----------
    quarters : sequence of Quarter
        Without a gap.
    amplitude : ndarray, shape (channels,)
        Log of each channel's amplitude (µV) in calibration.
    prediction : CrossPrediction
        From the channels that are trusted.

    Returns
    -------
    ndarray, shape (windows, measures, channels)
        In the order of ``MEASURES``; one window less than ``QUARTERS`` less the quarters.
    """
    n_channels = len(amplitude)
    if len(quarters) < QUARTERS:
        return np.empty((0, len(MEASURES), n_channels))
    amplitudes, mains, high = (
        np.median(_windows(np.array(rows)), axis=-1)
        for rows in zip(*((q.amplitude, q.mains, q.high) for q in quarters), strict=True)
    )
    disagreement = window_disagreement(quarters, amplitude, prediction)
    levels = np.array([quarter.level for quarter in quarters])
    moved = np.abs(levels[QUARTERS - 1 :] - levels[: 1 - QUARTERS])
    size = np.maximum(np.exp(amplitude), _LEAST_SIZE)
    drift = np.log(moved / size + _DRIFT_FLOOR)
    return np.stack([amplitudes, disagreement, mains, high, drift], axis=1)


def window_disagreement(
    quarters: Sequence[Quarter], amplitude: Array, prediction: CrossPrediction
) -> Array:
    """Return the disagreement alone, shape (windows, channels); see :func:`window_measures`."""
    spectra = np.array([quarter.spectrum for quarter in quarters])
    logs = prediction.disagreement(spectra / np.exp(amplitude)[:, np.newaxis])
    median: Array = np.median(_windows(logs), axis=-1)
    return median


def _windows(rows: NDArray[Any]) -> NDArray[Any]:
    """Cut rows of quarters into windows, the quarters of each along the last axis."""
    if len(rows) < QUARTERS:
        return np.empty((0, *rows.shape[1:], QUARTERS), dtype=rows.dtype)
    return sliding_window_view(rows, QUARTERS, axis=0)


def _usable(quarter: Quarter) -> NDArray[np.bool_]:
    usable: NDArray[np.bool_] = (quarter.missing == 0) & (
        quarter.highest - quarter.lowest > _NO_SIGNAL
    )
    return usable


def _correlation(spectra: Array, amplitude: Array) -> Array:
    """Mean correlation of quarters, each weighted by one over its power."""
    scaled = spectra / amplitude[:, np.newaxis]
    scaled /= np.sqrt(np.mean(np.sum(scaled**2, axis=2), axis=1))[:, np.newaxis, np.newaxis]
    covariance = np.einsum("qcv,qdv->cd", scaled, scaled, optimize=True)
    deviation = np.sqrt(np.diag(covariance))
    result: Array = covariance / np.outer(deviation, deviation)
    return result


def _quantiles(values: Array, good: NDArray[np.bool_], known: NDArray[np.bool_]) -> Array:
    """Quantiles of each channel's good windows; other channels take the medians of these."""
    result = np.full((len(_QUANTILES), *values.shape[1:]), np.nan)
    for channel in np.flatnonzero(known):
        windows = values[good[:, channel], :, channel]
        result[:, :, channel] = np.quantile(windows, _QUANTILES, axis=0)
    middle = np.median(result[:, :, known], axis=2, keepdims=True)
    return np.where(known, result, middle)
