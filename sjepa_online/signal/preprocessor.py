"""Preprocessing from an amplifier's samples to the network's input: µV at 128 Hz."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import inf, isfinite
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal.filters import design_filters, settling_time
from sjepa_online.signal.recursive import RecursiveFilter
from sjepa_online.signal.units import microvolt_factor
from sjepa_online.typing import BoolMask, Floats
from sjepa_online.validation import check_chunk, check_names

#: Sampling rates (Hz) that can be resampled.
SFREQ_RANGE = (100.0, 4000.0)
#: Frequencies (Hz) over which the group delay is averaged.
DELAY_BAND = (4.0, 30.0)
#: No electrode shows more than 1 V; beyond, values are clipped.
LIMIT_MICROVOLTS = 1e6

_CHUNK_SECONDS = 60.0


class PreprocessorConfig(BaseModel):
    """Reference and passband of the preprocessing.

    Attributes
    ----------
    reference : {"none", "average"}
        Keep the amplifier's reference, or subtract the mean over good channels.
    l_freq, h_freq : float
        Edges of the passband in Hz, see :func:`sjepa_online.signal.filters.design_filters`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reference: Literal["none", "average"] = "none"
    l_freq: float = Field(default=0.5, ge=0.1, le=2.0)
    h_freq: float = Field(default=40.0, ge=32.0, le=40.0)


class Preprocessor:
    """Causal preprocessing of a stream, chunk by chunk.

    The steps, in this order: convert the unit to µV, replace values that are not finite by the last
    finite one, clip values that no electrode can show, high-pass, low-pass, resample to 128 Hz,
    divide by the scales, subtract the reference. The reference comes last: filters and mean
    commute, and so a change of the bad channels or of the scales causes no transient. The output
    does not depend on how the signal is cut into chunks.

    The first finite value of a channel is subtracted as its offset, so that the filters start as if
    the channel had always had this value (as with ``scipy.signal.sosfilt_zi``). Until then its
    output is 0, and it does not enter the reference.

    Parameters
    ----------
    ch_names : sequence of str
        Names of the channels in the order of the rows.
    sfreq : float
        Rate of the input in Hz, 100 to 4000.
    unit : str
        Unit of the input, see :func:`sjepa_online.signal.units.normalise_unit`.
    config : PreprocessorConfig
        Reference and passband.
    bad : collection of str
        Channels that do not enter the average reference.

    Raises
    ------
    InputError
        No or repeated channel names, a rate outside the range, an unknown unit or bad
        channel, an average reference of less than two channels.
    """

    def __init__(
        self,
        ch_names: Sequence[str],
        sfreq: float,
        unit: str = "uV",
        config: PreprocessorConfig | None = None,
        bad: Collection[str] = (),
    ) -> None:
        self.config = PreprocessorConfig() if config is None else config
        self.ch_names = check_names("ch_names", ch_names)
        self._check_channels()
        self.sfreq = _check_sfreq(sfreq)
        self._factor = microvolt_factor(unit)
        rate = Fraction(self.sfreq).limit_denominator(1000)
        self._filters = design_filters(rate, self.config.l_freq, self.config.h_freq)
        self._samples_out = Fraction(MODEL_SFREQ) / rate
        self._delay = float(self._filters.group_delay(np.linspace(*DELAY_BAND, 261)).mean())
        self._stages = [RecursiveFilter(one, len(self.ch_names)) for one in self._filters.stages]
        self._scales = np.ones((len(self.ch_names), 1))
        self.set_bad(bad)
        self.reset()

    @property
    def delay(self) -> float:
        """Group delay in seconds, the mean over 4 to 30 Hz, from the transfer function."""
        return self._delay

    @property
    def settled_after(self) -> float:
        """Seconds of input after which a step at the start has decayed to 1 %."""
        return settling_time(self.config.l_freq) + self._delay

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels that do not enter the average reference, in the order of the rows."""
        return tuple(name for name, good in zip(self.ch_names, self._good, strict=True) if not good)

    def delay_at(self, frequency: float) -> float:
        """Return the group delay at one frequency.

        Parameters
        ----------
        frequency : float
            In Hz.

        Returns
        -------
        float
            In seconds.
        """
        return float(self._filters.group_delay(frequency)[0])

    def n_output(self, n_input: int) -> int:
        """Return the number of output samples for a number of input samples.

        Parameters
        ----------
        n_input : int
            Input samples since the start or the last :meth:`reset`.

        Returns
        -------
        int
        """
        return -(-n_input * self._samples_out.numerator // self._samples_out.denominator)

    def output_time(self, k: ArrayLike) -> Floats:
        """Return the times of output samples, in seconds after the first input sample.

        Parameters
        ----------
        k : array_like of int, any shape
            Indices of output samples since the start or the last :meth:`reset`.

        Returns
        -------
        ndarray of float64, shape of ``k``
            ``k / 128 - delay``.
        """
        return np.asarray(k, dtype=np.float64) / MODEL_SFREQ - self._delay

    def set_bad(self, names: Collection[str]) -> None:
        """Change the bad channels, from the next chunk on.

        Where every channel is bad, the average reference subtracts nothing.

        Parameters
        ----------
        names : collection of str
            All bad channels; the others are good.

        Raises
        ------
        InputError
            A name is not one of the channels; the bad channels stay as they were.
        """
        names = check_names("bad", names)
        self._check_names(names)
        self._good = np.array([name not in names for name in self.ch_names])

    def set_scales(self, scales: Mapping[str, float]) -> None:
        """Change the scales of channels, from the next chunk on.

        Parameters
        ----------
        scales : mapping of str to float
            Divisor of each channel; 1 for channels that are not named.

        Raises
        ------
        InputError
            A name is not one of the channels, or a scale is not a finite number above 0; the
            scales stay as they were.
        """
        self._check_names(scales)
        if not all(0 < scale < inf for scale in scales.values()):
            raise InputError(
                "The scale of a channel is not a finite number above 0",
                value=", ".join(f"{name}: {scale}" for name, scale in scales.items()),
                remedy="Mark a channel without a scale as bad.",
            )
        self._scales = np.array([[scales.get(name, 1.0)] for name in self.ch_names])

    def reset(self) -> None:
        """Start afresh, as after a gap; the bad channels and the scales stay."""
        n_channels = len(self.ch_names)
        filters = self._filters
        self._n_input = 0
        self._held = np.full(n_channels, np.nan)
        self._offset = np.full(n_channels, np.nan)
        self._all_started = False
        self._first_finite = np.full(n_channels, np.iinfo(np.int64).max)
        for stage in self._stages:
            stage.reset()
        self._history = np.zeros((n_channels, filters.phases.shape[1] - 1))

    def update(self, chunk: ArrayLike) -> Floats:
        """Preprocess the next samples.

        Parameters
        ----------
        chunk : array_like, shape (n_channels, n_samples)
            Samples in the declared unit; 0 samples are fine.

        Returns
        -------
        ndarray of float64, shape (n_channels, n_output_samples)
            The output samples that have become due, in µV at 128 Hz, always finite.

        Raises
        ------
        InputError
            The chunk has another shape.
        """
        values = check_chunk(chunk, len(self.ch_names))
        if values.shape[1] == 0:
            return np.empty((len(self.ch_names), 0))
        filtered = self._filter(self._sanitise(values))
        n_before, self._n_input = self._n_input, self._n_input + values.shape[1]
        due = np.arange(self.n_output(n_before), self.n_output(self._n_input))
        return self._reference(self._resample(filtered, n_before, due) / self._scales, due)

    def _sanitise(self, values: Floats) -> Floats:
        """Give finite values in µV without the channels' offsets."""
        microvolts = values * self._factor
        # one comparison that what is not finite fails too: this runs for every chunk
        if not np.abs(microvolts).max() <= LIMIT_MICROVOLTS:
            finite = np.isfinite(microvolts)
            np.clip(microvolts, -LIMIT_MICROVOLTS, LIMIT_MICROVOLTS, out=microvolts)
            microvolts = self._hold(microvolts, finite)
        self._held = microvolts[:, -1].copy()
        if self._all_started:
            microvolts -= self._offset[:, np.newaxis]
            return microvolts
        self._start(microvolts)
        microvolts -= self._offset[:, np.newaxis]
        # only a channel that has not started is still without a value
        return np.nan_to_num(microvolts, copy=False, nan=0.0)

    def _start(self, microvolts: Floats) -> None:
        """Take the first value of the channels that were without one as their offset."""
        waiting = np.isnan(self._offset)
        finite = np.isfinite(microvolts)
        starting = waiting & finite.any(axis=1)
        first = finite[starting].argmax(axis=1)
        self._offset[starting] = microvolts[starting, first]
        self._first_finite[starting] = self._n_input + first
        self._all_started = not np.isnan(self._offset).any()

    def _hold(self, values: Floats, finite: BoolMask) -> Floats:
        """Put the last finite value of the channel in the place of what is not finite."""
        extended = np.column_stack([self._held, values])
        source = np.where(finite, np.arange(1, extended.shape[1]), 0)
        source = np.maximum.accumulate(source, axis=1)
        return np.take_along_axis(extended, source, axis=1)

    def _filter(self, values: Floats) -> Floats:
        """High-pass, stuff with zeros where the rate is low, and low-pass."""
        stuffing = self._filters.stuffing
        for index, stage in enumerate(self._stages):
            if index == 1:
                stuffed = np.zeros((values.shape[0], values.shape[1] * stuffing))
                stuffed[:, ::stuffing] = values
                values = stuffed
            values = stage.filter(values)
        return values

    def _resample(self, values: Floats, n_before: int, due: NDArray[np.int64]) -> Floats:
        """Interpolate at the output samples that are due."""
        filters = self._filters
        n_history = self._history.shape[1]
        extended = np.concatenate([self._history, values], axis=1)
        self._history = extended[:, extended.shape[1] - n_history :].copy()
        newest, phase = np.divmod(due * filters.down, filters.up)
        newest += n_history - n_before * filters.stuffing
        window = extended[:, newest[:, np.newaxis] - np.arange(filters.phases.shape[1])]
        output: Floats = np.einsum("cnt,nt->cn", window, filters.phases[phase])
        return output

    def _reference(self, values: Floats, due: NDArray[np.int64]) -> Floats:
        if self.config.reference == "none":
            return values
        newest_input = due * self._samples_out.denominator // self._samples_out.numerator
        members = self._good[:, np.newaxis] & (self._first_finite[:, np.newaxis] <= newest_input)
        total = np.where(members, values, 0.0).sum(axis=0)
        mean: Floats = total / np.maximum(members.sum(axis=0), 1)
        return values - mean

    def _check_names(self, names: Collection[str]) -> None:
        unknown = [name for name in names if name not in self.ch_names]
        if unknown:
            raise InputError(
                "The stream has no such channel",
                value=", ".join(repr(name) for name in unknown),
                remedy=f"Choose from {', '.join(self.ch_names)}.",
            )

    def _check_channels(self) -> None:
        names = self.ch_names
        n_least = 2 if self.config.reference == "average" else 1
        if len(names) < n_least or len(set(names)) < len(names):
            raise InputError(
                f"There are fewer than {n_least} channels for the reference "
                f"{self.config.reference!r}, or a name occurs twice",
                value=", ".join(names) or "no channel",
                remedy="Pass each channel once.",
            )


def preprocess_in_chunks(
    data: NDArray[np.float32], preprocessor: Preprocessor
) -> NDArray[np.float32]:
    """Preprocess a whole recording in chunks, which bounds memory.

    Parameters
    ----------
    data : ndarray, shape (n_channels, n_samples)
        Samples in the declared unit.
    preprocessor : Preprocessor
        Without samples so far.

    Returns
    -------
    ndarray of float32, shape (n_channels, n_output_samples)
        In µV at 128 Hz.
    """
    n_chunk = round(_CHUNK_SECONDS * preprocessor.sfreq)
    chunks = [
        preprocessor.update(data[:, start : start + n_chunk]).astype(np.float32)
        for start in range(0, data.shape[1], n_chunk)
    ]
    return np.concatenate(chunks, axis=1)


def _check_sfreq(sfreq: float) -> float:
    low, high = SFREQ_RANGE
    if not (isfinite(sfreq) and low <= sfreq <= high):
        raise InputError(
            f"The sampling rate is not between {low:g} and {high:g} Hz",
            value=f"{sfreq} Hz",
            remedy="Set the amplifier to a rate in this range.",
        )
    return float(sfreq)
