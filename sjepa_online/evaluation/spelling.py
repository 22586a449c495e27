"""Letters right: decoders spell a text, after labels of none, some or all training letters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sjepa_online.data import Recording, Trials
from sjepa_online.data.letters import Letter, find_letters
from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.catalog import AUTO, UMM
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, Speller
from sjepa_online.training.letters import LetterDecoder, spelled_letter

#: Repetitions that are tried where none are asked for, as far as the test has them.
REPETITIONS = (1, 2, 3, 5, 10, 15)


@dataclass(frozen=True)
class SpellingData:
    """The letters of a training text, which may be empty, and of a test text.

    Attributes
    ----------
    training : Trials or None
    train : list of Letter
        Rows among ``training``.
    testing : Trials
    test : list of Letter
        Rows among ``testing``, each with a known target.
    recordings : tuple of str
        Names of the recordings of both sides.
    """

    training: Trials | None
    train: list[Letter]
    testing: Trials
    test: list[Letter]
    recordings: tuple[str, ...] = ()

    @property
    def speller(self) -> Speller:
        """The matrix of symbols."""
        speller = self.testing.protocol.speller
        assert speller is not None
        return speller


def check_speller(protocol: Protocol) -> None:
    """Refuse a protocol that shows no matrix of symbols.

    Parameters
    ----------
    protocol : Protocol

    Raises
    ------
    InputError
        The protocol has no speller.
    """
    if protocol.speller is None:
        raise InputError(
            f"The protocol {protocol.name} shows no matrix of symbols to spell with",
            value=f"a protocol of {protocol.paradigm} without [speller]",
            remedy="Choose erp-rowcol, erp, or an own protocol with [speller].",
        )


def spelling_data(
    training: Trials | None,
    train: Sequence[Recording],
    testing: Trials,
    test: Sequence[Recording],
) -> SpellingData:
    """Find the letters of both sides.

    Parameters
    ----------
    training : Trials or None
        None without a training text.
    train : sequence of Recording
        Those of ``training``.
    testing : Trials
    test : sequence of Recording
        Those of ``testing``.

    Returns
    -------
    data : SpellingData

    Raises
    ------
    InputError
        The protocol has no speller, or the test no letter whose target is known.
    """
    check_speller(testing.protocol)
    known = [one for one in find_letters(test, testing) if one.target]
    if not known:
        raise InputError(
            "The recordings to test on tell of no letter which symbol was attended",
            value=f"{', '.join(recording.name for recording in test)}, read by the protocol "
            f"{testing.protocol.name}",
            remedy="Choose recordings whose markers name the symbols of each flash, as "
            "Target/ABCDEF does; where they name rows and columns, as in Target/row3, read them by "
            "erp-rowcol or a protocol like it.",
        )
    letters = [] if training is None else find_letters(train, training)
    names = tuple(recording.name for recording in (*train, *test))
    return SpellingData(training, letters, testing, known, names)


def check_repetitions(data: SpellingData, repetitions: Sequence[int] | None) -> list[int]:
    """Return the repetitions to score.

    Parameters
    ----------
    data : SpellingData
    repetitions : sequence of int or None
        None for all usual ones that the test has.

    Returns
    -------
    repetitions : list of int

    Raises
    ------
    InputError
        A letter of the test has fewer.
    """
    n_group = data.speller.groups_per_sequence
    # a flash that was left out does not take its repetition with it
    most = min(-(-len(letter.rows) // n_group) for letter in data.test)
    if repetitions is None:
        return [count for count in REPETITIONS if count <= most] or [most]
    if max(repetitions) > most:
        raise InputError(
            f"A letter of the test was flashed {most} times only in each row and column",
            value=f"--repetitions {','.join(map(str, repetitions))}",
            remedy=f"Ask for {most} repetitions or fewer.",
        )
    return list(repetitions)


def check_letters(data: SpellingData, n_letters: int | None) -> int:
    """Return how many training letters are used with their labels.

    Parameters
    ----------
    data : SpellingData
    n_letters : int or None
        None for all.

    Returns
    -------
    n_letters : int

    Raises
    ------
    InputError
        The training text has fewer letters with a label.
    """
    known = [letter for letter in data.train if letter.target]
    if n_letters is not None and n_letters > len(known):
        raise InputError(
            f"The training text has {len(known)} letters whose symbol the markers tell",
            value=f"--letters {n_letters}",
            remedy="Ask for fewer letters, or add recordings to --train.",
        )
    return len(known) if n_letters is None else n_letters


def evaluate_spelling(
    data: SpellingData,
    requests: Sequence[DecoderRequest],
    n_letters: int,
    repetitions: Sequence[int],
    progress: Callable[[], None] = lambda: None,
) -> dict[str, list[float] | None]:
    """Spell the test text with every decoder.

    The letters come in their order, and a decoder may learn from those that it spelled before,
    though never from their labels. The training letters beyond ``n_letters`` are signal without
    labels.

    Parameters
    ----------
    data : SpellingData
    requests : sequence of DecoderRequest
    n_letters : int
        Training letters that are used with their labels.
    repetitions : sequence of int
        After how many flashes of every row and column a letter is decided.
    progress : callable
        Called after each decoder.

    Returns
    -------
    shares : dict of str to list of float or None
        Share of letters right for each number of repetitions; None for a decoder that needs
        labels where there are none.
    """
    results: dict[str, list[float] | None] = {}
    for request in requests:
        decoder = _fitted(data, request, n_letters)
        if decoder is None:
            results[request.name] = None
        else:
            results[request.name] = [
                float(np.mean(_right(data, decoder, count))) for count in repetitions
            ]
        progress()
    return results


def _fitted(data: SpellingData, request: DecoderRequest, n_letters: int) -> LetterDecoder | None:
    if n_letters == 0 and request.name not in (UMM, AUTO):
        return None
    train = [
        letter if index < n_letters else Letter("", letter.rows, letter.lit)
        for index, letter in enumerate(_labelled_first(data.train))
    ]
    testing = data.testing
    used = [trials.X for trials in (data.training, testing) if trials is not None]
    decoder = LetterDecoder(request, testing.protocol, testing.ch_names, data.recordings, used)
    return decoder.fit(data.training, train) if data.training is not None else decoder


def _labelled_first(letters: Sequence[Letter]) -> list[Letter]:
    """Return the letters whose symbol is known, then the others, each in their order."""
    return sorted(letters, key=lambda letter: not letter.target)


def _right(data: SpellingData, decoder: LetterDecoder, repetitions: int) -> list[bool]:
    symbols = data.speller.symbols
    speller = decoder.speller()
    n_flashes = repetitions * data.speller.groups_per_sequence
    right = []
    for letter in data.test:
        spelled = spelled_letter(data.testing, letter.first_flashes(n_flashes), symbols)
        right.append(symbols[int(np.argmax(speller.spell(spelled)))] == letter.target)
    return right
