"""What people who were left out tell of both kinds of network, with networks of random weights."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_covariances import rhythm_kernels
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.training.held_out_people import HeldOut, judge_held_out, logits_without_labels
from sjepa_online.training.network_training import PersonTrials

MIRROR = np.array([2, 1, 0])
Logits = list[tuple[NDArray[np.float64], NDArray[np.float64]]]


def _random(rng: np.random.Generator, *shape: int) -> NDArray[np.float32]:
    return rng.normal(size=shape).astype(np.float32)


@pytest.fixture(scope="module")
def judged() -> tuple[list[PersonTrials], Logits, HeldOut]:
    rng = np.random.default_rng(0)
    people = [
        PersonTrials(
            RhythmTrials.of(rng.normal(size=(20, 3, 126)), rhythm_kernels()),
            rng.permutation(20) < 10,
        )
        for _ in range(4)
    ]
    power = [
        PowerNetwork(_random(rng, 1, 3, 3), *(_random(rng, 1, 2, 12, 3) for _ in range(2)))
        for _ in people
    ]
    others = [
        SpatioTemporalNetwork(
            _random(rng, 1, 5, 3, 16), *(3 * _random(rng, 1, 6, 5) for _ in range(2))
        )
        for _ in people
    ]
    expected = np.stack([np.eye(3)] * 12)
    logits = [
        logits_without_labels(*networks, one.trials, expected, MIRROR)
        for *networks, one in zip(power, others, people, strict=True)
    ]
    # labels that mostly agree with the logits, so that there is something to calibrate
    people = [
        PersonTrials(one.trials, np.where(rng.random(20) < 0.75, own + added > 0, one.is_right))
        for one, (own, added) in zip(people, logits, strict=True)
    ]
    return people, logits, judge_held_out(people, power, others, expected, MIRROR)


def test_both_kinds_are_scaled_alike(
    judged: tuple[list[PersonTrials], Logits, HeldOut],
) -> None:
    _, logits, found = judged
    power, others = (np.concatenate(kind) for kind in zip(*logits, strict=True))
    both = power + found.factor * others
    assert np.std(found.factor * others) == pytest.approx(np.std(power))
    assert np.std(found.power_alone * power) == pytest.approx(np.std(both))


def test_the_temperature_is_that_of_the_sum(
    judged: tuple[list[PersonTrials], Logits, HeldOut],
) -> None:
    people, logits, found = judged
    truth = np.concatenate([one.is_right for one in people])
    both = np.concatenate([own + found.factor * added for own, added in logits])
    signed = np.where(truth, both, -both)
    loss = [np.logaddexp(0, -signed / (found.temperature * off)).mean() for off in (0.97, 1, 1.03)]
    assert min(loss) == loss[1]
    accuracy = np.mean((both > 0) == truth)
    assert found.score.accuracy == pytest.approx(accuracy)


def test_a_person_is_doubted_by_calibrated_logits(
    judged: tuple[list[PersonTrials], Logits, HeldOut],
) -> None:
    _, logits, found = judged
    spread = [np.std(own + found.factor * added) / found.temperature for own, added in logits]
    # all of them score above 0.6
    assert found.doubt_below == pytest.approx(min(spread) / 2)


def test_without_the_second_kind_the_first_is_as_it_is(
    judged: tuple[list[PersonTrials], Logits, HeldOut],
) -> None:
    people, _, _ = judged
    rng = np.random.default_rng(1)
    power = [
        PowerNetwork(_random(rng, 1, 3, 3), *(_random(rng, 1, 2, 12, 3) for _ in range(2)))
        for _ in people
    ]
    found = judge_held_out(people, power, [], np.stack([np.eye(3)] * 12), MIRROR)
    assert (found.factor, found.power_alone) == (0, 1)
