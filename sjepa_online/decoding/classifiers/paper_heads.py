"""The paper's three heads as classifiers, fine-tuned by gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.bad_channels.channel_dropout import Mask
from sjepa_online.decoding.classifiers.fine_tuning import Strategy, fine_tune
from sjepa_online.decoding.names import HeadName
from sjepa_online.decoding.serialization import FloatArray, State
from sjepa_online.model import ContextualHead, Head, ModelConfig, SignalJEPA
from sjepa_online.model.heads import HEADS


class PaperHead:
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

    Attributes
    ----------
    classes_ : ndarray
    device : str
    """

    def __init__(
        self,
        head: HeadName,
        strategy: Strategy,
        network: SignalJEPA,
        classes: Sequence[Any],
        seed: int,
        device: str,
    ) -> None:
        self._head_name: HeadName = head
        self._strategy: Strategy = strategy
        self._network = network
        self._seed = seed
        self.device = device
        self._head: Head | None = None
        self.classes_ = np.array(list(classes))

    def fit(self, X: FloatArray, y: NDArray[Any]) -> Self:
        """Fine-tune on epochs ``(n, channels, samples)`` in µV at 128 Hz."""
        targets = np.argmax(y[:, np.newaxis] == self.classes_, axis=1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            head = self._build(X.shape[2])
            fine_tune(head, X, targets, self._strategy, self._seed)
        self._head = head
        self._n_times = X.shape[2]
        return self

    def predict_proba(self, X: FloatArray, bad: Mask | None = None) -> FloatArray:
        """Return probabilities ``(n, classes)``; contextual tokens of ``bad`` are predicted."""
        assert self._head is not None
        x = torch.from_numpy(np.ascontiguousarray(X, dtype=np.float32)).to(self.device)
        with torch.inference_mode():
            contextual = isinstance(self._head, ContextualHead) and bad is not None
            logits = self._head(x, self._names(bad)) if contextual else self._head(x)
            probabilities: FloatArray = logits.softmax(-1).double().cpu().numpy()
        return probabilities

    def _names(self, bad: Mask | None) -> list[str]:
        names = np.array(self._network.ch_names)
        return [] if bad is None else names[bad].tolist()

    def to_state(self) -> State:
        """Return the head's weights and what is needed to build it again."""
        assert self._head is not None
        config = {
            "kind": "paper-head",
            "head": self._head_name,
            "strategy": self._strategy,
            "model": self._network.config.model_dump(mode="json"),
            "ch_names": list(self._network.ch_names),
            "classes": self.classes_.tolist(),
            "n_times": self._n_times,
            "seed": self._seed,
        }
        weights = self._head.state_dict()
        return State(config, {name: tensor.cpu().numpy() for name, tensor in weights.items()})

    @classmethod
    def from_state(cls, state: State, device: str) -> PaperHead:
        """Build the classifier that :meth:`to_state` describes."""
        config = state.config
        network = SignalJEPA(ModelConfig.model_validate(config["model"]), config["ch_names"])
        classifier = cls(
            config["head"], config["strategy"], network, config["classes"], config["seed"], device
        )
        classifier._n_times = config["n_times"]
        classifier._head = classifier._build(config["n_times"])
        classifier._head.load_state_dict(
            {name: torch.from_numpy(array) for name, array in state.arrays.items()}
        )
        classifier._head.requires_grad_(False).eval()
        return classifier

    def _build(self, n_times: int) -> Head:
        head = HEADS[self._head_name](self._network, len(self.classes_), n_times)
        return head.to(self.device)
