"""Adaptation while decoding: a decoder takes in the windows of trials, without their classes."""

from __future__ import annotations

from collections import deque

import numpy as np

from sjepa_online.decoding import Decoder
from sjepa_online.online.bad_channel_history import BadChannelHistory
from sjepa_online.online.events import EngineEvent
from sjepa_online.online.segment import Segment

#: A window with a sample above so many times the calibration's amplitude holds an artefact.
ARTEFACT = 15.0
#: Trials from one message to the next.
TELL_EVERY = 10


class Adaptation:
    """Let a decoder adapt to the whole window of each trial that it has decided on.

    A window counts once its last sample is there, before any decision on later samples: how the
    samples were cut into chunks makes no difference. Left out are windows with a bad channel or
    an artefact, windows that reach over a gap, and those that overlap the last one taken in.

    Parameters
    ----------
    decoder : Decoder
        Its classifier changes with every window.

    Attributes
    ----------
    n_trials : int
        Windows that the decoder has adapted to.
    n_left_out : int
        Windows with a bad channel or an artefact.
    """

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        self._waiting: deque[int] = deque()
        self._taken_until = 0
        self.n_trials = self.n_left_out = 0

    def expect(self, first: int) -> None:
        """Remember a trial that was decided on.

        Parameters
        ----------
        first : int
            First sample of its window, at 128 Hz in the present segment.
        """
        if first >= self._taken_until:
            self._waiting.append(first)
            self._taken_until = first + self._decoder.n_times

    def forget(self) -> None:
        """Give up the windows that are not complete: a new segment begins."""
        self._waiting.clear()
        self._taken_until = 0

    def take(self, segment: Segment, history: BadChannelHistory, until: int) -> list[EngineEvent]:
        """Adapt to the windows that end by sample ``until``.

        Parameters
        ----------
        segment : Segment
            Holds the windows.
        history : BadChannelHistory
            Knows the bad channels.
        until : int
            Number of samples at 128 Hz.

        Returns
        -------
        list of EngineEvent
            What is to be told: after the first trial, and after every tenth.
        """
        told = []
        n_times = self._decoder.n_times
        while self._waiting and self._waiting[0] + n_times <= until:
            first = self._waiting.popleft()
            last = first + n_times - 1
            if not self._adapt(segment, history, first, last):
                self.n_left_out += 1
            elif self.n_trials == 1 or self.n_trials % TELL_EVERY == 0:
                told.append(self._message(segment.time_of_output(last)))
        return told

    def _adapt(self, segment: Segment, history: BadChannelHistory, first: int, last: int) -> bool:
        """Adapt to a window, unless it is disturbed."""
        if history.bad_between(segment.input_of(first), segment.input_of(last)):
            return False
        window = segment.window(first, last - first + 1)
        if np.abs(window).max() > ARTEFACT * self._decoder.calibration.amplitude:
            return False
        self._decoder.adapt(window[np.newaxis])
        self.n_trials += 1
        return True

    def _message(self, time: float) -> EngineEvent:
        trials = "1 trial" if self.n_trials == 1 else f"{self.n_trials} trials"
        left_out = f"; {self.n_left_out} left out: bad channels or artefacts"
        return EngineEvent(
            time,
            "adapting",
            f"the decoder has adapted to {trials} without labels"
            f"{left_out if self.n_left_out else ''}; its file stays as it is",
        )
