"""The engine: chunk -> preprocessing -> ring buffer -> window -> decoder -> decision."""

from __future__ import annotations

from bisect import insort
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from sjepa_online.data.letters import LETTER_GAP
from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.markers import FLASH, TRIAL, StimulusMarker, parse_marker
from sjepa_online.online.adaptation import Adaptation
from sjepa_online.online.bad_channel_history import BadChannelHistory
from sjepa_online.online.events import (
    Decision,
    EngineEvent,
    EngineResult,
    Mode,
    SymbolDecision,
)
from sjepa_online.online.segment import Segment
from sjepa_online.online.speller import SymbolSelection
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal import Preprocessor
from sjepa_online.signal.channel_quality.monitor import Choice
from sjepa_online.typing import Floats
from sjepa_online.validation import check_choice, check_chunk, check_names, check_times

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
        The stream's channels, in any order. Those that the decoder does not know are ignored,
        those that the stream lacks are left out as bad ones are; an event says so.
    sfreq : float
        The stream's sampling rate in Hz.
    unit : str
        The stream's unit.
    mode : {"sliding", "markers"}
        Decide every ``step`` seconds on the whole window, or once for each marker of one of
        the classes: before the end of its window where the decoder stops dynamically.
    step : float
        Seconds between decisions in sliding mode, a multiple of 1/128 s.
    monitor : bool
        Whether the monitor finds bad channels, to decide without them.
    adapt : bool
        In mode "markers", let a decoder that adapts take in each trial's window after its
        decision. The engine then works on a copy; the given decoder stays as it is.

    Attributes
    ----------
    decoder : Decoder
        As it is after the trials so far.

    Raises
    ------
    InputError
        Too many channels of the decoder are missing, the preprocessor does not
        take the rate or the unit, or ``step`` is below one sample.
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
        monitor: bool = True,
        adapt: bool = True,
    ) -> None:
        check_choice("mode", mode, get_args(Mode))
        adapts = adapt and mode == "markers" and decoder.adapts
        self.decoder = decoder = decoder.with_own_classifier() if adapts else decoder
        self._adaptation = Adaptation(decoder) if adapts else None
        self.mode = mode
        self._n_channels = len(check_names("ch_names", ch_names))
        self._match = decoder.match_channels(ch_names)
        self._sfreq = sfreq
        self._unit = unit
        self._step = round(step * MODEL_SFREQ)
        if self._step < 1:
            raise InputError(
                "The step between decisions is shorter than a sample at 128 Hz",
                value=f"{step} s",
                remedy="Choose 0.0078 s or more; 0.125 s is the default.",
            )
        baseline = decoder.baseline if monitor else None
        self.history = BadChannelHistory(
            decoder.ch_names, sfreq, unit, baseline, absent=self._match.absent
        )
        self._to_tell = [("channels-differ", str(self._match))] if str(self._match) else []
        self._to_tell += [("decoder-note", note) for note in decoder.classifier.notes]
        self._all_bad = False
        self._n_seen = 0
        self._segment = self._new_segment()
        # by their onsets: one far ahead keeps no other waiting
        self._trials: deque[_Trial] = deque()
        self._selection = SymbolSelection(decoder) if SymbolSelection.suits(decoder) else None

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels that are bad now."""
        return self.history.bad

    @property
    def delay(self) -> float:
        """Group delay (s) of the preprocessing, see :class:`sjepa_online.signal.Preprocessor`."""
        return self._segment.preprocessor.delay

    @property
    def symbol_probabilities(self) -> dict[str, float]:
        """Probabilities of the present selection's symbols so far; empty for all but spellers."""
        return {} if self._selection is None else self._selection.probabilities

    def choose(self, channel: str, choice: Choice) -> None:
        """Set the operator's choice: a channel is bad, good, or as the monitor finds it.

        Parameters
        ----------
        channel : str
            One of the decoder's channels.
        choice : {"automatic", "good", "bad"}
            Holds from the next decision on, until the next choice.

        Raises
        ------
        InputError
            The channel is not one of the decoder's.
        """
        (name,) = self.decoder.check_channels([channel])
        self.history.choose(name, choice)
        self._tell_preprocessor(self._segment.preprocessor)

    def set_bad(self, names: Sequence[str]) -> None:
        """Leave these channels out from the next decision on, whatever is found.

        Parameters
        ----------
        names : sequence of str

        Raises
        ------
        InputError
            A name is not among the decoder's channels.
        """
        self.history.fix(self.decoder.check_channels(names))
        self._tell_preprocessor(self._segment.preprocessor)

    def push_marker(self, label: str, time: float) -> bool:
        """Take in a marker; markers that do not belong to a trial are ignored.

        A trial is marked by a class of the protocol, or by ``trial`` or ``flash`` where it is
        not known which class is attended.

        Parameters
        ----------
        label : str
            The marker's text.
        time : float
            Its timestamp on the stream's clock; it may come before or after its samples,
            and after later markers.

        Returns
        -------
        bool
            Whether it is a trial, or about one.
        """
        if self.mode != "markers":
            return False
        marker = parse_marker(label)
        truth = self.decoder.protocol.class_of(label)
        if truth is not None or (marker.word in (TRIAL, FLASH) and not marker.practice):
            trial = _Trial(time, truth, marker)
        elif self._selection is not None and SymbolSelection.heeds(marker):
            trial = _Trial(time, None, marker, decoded=False)
        else:
            return False
        insort(self._trials, trial, key=lambda one: one.onset)
        return True

    def push(
        self, data: Floats, timestamps: Floats, breaks: Sequence[int] = ()
    ) -> list[EngineResult]:
        """Take in a chunk and return the decisions and events that it completes.

        Parameters
        ----------
        data : ndarray, shape (channels, n)
            Samples of the stream's channels in the stream's unit.
        timestamps : ndarray, shape (n,)
            Their times in seconds on the stream's clock, one sampling interval apart.
        breaks : sequence of int
            Samples of this chunk before which others are missing, or time has jumped.

        Returns
        -------
        list of Decision, SymbolDecision or EngineEvent
        """
        return list(self.results(data, timestamps, breaks))

    def results(
        self, data: Floats, timestamps: Floats, breaks: Sequence[int] = ()
    ) -> Iterator[EngineResult]:
        """Take in a chunk as :meth:`push` does, and yield each result as soon as it is there.

        A decision need not wait until the channels are judged. The chunk is taken in only as far
        as the results are asked for.

        Parameters
        ----------
        data, timestamps, breaks
            As for :meth:`push`.

        Yields
        ------
        Decision, SymbolDecision or EngineEvent

        Raises
        ------
        InputError
            The chunk has another shape, or its times are another number or not finite.
        """
        data = check_chunk(data, self._n_channels)
        timestamps = check_times(timestamps, data.shape[1], "timestamps")
        while self._to_tell and len(timestamps):
            yield EngineEvent(float(timestamps[0]), *self._to_tell.pop(0))
        picked = data[self._match.picks]
        start = 0
        while start < len(timestamps):
            if start in breaks and self._segment.n_output:
                yield _gap(float(timestamps[start]))
                self._segment = self._new_segment()
                self.history.reset()
                if self._adaptation is not None:
                    self._adaptation.forget()
            stop = self._end_of_part(start, len(timestamps), breaks)
            yield from self._take_part(picked[:, start:stop], timestamps[start:stop])
            start = stop

    def _end_of_part(self, start: int, n: int, breaks: Sequence[int]) -> int:
        """Return where to cut: at a break, and where the monitor judges anew."""
        to_judgement = self.history.n_block - self._segment.n_input % self.history.n_block
        return min([start + to_judgement, n, *(at for at in breaks if at > start)])

    def _take_part(self, data: Floats, timestamps: Floats) -> Iterator[EngineResult]:
        """Decide on what a part completes, then judge the channels: both for any chunking."""
        self._segment.append(data, timestamps)
        self._n_seen += len(timestamps)
        yield from self._decide(self._segment)
        events = self.history.update(data, self._n_seen, float(timestamps[-1]))
        if events:
            self._tell_preprocessor(self._segment.preprocessor)
        yield from events

    def _tell_preprocessor(self, preprocessor: Preprocessor) -> None:
        present = self._match.present
        preprocessor.set_bad([name for name in self.history.bad if name in present])
        preprocessor.set_scales(self.history.scales)

    def _new_segment(self) -> Segment:
        self._next_stop = self.decoder.n_times
        segment = Segment(
            self._match.present, self._sfreq, self._unit, self.decoder.preprocessing, self._n_seen
        )
        self._tell_preprocessor(segment.preprocessor)
        return segment

    def _decide(self, segment: Segment) -> list[EngineResult]:
        return self._slide(segment) if self.mode == "sliding" else self._decide_trials(segment)

    def _slide(self, segment: Segment) -> list[EngineResult]:
        decisions: list[EngineResult] = []
        while self._next_stop <= segment.n_output:
            n_times = self.decoder.n_times
            decisions += self._decode(segment, self._next_stop - n_times, n_times)
            self._next_stop += self._step
        return decisions

    def _decide_trials(self, segment: Segment) -> list[EngineResult]:
        """Decode each trial whose window is complete; trials that cannot be are reported."""
        results: list[EngineResult] = []
        while self._trials and self._trials[0].onset <= segment.last_time:
            trial = self._trials[0]
            if not trial.decoded:
                assert self._selection is not None
                results += self._selection.take_marker(trial.marker, trial.onset)
                self._trials.popleft()
                continue
            first = self._first_sample(segment, trial.onset)
            if first is None:
                results.append(
                    _skipped(trial.onset, "reaches over a gap or before the first sample")
                )
            elif not self._decide_trial(segment, first, trial, results):
                break
            self._trials.popleft()
        return results + self._adapt(segment, segment.n_output)

    def _adapt(self, segment: Segment, until: int) -> list[EngineEvent]:
        """Let the decoder adapt to the trials whose windows end by sample ``until``."""
        if self._adaptation is None:
            return []
        return self._adaptation.take(segment, self.history, until)

    def _decide_trial(
        self, segment: Segment, first: int, trial: _Trial, results: list[EngineResult]
    ) -> bool:
        """Decode the prefixes that have arrived since; tell whether the trial is done with."""
        for n_times in self.decoder.window_lengths[trial.n_tried :]:
            if first + n_times > segment.n_output:
                return False
            trial.n_tried += 1
            results += self._adapt(segment, first + n_times)
            decoded = self._decode(segment, first, n_times, trial)
            if self._settles(decoded, n_times):
                results += decoded
                if self._adaptation is not None and isinstance(decoded[0], Decision):
                    self._adaptation.expect(first)
                results += self._select(decoded, segment, first)
                return True
        return True

    def _select(
        self, decoded: list[EngineResult], segment: Segment, first: int
    ) -> list[SymbolDecision | EngineEvent]:
        """Let a decoded flash count for the symbols that lit up."""
        if self._selection is None:
            return []
        results: list[SymbolDecision | EngineEvent] = []
        for flash in decoded:
            if not isinstance(flash, Decision) or not flash.lit:
                continue
            epoch = None
            if self._selection.needs_epochs:
                window = self._with_absent(segment.window(first, self.decoder.n_times))
                epoch = self.decoder.restored(window[np.newaxis], flash.bad_channels)[0]
            results += self._selection.take_flash(flash, epoch, is_last=self._is_last_flash())
        return results

    def _is_last_flash(self) -> bool:
        """Tell whether no marker follows the present trial within 1 s."""
        if len(self._trials) < 2:
            return True
        return self._trials[1].onset - self._trials[0].onset > LETTER_GAP

    def _settles(self, decoded: list[EngineResult], n_times: int) -> bool:
        """Tell whether what a prefix gave ends its trial: a clear decision, or an event."""
        for one in decoded:
            if isinstance(one, Decision):
                probabilities = np.array(list(one.probabilities.values()))
                return self.decoder.decides(probabilities, n_times)
        return bool(decoded)

    def _first_sample(self, segment: Segment, onset: float) -> int | None:
        """Return where a trial's window starts, None if the segment does not hold its start."""
        if onset < segment.start_time:
            return None
        first = segment.first_output_of(onset, self.decoder.protocol.window.start)
        return first if first >= segment.output.start else None

    def _decode(
        self, segment: Segment, first: int, n_times: int, trial: _Trial | None = None
    ) -> list[EngineResult]:
        last = first + n_times - 1
        window = self._with_absent(segment.window(first, n_times))
        time = segment.time_of_output(last)
        bad = self.history.bad_between(segment.input_of(first), segment.input_of(last))
        if len(bad) == len(self.decoder.ch_names):
            told, self._all_bad = self._all_bad, True
            events = [] if told else [_all_bad(time)]
            return [*events, _skipped(trial.onset, "has no good channel")] if trial else [*events]
        self._all_bad = False
        # mostly the newest samples tell already that there is a signal
        if np.abs(window[:, -1]).max() < SILENCE and np.abs(window).max() < SILENCE:
            return [_silent(time)]
        probabilities = self.decoder.predict_proba(window[np.newaxis], bad=bad)[0]
        classes = self.decoder.classes
        decision = Decision(
            time=time,
            label=classes[int(np.argmax(probabilities))],
            probabilities=dict(zip(classes, probabilities.tolist(), strict=True)),
            bad_channels=bad,
            onset=trial.onset if trial else None,
            truth=trial.truth if trial else None,
            window=n_times / MODEL_SFREQ,
            lit=self._selection.lit(trial.marker) if trial and self._selection else "",
        )
        return [decision]

    def _with_absent(self, window: Floats) -> Floats:
        """Give the absent channels a row; the decoder leaves them out as bad."""
        if not self._match.absent:
            return window
        whole = np.zeros((len(self.decoder.ch_names), window.shape[1]))
        whole[np.isin(self.decoder.ch_names, self._match.present)] = window
        return whole


@dataclass(slots=True)
class _Trial:
    """A trial to decode, or a marker that waits for the trials before it."""

    onset: float
    truth: str | None
    marker: StimulusMarker
    decoded: bool = True
    n_tried: int = 0


def _gap(time: float) -> EngineEvent:
    return EngineEvent(
        time, "gap", "samples are missing before this; windows that reach over it are not decoded"
    )


def _all_bad(time: float) -> EngineEvent:
    return EngineEvent(
        time, "no-good-channel", "every channel is bad: nothing is decided until one is good again"
    )


def _silent(time: float) -> EngineEvent:
    return EngineEvent(
        time, "no-signal", "every channel is flat in the window that ends here; it is not decoded"
    )


def _skipped(onset: float, why: str) -> EngineEvent:
    return EngineEvent(onset, "window-skipped", f"the trial's window {why}")
