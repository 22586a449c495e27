"""Fine-tuning: what is trained, when it stops, and that it learns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.classifiers import fine_tuning
from sjepa_online.decoding.classifiers.fine_tuning import fine_tune
from sjepa_online.model import ContextualHead, Head, PostLocalHead, PreLocalHead, load_weights

HEADS = [PreLocalHead, PostLocalHead, ContextualHead]
Epochs = Callable[..., tuple[NDArray[np.float32], NDArray[np.str_]]]
Trials = tuple[NDArray[np.float32], NDArray[np.int64]]


@pytest.fixture
def trials(simulated_epochs: Epochs) -> Trials:
    X, y = simulated_epochs("phase-locked", 40, n_times=152)
    return X, (y == "left").astype(np.int64)


@pytest.fixture
def make_head(tiny_weights: str) -> Callable[..., Head]:
    def make(kind: type[Head], n_classes: int = 2, n_times: int = 152) -> Head:
        torch.manual_seed(1)
        return kind(load_weights(tiny_weights), n_classes, n_times)

    return make


def _accuracy(head: Head, X: NDArray[np.float32], targets: NDArray[np.int64]) -> float:
    with torch.no_grad():
        return float(np.mean(head(torch.from_numpy(X)).argmax(1).numpy() == targets))


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("strategy", ["new", "full"])
def test_strategies_train_what_they_say(
    kind: type[Head], strategy: str, trials: Trials, make_head: Callable[..., Head]
) -> None:
    head = make_head(kind)
    before = {name: value.clone() for name, value in head.state_dict().items()}
    # the last epoch is the best one, so that all training shows
    losses = iter(range(100, 0, -1))
    original = fine_tuning._EarlyStopping.is_over
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            fine_tuning._EarlyStopping, "is_over", lambda self, _: original(self, next(losses))
        )
        fine_tune(head, *trials, strategy, seed=0)
    changed = {
        name.split(".")[0]
        for name, value in before.items()
        if not torch.equal(value, head.state_dict()[name])
    }
    pretrained = {"network"} if kind is ContextualHead else {"local_encoder"}
    assert changed == {"spatial", "readout"} | (pretrained if strategy == "full" else set())
    assert not head.training
    assert not any(parameter.requires_grad for parameter in head.parameters())


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize("kind", HEADS)
def test_the_seed_decides_everything(
    kind: type[Head], trials: Trials, make_head: Callable[..., Head]
) -> None:
    states = []
    for seed in (0, 0, 1):
        head = make_head(kind)
        torch.manual_seed(seed)
        fine_tune(head, *trials, "full", seed)
        states.append(head.readout.weight)
    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_a_head_learns_a_phase_locked_response(
    trials: Trials, simulated_epochs: Epochs, make_head: Callable[..., Head]
) -> None:
    head = make_head(PostLocalHead)
    fine_tune(head, *trials, "full", seed=0)
    X, y = simulated_epochs("phase-locked", 60, n_times=152, seed=1)
    assert _accuracy(head, X, (y == "left").astype(np.int64)) > 0.8


def test_the_best_weights_are_kept_and_training_stops_after_patience(
    trials: Trials, make_head: Callable[..., Head], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The validation loss is best in the third epoch, and bad ever after."""
    monkeypatch.setattr(fine_tuning, "PATIENCE", 5)
    head = make_head(PostLocalHead)
    seen: list[torch.Tensor] = []
    original = fine_tuning._EarlyStopping.is_over

    def is_over(self: fine_tuning._EarlyStopping, loss: float) -> bool:
        seen.append(head.readout.weight.detach().clone())
        return original(self, 1.0 if len(seen) == 3 else 2.0)

    monkeypatch.setattr(fine_tuning._EarlyStopping, "is_over", is_over)
    fine_tune(head, *trials, "new", seed=0)
    assert len(seen) == 3 + 5
    assert torch.equal(head.readout.weight, seen[2])
    assert not torch.equal(seen[7], seen[2])


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize("n_classes", [2, 6])
def test_two_trials_of_each_class_are_enough(
    simulated_epochs: Epochs, make_head: Callable[..., Head], n_classes: int
) -> None:
    """One of each to train on and one to stop by, also where a fifth would be less."""
    classes = tuple("abcdef"[:n_classes])
    X, y = simulated_epochs("noise", 2 * n_classes, classes, n_times=152)
    head = make_head(PreLocalHead, n_classes)
    fine_tune(head, X, np.array([classes.index(label) for label in y]), "new", seed=0)
    assert np.isfinite(head.readout.weight.numpy()).all()


def test_a_rare_class_counts_as_much_as_a_frequent_one(
    simulated_epochs: Epochs, make_head: Callable[..., Head]
) -> None:
    """Five non-targets a target: a head that counted trials would call everything non-target."""
    X, y = simulated_epochs("phase-locked", 120, n_times=152)
    rare = np.r_[np.flatnonzero(y == "right")[:12], np.flatnonzero(y == "left")]
    head = make_head(PostLocalHead)
    fine_tune(head, X[rare], (y[rare] == "left").astype(np.int64), "new", seed=0)
    X, y = simulated_epochs("phase-locked", 60, n_times=152, seed=1)
    targets = y == "right"
    assert _accuracy(head, X[targets], np.zeros(targets.sum(), dtype=np.int64)) > 0.5
