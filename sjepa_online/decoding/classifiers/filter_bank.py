"""The filter bank that learns from few trials: several readouts, weighed on held-out trials.

The paper's pre-local head reads flattened tokens, whose phase only phase-locked responses have.
Here virtual channels pass the first convolution of the same local encoder, and readouts of its
output stand side by side; convex classifiers replace gradient descent, which overfits a short
calibration. Weights and temperature come from cross-validation within the training trials.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from sjepa_online.decoding.base import EpochClassifier, Features, take
from sjepa_online.decoding.classifiers.imagery import Imagery, find_mirror, sides
from sjepa_online.decoding.classifiers.readouts.base import Prior, Readout
from sjepa_online.decoding.classifiers.readouts.power import BandPower, StimulusPower
from sjepa_online.decoding.classifiers.readouts.responses import (
    PhaseLocked,
    TemplateCovariance,
    TimeCourse,
)
from sjepa_online.decoding.classifiers.stacking import combine, inner_folds, stacking_weights
from sjepa_online.decoding.serialization import State, with_prefix, without_prefix
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: Evoked potentials are slow: kernels whose response peaks below this (Hz) read them.
SLOW_BELOW = 8.0
#: Rhythms: kernels whose response peaks above this (Hz) read their power.
RHYTHM_ABOVE = 4.0


class FilterBankClassifier(EpochClassifier):
    """Readouts of the local encoder's first convolution, side by side.

    Parameters
    ----------
    kernels : ndarray, shape (8, 32)
        The first convolution of the local encoder.
    readouts : sequence of str
        Kinds of readouts: ``phase-locked``, ``template-covariance``, ``time-course``,
        ``band-power``, ``imagery``, ``stimulus-power``.
    frequencies : tuple of float
        Stimulus frequencies (Hz), for the readout ``stimulus-power``.
    classes : sequence
        Classes in the order of the probabilities.
    prior : Prior or None
        Other people's weights, for the readout ``stimulus-power``.
    ch_names : sequence of str or None
        10-05 names of the channels, by which the readout ``imagery`` knows left from right.

    Attributes
    ----------
    out_of_fold_ : ndarray, shape (n, classes)
        Probabilities of the training trials, each from readouts that did not see it.
    """

    kind = "filter-bank"

    def __init__(
        self,
        kernels: FloatArray,
        readouts: Sequence[str],
        frequencies: tuple[float, ...],
        classes: Sequence[Any],
        prior: Prior | None = None,
        ch_names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(classes)
        self.kernels = kernels
        self.readouts = readouts
        self.frequencies = frequencies
        self.prior = prior
        self.ch_names = ch_names
        self.readouts_: list[Readout] = self._new_readouts()
        self.weights_: Floats = np.empty(0)
        self.out_of_fold_: Floats = np.empty((0, 0))

    @property
    def handles_bad_channels(self) -> bool:
        """True: the spatial filters go on without bad channels."""
        return True

    def features(self, X: FloatArray) -> Features:
        """Return the features of all readouts. See :meth:`EpochClassifier.features`."""
        epochs: Floats = np.asarray(X, dtype=np.float64)
        merged: Features = {}
        for readout in self.readouts_:
            merged |= readout.features(epochs)
        return merged

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return combine(np.stack([one.log_proba(features) for one in self.readouts_]), self.weights_)

    def align(self, features: Features) -> None:
        """Take over the prior's weights, aligned by the signal of epochs without labels.

        Parameters
        ----------
        features : dict of str to ndarray
            Of :meth:`features`.

        Raises
        ------
        InputError
            There is no prior, or a readout has no use for one.
        """
        readouts = [one for one in self._new_readouts() if isinstance(one, StimulusPower)]
        if self.prior is None or len(readouts) < len(self.readouts):
            raise InputError(
                "A filter bank without other people's weights cannot do without labels",
                value=", ".join(self.readouts),
                remedy="Fit it on labelled trials, or give a population of SSVEP.",
            )
        for readout in readouts:
            readout.align(features)
        self.readouts_ = list(readouts)
        self.weights_ = np.ones(len(readouts))

    def to_state(self) -> State:
        """Return the readouts' arrays and the weights. See :meth:`EpochClassifier.to_state`."""
        config = {
            "kind": self.kind,
            "readouts": list(self.readouts),
            "frequencies": list(self.frequencies),
            "classes": self.classes_.tolist(),
        }
        arrays = {"kernels": np.asarray(self.kernels, np.float64), "stacking": self.weights_}
        for readout in self.readouts_:
            arrays |= with_prefix(readout.kind, readout.arrays())
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        config, arrays = state.config, state.arrays
        frequencies = tuple(config["frequencies"])
        classifier = cls(arrays["kernels"], config["readouts"], frequencies, config["classes"])
        classifier.weights_ = arrays["stacking"]
        for readout in classifier.readouts_:
            readout.restore(without_prefix(readout.kind, arrays))
        return classifier

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Fit the readouts on all trials, and their weights on held-out ones."""
        n_classes = len(self.classes_)
        held_out = np.zeros((len(self.readouts), len(targets), n_classes))
        for train, test in inner_folds(targets):
            for index, readout in enumerate(self._new_readouts()):
                readout.fit(take(features, train), targets[train], n_classes)
                held_out[index, test] = readout.log_proba(take(features, test))
        self.weights_ = stacking_weights(held_out, targets)
        self.out_of_fold_ = combine(held_out, self.weights_)
        self.readouts_ = [
            readout.fit(features, targets, n_classes, channel_dropout=channel_dropout)
            for readout in self._new_readouts()
        ]

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        epochs: Floats = np.asarray(X, dtype=np.float64)
        parts = [readout.log_proba_of(epochs, bad) for readout in self.readouts_]
        return combine(np.stack(parts), self.weights_)

    def _new_readouts(self) -> list[Readout]:
        kernels: Floats = np.asarray(self.kernels, dtype=np.float64)
        slow, rhythms = _split_kernels(kernels)
        mirror = find_mirror(self.ch_names, self.classes)
        makers: dict[str, Readout] = {
            PhaseLocked.kind: PhaseLocked(slow),
            TemplateCovariance.kind: TemplateCovariance(slow),
            TimeCourse.kind: TimeCourse(slow),
            BandPower.kind: BandPower(rhythms),
            Imagery.kind: Imagery(rhythms, sides(self.ch_names), mirror),
            StimulusPower.kind: StimulusPower(kernels, tuple(self.frequencies), self.prior),
        }
        return [makers[kind] for kind in self.readouts]


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
