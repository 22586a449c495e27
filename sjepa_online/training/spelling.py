"""How well, and how fast, a speller will spell: from flashes that the decoder did not see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sjepa_online.data import Recording, Trials
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.decoding.speller import FlashEvidence, SymbolPosterior
from sjepa_online.markers import CUE, TARGET, parse_marker
from sjepa_online.typing import FloatArray


@dataclass
class Selection:
    """The flashes by which one symbol is spelled.

    Attributes
    ----------
    target : str
        The symbol that was cued.
    rows : list of int
        The flashes among the trials, in their order.
    lit : list of str
        The symbols that lit up in each.
    """

    target: str
    rows: list[int] = field(default_factory=list)
    lit: list[str] = field(default_factory=list)


def find_selections(recordings: Sequence[Recording], trials: Trials) -> list[Selection]:
    """Gather the flashes after each cue.

    Parameters
    ----------
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
        Flashes of a protocol with a speller.

    Returns
    -------
    selections : list of Selection
        Empty where the markers do not name symbols.
    """
    row_of = {
        (int(recording), float(onset)): row
        for row, (recording, onset) in enumerate(zip(trials.recording, trials.onset, strict=True))
    }
    selections: list[Selection] = []
    for index, recording in enumerate(recordings):
        current: Selection | None = None
        for label, onset in zip(recording.labels, recording.onsets, strict=True):
            marker = parse_marker(label)
            row = row_of.get((index, float(onset)))
            if marker.word == CUE:
                current = None if marker.practice else Selection(marker.about)
                selections += [] if current is None else [current]
            elif current is not None and row is not None and marker.about:
                current.rows.append(row)
                current.lit.append(marker.about)
    return [selection for selection in selections if selection.rows]


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
    selections = [] if speller is None else find_selections(recordings, trials)
    if speller is None or not selections:
        return {}
    target = held_out[:, trials.protocol.class_names.index(TARGET)]
    is_target = trials.y == TARGET
    right, seconds, flashes = [], [], []
    for selection in selections:
        others = np.setdiff1d(np.arange(len(target)), selection.rows)
        if len(np.unique(is_target[others])) < 2:
            return {}
        evidence = FlashEvidence.fit(target[others], is_target[others])
        posterior = SymbolPosterior(speller.symbols, evidence)
        for lit, row in zip(selection.lit, selection.rows, strict=True):
            posterior.update(lit, float(target[row]))
            if posterior.best[1] >= speller.confidence:
                break
        last = selection.rows[posterior.n_flashes - 1]
        right.append(posterior.best[0] == selection.target)
        flashes.append(posterior.n_flashes)
        seconds.append(float(trials.onset[last] - trials.onset[selection.rows[0]]))
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
