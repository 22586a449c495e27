"""The paper's pre-local head as a classifier of epochs that learns from few trials."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import torch

from sjepa_online.decoding.base import EPOCHS, EpochClassifier, Features
from sjepa_online.decoding.classifiers.fine_tuning import Strategy
from sjepa_online.decoding.classifiers.imagery import find_mirror
from sjepa_online.decoding.classifiers.pre_local.ensemble import Ensemble, batches
from sjepa_online.decoding.classifiers.pre_local.fitting import Recipe, fit_ensemble
from sjepa_online.decoding.classifiers.pre_local.networks import (
    BAND_POWER,
    STIMULUS_PHASE,
    STIMULUS_POWER,
    TIME_COURSE,
    TOKENS,
    Layout,
    channel_powers,
    choose_kernels,
    encoder_weights,
)
from sjepa_online.decoding.classifiers.pre_local.training import SCHEDULES
from sjepa_online.decoding.classifiers.stacking import inner_folds
from sjepa_online.decoding.features.spectral import stimulus_frequencies
from sjepa_online.decoding.serialization import State
from sjepa_online.model.local_encoder import LocalEncoder
from sjepa_online.protocol import Paradigm
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: What reads the encoder; the first readout always decides, the others where they help.
READOUTS: dict[Paradigm | None, tuple[str, ...]] = {
    "erp": (TIME_COURSE, TOKENS),
    "mi": (BAND_POWER,),
    "ssvep": (STIMULUS_POWER, STIMULUS_PHASE, TOKENS),
    None: (TIME_COURSE, TOKENS, BAND_POWER),
}
#: Covariances of the channels behind the first convolution, among the features.
POWERS = "encoder-powers"
_SENSORIMOTOR = re.compile("(FC|C|CP)[1-6z]")


class PreLocalNetwork(EpochClassifier):
    """Networks with the paper's pre-local head, one for each fold of the training trials.

    A member is trained on the trials outside its fold; those within say how far each readout is
    to be trusted, and a decision averages all members.

    Parameters
    ----------
    encoder : LocalEncoder or None
        Pretrained; it is not changed. None for a classifier that is read from a file.
    paradigm : {"ssvep", "erp", "mi"} or None
        Which readouts stand on it; None for those that need no stimulus frequency.
    frequencies : tuple of float
        Stimulus frequencies (Hz), for ``ssvep``.
    classes : sequence
        Classes in the order of the probabilities.
    strategy : {"new", "full"}
        Train the spatial filters and the readouts only, or the encoder too.
    seed : int
        Of everything that is drawn.
    training_device : str
        Where the networks are trained; they decide on the CPU, where one trial takes less time
        than its way to another device.
    ch_names : sequence of str or None
        10-05 names of the channels, which tell left from right in imagery.

    Attributes
    ----------
    ensemble_ : Ensemble or None
        The trained members; None before the first fit.
    out_of_fold_ : ndarray, shape (n, classes)
        Probabilities of the training trials, each from members that did not see it.
    """

    kind = "pre-local-network"

    def __init__(
        self,
        encoder: LocalEncoder | None,
        paradigm: Paradigm | None,
        frequencies: tuple[float, ...],
        classes: Sequence[Any],
        strategy: Strategy = "full",
        seed: int = 0,
        training_device: str = "cpu",
        ch_names: Sequence[str] | None = None,
    ) -> None:
        super().__init__(classes)
        self.encoder = encoder
        self.paradigm = paradigm
        self.frequencies = frequencies
        self.strategy = strategy
        self.seed = seed
        self.training_device = training_device
        self.ch_names = ch_names
        self.ensemble_: Ensemble | None = None
        self.out_of_fold_: Floats = np.empty((0, 0))

    @property
    def handles_bad_channels(self) -> bool:
        """True: the spatial filters go on without bad channels."""
        return True

    @property
    def shortest_window(self) -> int:
        """Samples of a kernel of the first convolution; shorter than a token there are none."""
        return 1 if self.encoder is None else self.encoder.config.conv_layers[0][1]

    def features(self, X: FloatArray) -> Features:
        """Return the epochs, and the power behind the first convolution.

        See :meth:`EpochClassifier.features`.
        """
        if self.encoder is None:
            return {EPOCHS: np.asarray(X)}
        layout, weights = self._layout(self.encoder, X.shape[2]), encoder_weights(self.encoder, 1)
        with torch.inference_mode():
            powers = [channel_powers(layout, weights, batch).numpy() for batch in batches(X)]
        return {EPOCHS: np.asarray(X), POWERS: np.concatenate(powers)}

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return self._predict_epochs(features[EPOCHS], None)

    def to_state(self) -> State:
        """Return the trained ensemble. See :meth:`EpochClassifier.to_state`."""
        assert self.ensemble_ is not None
        state = self.ensemble_.to_state()
        config = {"kind": self.kind, "classes": self.classes_.tolist(), **state.config}
        return State(config, state.arrays)

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        classifier = cls(None, None, (), state.config["classes"])
        classifier.ensemble_ = Ensemble.from_state(state)
        return classifier

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Train the members, and weigh the readouts by trials that they did not see."""
        assert self.encoder is not None
        X = np.asarray(features[EPOCHS], dtype=np.float64)
        splits = inner_folds(targets)
        names = enumerate(self.ch_names or ())
        recipe = Recipe(
            self._layout(self.encoder, X.shape[2]),
            self.encoder,
            self.paradigm,
            n_stimuli=len(self.frequencies),
            strategy=self.strategy,
            schedule=SCHEDULES[self.paradigm],
            mirror=find_mirror(self.ch_names, self.classes) if self.paradigm == "mi" else None,
            electrodes=[index for index, name in names if _SENSORIMOTOR.fullmatch(name)],
            seed=self.seed,
            device=self.training_device,
        )
        powers = features[POWERS].astype(np.float64)
        folds = [train for train, _ in splits]
        self.ensemble_ = fit_ensemble(recipe, X, powers, targets, folds)
        held_out = [test for _, test in splits]
        self.out_of_fold_ = self.ensemble_.weigh_readouts(X, targets, held_out)

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        assert self.ensemble_ is not None
        return self.ensemble_.predict_proba(X, bad)

    def _layout(self, encoder: LocalEncoder, n_times: int) -> Layout:
        """Return the layout for windows of so many samples."""
        config = encoder.config
        has_tokens = n_times >= config.token_length
        readouts = tuple(name for name in READOUTS[self.paradigm] if has_tokens or name != TOKENS)
        slow, rhythmic = choose_kernels(encoder.first_kernels.numpy())
        reads_stimulus = STIMULUS_POWER in readouts
        return Layout(
            config.conv_layers,
            readouts,
            tuple(stimulus_frequencies(tuple(self.frequencies))) if reads_stimulus else (),
            slow if TIME_COURSE in readouts else (),
            rhythmic if BAND_POWER in readouts else (),
        )
