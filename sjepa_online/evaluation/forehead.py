"""The score of the forehead alone: a check that a decoder reads the brain and not the eyes.

Where a cue or a stimulus stands to one side the eyes follow it, and electrodes on the forehead
decode their movement. A score that they reach too is no evidence of a brain-computer interface.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sjepa_online.decoding.base import EpochClassifier
from sjepa_online.evaluation.significance import Score, judge
from sjepa_online.protocol import Protocol
from sjepa_online.training.cross_validation import DECISION, N_FOLDS, cross_validate
from sjepa_online.typing import FloatArray, Labels

#: Electrodes over the eyes and in front of the motor cortex.
FOREHEAD = ("Fp1", "Fpz", "Fp2", "AF7", "AF3", "AFz", "AF4", "AF8", "F7", "Fz", "F8")
#: Of these one at least has to be there: those beside or above the eyes.
NEAR_THE_EYES = ("Fp1", "Fpz", "Fp2", "AF7", "AF8", "F7", "F8")
#: A forehead that reaches this share of what a decoder has above chance explains it.
EXPLAINING_SHARE = 0.75


@dataclass(frozen=True)
class ForeheadCheck:
    """A score beside that of the forehead.

    Attributes
    ----------
    ch_names : tuple of str
        The electrodes of the forehead.
    forehead : Score
        What they reach alone.
    decoder : Score
        What the decoder reaches.
    """

    ch_names: tuple[str, ...]
    forehead: Score
    decoder: Score

    @property
    def share(self) -> float:
        """Score of the forehead above chance, as a share of the decoder's."""
        above = self.decoder.value - self.decoder.chance
        return (self.forehead.value - self.forehead.chance) / above if above > 0 else 0.0

    @property
    def explains(self) -> bool:
        """Whether the forehead explains the score."""
        both = self.forehead.above_chance and self.decoder.above_chance
        return both and self.share >= EXPLAINING_SHARE

    def __str__(self) -> str:
        told = (
            f"the forehead alone ({', '.join(self.ch_names)}) reaches {self.forehead.name} "
            f"{self.forehead.value:.2f}, the decoder {self.decoder.value:.2f}"
        )
        if self.explains:
            return (
                f"{told}: eye movements may explain the score. Put the cue in the middle of the "
                "screen, ask for a steady gaze, and read electrodes over the cortex only."
            )
        return told


def forehead_electrodes(ch_names: Sequence[str]) -> tuple[str, ...]:
    """Return the electrodes of the forehead in a montage.

    Parameters
    ----------
    ch_names : sequence of str

    Returns
    -------
    electrodes : tuple of str
        Empty where none is near the eyes.
    """
    if not any(name in NEAR_THE_EYES for name in ch_names):
        return ()
    return tuple(name for name in ch_names if name in FOREHEAD)


def check_forehead(
    X: FloatArray,
    y: Labels,
    ch_names: Sequence[str],
    protocol: Protocol,
    decoded: FloatArray,
    make: Callable[[Sequence[str]], EpochClassifier],
    *,
    n_folds: int = N_FOLDS,
) -> ForeheadCheck | None:
    """Cross-validate a decoder on the electrodes of the forehead alone.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs in µV at 128 Hz.
    y : ndarray of str, shape (n,)
    ch_names : sequence of str
    protocol : Protocol
    decoded : ndarray, shape (n, classes)
        Out-of-fold probabilities of the decoder that is to be judged.
    make : callable
        Gives an unfitted classifier for the channels that it is called with.
    n_folds : int
        Folds of the cross-validation.

    Returns
    -------
    ForeheadCheck or None
        None where the montage has no electrode near the eyes.
    """
    names = forehead_electrodes(ch_names)
    if not names:
        return None
    rows = [list(ch_names).index(name) for name in names]
    features = make(names).features(np.ascontiguousarray(X[:, rows]))
    held_out = cross_validate(make(names), features, y, n_folds=n_folds)
    return ForeheadCheck(names, judge(protocol, held_out[DECISION], y), judge(protocol, decoded, y))
