"""The score of the forehead alone: a check that a decoder reads the brain and not the eyes.

Where a cue or a stimulus stands to one side the eyes follow it, and electrodes on the forehead
decode their movement. A score that they reach too is no evidence of a brain-computer interface.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sjepa_online.data import Recording, Trials, good_channels, make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.significance import Score, judge
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.cross_validation import DECISION, N_FOLDS, cross_validate
from sjepa_online.typing import FloatArray, Labels

#: Electrodes over the eyes and in front of the motor cortex.
FOREHEAD = ("Fp1", "Fpz", "Fp2", "AF7", "AF3", "AFz", "AF4", "AF8", "F7", "Fz", "F8")
#: Of these one at least has to be there: those beside or above the eyes.
NEAR_THE_EYES = ("Fp1", "Fpz", "Fp2", "AF7", "AF8", "F7", "F8")
#: Decodes the forehead: fast, and good with few electrodes.
CHECKED_BY = "riemann"
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

    def to_json(self) -> dict[str, Any]:
        """Return the entry of a JSON document.

        Returns
        -------
        dict
            ``ch_names``, ``score``, ``share`` and ``explains``, and the entries of
            :meth:`Score.to_json <sjepa_online.evaluation.significance.Score.to_json>`.
        """
        return {
            "ch_names": list(self.ch_names),
            "score": self.forehead.value,
            "share": self.share,
            "explains": self.explains,
            **self.forehead.to_json(),
        }

    def __str__(self) -> str:
        told = (
            f"the forehead alone ({', '.join(self.ch_names)}) reaches {self.forehead.name} "
            f"{self.forehead.value:.2f}, the decoder {self.decoder.value:.2f}"
        )
        if self.explains:
            return (
                f"{told}: eye movements may explain the score. Put the cue in the middle of the "
                "screen and ask for a steady gaze."
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


def check_calibration(
    recordings: Sequence[Recording],
    trials: Trials,
    preprocessing: PreprocessorConfig,
    decoded: FloatArray,
) -> ForeheadCheck | None:
    """Cross-validate the forehead of a calibration's recordings.

    Parameters
    ----------
    recordings : sequence of Recording
        What the trials were cut from.
    trials : Trials
        Of the decoder, which may read other electrodes.
    preprocessing : PreprocessorConfig
    decoded : ndarray, shape (n, classes)
        Out-of-fold probabilities of the decoder.

    Returns
    -------
    ForeheadCheck or None
        None where the recordings have no signal of electrodes near the eyes.
    """
    names = usable_forehead(recordings)
    if not names:
        return None
    own = make_trials(recordings, trials.protocol, preprocessing, names)
    if min(np.sum(own.y == one) for one in own.protocol.class_names) < N_FOLDS:
        return None
    forehead = cross_validated_score(own.X, own.y, names, own.protocol)
    return ForeheadCheck(names, forehead, judge(trials.protocol, decoded, trials.y))


def score_sides(
    train: Sequence[Recording],
    test: Sequence[Recording],
    protocol: Protocol,
    preprocessing: PreprocessorConfig,
) -> tuple[tuple[str, ...], Score] | None:
    """Train on the forehead of some recordings, and test on that of others.

    Parameters
    ----------
    train, test : sequence of Recording
    protocol : Protocol
    preprocessing : PreprocessorConfig

    Returns
    -------
    (ch_names, score) or None
        None where the recordings have no signal of electrodes near the eyes.
    """
    names = usable_forehead([*train, *test])
    if not names:
        return None
    training, testing = (make_trials(one, protocol, preprocessing, names) for one in (train, test))
    classifier = DecoderRequest(CHECKED_BY).make(protocol, names).fit(training.X, training.y)
    return names, judge(protocol, classifier.predict_proba(testing.X), testing.y)


def cross_validated_score(
    X: FloatArray, y: Labels, ch_names: Sequence[str], protocol: Protocol
) -> Score:
    """Cross-validate the decoder of the check.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs in µV at 128 Hz.
    y : ndarray of str, shape (n,)
    ch_names : sequence of str
    protocol : Protocol

    Returns
    -------
    Score
    """
    classifier = DecoderRequest(CHECKED_BY).make(protocol, ch_names)
    held_out = cross_validate(classifier, classifier.features(X), y)
    return judge(protocol, held_out[DECISION], y)


def usable_forehead(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """Return the good electrodes of the forehead whose signal changes in every recording.

    Parameters
    ----------
    recordings : sequence of Recording
        At least one.

    Returns
    -------
    tuple of str
        In the order of the first recording; empty where none near the eyes is left.

    Raises
    ------
    InputError
        The recordings have no good electrode in common.
    """
    names = forehead_electrodes(good_channels(recordings))
    flat = {
        name
        for one in recordings
        for name, signal in zip(names, one.channels(names), strict=True)
        if not np.any(np.diff(signal))
    }
    return forehead_electrodes([name for name in names if name not in flat])
