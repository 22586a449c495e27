"""The decoder that needs no labelled flash: unsupervised mean-difference maximisation.

See :mod:`sjepa_online.decoding.classifiers.mean_difference` for the algorithm and its source. With
labels the same model is a linear classifier with a structured covariance; what it knows of the
response grows from nothing, over letters that it spelled itself, to labelled flashes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.special import expit, logit

from sjepa_online.decoding.base import EPOCHS, EpochClassifier, Features
from sjepa_online.decoding.classifiers.mean_difference import (
    EvidenceModel,
    LetterSums,
    Response,
    UnlabelledSpeller,
    decimated,
    quiet,
    sum_epochs,
)
from sjepa_online.decoding.features.lagged_noise import LaggedNoise
from sjepa_online.decoding.serialization import State
from sjepa_online.markers import TARGET
from sjepa_online.typing import AnyArray, BoolMask, FloatArray, Floats, Indices

#: Share of targets where nothing tells it: a row and a column of twelve.
USUAL_SHARE = 1 / 6


@dataclass(frozen=True, eq=False)
class SpelledLetter:
    """The epochs of one letter's flashes.

    Attributes
    ----------
    X : ndarray, shape (flashes, channels, samples)
        µV at 128 Hz.
    lit : ndarray of bool, shape (flashes, symbols)
        Which symbols lit up in each flash.
    target : int or None
        Which symbol was attended, where its label may be used.
    """

    X: FloatArray
    lit: BoolMask
    target: int | None = None


class UmmClassifier(EpochClassifier):
    """Spell letters from unlabelled flashes; classify flashes by the response found so.

    Parameters
    ----------
    classes : sequence
        Two classes; ``Target``, or else the first, is that of the attended flashes.
    start : float
        Seconds from a flash to its epoch's first sample.
    prior : ndarray, shape (channels, samples), or None
        The response of other people; see :class:`UnlabelledSpeller`.
    """

    kind = "umm"

    def __init__(
        self, classes: Sequence[Any], start: float = 0.0, prior: Floats | None = None
    ) -> None:
        super().__init__(classes)
        self.start = start
        self.prior = prior
        self.speller_ = UnlabelledSpeller(Response(), start, prior)
        self.mean_: Floats = np.zeros((1, 1))
        self.share_ = USUAL_SHARE
        self._flashes: tuple[EvidenceModel, Floats] | None = None

    def features(self, X: FloatArray) -> Features:
        """Return the epochs at 32 Hz. See :meth:`EpochClassifier.features`."""
        return {EPOCHS: decimated(X)}

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities.

        See :meth:`EpochClassifier.predict_features`.

        Without any letter so far every flash is as probable as the next.
        """
        epochs = features[EPOCHS]
        ratio = np.zeros(len(epochs))
        if self._flashes is not None:
            model, response = self._flashes
            ratio = model.log_ratio(model.project(epochs - self.mean_), response, self.share_)
        target = expit(ratio + logit(np.clip(self.share_, 1e-3, 1 - 1e-3)))
        is_target = np.arange(len(self.classes_)) == self._target
        probabilities: Floats = np.where(
            is_target, target[:, np.newaxis], 1 - target[:, np.newaxis]
        )
        return probabilities

    def fit_letters(self, letters: Sequence[SpelledLetter]) -> Self:
        """Fit on letters, of which all, some or none have a label.

        Parameters
        ----------
        letters : sequence of SpelledLetter
            Those without a label are spelled together, and count as far as they are certain.

        Returns
        -------
        Self
        """
        self._fit_decimated([(decimated(one.X), one.lit, one.target) for one in letters])
        return self

    def fit_noise(self, X: FloatArray) -> Self:
        """Learn the noise from unlabelled epochs of any signal.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            µV at 128 Hz.

        Returns
        -------
        Self
        """
        epochs = decimated(X)
        self.speller_.take_noise(LaggedNoise.fit(quiet(epochs - epochs.mean(axis=0))))
        self._fit_flashes(epochs)
        return self

    def speller(self) -> UnlabelledSpeller:
        """Return a speller that begins with this response and noise, and learns on by itself.

        Returns
        -------
        speller : UnlabelledSpeller
        """
        return self.speller_.copy()

    def to_state(self) -> State:
        """Return the response, the noise, and the letters so far.

        See :meth:`EpochClassifier.to_state`.
        """
        speller = self.speller_
        noise = speller.noise
        config = {
            "kind": self.kind,
            "classes": self.classes_.tolist(),
            "start": self.start,
            "share": self.share_,
            "n": speller.known.n,
            "n_epochs": 0.0 if noise is None else noise.n_epochs,
            "n_samples": 0 if noise is None else noise.n_samples,
            "symbols": speller.symbols,
        }
        arrays: dict[str, AnyArray] = {"total": speller.known.total, "mean": self.mean_}
        if self.prior is not None:
            arrays["prior"] = self.prior
        if noise is not None:
            arrays["noise"] = noise.covariances
        if speller.letters:
            arrays["letter_sums"] = np.stack([letter.sums for letter in speller.letters])
            arrays["letter_weights"] = np.stack([letter.n for letter in speller.letters])
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        config, arrays = state.config, state.arrays
        classifier = cls(config["classes"], config["start"], arrays.get("prior"))
        speller = classifier.speller_
        speller.known = Response(arrays["total"], config["n"])
        if "noise" in arrays:
            speller.noise = LaggedNoise(arrays["noise"], config["n_epochs"], config["n_samples"])
        if "letter_sums" in arrays:
            pairs = zip(arrays["letter_sums"], arrays["letter_weights"], strict=True)
            speller.letters = [LetterSums(sums, n) for sums, n in pairs]
        speller.symbols = list(config["symbols"])
        classifier.mean_, classifier.share_ = arrays["mean"], config["share"]
        classifier._fit_model()
        return classifier

    @property
    def _target(self) -> int:
        """Index of the class of the attended flashes."""
        names = self.classes_.tolist()
        return names.index(TARGET) if TARGET in names else 0

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        lit = (targets == self._target)[:, np.newaxis]
        self._fit_decimated([(features[EPOCHS], lit, 0)])

    def _fit_decimated(self, letters: Sequence[tuple[Floats, BoolMask, int | None]]) -> None:
        """Fit on letters: epochs, the symbols that lit up, and the attended one where known."""
        self.speller_ = UnlabelledSpeller(Response(), self.start, self.prior)
        self._flashes = None
        for epochs, lit, target in letters:
            if target is not None:
                sums, noise = sum_epochs(epochs, lit)
                self.speller_.known = self.speller_.known.with_letter(sums, target)
                self.speller_.take_noise(noise)
        for epochs, lit, target in letters:
            if target is None:
                self.speller_.spell_epochs(epochs, lit)
        self.share_ = float(np.mean([lit.mean() for _, lit, _ in letters]))
        self._fit_flashes(np.concatenate([epochs for epochs, _, _ in letters]))

    def _fit_flashes(self, epochs: Floats) -> None:
        """Learn the mean of all flashes, against which each is compared."""
        self.mean_ = epochs.mean(axis=0)
        self._fit_model()

    def _fit_model(self) -> None:
        """Find the response by which single flashes are judged."""
        learned = self.speller_.learned()
        if self.speller_.noise is not None and learned.n > 0:
            model = self.speller_.model()
            self._flashes = model, model.response(model.project(learned.total), learned.n)
