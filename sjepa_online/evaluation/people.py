"""Scores of several people, with the person as the unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.metrics import interval_over_people

#: The score from which on a person is usually said to control an interface.
CONTROLS_FROM = 0.70
#: By how much means of scores may be off.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class OverPeople:
    """What a decoder reaches in several people.

    Attributes
    ----------
    mean : float
    low, high : float
        95 % interval of the mean over people.
    share : float
        Of the people who reach ``CONTROLS_FROM`` or more.
    n : int
        People.
    """

    mean: float
    low: float
    high: float
    share: float
    n: int

    def __str__(self) -> str:
        share = f"{100 * self.share:.0f} % of {self.n} people at {CONTROLS_FROM:.2f} or more"
        return f"{self.mean:.3f} [{self.low:.3f} {self.high:.3f}] ({share})"


def over_people(scores: NDArray[np.float64]) -> OverPeople:
    """Summarise the scores of several people.

    Parameters
    ----------
    scores : ndarray, shape (people,)
        One for each person.

    Returns
    -------
    OverPeople
    """
    low, high = interval_over_people(scores)
    # the mean of three scores of 0.7 is a little less than 0.7
    share = float(np.mean(scores > CONTROLS_FROM - TOLERANCE))
    return OverPeople(float(scores.mean()), low, high, share, len(scores))
