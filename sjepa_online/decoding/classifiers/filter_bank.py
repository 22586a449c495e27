"""The pre-local head that learns from few trials: several readouts, weighed on held-out trials.

The paper's pre-local head reads flattened tokens, whose phase only phase-locked responses have.
Here virtual channels pass the first convolution of the same local encoder, and readouts of its
output stand side by side; convex classifiers replace gradient descent, which overfits a short
calibration. Weights and temperature come from cross-validation within the training trials.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.classifiers.stacking import combine, inner_folds, stacking_weights
from sjepa_online.decoding.features.laterality import Imagery, find_mirror, sides
from sjepa_online.decoding.features.readouts import (
    BandPower,
    PhaseLocked,
    Prior,
    Readout,
    SecondOrder,
    StimulusPower,
    TemplateCovariance,
)
from sjepa_online.decoding.serialization import (
    FloatArray,
    State,
    Statistics,
    fit_on,
    take,
    with_prefix,
    without_prefix,
)
from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

#: Evoked potentials are slow: kernels whose response peaks below this (Hz) read them.
SLOW_BELOW = 8.0
#: Rhythms: kernels whose response peaks above this (Hz) read their power.
RHYTHM_ABOVE = 4.0


class PreLocalClassifier:
    """Readouts of the local encoder's first convolution, side by side.

    Parameters
    ----------
    kernels : ndarray, shape (8, 32)
        The first convolution of the local encoder.
    readouts : sequence of str
        Kinds of readouts, such as ``second-order``.
    frequencies : tuple of float
        Stimulus frequencies (Hz), for the readout ``stimulus-power``.
    classes : sequence
        Classes in the order of the probabilities.
    prior : Prior or None
        Other people's weights, for the readout that pools power.
    ch_names : sequence of str or None
        10-05 names of the channels, which tell the readout ``imagery`` left from right.

    Attributes
    ----------
    classes_ : ndarray
    out_of_fold_ : ndarray, shape (n, classes)
        Probabilities of the training trials, each from readouts that did not see it.
    """

    def __init__(
        self,
        kernels: FloatArray,
        readouts: Sequence[str],
        frequencies: tuple[float, ...],
        classes: Sequence[Any],
        prior: Prior | None = None,
        ch_names: Sequence[str] | None = None,
    ) -> None:
        self._kernels: Floats = np.asarray(kernels, dtype=np.float64)
        self._sides, self._mirror = sides(ch_names), find_mirror(ch_names, classes)
        self._kinds = tuple(readouts)
        self._frequencies = tuple(frequencies)
        self._prior = prior
        self._readouts: list[Readout] = self._new_readouts()
        self._weights: Floats = np.empty(0)
        self.classes_ = np.array(list(classes))
        self.out_of_fold_: Floats = np.empty((0, 0))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        fit_on(self, self.statistics(X), y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> Floats:
        """Return probabilities ``(n, classes)`` without the channels of the mask ``bad``."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        parts = [readout.log_proba_of(epochs, bad) for readout in self._readouts]
        return combine(np.stack(parts), self._weights)

    def statistics(self, X: FloatArray) -> Statistics:
        """Return what the readouts read of each epoch ``(n, channels, samples)``."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        merged: Statistics = {}
        for readout in self._readouts:
            merged |= readout.statistics(epochs)
        return merged

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Fit the readouts on all trials, and their weights on held-out ones."""
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        held_out = np.zeros((len(self._kinds), len(targets), len(self.classes_)))
        for train, test in inner_folds(targets):
            for index, readout in enumerate(self._new_readouts()):
                readout.fit(take(statistics, train), targets[train], len(self.classes_))
                held_out[index, test] = readout.log_proba(take(statistics, test))
        self._weights = stacking_weights(held_out, targets)
        self.out_of_fold_ = combine(held_out, self._weights)
        self._readouts = self._new_readouts()
        for readout in self._readouts:
            readout.fit(statistics, targets, len(self.classes_))
            if copies and isinstance(readout, SecondOrder):
                readout.fit_without_channels(statistics, targets, len(self.classes_))
        return self

    def predict_statistics(self, statistics: Statistics) -> Floats:
        """Return probabilities ``(n, classes)`` of the epochs behind the statistics."""
        return combine(
            np.stack([one.log_proba(statistics) for one in self._readouts]), self._weights
        )

    def to_state(self) -> State:
        """Return the readouts' arrays and the weights."""
        config = {
            "kind": "pre-local",
            "readouts": list(self._kinds),
            "frequencies": list(self._frequencies),
            "classes": self.classes_.tolist(),
        }
        arrays = {"kernels": self._kernels, "stacking": self._weights}
        for readout in self._readouts:
            arrays |= with_prefix(readout.kind, readout.arrays())
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State) -> PreLocalClassifier:
        """Build the classifier that :meth:`to_state` describes."""
        config = state.config
        classifier = cls(
            state.arrays["kernels"],
            config["readouts"],
            tuple(config["frequencies"]),
            config["classes"],
        )
        classifier._weights = state.arrays["stacking"]
        classifier._readouts = [
            readout.restore(without_prefix(readout.kind, state.arrays))
            for readout in classifier._new_readouts()
        ]
        return classifier

    def _new_readouts(self) -> list[Readout]:
        slow, rhythms = _split_kernels(self._kernels)
        makers: dict[str, Readout] = {
            PhaseLocked.kind: PhaseLocked(slow),
            TemplateCovariance.kind: TemplateCovariance(slow),
            BandPower.kind: BandPower(rhythms),
            Imagery.kind: Imagery(rhythms, self._sides, self._mirror),
            StimulusPower.kind: StimulusPower(self._kernels, self._frequencies, self._prior),
        }
        return [makers[kind] for kind in self._kinds]


def _split_kernels(kernels: Floats) -> tuple[Floats, Floats]:
    """Return the kernels for evoked potentials, and those for rhythms, by their peak (Hz)."""
    response = np.abs(np.fft.rfft(kernels, 256))
    peaks = np.argmax(response, axis=1) * MODEL_SFREQ / 256
    slow = peaks < SLOW_BELOW
    rhythm = peaks > RHYTHM_ABOVE
    return (
        kernels[slow] if slow.any() else kernels,
        kernels[rhythm] if rhythm.any() else kernels,
    )
