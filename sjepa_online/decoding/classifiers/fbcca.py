"""Filter-bank canonical correlations: the decoder of SSVEP that needs no labelled trial.

Chen et al. 2015 (J. Neural Eng. 12, 046008): the epoch is filtered into sub-bands that begin at
multiples of the lowest stimulus frequency and all end at the top of the passband; in each the
largest canonical correlation with sines at a stimulus frequency and its harmonics is taken, and
the weighted sum of the squared correlations is compared. Here each frequency is compared with
what frequencies beside it, where nothing flickers, give in the same epoch: low frequencies and
the alpha rhythm correlate with any sine, and a class without a stimulus is told from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Self

import numpy as np
from scipy.linalg import orth
from scipy.special import softmax

from sjepa_online.decoding.base import EpochClassifier, Features
from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: The name of the scores among the features.
SCORES = "stimulus-scores"

#: Sub-bands, and the top of the passband (Hz), above which no harmonic is read.
N_BANDS, TOP = 3, 40.0
#: What a sub-band begins below its lowest harmonic, and ends above its highest (Hz).
MARGIN = 2.0
#: Weight of sub-band m, from 1: ``m ** -A + B`` (Chen et al. 2015).
A, B = 1.25, 0.25
#: Harmonics of the references, as far as they are below the top.
N_HARMONICS = 4
#: Frequencies beside a stimulus (Hz) that say what it would give without one.
BESIDE = (-1.5, -1.0, 1.0, 1.5)
#: No other stimulus or its harmonic may be nearer (Hz) to such a frequency.
APART = 0.4
#: Logit of a class for one unit of its score, and what a class without a stimulus has.
SLOPE, REST = 20.0, 0.1
RIDGE = 1e-6


class FilterBankCCA(EpochClassifier):
    """Weighted canonical correlations of sub-bands, compared with frequencies beside.

    Nothing is learned from labels.

    Parameters
    ----------
    frequencies : tuple of float or None
        Stimulus frequency (Hz) of each class; None for a class without a stimulus.
    classes : sequence
        Classes in the order of the probabilities.

    Raises
    ------
    InputError
        There is no frequency.
    """

    kind = "fbcca"

    def __init__(self, frequencies: tuple[float | None, ...], classes: Sequence[Any]) -> None:
        if all(frequency is None for frequency in frequencies):
            raise InputError(
                "The decoder fbcca reads stimulus frequencies, and this protocol has none",
                value="no frequency",
                remedy="Choose another decoder for this paradigm; riemann suits all.",
            )
        super().__init__(classes)
        self.frequencies = frequencies

    @property
    def handles_bad_channels(self) -> bool:
        """True: the correlations are those of the good channels."""
        return True

    def features(self, X: FloatArray) -> Features:
        """Return the scores of each epoch. See :meth:`EpochClassifier.features`."""
        return {SCORES: stimulus_scores(X, [one for one in self.frequencies if one is not None])}

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        scores = features[SCORES]
        logits = np.full((len(scores), len(self.frequencies)), SLOPE * REST)
        logits[:, [one is not None for one in self.frequencies]] = SLOPE * scores
        probabilities: Floats = softmax(logits, axis=1)
        return probabilities

    def to_state(self) -> State:
        """Return the classes and their frequencies; the method fits nothing.

        See :meth:`EpochClassifier.to_state`.
        """
        config = {
            "kind": self.kind,
            "frequencies": list(self.frequencies),
            "classes": self.classes_.tolist(),
        }
        return State(config, {})

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        return cls(tuple(state.config["frequencies"]), state.config["classes"])

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Learn nothing."""

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        return self.predict_features(self.features(X if bad is None else X[:, ~bad]))


def stimulus_scores(X: FloatArray, frequencies: Sequence[float]) -> Floats:
    """Return by how much each frequency stands out of those beside it.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Epochs at 128 Hz.
    frequencies : sequence of float
        Stimulus frequencies (Hz).

    Returns
    -------
    scores : ndarray, shape (n, frequencies)
    """
    lowest = min(frequencies)
    scores = np.zeros((len(X), len(frequencies)))
    for band in range(1, N_BANDS + 1):
        edge = band * lowest - MARGIN
        filtered = _high_passed(np.asarray(X, dtype=np.float64), edge)
        for index, frequency in enumerate(frequencies):
            numbers = tuple(
                number
                for number in range(1, N_HARMONICS + 1)
                if edge < number * frequency < TOP - MARGIN
            )
            if not numbers:
                continue
            beside = _beside(frequency, frequencies)
            squared = _squared_correlations(filtered, [frequency, *beside], numbers)
            expected = squared[:, 1:].mean(axis=1) if beside else 0.0
            scores[:, index] += (band**-A + B) * (squared[:, 0] - expected)
    return scores


def _beside(frequency: float, stimuli: Sequence[float]) -> list[float]:
    """Return frequencies near a stimulus at which nothing flickers."""
    return [
        frequency + offset
        for offset in BESIDE
        if all(
            abs(frequency + offset - harmonic * other) >= APART
            for other in stimuli
            for harmonic in (1, 2)
        )
    ]


def _high_passed(epochs: Floats, edge: float) -> Floats:
    """Return epochs whose spectrum begins at ``edge`` (Hz), over a slope of 2 Hz."""
    n_times = epochs.shape[-1]
    frequencies = np.fft.rfftfreq(n_times, 1 / MODEL_SFREQ)
    passed = np.clip((frequencies - edge) / MARGIN + 1.0, 0.0, 1.0)
    result: Floats = np.fft.irfft(np.fft.rfft(epochs) * passed, n_times)
    return result


def _squared_correlations(
    epochs: Floats, frequencies: Sequence[float], numbers: tuple[int, ...]
) -> Floats:
    """Return the squared largest canonical correlation ``(n, frequencies)``."""
    n_channels = epochs.shape[1]
    power = epochs @ epochs.swapaxes(1, 2)
    mean_power = np.trace(power, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] / n_channels
    power = power + (RIDGE * mean_power + np.finfo(np.float64).tiny) * np.eye(n_channels)
    squared = np.empty((len(epochs), len(frequencies)))
    for index, frequency in enumerate(frequencies):
        shared = epochs @ _references(frequency, epochs.shape[-1], numbers)
        explained = shared.swapaxes(1, 2) @ np.linalg.solve(power, shared)
        squared[:, index] = np.clip(np.linalg.eigvalsh(explained)[:, -1], 0.0, 1.0)
    return squared


@lru_cache(maxsize=256)
def _references(frequency: float, n_times: int, numbers: tuple[int, ...]) -> Floats:
    """Return orthonormal sines and cosines ``(samples, references)`` of these harmonics."""
    seconds = np.arange(n_times) / MODEL_SFREQ
    phases = 2 * np.pi * frequency * np.outer(numbers, seconds)
    waves = np.concatenate([np.sin(phases), np.cos(phases)])
    references: Floats = orth((waves - waves.mean(axis=1, keepdims=True)).T)
    return references
