"""An unbroken run of samples: preprocessed, buffered, and addressed by the stream's time."""

from __future__ import annotations

import numpy as np

from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal import Preprocessor, PreprocessorConfig, RingBuffer, window_start
from sjepa_online.typing import Floats

#: Seconds of preprocessed signal that stay at hand for windows whose marker comes late.
HISTORY_SECONDS = 90.0


class Segment:
    """Samples without a gap, from the amplifier's rate to µV at 128 Hz.

    Parameters
    ----------
    ch_names : sequence of str
        The stream's channels.
    sfreq : float
        The stream's nominal sampling rate in Hz.
    unit : str
        The stream's unit.
    config : PreprocessorConfig
        The decoder's preprocessing.
    n_before : int
        Samples of the stream before this segment.
    """

    def __init__(
        self,
        ch_names: tuple[str, ...],
        sfreq: float,
        unit: str,
        config: PreprocessorConfig,
        n_before: int = 0,
    ) -> None:
        self.sfreq = sfreq
        self.n_before = n_before
        self.preprocessor = Preprocessor(ch_names, sfreq, unit=unit, config=config)
        self.output = RingBuffer(len(ch_names), int(HISTORY_SECONDS * MODEL_SFREQ))
        self._timestamps = RingBuffer(1, int(HISTORY_SECONDS * sfreq) + 1)

    @property
    def n_output(self) -> int:
        """Number of samples at 128 Hz so far."""
        return self.output.stop

    @property
    def n_input(self) -> int:
        """Number of samples at the stream's rate so far."""
        return self._timestamps.stop

    @property
    def start_time(self) -> float:
        """Timestamp of the oldest input sample that is still at hand."""
        return float(self._timestamps.get(self._timestamps.start, self._timestamps.start + 1)[0, 0])

    @property
    def last_time(self) -> float:
        """Timestamp of the newest input sample."""
        return float(self._timestamps.get(self._timestamps.stop - 1, self._timestamps.stop)[0, 0])

    def append(self, data: Floats, timestamps: Floats) -> None:
        """Take in ``data (channels, n)`` and its ``timestamps (n,)``.

        Parameters
        ----------
        data : ndarray, shape (channels, n)
            In the stream's unit.
        timestamps : ndarray, shape (n,)
            In seconds.
        """
        self._timestamps.append(timestamps[np.newaxis])
        self.output.append(self.preprocessor.update(data))

    def first_output_of(self, onset: float, start: float) -> int:
        """Return the index of a window's first sample at 128 Hz.

        Parameters
        ----------
        onset : float
            Timestamp of the marker; within the input samples at hand.
        start : float
            Seconds from the marker to the window's first sample.

        Returns
        -------
        int
        """
        first, stop = self._timestamps.start, self._timestamps.stop
        timestamps = self._timestamps.get(first, stop)[0]
        after = min(max(int(np.searchsorted(timestamps, onset)), 1), max(stop - first - 1, 1))
        around = timestamps[after - 1 : after + 1]
        position = first + after - 1 + float(np.interp(onset, around, np.arange(len(around))))
        return int(window_start(position / self.sfreq, start, self.preprocessor.delay))

    def input_of(self, index: int) -> int:
        """Return which sample of the stream completed the output sample ``index``.

        Parameters
        ----------
        index : int
            Sample of this segment at 128 Hz.

        Returns
        -------
        int
            Sample of the stream, counted from its begin.
        """
        return self.n_before + int(index * self.sfreq / MODEL_SFREQ)

    def time_of_output(self, index: int) -> float:
        """Return the timestamp of the input sample that completed the output sample ``index``.

        Parameters
        ----------
        index : int
            Sample of this segment at 128 Hz.

        Returns
        -------
        float
            In seconds.
        """
        position = self.input_of(index) - self.n_before
        return float(self._timestamps.get(position, position + 1)[0, 0])

    def window(self, first: int, n_times: int) -> Floats:
        """Return the samples ``[first, first + n_times)`` at 128 Hz, ``(channels, n_times)``.

        Parameters
        ----------
        first : int
            Its first sample at 128 Hz.
        n_times : int
            Its length in samples.

        Returns
        -------
        ndarray, shape (channels, n_times)
            In µV at 128 Hz.
        """
        return self.output.get(first, first + n_times)
