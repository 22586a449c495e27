"""The paper's pre-local head as a classifier of trials that learns from few of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.classifiers.pre_local.ensemble import Ensemble, batches
from sjepa_online.decoding.classifiers.pre_local.fitting import fit_ensemble
from sjepa_online.decoding.classifiers.pre_local.networks import (
    BAND_POWER,
    OF_TOKENS,
    STIMULUS_PHASE,
    STIMULUS_POWER,
    TIME_COURSE,
    TOKEN_POWER,
    TOKENS,
    Layout,
    channel_powers,
    choose_kernels,
    encoder_weights,
)
from sjepa_online.decoding.classifiers.pre_local.training import SCHEDULES, Strategy
from sjepa_online.decoding.classifiers.stacking import inner_folds
from sjepa_online.decoding.features.laterality import find_mirror
from sjepa_online.decoding.features.spectral import stimulus_frequencies
from sjepa_online.decoding.serialization import EPOCHS, FloatArray, State, Statistics, fit_on
from sjepa_online.model.local_encoder import LocalEncoder
from sjepa_online.protocol import Paradigm

Floats = NDArray[np.float64]

KIND = "pre-local-network"
#: What reads the encoder.
READOUTS: dict[Paradigm | None, tuple[str, ...]] = {
    "erp": (TIME_COURSE, TOKENS),
    "mi": (BAND_POWER, TOKEN_POWER),
    "ssvep": (STIMULUS_POWER, STIMULUS_PHASE, TOKENS),
    None: (TIME_COURSE, TOKENS, BAND_POWER),
}
#: Covariances of the channels behind the first convolution, among the statistics.
POWERS = "encoder-powers"
_SENSORIMOTOR = re.compile("(FC|C|CP)[1-6z]")


class PreLocalNetwork:
    """Networks with the paper's pre-local head, one for each fold of the training trials.

    A member is trained on the trials outside its fold; those within say how far each readout is
    to be trusted, and a decision averages all members.

    Parameters
    ----------
    encoder : LocalEncoder or None
        Pretrained; it is not changed. None for a classifier that is not to be fitted.
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
    device : str
        Where the networks are trained; they decide on the CPU, where one trial takes less time
        than its way to another device.
    ch_names : sequence of str or None
        10-05 names of the channels, which tell left from right in imagery.

    Attributes
    ----------
    classes_ : ndarray
    out_of_fold_ : ndarray, shape (n, classes)
        Probabilities of the training trials, each from members that did not see it.
    """

    def __init__(
        self,
        encoder: LocalEncoder | None,
        paradigm: Paradigm | None,
        frequencies: tuple[float, ...],
        classes: Sequence[Any],
        strategy: Strategy = "full",
        seed: int = 0,
        device: str = "cpu",
        ch_names: Sequence[str] | None = None,
    ) -> None:
        self._encoder, self._paradigm = encoder, paradigm
        self._frequencies = tuple(frequencies)
        self._strategy, self._seed, self._device = strategy, seed, device
        self._mirror = find_mirror(ch_names, classes) if paradigm == "mi" else None
        names = enumerate(ch_names or ())
        self._electrodes = [index for index, name in names if _SENSORIMOTOR.fullmatch(name)]
        self._ensemble: Ensemble | None = None
        self.classes_ = np.array(list(classes))
        self.out_of_fold_: Floats = np.empty((0, 0))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit on epochs ``(n, channels, samples)`` in µV at 128 Hz and labels ``(n,)``."""
        fit_on(self, self.statistics(X), y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> Floats:
        """Return probabilities ``(n, classes)`` without the channels of the mask ``bad``."""
        assert self._ensemble is not None
        return self._ensemble.predict_proba(X, bad)

    def statistics(self, X: FloatArray) -> Statistics:
        """Return the epochs ``(n, channels, samples)``, and the power behind the encoder."""
        assert self._encoder is not None
        layout, weights = self._layout(X.shape[2]), encoder_weights(self._encoder, 1)
        with torch.inference_mode():
            powers = [channel_powers(layout, weights, batch).numpy() for batch in batches(X)]
        return {EPOCHS: np.asarray(X), POWERS: np.concatenate(powers)}

    def fit_statistics(
        self, statistics: Statistics, y: NDArray[Any], *, copies: bool = True
    ) -> Self:
        """Train the members, and weigh the readouts by trials that they did not see."""
        assert self._encoder is not None
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        X = np.asarray(statistics[EPOCHS], dtype=np.float64)
        splits = inner_folds(targets)
        self._ensemble = fit_ensemble(
            self._layout(X.shape[2]),
            self._encoder,
            X,
            statistics[POWERS].astype(np.float64),
            targets,
            [train for train, _ in splits],
            paradigm=self._paradigm,
            n_stimuli=len(self._frequencies),
            strategy=self._strategy,
            schedule=SCHEDULES[self._paradigm],
            mirror=self._mirror,
            electrodes=self._electrodes,
            seed=self._seed,
            device=self._device,
        )
        held_out = [test for _, test in splits]
        self.out_of_fold_ = self._ensemble.weigh_readouts(X, targets, held_out)
        return self

    def predict_statistics(self, statistics: Statistics) -> Floats:
        """Return probabilities ``(n, classes)`` of the epochs among the statistics."""
        return self.predict_proba(statistics[EPOCHS])

    def to_state(self) -> State:
        """Return the trained ensemble."""
        assert self._ensemble is not None
        state = self._ensemble.to_state()
        return State(
            {"kind": KIND, "classes": self.classes_.tolist(), **state.config}, state.arrays
        )

    @classmethod
    def from_state(cls, state: State) -> PreLocalNetwork:
        """Build the classifier that :meth:`to_state` describes."""
        classifier = cls(None, None, (), state.config["classes"])
        classifier._ensemble = Ensemble.from_state(state)
        return classifier

    def _layout(self, n_times: int) -> Layout:
        """Return the layout for windows of so many samples."""
        assert self._encoder is not None
        config = self._encoder.config
        has_tokens = n_times >= config.token_length
        readouts = tuple(
            name for name in READOUTS[self._paradigm] if has_tokens or name not in OF_TOKENS
        )
        slow, rhythmic = choose_kernels(self._encoder.first_kernels.numpy())
        reads_stimulus = STIMULUS_POWER in readouts
        return Layout(
            config.conv_layers,
            readouts,
            tuple(stimulus_frequencies(self._frequencies)) if reads_stimulus else (),
            slow if TIME_COURSE in readouts else (),
            rhythmic if BAND_POWER in readouts else (),
        )
