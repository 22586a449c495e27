"""The Riemannian baselines that labs use today, in the form that suits each paradigm.

They are the readouts of the filter bank with the electrodes in the place of virtual channels and a
kernel that passes everything.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from sjepa_online.decoding.base import EpochClassifier, Features
from sjepa_online.decoding.classifiers.readouts.base import Readout
from sjepa_online.decoding.classifiers.readouts.power import BandPower, SecondOrder, StimulusPower
from sjepa_online.decoding.classifiers.readouts.responses import TemplateCovariance
from sjepa_online.decoding.features.spatial_filters import MAX_RESPONSE, MAX_VIRTUAL, SHRINKAGE
from sjepa_online.decoding.serialization import State
from sjepa_online.protocol import Paradigm
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: The convolution that leaves a signal as it is.
IDENTITY: Floats = np.ones((1, 1))


class _Electrodes(SecondOrder):
    """Reads the electrodes themselves, or virtual channels where there are many."""

    #: Electrodes above this number become as many virtual channels.
    most: ClassVar[int] = MAX_VIRTUAL

    def _convolve(self, X: Floats, stride: int = 1) -> Floats:
        return X[:, np.newaxis]

    def _spatial_filter(self, covariance: Floats, matrices: Floats) -> Floats:
        if len(covariance) <= self.most:
            return np.eye(len(covariance))
        return super()._spatial_filter(covariance, matrices)


class RhythmCovariances(_Electrodes, BandPower):
    """Covariances in overlapping bands (filter-bank tangent space)."""

    kind = "riemann"


class StimulusCovariances(_Electrodes, StimulusPower):
    """Cross-spectra at each stimulus frequency and its second harmonic."""

    kind = "riemann"
    most = MAX_RESPONSE
    shrinkage = SHRINKAGE

    def __init__(self, frequencies: tuple[float, ...]) -> None:
        super().__init__(IDENTITY, frequencies)
        self.kernels = IDENTITY


class ResponseCovariances(TemplateCovariance):
    """Covariances of the trial with the classes' xDAWN responses (Barachant 2014)."""

    kind = "riemann"
    power = "riemann"

    def _convolve(self, X: Floats, stride: int = 1) -> Floats:
        return X[:, np.newaxis]

    def _covariances(self, filtered: Floats) -> Floats:
        from pyriemann.geometry.covariance import covariances_EP

        matrices: Floats = covariances_EP(filtered[:, 0], self.templates[0], estimator="lwf")
        return matrices[:, np.newaxis]


class RiemannClassifier(EpochClassifier):
    """Covariances, tangent space at their Riemannian mean, logistic regression.

    Many electrodes are first reduced to 16 (``ssvep``) or 24 (``mi``) virtual channels: the
    tangent space of all has more dimensions than a calibration can estimate.

    Parameters
    ----------
    paradigm : {"ssvep", "erp", "mi"}
    frequencies : tuple of float
        Stimulus frequencies (Hz), for ``ssvep``.
    classes : sequence
        Classes in the order of the probabilities.
    """

    kind = "riemann"

    def __init__(
        self, paradigm: Paradigm, frequencies: tuple[float, ...], classes: Sequence[Any]
    ) -> None:
        super().__init__(classes)
        self.paradigm = paradigm
        self.frequencies = frequencies
        self.readout_ = self._new_readout()

    @property
    def handles_bad_channels(self) -> bool:
        """True: the spatial filter goes on without bad channels."""
        return True

    def features(self, X: FloatArray) -> Features:
        """Return the covariances of each epoch. See :meth:`EpochClassifier.features`."""
        return self.readout_.features(np.asarray(X, dtype=np.float64))

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return np.exp(self.readout_.log_proba(features))

    def to_state(self) -> State:
        """Return the fitted arrays. See :meth:`EpochClassifier.to_state`."""
        config = {
            "kind": self.kind,
            "paradigm": self.paradigm,
            "frequencies": list(self.frequencies),
            "classes": self.classes_.tolist(),
        }
        return State(config, self.readout_.arrays())

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        config = state.config
        classifier = cls(config["paradigm"], tuple(config["frequencies"]), config["classes"])
        arrays = {"kernels": IDENTITY, **state.arrays}
        if config["paradigm"] == "erp" and "templates" not in arrays:
            # files of version 0.1.0
            arrays["templates"] = arrays["evoked"][np.newaxis]
        classifier.readout_.restore(arrays)
        return classifier

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        self.readout_ = self._new_readout().fit(
            features, targets, len(self.classes_), channel_dropout=channel_dropout
        )

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        return np.exp(self.readout_.log_proba_of(np.asarray(X, dtype=np.float64), bad))

    def _new_readout(self) -> Readout:
        if self.paradigm == "ssvep":
            return StimulusCovariances(self.frequencies)
        if self.paradigm == "mi":
            return RhythmCovariances(IDENTITY)
        return ResponseCovariances(IDENTITY)
