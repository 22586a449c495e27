"""The trials of the signal that is shown: which marker stands for which class, and its epoch."""

from __future__ import annotations

import time as clock
from collections.abc import Callable

import numpy as np

from sjepa_apps.live.analysis.averages import ClassAverages
from sjepa_apps.live.signals.store import SignalStore
from sjepa_online.markers import CUE, END, FLASH, PAUSE, SELECTED, TRIAL, parse_marker
from sjepa_online.protocol import Protocol

#: Seconds that are spent on trials at once: the rest follows a moment later.
BUDGET = 0.03
#: Classes that are told apart at most where there is no protocol.
MOST_CLASSES = 8
_NO_CLASS = {CUE, END, FLASH, PAUSE, SELECTED, TRIAL}


class TrialCollector:
    """Take the epochs of new trials out of a store, for some averages.

    Parameters
    ----------
    store : SignalStore
    averages : ClassAverages
    class_of : callable
        Gives the class of a marker; None for one that begins no trial.
    """

    def __init__(
        self,
        store: SignalStore,
        averages: ClassAverages,
        class_of: Callable[[str], str | None],
    ) -> None:
        self.averages = averages
        self._store, self._class_of = store, class_of
        self._newest = -np.inf

    def collect(self) -> int:
        """Add the trials that are complete; return how many."""
        store, (before, after) = self._store, self.averages.window
        if store.last_time is None:
            return 0
        found = []
        for line in reversed(store.lines):
            if line.kind != "marker" or line.time + after > store.last_time:
                continue
            if line.time <= self._newest:
                break
            found.append(line)
        n_added, begun = 0, clock.perf_counter()
        for line in reversed(found):
            if n_added and clock.perf_counter() > begun + BUDGET:
                break
            self._newest = line.time
            label = self._class_of(line.text)
            start = round(store.position(line.time + before))
            if label is None or start < store.raw.start:
                continue
            if label not in self.averages.by_class and len(self.averages.by_class) >= MOST_CLASSES:
                continue
            self.averages.add(label, store.referenced(start, start + self.averages.n_samples))
            n_added += 1
        return n_added


def class_finder(protocol: Protocol | None) -> Callable[[str], str | None]:
    """Return what gives the class of a marker: by a protocol or, without one, by its first word."""
    if protocol is not None:
        return protocol.class_of

    def first_word(text: str) -> str | None:
        word = parse_marker(text).word
        return None if word in _NO_CLASS else word

    return first_word
