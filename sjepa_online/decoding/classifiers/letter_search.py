"""Find the symbols of several letters that share one response to a target."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sjepa_online.typing import Floats

#: Symbols that a letter may begin with, and the letters from which the search begins.
N_BEGIN, N_BEGIN_LETTERS = 8, 5
_MOST_SWEEPS = 20


class Evidence(Protocol):
    """What says how much a sum of epochs looks like a response."""

    def evidence(self, projected: Floats, n: Floats) -> Floats:
        """Return the log evidence of each symbol.

        Parameters
        ----------
        projected : ndarray, shape (symbols, ...)
            Of the symbols' sums.
        n : ndarray, shape (symbols,)
            Weights of the sums.

        Returns
        -------
        evidence : ndarray, shape (symbols,)
        """


@dataclass(frozen=True, eq=False)
class Spelled:
    """The symbols of letters, and for each the evidence of all symbols given the others.

    Attributes
    ----------
    symbols : list of int
        What each letter is.
    evidence : list of ndarray, shape (symbols,)
    total : float
        Evidence of all letters together.
    """

    symbols: list[int]
    evidence: list[Floats]
    total: float


def spell_together(
    model: Evidence, sums: list[Floats], n: list[Floats], known: Floats, n_known: float
) -> Spelled:
    """Find the symbols of several letters that share one response.

    The search begins with a probable symbol of one letter, adds the others in the order of their
    certainty, then revises each until none changes; the begin with the largest evidence wins.

    Parameters
    ----------
    model : Evidence
    sums : list of ndarray, shape (symbols, ...)
        Projected sums of each letter's symbols.
    n : list of ndarray, shape (symbols,)
        Their weights.
    known : ndarray
        Projected sum of what is known of the response.
    n_known : float
        Its weight.

    Returns
    -------
    spelled : Spelled
    """
    search = _Search(model, sums, n, known, n_known)
    alone = [search.evidence_of(index, {}) for index in range(len(sums))]
    clearest = sorted(range(len(sums)), key=lambda index: -_margin(alone[index]))
    begins = [
        (index, int(symbol))
        for index in clearest[:N_BEGIN_LETTERS]
        for symbol in np.argsort(-alone[index])[:N_BEGIN]
    ]
    if len(sums) == 1:
        begins = begins[:1]
    return max((search.run(index, symbol) for index, symbol in begins), key=lambda one: one.total)


class _Search:
    """Coordinate ascent over the symbols of letters."""

    def __init__(
        self,
        model: Evidence,
        sums: list[Floats],
        n: list[Floats],
        known: Floats,
        n_known: float,
    ) -> None:
        self._model, self._sums, self._n = model, sums, n
        self._known, self._n_known = known, n_known

    def evidence_of(self, index: int, others: dict[int, int]) -> Floats:
        """Return the evidence of a letter's symbols, given the symbols of others.

        Parameters
        ----------
        index : int
            The letter.
        others : dict of int to int
            Symbols of the other letters, by letter.

        Returns
        -------
        evidence : ndarray, shape (symbols,)
        """
        total, weight = self._known, self._n_known
        for other, symbol in others.items():
            if other != index:
                total = total + self._sums[other][symbol]
                weight = weight + self._n[other][symbol]
        return self._model.evidence(self._sums[index] + total, self._n[index] + weight)

    def run(self, first: int, symbol: int) -> Spelled:
        """Search from one letter's symbol.

        Parameters
        ----------
        first : int
            The letter from which the search begins.
        symbol : int
            The symbol that it is given.

        Returns
        -------
        spelled : Spelled
        """
        found = {first: symbol}
        while len(found) < len(self._sums):
            rest = {
                index: self.evidence_of(index, found)
                for index in range(len(self._sums))
                if index not in found
            }
            surest = max(rest, key=lambda index: _margin(rest[index]))
            found[surest] = int(np.argmax(rest[surest]))
        for _ in range(_MOST_SWEEPS):
            before = dict(found)
            for index in range(len(self._sums)):
                found[index] = int(np.argmax(self.evidence_of(index, found)))
            if found == before:
                break
        evidence = [self.evidence_of(index, found) for index in range(len(self._sums))]
        symbols = [found[index] for index in range(len(self._sums))]
        return Spelled(symbols, evidence, float(evidence[0][symbols[0]]))


def _margin(evidence: Floats) -> float:
    """Return by how much the best symbol is ahead of the next."""
    best = np.sort(evidence)[-2:]
    return float(best[-1] - best[0])
