"""Letters right after each number of repetitions, from flashes that the decoder did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sjepa_online.data import Recording, Trials
from sjepa_online.data.letters import Letter, find_letters
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.decoding.speller import FlashEvidence, SymbolPosterior
from sjepa_online.evaluation.significance import wilson_interval
from sjepa_online.markers import TARGET
from sjepa_online.typing import FloatArray


@dataclass(frozen=True)
class LettersPoint:
    """Letters after a number of repetitions.

    Attributes
    ----------
    repetitions : int
        How often each symbol has lit up.
    right : float
        Share of the letters that are right.
    low, high : float
        Ends of its 95 % interval (Wilson).
    bits_per_minute : float
        Information transfer rate (Wolpaw et al. 1998), pauses between letters left out.
    n_letters : int
    """

    repetitions: int
    right: float
    low: float
    high: float
    bits_per_minute: float
    n_letters: int


def letters_by_repetitions(
    recordings: Sequence[Recording], trials: Trials, held_out: FloatArray
) -> list[LettersPoint]:
    """Spell the calibration's letters again, with more and more of their flashes.

    Parameters
    ----------
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
        Flashes of a protocol with a speller.
    held_out : ndarray, shape (n, classes)
        Probabilities of each flash from a decoder that did not see it.

    Returns
    -------
    list of LettersPoint
        Empty where the markers do not name symbols.
    """
    speller = trials.protocol.speller
    letters = find_letters(recordings, trials)
    known = [one for one in letters if one.target]
    if speller is None or not known:
        return []
    target = held_out[:, trials.protocol.class_names.index(TARGET)]
    spelled = [_spell(one, target, trials, speller.symbols) for one in known]
    if not all(spelled):
        return []
    most = min(len(one) for one in spelled)
    window = trials.protocol.window
    points = []
    for count in range(most):
        right = [one[count][0] for one in spelled]
        seconds = float(np.mean([one[count][1] for one in spelled])) + window.start + window.length
        share = float(np.mean(right))
        low, high = wilson_interval(sum(right), len(right))
        rate = information_transfer_rate(share, len(speller.symbols), seconds)
        points.append(LettersPoint(count + 1, share, low, high, rate, len(right)))
    return points


def _spell(
    letter: Letter, target: FloatArray, trials: Trials, symbols: str
) -> list[tuple[bool, float]]:
    """Return, after each repetition, whether the letter is right, and the time of its flashes.

    A repetition is over when every symbol has lit up once more.
    """
    is_target = trials.y == TARGET
    others = np.setdiff1d(np.arange(len(target)), letter.rows)
    if len(np.unique(is_target[others])) < 2:
        return []
    posterior = SymbolPosterior(symbols, FlashEvidence.fit(target[others], is_target[others]))
    counts = dict.fromkeys(symbols, 0)
    found: list[tuple[bool, float]] = []
    for lit, row in zip(letter.lit, letter.rows, strict=True):
        posterior.update(lit, float(target[row]))
        for symbol in lit:
            counts[symbol] += 1
        if min(counts.values()) > len(found):
            seconds = float(trials.onset[row] - trials.onset[letter.rows[0]])
            found.append((posterior.best[0] == letter.target, seconds))
    return found
