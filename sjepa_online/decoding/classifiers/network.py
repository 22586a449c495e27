"""S-JEPA heads as a scikit-learn estimator."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from sjepa_online.decoding.base import EpochClassifier
from sjepa_online.decoding.classifiers.fine_tuning import Strategy, choose_device
from sjepa_online.decoding.classifiers.imagery import Imagery
from sjepa_online.decoding.classifiers.paper_heads import MIN_TRIALS, PaperHead
from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
from sjepa_online.decoding.classifiers.readouts.power import BandPower, StimulusPower
from sjepa_online.decoding.classifiers.readouts.responses import (
    PhaseLocked,
    TemplateCovariance,
    TimeCourse,
)
from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.model import ModelConfig, SignalJEPA, load_weights
from sjepa_online.model.heads import HEADS, HeadName
from sjepa_online.protocol import Paradigm
from sjepa_online.signal import resolve_channel_names
from sjepa_online.typing import BoolMask, FloatArray, Labels
from sjepa_online.validation import check_choice, check_epochs, check_mask, check_names

#: Weights of this name are drawn instead of loaded.
RANDOM_WEIGHTS = "random"

_READOUTS: dict[Paradigm | None, tuple[str, ...]] = {
    None: (PhaseLocked.kind, TemplateCovariance.kind, BandPower.kind),
    "erp": (TemplateCovariance.kind, TimeCourse.kind),
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

    def fit(self, X: FloatArray, y: Labels) -> Self:
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

        Warns
        -----
        UserWarning
            Without ``paradigm`` or ``ch_names`` the pre-local head is less accurate.
        """
        self._check_parameters()
        X, y = check_epochs(X), np.asarray(y)
        self.classes_ = _checked_classes(X, y, self.class_order)
        self.epoch_shape_ = X.shape[1:]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        network = self._network(X.shape[1], seed)
        device, classes = choose_device(self.device), self.classes_.tolist()
        if self._is_flat:
            self.model_: EpochClassifier = PaperHead(
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

    def predict_proba(self, X: FloatArray, bad: BoolMask | None = None) -> FloatArray:
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
        n_channels, n_times = self.epoch_shape_
        X = check_epochs(X, n_channels, (n_times,))
        if bad is not None:
            bad = check_mask(bad, n_channels, "bad")
        return self.model_.predict_proba(X, bad)

    def predict(self, X: FloatArray) -> Labels:
        """Return the most probable class of each epoch.

        Parameters
        ----------
        X : ndarray, shape (n, channels, samples)
            Epochs in µV at 128 Hz.

        Returns
        -------
        labels : ndarray, shape (n,)
        """
        best = np.argmax(self.predict_proba(X), axis=1)
        labels: Labels = self.classes_[best]
        return labels

    def to_state(self) -> State:
        """Return what the fitted head needs to predict. See :meth:`EpochClassifier.to_state`."""
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
            check_choice(name, getattr(self, name), values)
        if self.ch_names is not None:
            check_names("ch_names", self.ch_names)
        if not self._is_flat:
            self._warn_of_losses()

    def _warn_of_losses(self) -> None:
        """Warn of parameters without which the readouts know less than they could."""
        lacking = []
        if self.paradigm is None:
            lacking.append("paradigm, the readouts are not those that suit the trials")
        if self.ch_names is None and self.paradigm in (None, "mi"):
            lacking.append("ch_names, the left side of the head is not compared with the right")
        if lacking:
            warnings.warn(
                f"SJEPAClassifier loses accuracy: without {'; without '.join(lacking)}",
                UserWarning,
                stacklevel=3,
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
                    f"The {self.head} head needs the names of the channels, and none were given",
                    value="ch_names=None",
                    remedy="Give the name of each channel of the epochs.",
                )
            return None
        if len(self.ch_names) != n_channels:
            raise InputError(
                "The channel names do not match the epochs' channels in number",
                value=f"{len(self.ch_names)} names, {n_channels} channels",
                remedy="Give one name for each channel, in the epochs' order.",
            )
        return resolve_channel_names(list(self.ch_names))


def load_network(weights: str, ch_names: list[str] | None, seed: int) -> SignalJEPA:
    """Return a network in evaluation mode.

    Parameters
    ----------
    weights : str
        Name or path of pretrained weights, or ``random``.
    ch_names : list of str or None
        The montage; None for that of the weights.
    seed : int
        Of random weights.

    Returns
    -------
    SignalJEPA
    """
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

    Parameters
    ----------
    paradigm : {"ssvep", "erp", "mi"} or None
        None for all readouts that need no stimulus frequency.
    frequencies : tuple of float
        Stimulus frequencies (Hz).

    Returns
    -------
    kinds : tuple of str

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
            "An SSVEP decoder needs the stimulus frequencies, and none were given",
            value="no frequencies",
            remedy="Give them in Hz, one for each class that flickers.",
        )


def _checked_classes(X: FloatArray, y: Labels, order: Sequence[Any] | None) -> Labels:
    if X.ndim != 3 or y.shape != (len(X),):
        raise InputError(
            "Epochs and labels do not have the shapes that training needs",
            value=f"epochs {X.shape}, labels {y.shape}",
            remedy="Give epochs (n, channels, samples) and labels (n,).",
        )
    found, counts = np.unique(y, return_counts=True)
    classes = found if order is None else np.array(list(order))
    unknown = set(found.tolist()) - set(classes.tolist())
    n_trials = {name: int(counts[found == name].sum()) for name in classes.tolist()}
    if unknown or len(classes) < 2 or min(n_trials.values()) < MIN_TRIALS:
        raise InputError(
            "There are too few classes or epochs to train on, or labels of no class",
            value=", ".join(f"{name}: {count}" for name, count in n_trials.items())
            + (f"; labels of no class: {', '.join(map(str, unknown))}" if unknown else ""),
            remedy=f"Give at least two classes with {MIN_TRIALS} epochs of each.",
        )
    return classes
