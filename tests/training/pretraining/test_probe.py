from typing import get_args

import numpy as np
import pytest
import torch

from sjepa_online.data.trials import Trials
from sjepa_online.model import ModelConfig, SignalJEPA
from sjepa_online.protocol import load_protocol
from sjepa_online.training.pretraining.probe import Read, probe_accuracy, token_features

CH_NAMES = ("C3", "Cz", "C4")


@pytest.fixture
def network() -> SignalJEPA:
    torch.manual_seed(2)
    config = ModelConfig.for_channels(
        CH_NAMES, n_encoder_layers=1, n_decoder_layers=1, d_feed_forward=32
    )
    return SignalJEPA(config)


def _trials(response: bool) -> Trials:
    """Two classes, of which the second has a deflection at a fixed time in Cz."""
    rng = np.random.default_rng(0)
    n_trials, n_times = 60, 280
    X = rng.normal(0, 5, (n_trials, 3, n_times))
    labels = np.tile([0, 1], n_trials // 2)
    if response:
        X[labels == 1, 1] += 20 * np.exp(-(((np.arange(n_times) - 70) / 10) ** 2))
    return Trials(
        X=X.astype(np.float32),
        y=np.array(["left_hand", "right_hand"])[labels],
        recording=np.repeat([0, 1, 2], n_trials // 3),
        onset=np.arange(n_trials, dtype=np.float64),
        ch_names=CH_NAMES,
        protocol=load_protocol("mi"),
        dropped=(),
    )


def test_the_probe_finds_a_difference_and_only_a_real_one(network: SignalJEPA) -> None:
    assert probe_accuracy(network, _trials(response=True)) > 0.9
    assert 0.25 < probe_accuracy(network, _trials(response=False)) < 0.75


def test_features_leave_the_network_in_its_mode(network: SignalJEPA) -> None:
    network.train()
    features = token_features(network, _trials(response=True).X[:4])
    assert features.shape == (4, 3 * 2 * 64)
    assert network.training


@pytest.mark.parametrize("read", get_args(Read))
def test_everything_that_can_be_read_is_finite(network: SignalJEPA, read: Read) -> None:
    features = token_features(network, _trials(response=True).X[:6], read)
    assert features.shape[0] == 6
    assert np.isfinite(features).all()


def test_covariances_find_power_of_random_phase_where_flat_tokens_do_not(
    network: SignalJEPA,
) -> None:
    trials = _trials(response=False)
    rng = np.random.default_rng(1)
    phase = rng.uniform(0, 2 * np.pi, (len(trials.y), 1))
    wave = 10 * np.sin(2 * np.pi * 11 * np.arange(trials.X.shape[-1]) / 128 + phase)
    trials.X[trials.y == "left_hand", 0] += wave[trials.y == "left_hand"].astype(np.float32)
    assert probe_accuracy(network, trials, "first-covariance") > 0.9
