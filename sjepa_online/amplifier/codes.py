"""Events from a channel of codes: every change to another code is one."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

#: BioSemi keeps its own status in the bits above.
CODE_BITS = 0xFFFF


class CodeReader:
    """Find the changes in a channel of codes, chunk by chunk.

    Each change to a code other than the idle one is an event, whether the code returns to idle
    in between or is held until the next one.

    Parameters
    ----------
    idle : float, optional
        The code that marks nothing; by default the first one that comes.
    """

    def __init__(self, idle: float | None = None) -> None:
        self._idle = None if idle is None else int(idle)
        self._last: int | None = None

    def update(self, values: NDArray[np.float64]) -> tuple[NDArray[np.intp], list[str]]:
        """Take in samples of the channel.

        Parameters
        ----------
        values : ndarray, shape (n,)

        Returns
        -------
        places : ndarray of int, shape (n_events,)
            Samples of this chunk at which a code begins.
        codes : list of str, length n_events
        """
        if not len(values):
            return np.empty(0, np.intp), []
        codes = whole_codes(values)
        if self._idle is None:
            self._idle = int(codes[0])
        before = np.concatenate([[codes[0] if self._last is None else self._last], codes[:-1]])
        places = np.flatnonzero((codes != before) & (codes != self._idle))
        if self._last is None and codes[0] != self._idle:
            places = np.concatenate([[0], places])
        self._last = int(codes[-1])
        return places, [str(codes[place]) for place in places]


def whole_codes(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the codes of samples; what is no number counts as 0."""
    finite = np.nan_to_num(np.asarray(values, dtype=np.float64), posinf=0.0, neginf=0.0)
    rounded = np.round(np.clip(finite, -(2.0**31), 2.0**32)).astype(np.int64)
    # negative codes (-1: nothing, in the apps of Brain Products) stay as they are
    return np.where(rounded < 0, rounded, rounded & CODE_BITS)


def events_of_codes(
    values: NDArray[np.float64], idle: float | None = None
) -> tuple[NDArray[np.intp], list[str]]:
    """Find the events in a whole channel of codes.

    Parameters
    ----------
    values : ndarray, shape (n_samples,)
    idle : float, optional
        The code that marks nothing; by default 0 or -1 where the channel ever holds it, else the
        one that it begins and ends with. A channel of which neither can be said is one of held
        codes, in which every change is an event.

    Returns
    -------
    places : ndarray of int, shape (n_events,)
    codes : list of str, length n_events
    """
    if not len(values):
        return np.empty(0, np.intp), []
    if idle is None:
        idle = _idle(whole_codes(values))
    return CodeReader(idle).update(values)


def _idle(codes: NDArray[np.int64]) -> int:
    """Guess the code that marks nothing."""
    changes = np.concatenate([[True], codes[1:] != codes[:-1]])
    visits = Counter(codes[changes].tolist())
    for usual in (0, -1):
        if usual in visits:
            return usual
    first, last = int(codes[0]), int(codes[-1])
    return first if first == last else visits.most_common(1)[0][0]
