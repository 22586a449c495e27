"""The default decoder: filter bank, Riemannian, network, population, or their average.

The choice is part of fitting, so a cross-validation around it scores the choice too and is not
optimistic. The average comes first, and another candidate has to be clearly better (the
one-standard-error rule of Breiman et al. 1984): with few trials the differences that
cross-validation sees are mostly noise, and the average of decoders that err on different
trials is the safer one. Where there is a population, it and the average decide together, each by
the likelihood of the held-out trials (pseudo model averaging, Yao et al. 2018), and with so few
trials that cross-validation says next to nothing the population decides alone, unless the labels
contradict it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self, cast

import numpy as np
from scipy.special import expit

from sjepa_online.decoding.base import EPOCHS, EpochClassifier, Features, take
from sjepa_online.decoding.classifiers.filter_bank import FilterBankClassifier
from sjepa_online.decoding.classifiers.mean_difference import UnlabelledSpeller, decimated
from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
from sjepa_online.decoding.classifiers.riemann import RiemannClassifier
from sjepa_online.decoding.classifiers.stacking import combine, inner_folds, stacking_weights
from sjepa_online.decoding.classifiers.umm import UmmClassifier
from sjepa_online.decoding.serialization import State, with_prefix, without_prefix
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

AVERAGE = "average"
POPULATION = "population"
UMM = "umm"
#: Names of the members; the network and the population may be absent.
MEMBERS = ("filter-bank", "riemann", "pre-local", POPULATION)
#: With fewer labelled trials of a class than this the population decides alone.
LEAST_OWN_TRIALS = 10
#: What files of version 0.1.0 call the filter bank.
_OLD_NAME = "pre-local"
#: Log likelihood that the population is ahead of the average: one wrong trial outweighs it.
ADVANTAGE = 1.0
#: Candidates with a smaller part than this do not decide, and cost nothing.
SMALLEST_SHARE = 0.05
#: Parts of a file may add up to as much more or less than 1.
TOLERANCE = 1e-6
#: Probabilities are raised to this, so that one wrong certainty does not decide.
SMALLEST_PROBABILITY = 1e-9


class AutoClassifier(EpochClassifier):
    """Choose among classifiers and the geometric mean of their probabilities, or share.

    Parameters
    ----------
    filter_bank : FilterBankClassifier
    riemann : RiemannClassifier
    network : PreLocalNetwork or None
    population : EpochClassifier or None
        All of the same classes in the same order; None for who takes no part.
    umm : UmmClassifier or None
        For spellers: learns the response from the labelled flashes, and goes on with the letters
        that it spells. It has a part in the decision on letters, not on single flashes.

    Attributes
    ----------
    shares_ : dict of str to float
        The candidates that decide, ``average`` or members by name, and the part of each.
    reason_ : str
        Why, in a sentence.
    weights_ : dict of str to ndarray, shape (members,)
        Weights of the members' log probabilities in each candidate.
    out_of_fold_ : ndarray, shape (n, classes)
        Probabilities of the training trials, each from members that did not see it.
    """

    kind = "auto"

    def __init__(
        self,
        filter_bank: FilterBankClassifier,
        riemann: RiemannClassifier,
        network: PreLocalNetwork | None = None,
        population: EpochClassifier | None = None,
        umm: UmmClassifier | None = None,
    ) -> None:
        super().__init__(filter_bank.classes)
        self.filter_bank = filter_bank
        self.riemann = riemann
        self.network = network
        self.population = population
        self.umm = umm
        self.adapts = population is not None and population.adapts
        self.weights_: dict[str, Floats] = {}
        self.shares_: dict[str, float] = {AVERAGE: 1.0}
        self.reason_ = ""
        self.out_of_fold_: Floats = np.empty((0, 0))

    @property
    def choice_(self) -> str:
        """The candidate with the largest part: ``average``, or the name of a member."""
        return max(self.shares_, key=lambda name: self.shares_[name])

    @property
    def handles_bad_channels(self) -> bool:
        """True where all members do."""
        return all(member.handles_bad_channels for member in self._members.values())

    @property
    def reason(self) -> str:
        """Why a candidate was chosen, and what the population found, in sentences."""
        return "; ".join((self.reason_, *self.notes))

    @property
    def notes(self) -> tuple[str, ...]:
        """What the population has to tell."""
        return () if self.population is None else self.population.notes

    def adapt(self, X: FloatArray) -> None:
        """Let the population go on with its alignment. See :meth:`EpochClassifier.adapt`."""
        if self.population is not None:
            self.population.adapt(X)

    def for_prefix(self, n_times: int) -> AutoClassifier:
        """Return an unfitted classifier for the beginning of the window, without the network.

        A network for each prefix and fold would train for minutes.

        See :meth:`EpochClassifier.for_prefix`.
        """
        population = self.population
        if population is not None:
            reads = n_times >= population.shortest_prefix
            population = population.for_prefix(n_times) if reads else None
        return AutoClassifier(self.filter_bank.clone(), self.riemann.clone(), None, population)

    def unlabelled_speller(self) -> UnlabelledSpeller | None:
        """Return a speller that begins with the response of the labelled flashes.

        Returns
        -------
        speller : UnlabelledSpeller or None
            It learns on by itself; None where there is no speller to take part.
        """
        return None if self.umm is None else self.umm.speller()

    def features(self, X: FloatArray) -> Features:
        """Return the features of all members. See :meth:`EpochClassifier.features`."""
        merged: Features = {}
        for member in self._members.values():
            merged |= member.features(X)
        return merged

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return self._shared(self.predict_candidates(features))

    def predict_candidates(self, features: Features) -> dict[str, Floats]:
        """Return the calibrated probabilities of every candidate.

        See :meth:`EpochClassifier.predict_candidates`.
        """
        parts = np.stack([one.predict_features(features) for one in self._members.values()])
        log_probabilities = _log(parts)
        return {
            name: combine(log_probabilities, weights) for name, weights in self.weights_.items()
        }

    def to_state(self) -> State:
        """Return the members, the weights, and the choice with its reason.

        See :meth:`EpochClassifier.to_state`.
        """
        states = {name: member.to_state() for name, member in self._members.items()}
        if self.umm is not None:
            states[UMM] = self.umm.to_state()
        config = {
            "kind": self.kind,
            "choice": self.choice_,
            "shares": self.shares_,
            "reason": self.reason_,
            "members": {name: state.config for name, state in states.items()},
        }
        arrays = with_prefix("weights", self.weights_)
        for name, state in states.items():
            arrays |= with_prefix(name, state.arrays)
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        config, arrays = state.config, state.arrays
        is_old = MEMBERS[0] not in config["members"]
        names = [MEMBERS[0] if is_old and one == _OLD_NAME else one for one in config["members"]]
        members = {
            name: restore(State(config["members"][stored], without_prefix(stored, arrays)))
            for name, stored in zip(names, config["members"], strict=True)
        }
        first, second, *others = (cast("Any", members.get(name)) for name in (*MEMBERS, UMM))
        classifier = cls(first, second, *others)
        renamed = {_OLD_NAME: MEMBERS[0]} if is_old else {}
        weights = without_prefix("weights", arrays)
        classifier.weights_ = {renamed.get(name, name): one for name, one in weights.items()}
        # files of before have one candidate that decides
        shares = config.get("shares", {renamed.get(config["choice"], config["choice"]): 1.0})
        classifier.shares_ = _checked(shares, classifier.weights_, len(classifier._members))
        classifier.reason_ = config["reason"]
        return classifier

    @property
    def _members(self) -> dict[str, EpochClassifier]:
        members = (self.filter_bank, self.riemann, self.network, self.population)
        return {name: one for name, one in zip(MEMBERS, members, strict=True) if one is not None}

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Fit the members, and choose by their predictions of trials that they did not see."""
        unseen = {
            name: _out_of_fold(member, features, targets)
            for name, member in self._members.items()
            if not isinstance(member, FilterBankClassifier | PreLocalNetwork)
        }
        for name, member in self._members.items():
            member._fit_targets(features, targets, channel_dropout)
            if isinstance(member, FilterBankClassifier | PreLocalNetwork):
                unseen[name] = member.out_of_fold_
        held_out = _log(np.stack([unseen[name] for name in self._members]))
        self._choose(held_out, targets)
        decided = {name: combine(held_out, self.weights_[name]) for name in self.shares_}
        self.out_of_fold_ = self._shared(decided)
        if self.umm is not None:
            flashes = {EPOCHS: decimated(features[EPOCHS])}
            self.umm._fit_targets(flashes, targets, channel_dropout)

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        needed = np.any([self.weights_[name] for name in self.shares_], axis=0)
        parts = np.ones((len(needed), len(X), len(self.classes_)))
        for part, member, is_needed in zip(parts, self._members.values(), needed, strict=True):
            if is_needed:
                part[:] = member.predict_proba(X, bad)
        log_probabilities = _log(parts)
        return self._shared(
            {name: combine(log_probabilities, self.weights_[name]) for name in self.shares_}
        )

    def _shared(self, probabilities: dict[str, Floats]) -> Floats:
        """Return the mean of what the candidates that decide say, by their parts."""
        parts = [part * probabilities[name] for name, part in self.shares_.items()]
        shared: Floats = np.sum(parts, axis=0)
        return shared

    def _choose(self, held_out: Floats, targets: Indices) -> None:
        """Calibrate every candidate on ``held_out (members, n, classes)``, and choose."""
        # each member gets its own temperature first: an overconfident one must not dominate
        temperatures = np.array([stacking_weights(one[np.newaxis], targets)[0] for one in held_out])
        trials = np.arange(len(targets))
        losses = {}
        members = list(self._members)
        for name, used in candidates(members).items():
            weights = temperatures * np.array(used)
            if name == POPULATION:
                # many people tell how sure it may be, few trials do not
                self.weights_[name] = np.array(used, dtype=np.float64)
            else:
                joint = np.tensordot(weights, held_out, axes=1)[np.newaxis]
                self.weights_[name] = weights * stacking_weights(joint, targets)[0]
            probabilities = combine(held_out, self.weights_[name])
            losses[name] = -np.log(probabilities[trials, targets] + SMALLEST_PROBABILITY)
        fewest = int(np.bincount(targets, minlength=len(self.classes_)).min())
        if self.population is None:
            choice, self.reason_ = choose(losses)
            self.shares_ = {choice: 1.0}
        elif fewest < LEAST_OWN_TRIALS and not self.population.contradicted:
            self.shares_ = {POPULATION: 1.0}
            self.reason_ = (
                f"{POPULATION}: {fewest} labelled trials of a class are fewer than "
                f"{LEAST_OWN_TRIALS}, too few to prefer what they alone teach"
            )
        else:
            advantage = 0.0 if self.population.contradicted else ADVANTAGE
            self.shares_, self.reason_ = share(losses, advantage)


def candidates(members: Sequence[str]) -> dict[str, tuple[bool, ...]]:
    """Return the members that each candidate uses; the average comes first.

    Parameters
    ----------
    members : sequence of str
        Names.

    Returns
    -------
    candidates : dict of str to tuple of bool
        For each candidate, whether each member is part of it.
    """
    alone = {name: tuple(one == name for one in members) for name in members}
    return {AVERAGE: (True,) * len(members), **alone}


def share(losses: dict[str, Floats], advantage: float) -> tuple[dict[str, float], str]:
    """Let the population and the average decide together, by the likelihood of held-out trials.

    Parameters
    ----------
    losses : dict of str to ndarray, shape (n,)
        Log loss of each held-out trial, for the population, the average and others.
    advantage : float
        Log likelihood that the population is given before the first trial.

    Returns
    -------
    shares : dict of str to float
        Parts of at least ``SMALLEST_SHARE``; they add up to 1.
    reason : str
    """
    ahead = float(losses[POPULATION].sum() - losses[AVERAGE].sum())
    of_average = float(expit(ahead - advantage))
    if of_average < SMALLEST_SHARE or of_average > 1 - SMALLEST_SHARE:
        of_average = float(round(of_average))
    both = {POPULATION: 1 - of_average, AVERAGE: of_average}
    shares = {name: part for name, part in both.items() if part}
    shown = ", ".join(f"{name} {values.mean():.3f}" for name, values in losses.items())
    names = sorted(shares, key=lambda name: -shares[name])
    parts = " and ".join(f"{shares[name]:.2f}" for name in names)
    told = "decides alone" if len(names) == 1 else f"decide with weights of {parts}"
    chosen = " and ".join(names)
    return shares, f"{chosen}: {told}, by the log loss in cross-validation ({shown})"


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


def _checked(
    shares: dict[str, float], weights: dict[str, Floats], n_members: int
) -> dict[str, float]:
    """Return the shares of a file, if they are parts of candidates and add up to 1."""
    known = {name for name, one in weights.items() if one.shape == (n_members,)}
    are_parts = (
        isinstance(shares, dict)
        and shares.keys() <= known
        and all(isinstance(part, float | int) and part > 0 for part in shares.values())
        and abs(sum(shares.values()) - 1) < TOLERANCE
    )
    if not are_parts:
        raise ValueError(
            f"{shares!r} are no parts that add up to 1 of what has weights for "
            f"{n_members} members: {', '.join(sorted(known)) or 'nothing'}"
        )
    return shares


def _out_of_fold(member: EpochClassifier, features: Features, targets: Indices) -> Floats:
    """Return the probabilities of the training trials, each without having seen it."""
    held_out = np.zeros((len(targets), len(member.classes_)))
    for train, test in inner_folds(targets):
        member._fit_targets(take(features, train), targets[train], False)
        held_out[test] = member.predict_features(take(features, test))
    return held_out


def _log(probabilities: FloatArray) -> Floats:
    return np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), SMALLEST_PROBABILITY))
