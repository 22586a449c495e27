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
from sklearn.model_selection import StratifiedKFold

from sjepa_online.decoding.readouts import (
    PhaseLocked,
    Readout,
    SecondOrder,
    StimulusPower,
    TemplateCovariance,
)
from sjepa_online.decoding.stacking import combine, stacking_weights
from sjepa_online.decoding.state import FloatArray, State, with_prefix, without_prefix
from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

N_FOLDS = 4
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
    """

    def __init__(
        self,
        kernels: FloatArray,
        readouts: Sequence[str],
        frequencies: tuple[float, ...],
        classes: Sequence[Any],
    ) -> None:
        self._kernels: Floats = np.asarray(kernels, dtype=np.float64)
        self._kinds = tuple(readouts)
        self._frequencies = tuple(frequencies)
        self._readouts: list[Readout] = []
        self._weights: Floats = np.empty(0)
        self.classes_ = np.array(list(classes))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        self._weights = self._cross_validated_weights(epochs, targets)
        self._readouts = self._fitted_readouts(epochs, targets)
        return self

    def predict_proba(self, X: FloatArray, bad: Sequence[str] | None = None) -> Floats:
        """Return probabilities ``(n, classes)``; ``bad`` channels were replaced before."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        return combine(np.stack([one.log_proba(epochs) for one in self._readouts]), self._weights)

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

    def _cross_validated_weights(self, X: Floats, targets: NDArray[np.intp]) -> Floats:
        """Weigh the readouts by out-of-fold log loss; folds are contiguous, as trials overlap."""
        n_folds = min(N_FOLDS, int(np.bincount(targets).min()))
        held_out = np.empty((len(self._kinds), len(targets), len(self.classes_)))
        if n_folds < 2:
            return np.full(len(self._kinds), 1 / len(self._kinds))
        for train, test in StratifiedKFold(n_folds).split(X, targets):
            for index, readout in enumerate(self._fitted_readouts(X[train], targets[train])):
                held_out[index, test] = readout.log_proba(X[test])
        return stacking_weights(held_out, targets)

    def _fitted_readouts(self, X: Floats, targets: NDArray[np.intp]) -> list[Readout]:
        return [readout.fit(X, targets, len(self.classes_)) for readout in self._new_readouts()]

    def _new_readouts(self) -> list[Readout]:
        slow, rhythms = _split_kernels(self._kernels)
        makers: dict[str, Readout] = {
            PhaseLocked.kind: PhaseLocked(slow),
            TemplateCovariance.kind: TemplateCovariance(slow),
            SecondOrder.kind: SecondOrder(rhythms),
            StimulusPower.kind: StimulusPower(self._kernels, self._frequencies),
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
