"""From flashes to symbols: evidence accumulates by Bayes' rule.

Each flash says of the symbols that lit up how much more likely its response is if one of them is
attended to. The flashes' evidence adds up in the logarithm, and the posterior of the symbols tells
when it is enough (Throckmorton et al. 2013, "Bayesian approach to dynamically controlling data
collection in P300 spellers").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import logit, softmax

from sjepa_online.decoding.serialization import FloatArray
from sjepa_online.errors import InputError

Floats = NDArray[np.float64]

#: Probabilities nearer to 0 or 1 than this are no better known.
SMALLEST_PROBABILITY = 1e-4


class FlashEvidence(BaseModel):
    """What the probability of a target says: log likelihood ratio = slope * logit + intercept.

    Fitted on flashes that the decoder did not see, so an overconfident decoder counts for less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slope: float
    intercept: float

    @classmethod
    def fit(cls, probabilities: FloatArray, is_target: NDArray[np.bool_]) -> FlashEvidence:
        """Fit on probabilities of a target ``(n,)`` and the truth ``(n,)``.

        Logistic regression in which both classes weigh the same gives the log likelihood ratio
        itself, free of how often targets flash.
        """
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(C=1e6, class_weight="balanced")
        regression.fit(_logit(probabilities)[:, np.newaxis], is_target)
        return cls(slope=float(regression.coef_[0, 0]), intercept=float(regression.intercept_[0]))

    def log_likelihood_ratio(self, probability: float) -> float:
        """Return the evidence of one flash for the symbols that lit up in it."""
        return self.slope * float(_logit(np.array(probability))) + self.intercept


class SymbolPosterior:
    """Probability of each symbol, given the flashes so far; all are alike before the first.

    Parameters
    ----------
    symbols : str
        One character a symbol.
    evidence : FlashEvidence
    """

    def __init__(self, symbols: str, evidence: FlashEvidence) -> None:
        self.symbols = symbols
        self.n_flashes = 0
        self._evidence = evidence
        self._logarithms: Floats = np.zeros(len(symbols))

    def update(self, lit: str, probability: float) -> None:
        """Take in a flash.

        Parameters
        ----------
        lit : str
            The symbols that lit up.
        probability : float
            That the attended symbol was among them, as the decoder says.

        Raises
        ------
        InputError
            A symbol is not one of the matrix.
        """
        unknown = sorted(set(lit) - set(self.symbols))
        if unknown:
            raise InputError(
                "Flashes show symbols of the decoder's matrix",
                value=" ".join(unknown),
                remedy=f"Show these, or calibrate with another matrix: {self.symbols}",
            )
        among = np.array([symbol in lit for symbol in self.symbols])
        self._logarithms[among] += self._evidence.log_likelihood_ratio(probability)
        self.n_flashes += 1

    @property
    def probabilities(self) -> Floats:
        """Probability of each symbol, ``(symbols,)``."""
        result: Floats = softmax(self._logarithms)
        return result

    @property
    def best(self) -> tuple[str, float]:
        """The most probable symbol and its probability."""
        probabilities = self.probabilities
        index = int(np.argmax(probabilities))
        return self.symbols[index], float(probabilities[index])


def _logit(probabilities: FloatArray) -> Floats:
    result: Floats = logit(np.clip(probabilities, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))
    return result
