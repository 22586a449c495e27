"""From flashes to symbols: evidence accumulates by Bayes' rule.

The response to a flash is more likely, or less, if the participant attends to a symbol that lit up
in it. The log likelihood ratios of the flashes add up, and a symbol is decided when its posterior
probability is high enough (Throckmorton et al. 2013, "Bayesian approach to dynamically
controlling data collection in P300 spellers").
"""

from __future__ import annotations

import numpy as np
from pydantic import BaseModel, ConfigDict
from scipy.special import logit, softmax

from sjepa_online.errors import InputError
from sjepa_online.typing import BoolMask, FloatArray, Floats

#: Probabilities nearer to 0 or 1 than this are clipped: they are not known that well.
SMALLEST_PROBABILITY = 1e-4


class FlashEvidence(BaseModel):
    """From the probability of a target to the log likelihood ratio: slope * logit + intercept.

    Fitted on flashes that the decoder did not see, so an overconfident decoder counts for less.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    slope: float
    intercept: float

    @classmethod
    def fit(cls, probabilities: FloatArray, is_target: BoolMask) -> FlashEvidence:
        """Fit the line on flashes whose truth is known.

        Logistic regression in which both classes weigh the same gives the log likelihood ratio
        itself, whatever the share of flashes that are targets.

        Parameters
        ----------
        probabilities : ndarray, shape (n,)
            Of a target, for each flash.
        is_target : ndarray of bool, shape (n,)

        Returns
        -------
        FlashEvidence
        """
        from sklearn.linear_model import LogisticRegression

        regression = LogisticRegression(C=1e6, class_weight="balanced")
        regression.fit(_logit(probabilities)[:, np.newaxis], is_target)
        return cls(slope=float(regression.coef_[0, 0]), intercept=float(regression.intercept_[0]))

    def log_likelihood_ratio(self, probability: float) -> float:
        """Return the evidence of one flash for the symbols that lit up in it.

        Parameters
        ----------
        probability : float
            Of a target, as the decoder gives it.

        Returns
        -------
        float
        """
        return self.slope * float(_logit(np.array(probability))) + self.intercept


class SymbolPosterior:
    """Probability of each symbol, given the flashes so far; uniform before the first.

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
            That the attended symbol was among them, as the decoder gives it.

        Raises
        ------
        InputError
            A symbol is not one of the matrix.
        """
        unknown = sorted(set(lit) - set(self.symbols))
        if unknown:
            raise InputError(
                "A flash shows symbols that the decoder's matrix lacks",
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
