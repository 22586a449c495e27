"""Free spelling: what chosen symbols do to a text, and words that may be meant."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.resources import files

import numpy as np

from sjepa_online.errors import InputError
from sjepa_online.markers import END, FLASH, StimulusMarker
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import Phase, ScheduledTrial, flash_groups

#: Symbol that stands for a space, and the one that takes the last choice back.
SPACE, UNDO = "_", "9"
#: Symbols that write a suggested word.
SUGGESTION_KEYS = ("1", "2", "3")
#: Symbols that are spelled at most where no number is given.
MOST_SYMBOLS = 1000


class FreeText:
    """A text that is spelled symbol by symbol.

    :data:`UNDO` takes the last choice back, a number writes the word that is suggested for it, and
    any other symbol writes itself. Where the matrix lacks a number, it does nothing of the kind.

    Parameters
    ----------
    symbols : str
        Of the matrix.
    words : sequence of str
        To suggest, the most frequent first; empty suggests none.

    Attributes
    ----------
    text : str
    """

    def __init__(self, symbols: str, words: Sequence[str] = ()) -> None:
        self.text = ""
        self._symbols = symbols
        lower = not any(symbol.isupper() for symbol in symbols)
        self._words = tuple(word.lower() if lower else word.upper() for word in words)
        self._before: list[str] = []

    @property
    def suggestions(self) -> dict[str, str]:
        """Words that may be meant, by the symbol that writes each."""
        begun = self._begun
        fitting = [word for word in self._words if word.startswith(begun) and word != begun]
        keys = [key for key in SUGGESTION_KEYS if key in self._symbols]
        return dict(zip(keys, fitting, strict=False)) if begun else {}

    @property
    def keys(self) -> dict[str, str]:
        """What symbols do that do not write themselves, for people."""
        undo = {UNDO: "undo"} if UNDO in self._symbols and self._before else {}
        return self.suggestions | undo

    def take(self, symbol: str) -> None:
        """Do what a chosen symbol stands for."""
        if symbol == UNDO:
            self.text = self._before.pop() if self._before else ""
            return
        self._before.append(self.text)
        word = self.suggestions.get(symbol)
        if word is None:
            self.text += symbol
        else:
            self.text = self.text[: len(self.text) - len(self._begun)] + word + SPACE

    @property
    def _begun(self) -> str:
        """The word that is not finished."""
        return self.text.rpartition(SPACE)[2]


class FreeTrials(Sequence[ScheduledTrial]):
    """Trials of a speller in which the participant chooses the symbol.

    Parameters
    ----------
    protocol : Protocol
        With a speller.
    seed : int
        Of the groups of symbols.
    n_trials : int
        Symbols at most.

    Raises
    ------
    InputError
        The protocol has no speller.
    """

    def __init__(self, protocol: Protocol, seed: int, n_trials: int = MOST_SYMBOLS) -> None:
        if protocol.speller is None:
            raise InputError(
                "The protocol has no matrix of symbols, so nothing can be spelled freely",
                value=f"protocol {protocol.name}",
                remedy="Give the decoder of a speller, or leave out --free.",
            )
        self._speller = protocol.speller
        self._seed = seed
        self._n_trials = n_trials

    def __len__(self) -> int:
        return self._n_trials

    def __getitem__(self, number: int) -> ScheduledTrial:  # type: ignore[override] # no slices
        """Draw a trial; the same number gives the same one."""
        speller = self._speller
        random = np.random.default_rng([self._seed, 2, number])
        phases = [Phase("cue", speller.cue)]
        for lit in flash_groups(speller, random):
            marker = str(StimulusMarker(FLASH, lit))
            phases += [Phase("flash", speller.on, marker, lit), Phase("between", speller.between)]
        return ScheduledTrial(number, "", (*phases, Phase("rest", speller.rest, END)))


@cache
def frequent_words() -> tuple[str, ...]:
    """Return the shipped list of English words, the most frequent first."""
    text = files(__package__).joinpath("words.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.split() if line)
