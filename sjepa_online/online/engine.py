"""The engine: chunk -> preprocessing -> ring buffer -> window -> decoder -> decision."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.online.events import Decision, EngineEvent
from sjepa_online.online.segment import HISTORY_SECONDS, Segment
from sjepa_online.protocol import MODEL_SFREQ

Mode = Literal["sliding", "markers"]
Array = NDArray[np.float64]

#: Seconds between decisions in sliding mode.
STEP = 0.125
#: No amplifier resolves less (µV): a window below it in every channel holds no signal.
SILENCE = 1e-3


class Engine:
    """Decode a stream chunk by chunk, locked to markers or in a sliding window.

    The decisions depend on the samples, their timestamps and the markers only, not on how the
    samples were cut into chunks: a recording in one piece gives what the live stream gives.

    Parameters
    ----------
    decoder : Decoder
        What turns a window into probabilities.
    ch_names : sequence of str
        The stream's channels; those that the decoder does not know are ignored.
    sfreq : float
        The stream's sampling rate in Hz.
    unit : str
        The stream's unit.
    mode : {"sliding", "markers"}
        Decide every ``step`` seconds, or once for each marker of one of the classes.
    step : float
        Seconds between decisions in sliding mode, a multiple of 1/128 s.

    Raises
    ------
    InputError
        A channel of the decoder is missing, the rate or the unit is none that the preprocessor
        takes, or ``step`` is below one sample.
    """

    def __init__(
        self,
        decoder: Decoder,
        ch_names: Sequence[str],
        sfreq: float,
        unit: str,
        *,
        mode: Mode = "sliding",
        step: float = STEP,
    ) -> None:
        self.decoder = decoder
        self.mode = mode
        self._picks = decoder.pick_channels(ch_names)
        self._sfreq = sfreq
        self._unit = unit
        self._longest_part = int(HISTORY_SECONDS / 4 * sfreq)
        self._step = round(step * MODEL_SFREQ)
        if self._step < 1:
            raise InputError(
                "The step between decisions is at least one sample at 128 Hz",
                value=f"{step} s",
                remedy="Choose 0.0078 s or more; 0.125 s is the default.",
            )
        self._bad: tuple[str, ...] = ()
        self._segment = self._new_segment()
        self._trials: deque[_Trial] = deque()

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels that decisions leave out."""
        return self._bad

    def set_bad(self, names: Sequence[str]) -> None:
        """Leave these channels out from the next decision on.

        Raises
        ------
        InputError
            A name is not among the decoder's channels.
        """
        self._bad = self.decoder.check_channels(names)
        self._segment.preprocessor.set_bad(self._bad)

    def push_marker(self, label: str, time: float) -> None:
        """Take in a marker; labels that stand for no class of the protocol are ignored.

        Parameters
        ----------
        label : str
            The marker's text.
        time : float
            Its timestamp on the stream's clock; it may come before or after its samples.
        """
        truth = self.decoder.protocol.class_of(label)
        if self.mode == "markers" and truth is not None:
            self._trials.append(_Trial(time, truth))

    def push(
        self, data: Array, timestamps: Array, breaks: Sequence[int] = ()
    ) -> list[Decision | EngineEvent]:
        """Take in a chunk and return what it completes.

        Parameters
        ----------
        data : ndarray, shape (channels, n)
            Samples of the stream's channels in the stream's unit.
        timestamps : ndarray, shape (n,)
            Their times in seconds on the stream's clock, one sampling interval apart.
        breaks : sequence of int
            Samples of this chunk before which others are missing, or time has jumped.
        """
        results: list[Decision | EngineEvent] = []
        picked = data[self._picks]
        for start, stop in _parts(len(timestamps), breaks, self._longest_part):
            if start in breaks and self._segment.n_output:
                results.append(_gap(float(timestamps[start])))
                self._segment = self._new_segment()
            self._segment.append(picked[:, start:stop], timestamps[start:stop])
            results += self._decide(self._segment)
        return results

    def _new_segment(self) -> Segment:
        self._next_stop = self.decoder.n_times
        return Segment(
            self.decoder.ch_names, self._sfreq, self._unit, self.decoder.preprocessing, self._bad
        )

    def _decide(self, segment: Segment) -> list[Decision | EngineEvent]:
        return self._slide(segment) if self.mode == "sliding" else self._decide_trials(segment)

    def _slide(self, segment: Segment) -> list[Decision | EngineEvent]:
        decisions: list[Decision | EngineEvent] = []
        while self._next_stop <= segment.n_output:
            decisions.append(self._decode(segment, self._next_stop - self.decoder.n_times))
            self._next_stop += self._step
        return decisions

    def _decide_trials(self, segment: Segment) -> list[Decision | EngineEvent]:
        """Decode each trial whose window is complete; trials that cannot be are reported."""
        results: list[Decision | EngineEvent] = []
        while self._trials and self._trials[0].onset <= segment.last_time:
            trial = self._trials[0]
            first = self._first_sample(segment, trial.onset)
            if first is None:
                results.append(_skipped(trial.onset))
            elif first + self.decoder.n_times <= segment.n_output:
                results.append(self._decode(segment, first, trial))
            else:
                break
            self._trials.popleft()
        return results

    def _first_sample(self, segment: Segment, onset: float) -> int | None:
        """Return where a trial's window starts, None if the segment does not hold its start."""
        if onset < segment.start_time:
            return None
        first = segment.first_output_of(onset, self.decoder.protocol.window.start)
        return first if first >= segment.output.start else None

    def _decode(
        self, segment: Segment, first: int, trial: _Trial | None = None
    ) -> Decision | EngineEvent:
        window = segment.window(first, self.decoder.n_times)
        time = segment.time_of_output(first + self.decoder.n_times - 1)
        if np.abs(window).max() < SILENCE:
            return _silent(time)
        probabilities = self.decoder.predict_proba(window[np.newaxis], bad=self._bad)[0]
        classes = self.decoder.classes
        return Decision(
            time=time,
            label=classes[int(np.argmax(probabilities))],
            probabilities=dict(zip(classes, probabilities.tolist(), strict=True)),
            bad_channels=self._bad,
            onset=trial.onset if trial else None,
            truth=trial.truth if trial else None,
        )


@dataclass(frozen=True, slots=True)
class _Trial:
    onset: float
    truth: str


def _parts(n: int, breaks: Sequence[int], longest: int) -> list[tuple[int, int]]:
    """Cut a chunk at its breaks, and into parts that are shorter than what is kept at hand."""
    edges = sorted({*range(0, n, longest), *breaks, n})
    return list(pairwise(edges))


def _gap(time: float) -> EngineEvent:
    return EngineEvent(
        time, "gap", "samples are missing before this; windows that reach over it are not decoded"
    )


def _silent(time: float) -> EngineEvent:
    return EngineEvent(
        time, "no-signal", "every channel is flat in the window that ends here; it is not decoded"
    )


def _skipped(onset: float) -> EngineEvent:
    return EngineEvent(
        onset, "window-skipped", "the trial's window reaches over a gap or before the first sample"
    )
