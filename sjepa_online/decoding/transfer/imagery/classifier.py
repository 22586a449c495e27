"""A decoder of imagery that other people's recordings trained, for a new person.

Without a label it is aligned to the person by trials of which only the signal is known. Labelled
trials change its weights by as much as they support. While decoding, the alignment goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import binomtest

from sjepa_online.decoding.base import EpochClassifier, Features
from sjepa_online.decoding.serialization import State
from sjepa_online.decoding.transfer.fingerprint import KnownTrials
from sjepa_online.decoding.transfer.imagery.aligned_networks import AlignedNetworks
from sjepa_online.decoding.transfer.imagery.alignment import MEMORY, Alignment, mean_covariance
from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.population import (
    ImageryPopulation,
    ImageryPopulationConfig,
    right_class,
)
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import seconds_of
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.shrunken_weights import change_of_weights
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.errors import InputError
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices, Labels

Floats32 = NDArray[np.float32]

SIGNALS, COVARIANCES = "rhythms", "rhythm_covariances"
#: So many trials with a mean logit of zero are assumed before the first trial.
BIAS_PRIOR_TRIALS = 5.0
#: The mean logit that is subtracted never exceeds this.
MAX_BIAS = 1.5
#: From so many trials on the person's own covariance estimates bad channels.
TRIALS_FOR_OWN_COVARIANCE = 10
#: From so many trials on the spread of the logits tells whether the person resembles others.
TRIALS_FOR_DOUBT = 8
#: Labels as far below chance as this, by a binomial test, contradict the population.
CONTRADICTION = 0.01
#: How the note begins that tells of it.
CONTRADICTED = "the labels contradict the population"


class PopulationClassifier(EpochClassifier):
    """Decode left and right imagery by a population, from no label to many.

    Parameters
    ----------
    population : ImageryPopulation
    ch_names : sequence of str
        Channels of the epochs. Those of the population are read, all others have no part.
    classes : sequence of str
        Left and right, in the order of the probabilities.
    adapts : bool
        Whether :meth:`adapt` has an effect.
    by_position : bool
        Whether electrodes beside those that the montage lacks serve for them.

    Attributes
    ----------
    montage : MontageMatch
        Which electrodes are read.
    classes_ : ndarray
    notes_ : tuple of str
        What the last fit found, in sentences.
    n_aligned_ : int
        Trials that the alignment has seen.

    Raises
    ------
    InputError
        Too few electrodes in common, or the classes are not left and right.
    """

    kind = "population-imagery"

    def __init__(
        self,
        population: ImageryPopulation,
        ch_names: Sequence[str],
        classes: Sequence[str],
        *,
        adapts: bool = True,
        by_position: bool = True,
    ) -> None:
        super().__init__(classes)
        self.ch_names, self.adapts, self.by_position = ch_names, adapts, by_position
        self._right = right_class([str(name) for name in classes])
        self.montage = population.match(ch_names, by_position=by_position)
        self.population = population.for_montage(self.montage)
        completion = Completion(population.covariances, self.montage.nearby)
        self._estimate = completion.estimate(self.montage.there)
        self._start()

    @property
    def handles_bad_channels(self) -> bool:
        """True: bad channels are estimated as the calibration's covariance expects them."""
        return True

    @property
    def shortest_window(self) -> int:
        """Samples that hold every window of the networks."""
        return self.population.shortest_window

    @property
    def shortest_prefix(self) -> int:
        """Samples that hold one window of every network."""
        return self.population.shortest_prefix

    def for_prefix(self, n_times: int) -> PopulationClassifier:
        """Return an unfitted classifier by the first windows.

        See :meth:`EpochClassifier.for_prefix`.
        """
        population = self.population.for_window(self.population.config.window_start, n_times)
        return PopulationClassifier(
            population,
            self.ch_names,
            self.classes,
            adapts=self.adapts,
            by_position=self.by_position,
        )

    @property
    def reason(self) -> str:
        """What the last fit found, in sentences."""
        return "; ".join(self.notes_)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last fit found, in sentences."""
        return self.notes_

    @property
    def contradicted(self) -> bool:
        """Whether labels agree with the population far less than by chance."""
        return any(note.startswith(CONTRADICTED) for note in self.notes_)

    def fit(
        self, X: FloatArray, y: Labels | None = None, unlabelled: FloatArray | None = None
    ) -> Self:
        """Align to a person, and learn from labels where there are any.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        y : ndarray, shape (n,), or None
            Their classes; None where they are not known.
        unlabelled : ndarray, shape (m, channels, samples), or None
            Further epochs of the person, which align only.

        Raises
        ------
        InputError
            The population was trained on these very trials, a class is unknown, or the epochs
            are too short.
        """
        features = self.features(X)
        more = None if unlabelled is None else self.features(unlabelled)
        is_right = None if y is None else self._is_right(self._targets(np.asarray(y)))
        return self._fit(features, is_right, more)

    def features(self, X: FloatArray) -> Features:
        """Return epochs in the band of the rhythms, and their covariances.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Returns
        -------
        features : dict of str to ndarray
            The arrays of :class:`RhythmTrials`, on the electrodes that the montage has.

        Raises
        ------
        InputError
            The population was trained on these very trials.
        """
        self.refuse_known_people(X)
        trials = self._trials(X)
        return {SIGNALS: trials.signals, COVARIANCES: trials.covariances}

    def refuse_known_people(self, X: FloatArray) -> None:
        """Refuse trials of people of whom the population was made.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Raises
        ------
        InputError
            The population was trained on these very trials.
        """
        known = self.population.people_among(X, self.ch_names)
        if known:
            raise InputError(
                "The population was trained on these very trials",
                value=f"the signal is that of {', '.join(known)}",
                remedy="Decode another person, make a population without this one, or calibrate "
                "with labelled trials and `--population none`.",
            )

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return self._probabilities(_of(features), None)

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        return self._probabilities(self._trials(X), bad)

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        self._fit(features, self._is_right(targets), None)

    def _fit(
        self,
        features: Features,
        is_right: NDArray[np.bool_] | None,
        unlabelled: Features | None,
    ) -> Self:
        """Align to all trials, and learn from those with labels."""
        self._start()
        parts = [features] if unlabelled is None else [unlabelled, features]
        trials = RhythmTrials.join([_of(one) for one in parts])
        if not len(trials):
            return self
        self._align(trials)
        ratios = self._networks.features(trials)
        centre = _centre(ratios, None if unlabelled else is_right)
        self._bias_weight = BIAS_PRIOR_TRIALS + len(ratios)
        self._notes(ratios - centre, is_right)
        if is_right is not None and len(is_right):
            self._learn(ratios[-len(is_right) :] - centre, is_right)
        mean = float(centre @ self._weights)
        self._bias = _bounded(mean * len(ratios) / self._bias_weight)
        return self

    def adapt(self, X: FloatArray) -> None:
        """Go on aligning with epochs whose classes are not known.

        One epoch after the other is taken in, so that it makes no difference how they are
        grouped. Old trials fade; the mean of the logits, which is subtracted, is bounded.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        """
        if not self.adapts:
            return
        trials = self._trials(X)
        for index in range(len(trials)):
            trial = trials[index : index + 1]
            self._align(trial)
            logit = float(self._networks.features(trial)[0] @ self._weights)
            self._bias_weight = min(self._bias_weight + 1, MEMORY)
            self._bias = _bounded(self._bias + (logit - self._bias) / self._bias_weight)

    def to_state(self) -> State:
        """Return what :meth:`from_state` needs to predict as this object does.

        Returns
        -------
        state : State
            Settings and arrays.
        """
        network = self.population.network
        arrays: dict[str, NDArray[Any]] = {
            "spatial": network.spatial,
            "scale": network.scale,
            "network_weights": network.weights,
            "kernels": self.population.kernels,
            "covariances": self.population.covariances,
            "own_covariances": self._own_covariances,
            "alignment": self._alignment.mean,
            "weights": self._weights,
        }
        if self.population.spatiotemporal is not None:
            arrays |= self.population.spatiotemporal.arrays
        config = {
            "kind": self.kind,
            "classes": [str(name) for name in self.classes_],
            "ch_names": list(self.ch_names),
            "adapts": self.adapts,
            "by_position": self.by_position,
            "population": self.population.config.model_dump(mode="json"),
            "alignment_weight": self._alignment.weight,
            "n_aligned": self.n_aligned_,
            "intercept": self._intercept,
            "bias": self._bias,
            "bias_weight": self._bias_weight,
            "notes": list(self.notes_),
        }
        return State(config, arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state, which knows no fingerprints any more.

        See :meth:`EpochClassifier.from_state`.
        """
        config, arrays = state.config, state.arrays
        described = ImageryPopulationConfig.model_validate(config["population"])
        network = PowerNetwork(arrays["spatial"], arrays["scale"], arrays["network_weights"])
        population = ImageryPopulation(
            described,
            network,
            arrays["kernels"],
            arrays["covariances"],
            KnownTrials.none(described.ch_names),
            SpatioTemporalNetwork.read(arrays),
        )
        # a file that does not tell was calibrated by names alone
        by_position = config.get("by_position", False)
        made = cls(
            population,
            config["ch_names"],
            config["classes"],
            adapts=config["adapts"],
            by_position=by_position,
        )
        made._alignment = Alignment(arrays["alignment"], config["alignment_weight"])
        made._own_covariances = arrays["own_covariances"]
        made._weights, made._intercept = arrays["weights"], float(config["intercept"])
        made._bias, made._bias_weight = float(config["bias"]), float(config["bias_weight"])
        made.n_aligned_, made.notes_ = int(config["n_aligned"]), tuple(config["notes"])
        made._refresh()
        return made

    def _start(self) -> None:
        """Forget the person."""
        population = self.population
        self._alignment = Alignment(np.asarray(population.covariances, np.float64).mean(axis=0))
        self._own_covariances = np.asarray(population.covariances, dtype=np.float32)
        self._weights = population.flat_weights
        self._intercept, self._bias, self._bias_weight = 0.0, 0.0, BIAS_PRIOR_TRIALS
        self.n_aligned_ = 0
        self.notes_: tuple[str, ...] = ()
        self._refresh()

    def _refresh(self) -> None:
        self._networks = self.population.aligned(self._alignment.whitening, self._estimate)
        self._without: tuple[Indices, AlignedNetworks] | None = None

    def _networks_without(self, good: Indices) -> AlignedNetworks:
        """Return the networks for some of the electrodes; the last ones are kept for the next."""
        if self._without is None or not np.array_equal(self._without[0], good):
            there = np.zeros_like(self.montage.there)
            there[self.montage.places[good]] = True
            completion = Completion(self._own_covariances, self.montage.nearby)
            networks = self.population.aligned(
                self._alignment.whitening, completion.estimate(there)
            )
            self._without = good, networks
        return self._without[1]

    def _align(self, trials: RhythmTrials) -> None:
        covariances = self._estimate.complete(trials).covariances
        self._alignment.update(mean_covariance(covariances))
        self.n_aligned_ += len(trials)
        if len(trials) >= TRIALS_FOR_OWN_COVARIANCE:
            self._own_covariances = covariances.mean(axis=(0, 2))
        self._refresh()

    def _trials(self, X: FloatArray) -> RhythmTrials:
        """Return epochs on the electrodes that the montage has of the population, or beside."""
        if X.shape[-1] < self.shortest_window:
            raise InputError(
                "The epochs are shorter than those of the population",
                value=f"{X.shape[-1]} samples at 128 Hz",
                remedy=f"It reads {self.shortest_window}: choose a protocol with a window of "
                f"{seconds_of(self.shortest_window):.2f} s or longer.",
            )
        picked = np.asarray(X)[:, self.montage.picks]
        return RhythmTrials.of(picked, self.population.kernels, self.population.config.block)

    def _probabilities(self, trials: RhythmTrials, bad: BoolMask | None) -> Floats:
        networks = self._networks
        if bad is not None and bad[self.montage.picks].any():
            good = np.flatnonzero(~bad[self.montage.picks])
            if not len(good):
                return np.full((len(trials), 2), 0.5)
            networks, trials = self._networks_without(good), trials.pick(good)
        features = networks.features(trials)
        logits = features @ self._weights + self._intercept - self._bias
        right = expit(np.asarray(logits, dtype=np.float64))
        return np.stack([1 - right, right] if self._right == 1 else [right, 1 - right], axis=1)

    def _is_right(self, targets: Indices) -> NDArray[np.bool_]:
        return np.asarray(targets == self._right)

    def _learn(self, features: Floats32, is_right: NDArray[np.bool_]) -> None:
        """Change the weights by as much as the labelled trials support."""
        centred = features.astype(np.float64)
        # what mattered for other people may change more
        freedom = np.sqrt(np.abs(self._weights.astype(np.float64)))
        freed = centred * freedom
        size = np.sqrt(np.mean(np.sum(freed**2, axis=1))) or 1.0
        change = change_of_weights(freed / size, centred @ self._weights, is_right)
        self._weights = (self._weights + change[:-1] * freedom / size).astype(np.float32)
        self._intercept = float(change[-1])

    def _notes(self, features: Floats32, is_right: NDArray[np.bool_] | None) -> None:
        """Tell whether the person resembles the population, and whether the labels do."""
        logits = features @ self._weights
        notes = []
        spread = float(logits.std()) if len(logits) >= TRIALS_FOR_DOUBT else np.inf
        doubt = self.population.config.doubt_below
        if spread < doubt:
            notes.append(
                "not sure: this person's rhythms resemble those of the population little "
                f"(spread of the logits {spread:.2f}, less than {doubt:.2f}); record labelled "
                "trials before relying on it"
            )
        if is_right is not None and len(is_right):
            correct = int(np.sum((logits[-len(is_right) :] > 0) == is_right))
            if binomtest(correct, len(is_right), 0.5, "less").pvalue < CONTRADICTION:
                notes.append(
                    f"{CONTRADICTED}: before it learned from them it agreed with {correct} of "
                    f"{len(is_right)} trials, far below chance; are left and right exchanged in "
                    "the labels, or in the cables?"
                )
        self.notes_ = tuple(notes)


def _of(features: Features) -> RhythmTrials:
    return RhythmTrials(features[SIGNALS], features[COVARIANCES])


def _centre(features: Floats32, is_right: NDArray[np.bool_] | None) -> Floats32:
    """Return the mean of the features; with labels, the mean of the classes' means."""
    if is_right is None or is_right.all() or not is_right.any():
        return np.asarray(features.mean(axis=0))
    centre: Floats32 = (features[is_right].mean(axis=0) + features[~is_right].mean(axis=0)) / 2
    return centre


def _bounded(bias: float) -> float:
    return float(np.clip(bias, -MAX_BIAS, MAX_BIAS))
