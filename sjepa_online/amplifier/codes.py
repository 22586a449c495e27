"""Events from a channel of codes: every change to another code is one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: BioSemi keeps its own status in the bits above.
CODE_BITS = 0xFFFF


#: Codes that mark nothing where no other is known: 0, and -1 in the apps of Brain Products.
IDLE = (0, -1)


class CodeReader:
    """Find the changes in a channel of codes, chunk by chunk.

    Each change to a code other than an idle one is an event, whether the channel returns to idle
    in between or holds a code until the next one.

    Parameters
    ----------
    idle : float, optional
        The code that marks nothing; 0 and -1 by default.
    """

    def __init__(self, idle: float | None = None) -> None:
        self._idle = IDLE if idle is None else (int(idle),)
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
        before = np.concatenate([[codes[0] if self._last is None else self._last], codes[:-1]])
        places = np.flatnonzero((codes != before) & ~np.isin(codes, self._idle))
        self._last = int(codes[-1])
        return places, [str(codes[place]) for place in places]


def whole_codes(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the whole codes of samples; a value that is not finite counts as 0.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Samples of the channel of codes.

    Returns
    -------
    codes : ndarray of int, shape (n,)
        Codes of a parallel port keep their low bits; negative ones stay as they are.
    """
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
        The code that marks nothing; by default the one to which the channel returns after every
        other code, else 0 and -1.

    Returns
    -------
    places : ndarray of int, shape (n_events,)
    codes : list of str, length n_events
    """
    codes = whole_codes(values)
    if idle is None and len(codes):
        idle = _returned_to(codes[np.concatenate([[True], codes[1:] != codes[:-1]])])
    return CodeReader(idle).update(values)


def _returned_to(visits: NDArray[np.int64]) -> int | None:
    """Return the code that follows every other one; None where none does, or 0 or -1 comes."""
    if np.isin(IDLE, visits).any():
        return None
    for first in (0, 1):
        alternate = set(visits[first::2].tolist())
        others = set(visits[1 - first :: 2].tolist())
        if len(alternate) == 1 and len(others - alternate) > 1:
            return int(alternate.pop())
    return None
