"""Training the networks of filters over electrodes and time."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.alignment import inverse_root, mean_covariance
from sjepa_online.decoding.transfer.imagery.completion import Completion
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.training import network_training, spatiotemporal_network
from sjepa_online.training.network_training import PersonTrials
from sjepa_online.training.spatiotemporal_network import (
    BatchedFilters,
    SignalSet,
    aligned_signals,
    merge_spatiotemporal,
    train_spatiotemporal,
)

MIRROR = np.array([2, 1, 0])
N_TIMES = 256


def _person(seed: int, *, informative: bool = False) -> PersonTrials:
    """Simulate a person; a 12 Hz rhythm that follows from C3 to Cz tells left, if informative."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(24, 3, N_TIMES))
    is_right = np.arange(24) % 2 == 1
    seconds = np.arange(N_TIMES) / 128
    if informative:
        for trial, right in enumerate(is_right):
            side = 2 if right else 0
            phase = rng.uniform(0, 2 * np.pi)
            X[trial, side] += 2 * np.sin(2 * np.pi * 12 * seconds + phase)
            X[trial, 1] += 2 * np.sin(2 * np.pi * 12 * seconds + phase - 1)
    return PersonTrials(RhythmTrials.of(X, rhythm_kernels()), is_right)


def _completion(people: list[PersonTrials]) -> Completion:
    return Completion(people[0].trials.covariances.mean(axis=(0, 2), dtype=np.float64))


def _all(people: list[PersonTrials]) -> NDArray[np.bool_]:
    return np.ones(len(people), dtype=bool)


def test_it_learns_a_rhythm_of_one_side() -> None:
    people = [_person(seed, informative=True) for seed in range(4)]
    (network,) = train_spatiotemporal(people, [_all(people)], MIRROR, _completion(people), epochs=6)
    new = _person(9, informative=True)
    whitening = inverse_root(mean_covariance(new.trials.covariances).mean(axis=0))
    features = network.features(new.trials.signals, network.aligned(whitening, MIRROR))
    assert np.mean((features @ network.flat_weights > 0) == new.is_right) > 0.9


def test_the_network_that_is_kept_decides_as_the_trained_one() -> None:
    people = [_person(seed) for seed in range(2)]
    trained = BatchedFilters(1, (14, 3), seed=0)
    with torch.no_grad():
        trained.weights.normal_()
        trained.norm.running_var.uniform_(0.5, 2)
        signals = torch.from_numpy(aligned_signals(people[0].trials))
        both = [trained.eval()(one[None])[0] for one in (signals, signals[:, MIRROR])]
        half = ((both[0] - both[1]) / 2).numpy()
    (kept,) = spatiotemporal_network._split(trained, 14)
    features = kept.features(signals.numpy(), kept.aligned(np.eye(3), MIRROR))
    np.testing.assert_allclose(features @ kept.flat_weights, half, rtol=1e-3, atol=1e-3)


def test_merged_networks_are_averaged_and_scaled() -> None:
    rng = np.random.default_rng(0)
    networks = [
        SpatioTemporalNetwork(
            *(
                rng.normal(size=shape).astype(np.float32)
                for shape in ((1, 4, 3, 16), (1, 14, 4), (1, 14, 4))
            )
        )
        for _ in range(3)
    ]
    signals = _person(0).trials.signals

    def logits(network: SpatioTemporalNetwork) -> NDArray[np.float32]:
        features = network.features(signals, network.aligned(np.eye(3), MIRROR))
        return features @ network.flat_weights

    expected = 2.5 * np.mean([logits(one) for one in networks], axis=0)
    merged = logits(merge_spatiotemporal(networks, 2.5))
    np.testing.assert_allclose(merged, expected, rtol=1e-3, atol=1e-3)


def test_half_of_a_batch_are_mirror_images() -> None:
    people = [_person(seed) for seed in range(2)]
    data = SignalSet(people, _completion(people), MIRROR, seed=0)
    trials = data.draw(0)
    rows = torch.tensor([[3, 3]])
    for attempt in range(20):
        torch.manual_seed(attempt)
        plain, mirrored = data.batch(trials, rows)[0]
        if min(plain.abs().amax(dim=1).min(), mirrored.abs().amax(dim=1).min()) > 0:
            break
    for channel, counterpart in enumerate(MIRROR):
        # amplitudes of electrodes change, so that the shape is what is compared
        shapes = np.corrcoef(plain[channel], mirrored[counterpart])
        assert shapes[0, 1] > 0.999
    targets = network_training._mirrored_targets(torch.tensor([[1.0, 1.0]]))
    assert targets.tolist() == [[1.0, 0.0]]


def test_some_people_lack_electrodes_in_an_epoch() -> None:
    rng = np.random.default_rng(0)
    people = [
        PersonTrials(
            RhythmTrials.of(rng.normal(size=(4, 7, N_TIMES)), rhythm_kernels()),
            np.array([True, False, True, False]),
        )
        for _ in range(40)
    ]
    data = SignalSet(people, _completion(people), np.arange(7), seed=0)
    whole = np.concatenate([aligned_signals(one.trials) for one in people])
    changed = [
        np.abs(data.draw(epoch).numpy() - whole).max(axis=(1, 2)).reshape(40, 4) > 1e-3
        for epoch in (0, 1, 0)
    ]
    # 30 % draw electrodes, and a fifth of these draw all seven
    assert 0.1 < changed[0].mean() < 0.4
    np.testing.assert_array_equal(changed[0].all(axis=1), changed[0].any(axis=1))
    np.testing.assert_array_equal(changed[0], changed[2])
    assert (changed[0] != changed[1]).any()
