"""The paper's three heads as classifiers, fine-tuned by gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np
import torch

from sjepa_online.decoding.base import EPOCHS, EpochClassifier, Features
from sjepa_online.decoding.classifiers.fine_tuning import Strategy, choose_device, fine_tune
from sjepa_online.decoding.serialization import State
from sjepa_online.errors import InputError
from sjepa_online.model import ContextualHead, Head, ModelConfig, SignalJEPA
from sjepa_online.model.heads import HEADS, HeadName
from sjepa_online.typing import BoolMask, FloatArray, Floats, Indices

#: Least epochs of a class: one to hold out and two to learn from.
MIN_TRIALS = 3


class PaperHead(EpochClassifier):
    """A head of the paper (Guetschel et al. 2024) on top of a pretrained network.

    Parameters
    ----------
    head : {"pre-local", "post-local", "contextual"}
        Which one.
    strategy : {"new", "full"}
        Train the added layers only, or everything.
    network : SignalJEPA
        The pretrained network, bound to the epochs' channels.
    classes : sequence of str
        Classes in the order of the probabilities.
    seed : int
        Seed of the added layers and of training.
    device : str
        Where the network runs.
    """

    kind = "paper-head"

    def __init__(
        self,
        head: HeadName,
        strategy: Strategy,
        network: SignalJEPA,
        classes: Sequence[Any],
        seed: int,
        device: str,
    ) -> None:
        super().__init__(classes)
        self.head = head
        self.strategy = strategy
        self.network = network
        self.seed = seed
        self.device = device
        self.head_: Head | None = None

    @property
    def shortest_window(self) -> int:
        """Samples of one token."""
        return self.network.config.token_length

    def features(self, X: FloatArray) -> Features:
        """Return the epochs themselves. See :meth:`EpochClassifier.features`."""
        return {EPOCHS: np.asarray(X)}

    def predict_features(self, features: Features) -> Floats:
        """Return probabilities. See :meth:`EpochClassifier.predict_features`."""
        return self._predict_epochs(features[EPOCHS], None)

    def _fit_targets(self, features: Features, targets: Indices, channel_dropout: bool) -> None:
        """Fine-tune on the epochs; the head knows no channel dropout."""
        X = features[EPOCHS]
        counts = np.bincount(targets, minlength=len(self.classes_))
        if counts.min() < MIN_TRIALS:
            raise InputError(
                "A class has too few epochs to train a network on",
                value=", ".join(
                    f"{name}: {n}" for name, n in zip(self.classes_, counts, strict=True)
                ),
                remedy=f"Record at least {MIN_TRIALS} epochs of each class.",
            )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            head = self._build(X.shape[2])
            fine_tune(head, X, targets, self.strategy, self.seed)
        self.head_ = head
        self.n_times_ = X.shape[2]

    def _predict_epochs(self, X: FloatArray, bad: BoolMask | None) -> Floats:
        """Return probabilities ``(n, classes)``; contextual tokens of ``bad`` are predicted."""
        assert self.head_ is not None
        x = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32)).to(self.device)
        with torch.inference_mode():
            contextual = isinstance(self.head_, ContextualHead) and bad is not None
            logits = self.head_(x, self._names(bad)) if contextual else self.head_(x)
            probabilities: Floats = logits.softmax(-1).double().cpu().numpy()
        return probabilities

    def _names(self, bad: BoolMask | None) -> list[str]:
        names = np.array(self.network.ch_names)
        return [] if bad is None else names[bad].tolist()

    def to_state(self) -> State:
        """Return the head's weights and the settings to build it again.

        See :meth:`EpochClassifier.to_state`.
        """
        assert self.head_ is not None
        config = {
            "kind": self.kind,
            "head": self.head,
            "strategy": self.strategy,
            "model": self.network.config.model_dump(mode="json"),
            "ch_names": list(self.network.ch_names),
            "classes": self.classes_.tolist(),
            "n_times": self.n_times_,
            "seed": self.seed,
        }
        weights = self.head_.state_dict()
        return State(config, {name: tensor.cpu().numpy() for name, tensor in weights.items()})

    @classmethod
    def from_state(cls, state: State, restore: Callable[[State], EpochClassifier]) -> Self:
        """Build the classifier of a state. See :meth:`EpochClassifier.from_state`."""
        config = state.config
        device = choose_device("auto")
        network = SignalJEPA(ModelConfig.model_validate(config["model"]), config["ch_names"])
        classifier = cls(
            config["head"], config["strategy"], network, config["classes"], config["seed"], device
        )
        classifier.n_times_ = config["n_times"]
        classifier.head_ = classifier._build(config["n_times"])
        classifier.head_.load_state_dict(
            {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        )
        classifier.head_.requires_grad_(False).eval()
        return classifier

    def _build(self, n_times: int) -> Head:
        head = HEADS[self.head](self.network, len(self.classes_), n_times)
        return head.to(self.device)
