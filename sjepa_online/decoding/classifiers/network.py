"""S-JEPA heads as a scikit-learn estimator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.classifiers.fine_tuning import Strategy
from sjepa_online.decoding.classifiers.paper_heads import PaperHead
from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
from sjepa_online.decoding.features.laterality import Imagery
from sjepa_online.decoding.features.readouts import (
    BandPower,
    PhaseLocked,
    StimulusPower,
    TemplateCovariance,
)
from sjepa_online.decoding.names import HeadName
from sjepa_online.decoding.serialization import FloatArray, State
from sjepa_online.errors import InputError
from sjepa_online.model import ModelConfig, SignalJEPA, load_weights
from sjepa_online.model.heads import HEADS
from sjepa_online.protocol import Paradigm
from sjepa_online.signal import resolve_channel_names

#: Weights of this name are drawn instead of loaded.
RANDOM_WEIGHTS = "random"
#: Least epochs of a class: one to hold out and two to learn from.
MIN_TRIALS = 3

_READOUTS: dict[Paradigm | None, tuple[str, ...]] = {
    None: (PhaseLocked.kind, TemplateCovariance.kind, BandPower.kind),
    "erp": (PhaseLocked.kind, TemplateCovariance.kind),
    "mi": (Imagery.kind,),
    "ssvep": (StimulusPower.kind,),
}


class SJEPAClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """A downstream head of S-JEPA that learns from a short calibration.

    Parameters
    ----------
    head : {"pre-local", "post-local", "contextual"}
        Where the channels are combined: before the local encoder, after it, or after the
        contextual encoder.
    strategy : {"full", "new"}
        Train everything, or the added layers only (see ``readout``).
    weights : str
        Pretrained weights: a name, a path, or ``random``.
    ch_names : sequence of str or None
        The epochs' channels; None is enough for the pre-local head, which then cannot tell left
        from right in imagery.
    random_state : int, RandomState or None
        Seed of everything that is drawn.
    readout : {"paradigm", "flat"}
        How the pre-local head reads the local encoder, and learns: ``paradigm`` for the readouts
        that suit the paradigm and the training from few trials of :class:`PreLocalNetwork`;
        ``flat`` for the paper's flattened tokens and its plain training. The other heads are
        always flat.
    paradigm : {"ssvep", "erp", "mi"} or None
        What the trials are, which decides the readouts; None weighs all that need no
        stimulus frequency.
    frequencies : tuple of float
        Stimulus frequencies (Hz); needed for ``ssvep``.
    class_order : sequence or None
        Order of the classes in the probabilities; sorted by default.
    device : str
        Where gradient descent runs: ``cpu``, ``cuda``, ``mps``, or ``auto``.

    Attributes
    ----------
    classes_ : ndarray
        Classes in the order of the probabilities.
    epoch_shape_ : tuple of int
        Channels and samples of an epoch.
    """

    def __init__(
        self,
        head: HeadName = "pre-local",
        strategy: Strategy = "full",
        weights: str = "default",
        ch_names: Sequence[str] | None = None,
        random_state: Any = None,
        readout: Literal["paradigm", "flat"] = "paradigm",
        paradigm: Paradigm | None = None,
        frequencies: tuple[float, ...] = (),
        class_order: Sequence[Any] | None = None,
        device: str = "auto",
    ) -> None:
        self.head = head
        self.strategy = strategy
        self.weights = weights
        self.ch_names = ch_names
        self.random_state = random_state
        self.readout = readout
        self.paradigm = paradigm
        self.frequencies = frequencies
        self.class_order = class_order
        self.device = device

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fit the head.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        y : ndarray, shape (n,)
            Labels.

        Raises
        ------
        InputError
            The epochs have another shape or values that are not finite, there are less than
            two classes or 3 epochs of one, the weights cannot be loaded, or a parameter is
            unknown.
        """
        self._check_parameters()
        X, y = np.asarray(X), np.asarray(y)
        self.classes_ = _checked_classes(X, y, self.class_order)
        self.epoch_shape_ = X.shape[1:]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        network = self._network(X.shape[1], seed)
        device, classes = choose_device(self.device), self.classes_.tolist()
        if self._is_flat:
            self.model_: PreLocalNetwork | PaperHead = PaperHead(
                self.head, self.strategy, network, classes, seed, device
            )
        else:
            _check_frequencies(self.paradigm, self.frequencies)
            self.model_ = PreLocalNetwork(
                network.local_encoder,
                self.paradigm,
                self.frequencies,
                classes,
                self.strategy,
                seed,
                device,
                self._channel_names(X.shape[1]),
            )
        self.model_.fit(X, y)
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> FloatArray:
        """Return probabilities of epochs.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.
        bad : ndarray of bool, shape (channels,), or None
            Channels to do without. The post-local head still reads their samples, which
            :class:`Decoder` replaces by estimates.

        Returns
        -------
        probabilities : ndarray, shape (n, classes)

        Raises
        ------
        InputError
            The epochs have another shape than those of the calibration, or values that are
            not finite.
        """
        check_is_fitted(self, "model_")
        X = np.asarray(X)
        if X.ndim != 3 or X.shape[1:] != self.epoch_shape_:
            raise InputError(
                "Epochs have the channels and the samples of those of the calibration",
                value=f"shape {X.shape}, not (n, {', '.join(map(str, self.epoch_shape_))})",
                remedy="Cut epochs as for the calibration.",
            )
        _check_finite(X)
        return self.model_.predict_proba(X, bad)

    def predict(self, X: FloatArray) -> NDArray[Any]:
        """Return the most probable class of each epoch."""
        best = np.argmax(self.predict_proba(X), axis=1)
        labels: NDArray[Any] = self.classes_[best]
        return labels

    def to_state(self) -> State:
        """Return what the fitted head needs to predict."""
        return self.model_.to_state()

    @property
    def _is_flat(self) -> bool:
        return self.head != "pre-local" or self.readout == "flat"

    def _check_parameters(self) -> None:
        allowed: dict[str, Sequence[str | None]] = {
            "head": tuple(HEADS),
            "strategy": ("full", "new"),
            "readout": ("paradigm", "flat"),
            "paradigm": tuple(_READOUTS),
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InputError(
                    f"The {name} is one of {', '.join(map(str, values))}",
                    value=getattr(self, name),
                    remedy="Correct the parameter.",
                )

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that the input is epochs, not a table."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags

    def _network(self, n_channels: int, seed: int) -> SignalJEPA:
        return load_network(self.weights, self._channel_names(n_channels), seed)

    def _channel_names(self, n_channels: int) -> list[str] | None:
        if self.ch_names is None:
            if self._is_flat:
                raise InputError(
                    "Heads on tokens need the names of the channels",
                    value="ch_names=None",
                    remedy="Give the name of each channel of the epochs.",
                )
            return None
        if len(self.ch_names) != n_channels:
            raise InputError(
                "There is one channel name for each channel of the epochs",
                value=f"{len(self.ch_names)} names, {n_channels} channels",
                remedy="Give the names in the epochs' order.",
            )
        return resolve_channel_names(list(self.ch_names))


def load_network(weights: str, ch_names: list[str] | None, seed: int) -> SignalJEPA:
    """Return a network: pretrained, or drawn with a seed where ``weights`` is ``random``."""
    if weights != RANDOM_WEIGHTS:
        return load_weights(weights, ch_names)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = (
            ModelConfig.for_channels() if ch_names is None else ModelConfig.for_channels(ch_names)
        )
        return SignalJEPA(config).eval()


def readouts_of(paradigm: Paradigm | None, frequencies: tuple[float, ...]) -> tuple[str, ...]:
    """Return the kinds of the filter bank's readouts that suit a paradigm.

    Raises
    ------
    InputError
        SSVEP without stimulus frequencies.
    """
    _check_frequencies(paradigm, frequencies)
    return _READOUTS[paradigm]


def _check_frequencies(paradigm: Paradigm | None, frequencies: tuple[float, ...]) -> None:
    if paradigm == "ssvep" and not frequencies:
        raise InputError(
            "SSVEP is read at the stimulus frequencies",
            value="no frequencies",
            remedy="Give them in Hz, one for each class that flickers.",
        )


def choose_device(name: str) -> str:
    """Return the device to run on; ``auto`` is the fastest that is there.

    Raises
    ------
    InputError
        The device is unknown or not there.
    """
    there = ["cpu"]
    if torch.backends.mps.is_available():
        there.insert(0, "mps")
    if torch.cuda.is_available():
        there.insert(0, "cuda")
    if name == "auto":
        return there[0]
    if name not in there:
        raise InputError(
            "The device is one that this machine has",
            value=name,
            remedy=f"Choose auto, or one of: {', '.join(there)}.",
        )
    return name


def _checked_classes(X: FloatArray, y: NDArray[Any], order: Sequence[Any] | None) -> NDArray[Any]:
    if X.ndim != 3 or y.shape != (len(X),):
        raise InputError(
            "Training takes epochs (n, channels, samples) and a label for each",
            value=f"epochs {X.shape}, labels {y.shape}",
            remedy="Check the arrays.",
        )
    found, counts = np.unique(y, return_counts=True)
    classes = found if order is None else np.array(list(order))
    unknown = set(found.tolist()) - set(classes.tolist())
    n_trials = {name: int(counts[found == name].sum()) for name in classes.tolist()}
    if unknown or len(classes) < 2 or min(n_trials.values()) < MIN_TRIALS:
        raise InputError(
            f"Training takes at least two classes and {MIN_TRIALS} epochs of each",
            value=", ".join(f"{name}: {count}" for name, count in n_trials.items())
            + (f"; labels of no class: {', '.join(map(str, unknown))}" if unknown else ""),
            remedy="Record every class, or correct the labels.",
        )
    _check_finite(X)
    return classes


def _check_finite(X: FloatArray) -> None:
    if not np.isfinite(X).all():
        raise InputError(
            "Epochs hold finite numbers",
            value=f"{int(np.sum(~np.isfinite(X)))} values that are not",
            remedy="Leave out such trials or channels.",
        )
