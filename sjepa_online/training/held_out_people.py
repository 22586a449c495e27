"""What networks of a population reach on people whom they were not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from sjepa_online.decoding.metrics import over_people
from sjepa_online.decoding.transfer.imagery.aligned_networks import AlignedNetworks
from sjepa_online.decoding.transfer.imagery.alignment import Alignment, mean_covariance
from sjepa_online.decoding.transfer.imagery.classifier import BIAS_PRIOR_TRIALS
from sjepa_online.decoding.transfer.imagery.population import HeldOutScore
from sjepa_online.decoding.transfer.imagery.power_network import PowerNetwork
from sjepa_online.decoding.transfer.imagery.rhythm_trials import RhythmTrials
from sjepa_online.decoding.transfer.imagery.spatiotemporal_network import SpatioTemporalNetwork
from sjepa_online.training.network_training import PersonTrials

Floats = NDArray[np.float64]

#: People are doubted up to the spread of logits below which others scored less than this.
DOUBTED_ACCURACY = 0.6


@dataclass(frozen=True)
class HeldOut:
    """What people who were left out tell of the networks.

    Attributes
    ----------
    factor : float
        What the logits of the spatio-temporal network are multiplied by, so that they spread as
        much as those of the power network; 0 without such a network.
    power_alone : float
        What those of the power network are multiplied by where it decides alone.
    temperature : float
        Divides the sum of both into calibrated logits.
    doubt_below : float
        Spread of a person's calibrated logits below which a person resembles nobody.
    score : HeldOutScore
    """

    factor: float
    power_alone: float
    temperature: float
    doubt_below: float
    score: HeldOutScore


def judge_held_out(
    people: Sequence[PersonTrials],
    networks: Sequence[PowerNetwork],
    spatiotemporal: Sequence[SpatioTemporalNetwork],
    expected: Floats,
    mirror: NDArray[np.intp],
) -> HeldOut:
    """Decode each person by networks that never saw the person, without a label.

    Parameters
    ----------
    people : sequence of PersonTrials
    networks : sequence of PowerNetwork
        One for each person.
    spatiotemporal : sequence of SpatioTemporalNetwork
        One for each person, or none.
    expected : ndarray, shape (kernels, channels, channels)
        Mean covariances of the population.
    mirror : ndarray of int, shape (channels,)
        Each channel's counterpart on the other side.

    Returns
    -------
    held_out : HeldOut
    """
    both = [
        logits_without_labels(
            network, spatiotemporal[index] if spatiotemporal else None, one.trials, expected, mirror
        )
        for index, (network, one) in enumerate(zip(networks, people, strict=True))
    ]
    power, others = (np.concatenate([logits[kind] for logits in both]) for kind in (0, 1))
    factor = float(power.std() / others.std()) if spatiotemporal else 0.0
    logits = [own + factor * added for own, added in both]
    truth = [one.is_right for one in people]
    temperature = _temperature(logits, truth)
    accuracy = np.array(
        [np.mean((one > 0) == right) for one, right in zip(logits, truth, strict=True)]
    )
    return HeldOut(
        factor,
        float(np.concatenate(logits).std() / power.std()),
        temperature,
        _doubt(np.array([one.std() for one in logits]) / temperature, accuracy),
        _score(accuracy),
    )


def logits_without_labels(
    network: PowerNetwork,
    spatiotemporal: SpatioTemporalNetwork | None,
    trials: RhythmTrials,
    expected: Floats,
    mirror: NDArray[np.intp],
) -> tuple[Floats, Floats]:
    """Return the logits of a person's trials, aligned by all of them.

    Parameters
    ----------
    network : PowerNetwork
    spatiotemporal : SpatioTemporalNetwork or None
    trials : RhythmTrials
    expected : ndarray, shape (kernels, channels, channels)
        Mean covariances of the population.
    mirror : ndarray of int, shape (channels,)

    Returns
    -------
    of_network, of_spatiotemporal : ndarray, shape (n,)
        The second is 0 where there is none.
    """
    alignment = Alignment(expected.mean(axis=0))
    alignment.update(mean_covariance(trials.covariances))
    aligned = AlignedNetworks(network, spatiotemporal, alignment.whitening, mirror)
    features = aligned.features(trials).astype(np.float64)
    own, others = np.split(features, [network.weights.size], axis=1)
    of_network = own @ network.flat_weights
    of_others = np.zeros(len(own))
    if spatiotemporal is not None:
        of_others = others @ spatiotemporal.flat_weights
    return _centred(of_network), _centred(of_others)


def _centred(logits: Floats) -> Floats:
    centred: Floats = logits - logits.sum() / (len(logits) + BIAS_PRIOR_TRIALS)
    return centred


def _temperature(logits: Sequence[Floats], truth: Sequence[NDArray[np.bool_]]) -> float:
    """Return what logits are divided by so that probabilities are as sure as they are right."""
    signed = np.concatenate(
        [np.where(right, one, -one) for one, right in zip(logits, truth, strict=True)]
    )

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, -signed / np.exp(log_temperature)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-1, 3), method="bounded").x))


def _doubt(spread: Floats, accuracy: Floats) -> float:
    """Return the largest spread below which people scored less than 0.6 in the mean."""
    order = np.argsort(spread)
    running = np.cumsum(accuracy[order]) / np.arange(1, len(order) + 1)
    doubted = np.flatnonzero(running < DOUBTED_ACCURACY)
    return float(spread[order[doubted[-1]]]) if len(doubted) else float(spread.min() / 2)


def _score(accuracy: Floats) -> HeldOutScore:
    found = over_people(accuracy)
    return HeldOutScore(
        accuracy=found.mean, interval=(found.low, found.high), share_above_070=found.share
    )
