"""The bad channels of each window: those that the monitor found, and those that were chosen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sjepa_online.online.events import EngineEvent
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.signal.channel_quality.monitor import (
    ChannelMonitor,
    Choice,
    StateChange,
    Widespread,
)
from sjepa_online.typing import Floats

#: A gross fault is found within this time (s), so as much before the finding is bad too.
FOUND_WITHIN = 1.5


class BadChannelHistory:
    """Follow the quality of channels and remember when each of them was bad.

    A window is decoded without every channel that was bad at any time within it: a channel that
    is good again stays out until its last bad sample has left the window.

    Parameters
    ----------
    ch_names : sequence of str
        The decoder's channels.
    sfreq : float
        Rate of the stream (Hz).
    unit : str
        Unit of the stream.
    baseline : Baseline or None
        The usual signal of each channel; None: only channels that are chosen are left out.
    absent : tuple of str
        The decoder's channels that the stream lacks: always bad.
    """

    def __init__(
        self,
        ch_names: Sequence[str],
        sfreq: float,
        unit: str,
        baseline: Baseline | None,
        absent: tuple[str, ...] = (),
    ) -> None:
        self.ch_names = tuple(ch_names)
        self.absent = absent
        present = [name for name in ch_names if name not in absent]
        self.monitor = None if baseline is None else ChannelMonitor(present, sfreq, unit, baseline)
        #: Samples of a block, after which the monitor judges anew.
        self.n_block = round(sfreq / 4)
        self._found_within = round(FOUND_WITHIN * sfreq)
        self._fixed: tuple[str, ...] = ()
        self._forced: set[str] = set()
        self._from = np.full(len(self.ch_names), np.iinfo(np.int64).max)
        self._until = np.full(len(self.ch_names), -1)
        self._always_good = not absent

    @property
    def bad(self) -> tuple[str, ...]:
        """Channels that are bad now, in the decoder's order."""
        found = () if self.monitor is None else self.monitor.bad
        bad = {*found, *self._fixed, *self._forced, *self.absent}
        return tuple(name for name in self.ch_names if name in bad) if bad else ()

    @property
    def scales(self) -> dict[str, float]:
        """Divisors of the samples of channels, where they are not 1."""
        if self.monitor is None:
            return {}
        pairs = zip(self.monitor.ch_names, self.monitor.scales.tolist(), strict=True)
        return {name: scale for name, scale in pairs if scale != 1}

    def fix(self, names: tuple[str, ...]) -> None:
        """Leave exactly these channels out by choice, beside those that the monitor finds.

        Parameters
        ----------
        names : tuple of str
        """
        self._fixed = names
        self._always_good = False

    def choose(self, channel: str, choice: Choice) -> None:
        """Set the operator's choice: a channel is bad, good, or as the monitor finds it.

        From the next decision on: a channel that is forced good is used in whole windows. One
        that the stream lacks stays out.

        Parameters
        ----------
        channel : str
        choice : {"automatic", "good", "bad"}
        """
        if channel in self.absent:
            return
        self._always_good = False
        self._forced.discard(channel)
        if choice == "bad":
            self._forced.add(channel)
        if choice == "good":
            self._from[self.ch_names.index(channel)] = np.iinfo(np.int64).max
        if self.monitor is not None:
            self.monitor.choose(channel, choice)

    def reset(self) -> None:
        """Begin anew after a gap; the states of the channels stay."""
        if self.monitor is not None:
            self.monitor.reset()

    def update(self, data: Floats, n_seen: int, time: float) -> list[EngineEvent]:
        """Take in samples and return what has changed.

        Parameters
        ----------
        data : ndarray, shape (channels, n)
            Samples of the decoder's channels that the stream has, in the stream's unit.
        n_seen : int
            Samples of the stream up to the last one of ``data``.
        time : float
            Timestamp (s) of that sample.

        Returns
        -------
        list of EngineEvent
        """
        if self.monitor is None:
            return []
        events = []
        for change in self.monitor.update(data):
            if isinstance(change, StateChange):
                self._remember(change, n_seen)
            events.append(_event(change, time))
        return events

    def bad_between(self, first: int, last: int) -> tuple[str, ...]:
        """Return the channels that were bad at some time from sample ``first`` to ``last``.

        Parameters
        ----------
        first, last : int
            Samples of the stream, counted from its begin.

        Returns
        -------
        tuple of str
            In the decoder's order.
        """
        if self._always_good:
            return ()
        now = self.bad
        was = (self._from <= last) & (self._until >= first)
        if not now and not was.any():
            return ()
        return tuple(
            name for name, past in zip(self.ch_names, was, strict=True) if past or name in now
        )

    def _remember(self, change: StateChange, n_seen: int) -> None:
        self._always_good = False
        channel = self.ch_names.index(change.channel)
        if change.bad:
            begins = n_seen - self._found_within
            lasts_still = self._until[channel] >= begins
            self._from[channel] = min(self._from[channel], begins) if lasts_still else begins
            self._until[channel] = np.iinfo(np.int64).max
        else:
            self._until[channel] = n_seen


def _event(change: StateChange | Widespread, time: float) -> EngineEvent:
    if isinstance(change, Widespread):
        if not change.begins:
            return EngineEvent(time, "channels-settled", "most channels look good again")
        names = ", ".join(change.channels)
        return EngineEvent(time, "channels-disturbed", f"more than half look bad at once: {names}")
    if change.bad:
        reasons = ", ".join(change.reasons)
        return EngineEvent(time, "channel-bad", f"{change.channel} is left out: {reasons}")
    if change.scale != 1:
        reasons = ", ".join(change.reasons)
        return EngineEvent(time, "channel-scaled", f"{change.channel} is used again: {reasons}")
    return EngineEvent(time, "channel-good", f"{change.channel} is good again")
