"""The default decoder: filter bank, Riemannian, or their average, as the training trials say.

The choice is part of fitting, so a cross-validation around it scores the choice too and is not
optimistic. The average comes first, and another candidate has to be clearly better (the
one-standard-error rule of Breiman et al. 1984): with few trials the differences that
cross-validation sees are mostly noise, and the average of two decoders that err on different
trials is the safer one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import numpy as np

from sjepa_online.decoding.base import EpochClassifier, Features, take
from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.classifiers.stacking import combine, inner_folds, stacking_weights
from sjepa_online.decoding.serialization import State, with_prefix, without_prefix
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

AVERAGE = "average"
MEMBERS = ("filter-bank", "riemann")
#: Which members each candidate uses; the first is kept unless another is clearly better.
CANDIDATES = {AVERAGE: (True, True), "filter-bank": (True, False), "riemann": (False, True)}
#: What files of version 0.1.0 call the filter bank.
_OLD_NAME = "pre-local"
#: Probabilities are raised to this, so that one wrong certainty does not decide.
SMALLEST_PROBABILITY = 1e-9


class AutoClassifier(EpochClassifier):
    """Choose among two classifiers and the geometric mean of their probabilities.

    Parameters
    ----------
    filter_bank : FilterBankClassifier
    riemann : RiemannClassifier
        Of the same classes in the same order.

    Attributes
    ----------
    choice_ : str
        ``average``, ``filter-bank`` or ``riemann``.
    reason_ : str
        Why, in a sentence.
    weights_ : dict of str to ndarray, shape (2,)
        Weights of the members' log probabilities in each candidate.
    """

    kind = "auto"

    def __init__(self, filter_bank: FilterBankClassifier, riemann: RiemannClassifier) -> None:
        super().__init__(filter_bank.classes)
        self.filter_bank = filter_bank
        self.riemann = riemann
        self.weights_: dict[str, Floats] = {}
        self.choice_ = AVERAGE
        self.reason_ = ""

    @property
    def handles_bad_channels(self) -> bool:
        """True where both members do."""
        return all(member.handles_bad_channels for member in self._members)

    @property
    def reason(self) -> str:
        """Why a candidate was chosen, in a sentence."""
        return self.reason_

    def features(self, X: FloatArray) -> Features:
        """Return what both members read; see :meth:`EpochClassifier.features`."""
        return self.filter_bank.features(X) | self.riemann.features(X)

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities; see :meth:`EpochClassifier.predict_features`."""
        return self.predict_candidates(features)[self.choice_]

    def predict_candidates(self, features: Features) -> dict[str, Floats]:
        """Return the calibrated probabilities of every candidate; see the base class."""
        parts = np.stack([member.predict_features(features) for member in self._members])
        log_probabilities = _log(parts)
        return {
            name: combine(log_probabilities, weights) for name, weights in self.weights_.items()
        }

    def to_state(self) -> State:
        """Return both members, the weights, and the choice with its reason."""
        states = dict(zip(MEMBERS, (member.to_state() for member in self._members), strict=True))
        config = {
            "kind": self.kind,
            "choice": self.choice_,
            "reason": self.reason_,
            "members": {name: state.config for name, state in states.items()},
        }
        arrays = with_prefix("weights", self.weights_)
        for name, state in states.items():
            arrays |= with_prefix(name, state.arrays)
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state; see :meth:`EpochClassifier.from_state`."""
        config, arrays = state.config, state.arrays
        stored = {
            name: _OLD_NAME if name == MEMBERS[0] and _OLD_NAME in config["members"] else name
            for name in CANDIDATES
        }
        filter_bank, riemann = (
            State(config["members"][stored[name]], without_prefix(stored[name], arrays))
            for name in MEMBERS
        )
        classifier = cls(
            FilterBankClassifier.from_state(filter_bank, restore),
            RiemannClassifier.from_state(riemann, restore),
        )
        weights = without_prefix("weights", arrays)
        classifier.weights_ = {name: weights[stored[name]] for name in CANDIDATES}
        classifier.choice_ = {old: name for name, old in stored.items()}[config["choice"]]
        classifier.reason_ = config["reason"]
        return classifier

    @property
    def _members(self) -> tuple[FilterBankClassifier, RiemannClassifier]:
        return self.filter_bank, self.riemann

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Fit both members, and choose by their predictions of trials that they did not see."""
        held_out = np.zeros((len(targets), len(self.classes_)))
        for train, test in inner_folds(targets):
            self.riemann._fit_targets(take(features, train), targets[train], False)
            held_out[test] = self.riemann.predict_features(take(features, test))
        for member in self._members:
            member._fit_targets(features, targets, channel_dropout)
        self._choose(_log(np.stack([self.filter_bank.out_of_fold_, held_out])), targets)

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        used = np.flatnonzero(CANDIDATES[self.choice_])
        parts = [self._members[index].predict_proba(X, bad) for index in used]
        return combine(_log(np.stack(parts)), self.weights_[self.choice_][used])

    def _choose(self, held_out: Floats, targets: Indices) -> None:
        """Calibrate every candidate on ``held_out (members, n, classes)``, and choose."""
        # each member gets its own temperature first: an overconfident one must not dominate
        temperatures = np.array([stacking_weights(one[np.newaxis], targets)[0] for one in held_out])
        trials = np.arange(len(targets))
        losses = {}
        for name, members in CANDIDATES.items():
            weights = temperatures * np.array(members)
            joint = np.tensordot(weights, held_out, axes=1)[np.newaxis]
            self.weights_[name] = weights * stacking_weights(joint, targets)[0]
            probabilities = combine(held_out, self.weights_[name])
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
    shown = ", ".join(f"{name} {values.mean():.3f}" for name, values in losses.items())
    if gain > error:
        return rival, (
            f"{rival}: its log loss in cross-validation is lower than that of the {first} by "
            f"{gain:.3f}, more than the standard error of {error:.3f} ({shown})"
        )
    return first, (
        f"{first}: no candidate has a log loss in cross-validation that is lower by more than "
        f"one standard error, {error:.3f} ({shown})"
    )


def _log(probabilities: FloatArray) -> Floats:
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY))
