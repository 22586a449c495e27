"""The pre-local network as a decoder: what it learns, keeps, and does without channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.pre_local.classifier import PreLocalNetwork
from sjepa_online.decoding.classifiers.pre_local.networks import SPATIAL
from sjepa_online.model import ModelConfig
from sjepa_online.model.local_encoder import LocalEncoder
from sjepa_online.protocol import Paradigm
from sjepa_online.tensor_file import read_tensor_file, write_tensor_file

Trials = tuple[NDArray[np.float32], NDArray[np.str_]]
Epochs = Callable[..., Trials]
CLASSES = ("right", "left")
SIX = ("C3", "C4", "FC3", "FC4", "CP3", "CP4")
PARADIGMS: tuple[tuple[Paradigm, str], ...] = (
    ("erp", "phase-locked"),
    ("mi", "power"),
    ("ssvep", "stimulus"),
)


@pytest.fixture
def encoder() -> LocalEncoder:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LocalEncoder(ModelConfig.for_channels()).requires_grad_(False)


@pytest.fixture
def make(encoder: LocalEncoder) -> Callable[..., PreLocalNetwork]:
    def _make(paradigm: Paradigm | None = "mi", **parameters: object) -> PreLocalNetwork:
        frequencies = (9.0, 13.0) if paradigm == "ssvep" else ()
        return PreLocalNetwork(encoder, paradigm, frequencies, CLASSES, **parameters)  # type: ignore[arg-type]

    return _make


def _sided(n_trials: int, seed: int) -> Trials:
    """Make simulated epochs of six electrodes: the class sets the power on one side."""
    rng = np.random.default_rng(seed)
    targets = np.arange(n_trials) % 2
    mixed = rng.standard_normal((n_trials, 2, 256))
    gains = 1 + np.stack([targets, 1 - targets], axis=1)[:, :, np.newaxis]
    X = np.tile(mixed * gains, (1, 3, 1)) * 8 + rng.standard_normal((n_trials, 6, 256))
    return X.astype(np.float32), np.array(CLASSES)[targets]


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize("strategy", ["new", "full"])
def test_strategies_train_what_they_say(
    make: Callable[..., PreLocalNetwork],
    simulated_epochs: Epochs,
    encoder: LocalEncoder,
    strategy: str,
) -> None:
    fitted = make("erp", strategy=strategy).fit(*simulated_epochs("phase-locked", 40))
    arrays = fitted.to_state().arrays
    before = encoder.convolutions[0].get_parameter("weight").flatten(1).T.numpy()
    same = all(np.array_equal(member, before) for member in arrays["convolution0"])
    assert same == (strategy == "new")


@pytest.mark.usefixtures("short_training")
def test_members_differ_by_their_trials_and_the_seed_decides_the_rest(
    make: Callable[..., PreLocalNetwork], simulated_epochs: Epochs
) -> None:
    X, y = simulated_epochs("phase-locked", 40)
    first, again, other = (make("erp", seed=seed).fit(X, y) for seed in (0, 0, 1))
    spatial = first.to_state().arrays[SPATIAL]
    assert len(spatial) == 4
    assert not np.allclose(spatial[0], spatial[1])
    np.testing.assert_array_equal(first.predict_proba(X), again.predict_proba(X))
    assert not np.array_equal(first.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize(("paradigm", "kind"), PARADIGMS)
def test_out_of_fold_probabilities_tell_what_new_trials_will_show(
    make: Callable[..., PreLocalNetwork],
    simulated_epochs: Epochs,
    paradigm: Paradigm,
    kind: str,
) -> None:
    fitted = make(paradigm).fit(*simulated_epochs(kind, 40, CLASSES))
    X, y = simulated_epochs(kind, 60, CLASSES, seed=1)
    new = np.mean(np.array(CLASSES)[fitted.predict_proba(X).argmax(axis=1)] == y)
    labels = simulated_epochs(kind, 40, CLASSES)[1]
    seen = np.mean(np.array(CLASSES)[fitted.out_of_fold_.argmax(axis=1)] == labels)
    assert new > 0.85
    assert abs(new - seen) < 0.15


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize(("paradigm", "kind"), PARADIGMS)
def test_it_is_stored_and_restored_with_equal_probabilities(
    make: Callable[..., PreLocalNetwork],
    simulated_epochs: Epochs,
    tmp_path: Path,
    paradigm: Paradigm,
    kind: str,
) -> None:
    X, y = simulated_epochs(kind, 24, CLASSES)
    fitted = make(paradigm, ch_names=("C3", "Cz", "C4", "Pz")).fit(X, y)
    state = fitted.to_state()
    path = tmp_path / "network.safetensors"
    write_tensor_file(path, "test", 1, state.config, state.arrays)
    config, arrays = read_tensor_file(path, "test", 1)
    restored = classifier_from_state(replace(state, config=config, arrays=arrays))
    bad = np.array([False, True, False, False])
    for mask in (None, bad):
        np.testing.assert_array_equal(
            restored.predict_proba(X, mask), fitted.predict_proba(X, mask)
        )


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize(("paradigm", "kind"), PARADIGMS)
def test_bad_channels_have_no_influence(
    make: Callable[..., PreLocalNetwork], simulated_epochs: Epochs, paradigm: Paradigm, kind: str
) -> None:
    X, y = simulated_epochs(kind, 24, CLASSES)
    fitted = make(paradigm).fit(X, y)
    bad = np.array([False, True, False, True])
    broken = X.copy()
    broken[:, bad] = 1e4
    np.testing.assert_array_equal(fitted.predict_proba(broken, bad), fitted.predict_proba(X, bad))
    assert not np.allclose(fitted.predict_proba(X, bad), fitted.predict_proba(X))


def test_redundant_channels_may_be_bad(make: Callable[..., PreLocalNetwork]) -> None:
    """Each side is seen by three electrodes: without two of them nothing is lost."""
    fitted = make("mi", ch_names=SIX).fit(*_sided(40, 0))
    X, y = _sided(100, 1)
    bad = np.array([True, True, False, False, True, True])
    for mask in (None, bad):
        decided = np.array(CLASSES)[fitted.predict_proba(X, mask).argmax(axis=1)]
        assert np.mean(decided == y) > 0.85


@pytest.mark.usefixtures("short_training")
def test_a_trial_and_its_mirror_image_are_decided_alike(
    make: Callable[..., PreLocalNetwork],
) -> None:
    fitted = make("mi", ch_names=SIX).fit(*_sided(24, 0))
    X, _ = _sided(10, 1)
    image = X[:, [1, 0, 3, 2, 5, 4]]
    np.testing.assert_allclose(
        fitted.predict_proba(image), fitted.predict_proba(X)[:, ::-1], atol=1e-4
    )


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize("paradigm", ["erp", "mi", "ssvep"])
def test_a_window_shorter_than_a_token_is_read_without_tokens(
    make: Callable[..., PreLocalNetwork], simulated_epochs: Epochs, paradigm: Paradigm
) -> None:
    X, y = simulated_epochs("phase-locked", 24, CLASSES, n_times=128)
    probabilities = make(paradigm).fit(X, y).predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_a_readout_of_noise_takes_no_part(
    make: Callable[..., PreLocalNetwork], simulated_epochs: Epochs
) -> None:
    """The phase of these responses is drawn for each trial: only their power tells."""
    fitted = make("ssvep").fit(*simulated_epochs("stimulus", 40, CLASSES))
    assert fitted.to_state().config["layout"]["readouts"] == ("stimulus-power",)


@pytest.mark.usefixtures("short_training")
def test_one_channel_and_three_trials_of_a_class_are_enough(
    make: Callable[..., PreLocalNetwork],
) -> None:
    X = np.random.default_rng(0).standard_normal((6, 1, 160)) * 10
    for paradigm in ("erp", "mi", "ssvep", None):
        fitted = make(paradigm).fit(X, np.array(CLASSES)[[0, 1, 0, 1, 0, 1]])
        assert np.isfinite(fitted.predict_proba(X)).all()
