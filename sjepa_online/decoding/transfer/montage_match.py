"""Which electrodes of a person serve for those of a population: by name, or by position.

Electrodes beside those that a person lacks are sums of the population's electrodes, as a Gaussian
kernel over the scalp gives them, plus a rest. They say of the missing electrodes what the
population's covariance and this sum imply (kriging).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sjepa_online.signal import positions_in_metres
from sjepa_online.signal.montage import standard_names
from sjepa_online.typing import AnyArray, BoolMask, Floats, Indices

#: Metres within which an electrode serves for another: half the diagonal of the 10-10 system's
#: squares, so that an electrode between four others serves for each of them.
REACH = 0.0275
#: Metres over which neighbouring electrodes show the same, and what each shows alone (variance as
#: a share): of ten values the best at predicting every second electrode of S002 to S041.
WIDTH, NUGGET = 0.05, 0.1


class Nearby:
    """Electrodes beside those of a population.

    Parameters
    ----------
    electrodes : sequence of str
        10-05 names of the population's electrodes.
    names : sequence of str
        10-05 names of the electrodes beside them; often none.
    """

    def __init__(self, electrodes: Sequence[str], names: Sequence[str] = ()) -> None:
        self.names, self._n = tuple(names), len(electrodes)
        if not self.names:
            return
        both = [*electrodes, *names]
        kernel = _kernel(both, both)
        among, cross = kernel[: self._n, : self._n], kernel[self._n :, : self._n]
        self._patterns = np.linalg.solve(among + NUGGET * np.eye(self._n), cross.T).T
        self._rest: Floats = kernel[self._n :, self._n :] - self._patterns @ cross.T

    def extend(self, covariances: AnyArray) -> AnyArray:
        """Return covariances of the population's electrodes and of those beside them.

        Parameters
        ----------
        covariances : ndarray, shape (kernels, channels, channels)
            Of the population's electrodes.

        Returns
        -------
        extended : ndarray, shape (kernels, channels + nearby, channels + nearby)
        """
        if not self.names:
            return covariances
        cross = self._patterns @ covariances
        explained = cross @ self._patterns.T
        power = np.trace(explained, axis1=-2, axis2=-1) / np.sum(1 - np.diag(self._rest))
        own = explained + power[:, np.newaxis, np.newaxis] * self._rest
        upper = np.concatenate([covariances, cross.swapaxes(-1, -2)], axis=-1)
        return np.concatenate([upper, np.concatenate([cross, own], axis=-1)], axis=-2)


@dataclass(frozen=True, eq=False)
class MontageMatch:
    """The electrodes of a montage that a population can read.

    Attributes
    ----------
    electrodes : tuple of str
        Of the population.
    picks : ndarray of int, shape (m,)
        Their indices in the montage.
    places : ndarray of int, shape (m,)
        Where each stands among the population's electrodes, followed by those beside them.
    beside : tuple of str
        The electrodes beside the population's, by their 10-05 names.
    served : tuple of str
        Electrodes of the population that the montage has, or has others beside.
    """

    electrodes: tuple[str, ...]
    picks: Indices
    places: Indices
    beside: tuple[str, ...]
    served: tuple[str, ...]

    @cached_property
    def nearby(self) -> Nearby:
        """What the electrodes beside the population's show of it."""
        return Nearby(self.electrodes, self.beside)

    @cached_property
    def there(self) -> BoolMask:
        """Which of the population's electrodes and of those beside them the montage has."""
        there = np.zeros(len(self.electrodes) + len(self.beside), dtype=bool)
        there[self.places] = True
        return there

    @property
    def names(self) -> tuple[str, ...]:
        """10-05 names of the electrodes that :attr:`picks` names."""
        both = (*self.electrodes, *self.beside)
        return tuple(both[place] for place in self.places)

    @property
    def missing(self) -> tuple[str, ...]:
        """Electrodes of the population that the montage lacks, whether or not others serve."""
        there = self.there
        return tuple(name for index, name in enumerate(self.electrodes) if not there[index])

    @property
    def by_name(self) -> tuple[Indices, Indices]:
        """Indices in the montage and in the population of the electrodes that both have."""
        own = self.places < len(self.electrodes)
        return self.picks[own], self.places[own]

    @property
    def estimated(self) -> str:
        """Say which electrodes are estimated, after ``electrodes``; empty where none is."""
        if not self.missing:
            return ""
        also = f", also from {', '.join(self.beside)} beside them" if self.beside else ""
        return f", of which {', '.join(self.missing)} are estimated{also}"

    def interpolation(self) -> Floats:
        """Return the map from the electrodes that are read to those that they serve for.

        It needs no covariance; before there is a population this is all that is known.

        Returns
        -------
        map : ndarray, shape (served, m)
        """
        kernel, across = _kernel(self.names, self.names), _kernel(self.served, self.names)
        solved = np.linalg.solve(kernel + NUGGET * np.eye(len(kernel)), across.T)
        mapped = np.asarray(solved.T, dtype=np.float64)
        for row, name in enumerate(self.served):
            if name in self.names:
                mapped[row] = np.array(self.names) == name
        return mapped


def match_montage(
    electrodes: Sequence[str], ch_names: Sequence[str], *, by_position: bool = True
) -> MontageMatch:
    """Find the electrodes of a montage that serve for those of a population.

    Parameters
    ----------
    electrodes : sequence of str
        10-05 names of the population's electrodes.
    ch_names : sequence of str
        The montage: 10-05 names in any spelling; other names have no part.
    by_position : bool
        Whether electrodes beside those that the montage lacks serve for them.

    Returns
    -------
    match : MontageMatch
        Which may be empty.
    """
    names = [name or "" for name in standard_names(ch_names)]
    own = [name for name in electrodes if name in names]
    missing = [name for name in electrodes if name not in names]
    candidates = [name for name in dict.fromkeys(names) if name and name not in electrodes]
    beside: tuple[str, ...] = ()
    served = own
    if by_position and missing and candidates:
        near = _distances(candidates, missing) <= REACH
        beside = tuple(np.array(candidates)[near.any(axis=1)].tolist())
        reached = set(np.array(missing)[near.any(axis=0)].tolist())
        served = [name for name in electrodes if name in own or name in reached]
    places = [list(electrodes).index(name) for name in own]
    return MontageMatch(
        tuple(electrodes),
        np.array([names.index(name) for name in (*own, *beside)], dtype=np.intp),
        np.array([*places, *range(len(electrodes), len(electrodes) + len(beside))], dtype=np.intp),
        beside,
        tuple(served),
    )


def _distances(names: Sequence[str], others: Sequence[str]) -> Floats:
    """Return the distances ``(names, others)`` in metres."""
    positions = positions_in_metres(names)[:, np.newaxis]
    apart = positions - positions_in_metres(others)
    return np.asarray(np.linalg.norm(apart, axis=-1), dtype=np.float64)


def _kernel(names: Sequence[str], others: Sequence[str]) -> Floats:
    """Return how alike the signals at electrodes are ``(names, others)``: 1 at the same place."""
    apart = np.square(_distances(names, others) / WIDTH)
    return np.asarray(np.exp(-0.5 * apart), dtype=np.float64)
