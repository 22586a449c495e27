"""The decoder that needs no labelled flash: unsupervised mean-difference maximisation.

See :mod:`sjepa_online.decoding.mean_difference` for the algorithm and its source. With labels the
same model is a linear classifier with a structured covariance; what it knows of the response grows
from nothing, over letters that it spelled itself, to labelled flashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from sjepa_online.decoding.lagged_noise import LaggedNoise, decimation
from sjepa_online.decoding.mean_difference import (
    EvidenceModel,
    LetterSums,
    Response,
    UnlabelledSpeller,
    quiet,
    sum_letter,
)
from sjepa_online.decoding.state import FloatArray, State
from sjepa_online.markers import TARGET

Floats = NDArray[np.float64]

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
    lit: NDArray[np.bool_]
    target: int | None = None


class UmmClassifier:
    """Spell letters from unlabelled flashes; classify flashes by the response found so.

    Parameters
    ----------
    classes : sequence
        ``Target`` and ``NonTarget`` in the order of the probabilities.
    n_channels, n_times : int
        Of the epochs, at 128 Hz.
    start : float
        Seconds from a flash to its epoch's first sample.
    """

    def __init__(self, classes: Sequence[Any], n_channels: int, n_times: int, start: float) -> None:
        self.classes_ = np.array(list(classes))
        shape = n_channels, len(decimation(n_times))
        self._speller = UnlabelledSpeller(Response(np.zeros(shape)), n_times, start)
        self._mean: Floats = np.zeros(shape)
        self._share = USUAL_SHARE
        self._flashes: tuple[EvidenceModel, Floats] | None = None

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on labelled flashes ``(n, channels, samples)`` and their class names ``(n,)``."""
        target = np.asarray(y == TARGET)[:, np.newaxis]
        return self.fit_letters([SpelledLetter(X, target, 0)])

    def fit_letters(self, letters: Sequence[SpelledLetter]) -> Self:
        """Fit on letters, of which all, some or none have a label.

        Parameters
        ----------
        letters : sequence of SpelledLetter
            Those without a label are spelled together, and count as far as they are certain.
        """
        known = Response(np.zeros_like(self._speller.known.total))
        self._speller = UnlabelledSpeller(known, self._speller.n_times, self._speller.start)
        for one in letters:
            if one.target is not None:
                sums, noise = sum_letter(one.X, one.lit)
                self._speller.known = self._speller.known.with_letter(sums, one.target)
                self._speller.take_noise(noise)
        for one in letters:
            if one.target is None:
                self._speller.spell(one.X, one.lit)
        self._share = float(np.mean([one.lit.mean() for one in letters]))
        self._fit_flashes(np.concatenate([one.X for one in letters]))
        return self

    def fit_noise(self, X: FloatArray) -> Self:
        """Learn the noise from unlabelled epochs ``(n, channels, samples)`` of any signal."""
        epochs = self._decimated(X)
        self._speller.take_noise(LaggedNoise.fit(quiet(epochs - epochs.mean(axis=0))))
        self._fit_flashes(X)
        return self

    def speller(self) -> UnlabelledSpeller:
        """Return a speller that begins with what is known, and goes on learning by itself."""
        return self._speller.copy()

    def predict_proba(self, X: FloatArray, bad: NDArray[np.bool_] | None = None) -> Floats:
        """Return probabilities ``(n, classes)`` of single flashes.

        Without any letter so far every flash is as probable as the next; estimates stand in for
        bad channels already.
        """
        ratio = np.zeros(len(X))
        if self._flashes is not None:
            model, response = self._flashes
            projected = model.project(self._decimated(X) - self._mean)
            ratio = model.log_ratio(projected, response, self._share)
        target = expit(ratio + logit(np.clip(self._share, 1e-3, 1 - 1e-3)))
        probabilities: Floats = np.where(
            self.classes_ == TARGET, target[:, np.newaxis], 1 - target[:, np.newaxis]
        )
        return probabilities

    def to_state(self) -> State:
        """Return what is known of the response, of the noise, and of the letters so far."""
        speller = self._speller
        config = {
            "kind": "umm",
            "classes": self.classes_.tolist(),
            "n_times": speller.n_times,
            "start": speller.start,
            "share": self._share,
            "n": speller.known.n,
            "n_epochs": 0.0 if speller.noise is None else speller.noise.n_epochs,
            "symbols": speller.symbols,
        }
        arrays: dict[str, NDArray[Any]] = {"total": speller.known.total, "mean": self._mean}
        if speller.noise is not None:
            arrays["noise"] = speller.noise.covariances
        if speller.letters:
            arrays["letter_sums"] = np.stack([letter.sums for letter in speller.letters])
            arrays["letter_weights"] = np.stack([letter.n for letter in speller.letters])
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State) -> UmmClassifier:
        """Build the classifier that :meth:`to_state` describes."""
        config, arrays = state.config, state.arrays
        classifier = cls(
            config["classes"], len(arrays["total"]), config["n_times"], config["start"]
        )
        speller = classifier._speller
        speller.known = Response(arrays["total"], config["n"])
        if "noise" in arrays:
            speller.noise = LaggedNoise(arrays["noise"], config["n_epochs"])
        if "letter_sums" in arrays:
            pairs = zip(arrays["letter_sums"], arrays["letter_weights"], strict=True)
            speller.letters = [LetterSums(sums, n) for sums, n in pairs]
        speller.symbols = list(config["symbols"])
        classifier._mean, classifier._share = arrays["mean"], config["share"]
        classifier._fit_model()
        return classifier

    def _decimated(self, X: FloatArray) -> Floats:
        return np.asarray(X, dtype=np.float64) @ decimation(self._speller.n_times).T

    def _fit_flashes(self, X: FloatArray) -> None:
        """Learn the mean of all flashes, against which each is compared."""
        self._mean = self._decimated(X).mean(axis=0)
        self._fit_model()

    def _fit_model(self) -> None:
        """Find the response by which single flashes are judged."""
        learned = self._speller.learned()
        if self._speller.noise is not None and learned.n > 0:
            model = self._speller.model()
            self._flashes = model, model.response(model.project(learned.total), learned.n)
