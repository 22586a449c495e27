"""The default decoder: pre-local, Riemannian, or their average, chosen within the training trials.

The choice is part of fitting, so a cross-validation around it scores the choice too and is not
optimistic. The average comes first, and another candidate has to be clearly better (the
one-standard-error rule of Breiman et al. 1984): with few trials the differences that
cross-validation sees are mostly noise, and the average of two decoders that err on different
trials is the safer one.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.classifiers.filter_bank import PreLocalClassifier
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.classifiers.stacking import combine, inner_folds, stacking_weights
from sjepa_online.decoding.serialization import (
    FloatArray,
    State,
    Statistics,
    fit_on,
    take,
    with_prefix,
    without_prefix,
)

Floats = NDArray[np.float64]

AVERAGE = "average"
MEMBERS = ("pre-local", "riemann")
#: Which members each candidate uses; the first is kept unless another is clearly better.
CANDIDATES = {AVERAGE: (True, True), "pre-local": (True, False), "riemann": (False, True)}
#: Probabilities below this are taken for it, so that one wrong certainty does not decide.
SMALLEST_PROBABILITY = 1e-9


class AutoClassifier:
    """Choose among two classifiers and the geometric mean of their probabilities.

    Parameters
    ----------
    pre_local : PreLocalClassifier
    riemann : RiemannClassifier
        Of the same classes in the same order.

    Attributes
    ----------
    classes_ : ndarray
    choice_ : str
        ``average``, ``pre-local`` or ``riemann``.
    reason_ : str
        Why, in a sentence.
    """

    def __init__(self, pre_local: PreLocalClassifier, riemann: RiemannClassifier) -> None:
        self._pre_local = pre_local
        self._riemann = riemann
        self._weights: dict[str, Floats] = {}
        self.classes_ = pre_local.classes_
        self.choice_ = AVERAGE
        self.reason_ = ""

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        fit_on(self, self.statistics(X), y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> Floats:
        """Return probabilities ``(n, classes)`` without the channels of the mask ``bad``."""
        weights = self._weights[self.choice_]
        used = np.flatnonzero(CANDIDATES[self.choice_])
        parts = [self._members[index].predict_proba(X, bad) for index in used]
        return combine(_log(np.stack(parts)), weights[used])

    def statistics(self, X: FloatArray) -> Statistics:
        """Return what both members read of each epoch ``(n, channels, samples)``."""
        return self._pre_local.statistics(X) | self._riemann.statistics(X)

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Fit both members, and choose by their predictions of trials that they did not see."""
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        held_out = np.zeros((len(y), len(self.classes_)))
        for train, test in inner_folds(targets):
            self._riemann.fit_statistics(take(statistics, train), y[train], copies=False)
            held_out[test] = self._riemann.predict_statistics(take(statistics, test))
        for member in self._members:
            member.fit_statistics(statistics, y, copies=copies)
        self._choose(_log(np.stack([self._pre_local.out_of_fold_, held_out])), targets)
        return self

    def predict_statistics(self, statistics: Statistics) -> Floats:
        """Return probabilities ``(n, classes)`` of the epochs behind the statistics."""
        return self.candidate_probabilities(statistics)[self.choice_]

    def candidate_probabilities(self, statistics: Statistics) -> dict[str, Floats]:
        """Return the calibrated probabilities ``(n, classes)`` of every candidate."""
        parts = np.stack([member.predict_statistics(statistics) for member in self._members])
        log_probabilities = _log(parts)
        return {
            name: combine(log_probabilities, weights) for name, weights in self._weights.items()
        }

    def to_state(self) -> State:
        """Return both members, the weights, and the choice with its reason."""
        states = dict(zip(MEMBERS, (member.to_state() for member in self._members), strict=True))
        config = {
            "kind": "auto",
            "choice": self.choice_,
            "reason": self.reason_,
            "members": {name: state.config for name, state in states.items()},
        }
        arrays = with_prefix("weights", self._weights)
        for name, state in states.items():
            arrays |= with_prefix(name, state.arrays)
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State) -> AutoClassifier:
        """Build the classifier that :meth:`to_state` describes."""
        parts = {
            name: State(state.config["members"][name], without_prefix(name, state.arrays))
            for name in MEMBERS
        }
        classifier = cls(
            PreLocalClassifier.from_state(parts["pre-local"]),
            RiemannClassifier.from_state(parts["riemann"]),
        )
        weights = without_prefix("weights", state.arrays)
        classifier._weights = {name: weights[name] for name in CANDIDATES}
        classifier.choice_ = state.config["choice"]
        classifier.reason_ = state.config["reason"]
        return classifier

    @property
    def _members(self) -> tuple[PreLocalClassifier, RiemannClassifier]:
        return self._pre_local, self._riemann

    def _choose(self, held_out: Floats, targets: NDArray[np.intp]) -> None:
        """Calibrate every candidate on ``held_out (members, n, classes)``, and choose."""
        # each member gets its own temperature first: an overconfident one must not dominate
        temperatures = np.array([stacking_weights(one[np.newaxis], targets)[0] for one in held_out])
        trials = np.arange(len(targets))
        losses = {}
        for name, members in CANDIDATES.items():
            weights = temperatures * np.array(members)
            joint = np.tensordot(weights, held_out, axes=1)[np.newaxis]
            self._weights[name] = weights * stacking_weights(joint, targets)[0]
            probabilities = combine(held_out, self._weights[name])
            losses[name] = -np.log(probabilities[trials, targets] + SMALLEST_PROBABILITY)
        self.choice_, self.reason_ = choose(losses)


def choose(losses: dict[str, Floats]) -> tuple[str, str]:
    """Keep the first candidate unless another is better by more than one standard error.

    Parameters
    ----------
    losses : dict of str to ndarray, shape (n,)
        Log loss of each held-out trial.

    Returns
    -------
    choice : str
    reason : str
    """
    first, *others = losses
    rival = min(others, key=lambda name: float(losses[name].mean()))
    difference = losses[first] - losses[rival]
    gain = float(difference.mean())
    error = float(difference.std(ddof=1) / np.sqrt(len(difference)))
    told = ", ".join(f"{name} {values.mean():.3f}" for name, values in losses.items())
    if gain > error:
        return rival, (
            f"{rival}: its log loss in cross-validation is lower than that of the {first} by "
            f"{gain:.3f}, more than the standard error of {error:.3f} ({told})"
        )
    return first, (
        f"{first}: no candidate has a log loss in cross-validation that is lower by more than "
        f"one standard error, {error:.3f} ({told})"
    )


def _log(probabilities: FloatArray) -> Floats:
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY))
