"""Flickering targets without a label: other people's weights, and correlations with sines.

The weights read how a person's response differs from the mean of the person's own trials, so they
are aligned by a stretch of signal; the correlations need nothing of the person. The two err on
different trials, and the product of their probabilities decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from sjepa_online.decoding.base import EpochClassifier, Features
from sjepa_online.decoding.classifiers.fbcca import FilterBankCCA
from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.classifiers.stacking import combine
from sjepa_online.decoding.serialization import State, with_prefix, without_prefix
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: Of a class, before its logarithm is taken.
SMALLEST_PROBABILITY = 1e-9
_PARTS = ("filter-bank", "fbcca")


class FlickerPopulation(EpochClassifier):
    """A filter bank that holds other people's weights, and canonical correlations.

    Parameters
    ----------
    filter_bank : FilterBankClassifier
        With the population's weights as its prior.
    fbcca : FilterBankCCA
        Of the same classes.
    """

    kind = "population-flicker"

    def __init__(self, filter_bank: FilterBankClassifier, fbcca: FilterBankCCA) -> None:
        super().__init__(filter_bank.classes)
        self.filter_bank, self.fbcca = filter_bank, fbcca

    @property
    def handles_bad_channels(self) -> bool:
        """True: both parts go on without bad channels."""
        return True

    def features(self, X: FloatArray) -> Features:
        """Return the features of both parts. See :meth:`EpochClassifier.features`."""
        return self.filter_bank.features(X) | self.fbcca.features(X)

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        parts = (self.filter_bank, self.fbcca)
        return _product([one.predict_features(features) for one in parts])

    def align(self, X: FloatArray) -> Self:
        """Align the weights to a person, of whom no label is known.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz, of any classes.

        Returns
        -------
        Self
        """
        self.filter_bank.align(self.filter_bank.features(X))
        return self

    def to_state(self) -> State:
        """Return both parts. See :meth:`EpochClassifier.to_state`."""
        states = [self.filter_bank.to_state(), self.fbcca.to_state()]
        config = {
            "kind": self.kind,
            "parts": {name: one.config for name, one in zip(_PARTS, states, strict=True)},
        }
        return State(config, with_prefix(_PARTS[0], states[0].arrays))

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        filter_bank, fbcca = (
            restore(State(state.config["parts"][name], without_prefix(name, state.arrays)))
            for name in _PARTS
        )
        if not isinstance(filter_bank, FilterBankClassifier) or not isinstance(
            fbcca, FilterBankCCA
        ):
            raise TypeError("its parts are of other kinds")
        return cls(filter_bank, fbcca)

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Align by the epochs; their classes are not read."""
        self.filter_bank.align(features)

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        parts = (self.filter_bank, self.fbcca)
        return _product([one.predict_proba(X, bad) for one in parts])


def _product(probabilities: list[Floats]) -> Floats:
    logarithms = np.log(np.maximum(np.stack(probabilities), SMALLEST_PROBABILITY))
    return combine(logarithms, np.ones(len(probabilities)))
