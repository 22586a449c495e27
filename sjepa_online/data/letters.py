"""The letters of a speller's recordings: which flashes spell each, and which symbol it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from sjepa_online.data.recording import Recording
from sjepa_online.data.trials import Trials
from sjepa_online.markers import CUE, FLASH, NON_TARGET, TARGET, StimulusMarker, parse_marker
from sjepa_online.protocol import Speller

#: Without cues, a letter ends where the next flash is more than this away (s).
LETTER_GAP = 1.0


@dataclass
class Letter:
    """The flashes by which one symbol is spelled.

    Attributes
    ----------
    target : str
        The symbol that was attended; empty where the markers do not tell.
    rows : list of int
        The flashes among the trials, in their order.
    lit : list of str
        The symbols that lit up in each.
    """

    target: str
    rows: list[int] = field(default_factory=list)
    lit: list[str] = field(default_factory=list)

    def first_flashes(self, n: int) -> Letter:
        """Return the letter as its first ``n`` flashes spell it.

        Parameters
        ----------
        n : int
            Number of flashes; a letter of fewer is returned whole.

        Returns
        -------
        Letter
        """
        return Letter(self.target, self.rows[:n], self.lit[:n])

    def lit_matrix(self, symbols: str) -> npt.NDArray[np.bool_]:
        """Return which of the symbols lit up in each flash, ``(flashes, symbols)``.

        Parameters
        ----------
        symbols : str
            Characters of the matrix, each a column of the result.

        Returns
        -------
        ndarray of bool, shape (flashes, symbols)
        """
        return np.array([[symbol in lit for symbol in symbols] for lit in self.lit], dtype=bool)


def find_letters(recordings: Sequence[Recording], trials: Trials) -> list[Letter]:
    """Gather the flashes of each letter; empty where the markers do not name symbols.

    A letter begins with its cue. In recordings without cues it ends where the next flash is more
    than 1 s away, or where the flashes of targets and others contradict its symbol. Flashes of
    symbols that the matrix does not hold belong to none.

    Parameters
    ----------
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
        Flashes of a protocol with a speller.

    Returns
    -------
    list of Letter
        In the order of the recordings and of time.
    """
    speller = trials.protocol.speller
    if speller is None:
        return []
    row_of = {
        (int(recording), float(onset)): row
        for row, (recording, onset) in enumerate(zip(trials.recording, trials.onset, strict=True))
    }
    letters: list[Letter] = []
    for index, recording in enumerate(recordings):
        marked = [
            _Marked(parse_marker(label), float(onset), row_of.get((index, float(onset))))
            for label, onset in zip(recording.labels, recording.onsets, strict=True)
        ]
        cued = any(one.marker.word == CUE for one in marked)
        letters += _cued(marked, speller) if cued else _uncued(marked, speller)
    return [letter for letter in letters if letter.rows]


@dataclass(frozen=True)
class _Marked:
    marker: StimulusMarker
    onset: float
    row: int | None


def _cued(marked: Sequence[_Marked], speller: Speller) -> Iterator[Letter]:
    current: Letter | None = None
    for one in marked:
        if one.marker.word == CUE:
            if current is not None:
                yield current
            current = None if one.marker.practice else Letter(one.marker.about)
        elif current is not None and one.row is not None and one.marker.about:
            current.rows.append(one.row)
            current.lit.append(speller.lit(one.marker.about))
    if current is not None:
        yield current


def _uncued(marked: Sequence[_Marked], speller: Speller) -> Iterator[Letter]:
    flashes = [
        one
        for one in marked
        if one.marker.word in (TARGET, NON_TARGET, FLASH)
        and one.marker.about
        and set(speller.lit(one.marker.about)) <= set(speller.symbols)
        and not one.marker.practice
    ]
    start = 0
    while start < len(flashes):
        stop, possible = _end_of_letter(flashes, start, speller)
        target = possible.pop() if len(possible) == 1 else ""
        usable = [one for one in flashes[start:stop] if one.row is not None]
        yield Letter(
            target,
            [one.row for one in usable if one.row is not None],
            [speller.lit(one.marker.about) for one in usable],
        )
        start = stop


def _end_of_letter(
    flashes: Sequence[_Marked], start: int, speller: Speller
) -> tuple[int, set[str]]:
    """Return where the next letter starts, and the symbols that this one may be."""
    possible = set(speller.symbols)
    for index in range(start, len(flashes)):
        if index > start and flashes[index].onset - flashes[index - 1].onset > LETTER_GAP:
            return index, possible
        left = _possible_after(possible, flashes[index].marker, speller)
        if not left and index > start:
            return _start_of_sequence(flashes, start, index, speller), possible
        possible = left
    return len(flashes), possible


def _possible_after(possible: set[str], marker: StimulusMarker, speller: Speller) -> set[str]:
    lit = set(speller.lit(marker.about))
    if marker.word == TARGET:
        return possible & lit
    return possible - lit if marker.word == NON_TARGET else possible


def _start_of_sequence(flashes: Sequence[_Marked], start: int, index: int, speller: Speller) -> int:
    """Return where the sequence began whose flash contradicts the letter.

    The flashes before it may suit both letters, and belong to the next one.
    """
    n_group = speller.groups_per_sequence
    began = start + (index - start) // n_group * n_group
    return began if began > start else index
