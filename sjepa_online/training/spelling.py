"""How well, and how fast, a speller will spell: from flashes that the decoder did not see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sjepa_online.data import Recording, Trials
from sjepa_online.data.letters import find_letters
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.decoding.speller import FlashEvidence, SymbolPosterior
from sjepa_online.markers import TARGET
from sjepa_online.typing import FloatArray


def spelling_scores(
    recordings: Sequence[Recording], trials: Trials, held_out: FloatArray
) -> dict[str, float]:
    """Spell the calibration's symbols again, from probabilities of held-out flashes.

    The evidence of flashes is fitted without those of the symbol that is spelled.

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
    scores : dict of str to float
        ``accuracy`` of the symbols, ``decision_s`` from the first flash to the decision,
        ``itr_bits_per_min`` of these two and ``flashes`` that a symbol took; empty where the
        markers do not name symbols.
    """
    speller = trials.protocol.speller
    letters = [one for one in find_letters(recordings, trials) if one.target]
    if speller is None or not letters:
        return {}
    target = held_out[:, trials.protocol.class_names.index(TARGET)]
    is_target = trials.y == TARGET
    right, seconds, flashes = [], [], []
    for letter in letters:
        others = np.setdiff1d(np.arange(len(target)), letter.rows)
        if len(np.unique(is_target[others])) < 2:
            return {}
        evidence = FlashEvidence.fit(target[others], is_target[others])
        posterior = SymbolPosterior(speller.symbols, evidence)
        for lit, row in zip(letter.lit, letter.rows, strict=True):
            posterior.update(lit, float(target[row]))
            if posterior.best[1] >= speller.confidence:
                break
        last = letter.rows[posterior.n_flashes - 1]
        right.append(posterior.best[0] == letter.target)
        flashes.append(posterior.n_flashes)
        seconds.append(float(trials.onset[last] - trials.onset[letter.rows[0]]))
    window = trials.protocol.window
    mean_seconds = float(np.mean(seconds)) + window.start + window.length
    accuracy = float(np.mean(right))
    rate = information_transfer_rate(accuracy, len(speller.symbols), mean_seconds)
    return {
        "accuracy": accuracy,
        "decision_s": mean_seconds,
        "itr_bits_per_min": rate,
        "flashes": float(np.mean(flashes)),
    }
