from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from mne.channels import make_standard_montage
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from sjepa_online.errors import InputError
from sjepa_online.model import PRETRAINING_CHANNELS, ModelConfig, SignalJEPA
from sjepa_online.model.channel_embedding import ChannelEmbedding, cosine_code, time_code
from sjepa_online.signal.montage import MNE_MONTAGE, positions_in_metres

UNSEEN = ("FCz", "AFz", "FTT7h", "Iz")


@pytest.fixture(scope="module")
def embedding() -> ChannelEmbedding:
    """An embedding of the 62 electrodes; training added a smooth function of position."""
    embedding = ChannelEmbedding(ModelConfig.for_channels())
    with torch.no_grad():
        embedding.table += torch.from_numpy(learned(PRETRAINING_CHANNELS)).float()
    return embedding


def learned(ch_names: tuple[str, ...]) -> np.ndarray:
    """A smooth function of position, with amplitudes around 0.5."""
    directions = np.random.default_rng(0).standard_normal((3, 30))
    return 0.5 * np.sin(positions_in_metres(ch_names) @ directions / 0.1)


def test_a_new_table_is_the_published_cosine_code() -> None:
    table = ChannelEmbedding(ModelConfig.for_channels()).table
    oz = table[PRETRAINING_CHANNELS.index("Oz")].tolist()
    # Oz has the coordinate of largest magnitude, y = -0.114892 m, so its code's angle is
    # -1/10 of the frequencies exp(2π (1 - i / 10)), i = 0, 2, ...
    for pair in range(5):
        angle = -0.1 * math.exp(2 * math.pi * (1 - 2 * pair / 10))
        assert oz[10 + 2 * pair] == pytest.approx(math.sin(angle), abs=1e-4)
        assert oz[11 + 2 * pair] == pytest.approx(math.cos(angle), abs=1e-4)


@torch.no_grad()
def test_trained_electrodes_keep_their_vectors_exactly(embedding: ChannelEmbedding) -> None:
    names = ["O2", "FCz", "fp1", "EEG Cz-Ref", "T3"]
    vectors = embedding(names)
    for row, name in [(0, "O2"), (2, "Fp1"), (3, "Cz"), (4, "T7")]:
        assert torch.equal(vectors[row], embedding.table[PRETRAINING_CHANNELS.index(name)])


@torch.no_grad()
def test_elsewhere_the_learned_part_is_a_gaussian_process(embedding: ChannelEmbedding) -> None:
    regressor = GaussianProcessRegressor(Matern(0.06, nu=1.5), alpha=1e-8, optimizer=None)
    regressor.fit(positions_in_metres(PRETRAINING_CHANNELS), learned(PRETRAINING_CHANNELS))
    positions = positions_in_metres(UNSEEN)
    expected = cosine_code(positions, 30) + regressor.predict(positions)
    np.testing.assert_allclose(embedding(UNSEEN).numpy(), expected, atol=1e-4)


@torch.no_grad()
def test_interpolation_comes_close_to_what_was_learned(embedding: ChannelEmbedding) -> None:
    unseen = ("FCz", "AFz", "C3h", "PPO1h", "CPP3h")
    found = embedding(unseen).numpy() - cosine_code(positions_in_metres(unseen), 30)
    assert np.abs(found - learned(unseen)).max() < 0.1 * np.abs(learned(unseen)).max()


@torch.no_grad()
def test_a_vector_does_not_depend_on_the_other_channels(embedding: ChannelEmbedding) -> None:
    alone = embedding(["FCz"])[0]
    torch.testing.assert_close(embedding(["O1", "FCz", "Iz", "F9"])[1], alone)


def test_gradients_reach_the_table_through_interpolated_channels(
    embedding: ChannelEmbedding,
) -> None:
    embedding(["FCz"]).sum().backward()
    gradient = embedding.table.grad
    assert gradient is not None
    nearest = gradient.abs().sum(dim=1).topk(2).indices.tolist()
    assert {PRETRAINING_CHANNELS[i] for i in nearest} <= {"Fz", "Cz", "FC1", "FC2"}


@torch.no_grad()
def test_weights_of_62_channels_run_on_8_and_on_128() -> None:
    config = ModelConfig.for_channels(n_encoder_layers=1, n_decoder_layers=1)
    network = SignalJEPA(config).eval()
    ears = ("A1", "A2", "M1", "M2", "T3", "T4", "T5", "T6")
    names = [name for name in make_standard_montage(MNE_MONTAGE).ch_names if name not in ears]
    for ch_names in (names[::40][:8], names[:256:2]):
        tokens = network.with_channels(ch_names)(torch.randn(1, len(ch_names), 280))
        assert tokens.shape == (1, 2 * len(ch_names), 64)
        assert bool(torch.isfinite(tokens).all())


def test_a_channel_without_a_position_is_named(network: SignalJEPA) -> None:
    with pytest.raises(InputError, match="EMG1"):
        network.with_channels(["Cz", "EMG1"])


def test_the_time_code_turns_slower_in_later_dimensions() -> None:
    code = time_code(16, 34, 600, torch.device("cpu"))
    assert code.shape == (16, 34)
    for pair in range(17):
        angles = np.arange(16) * 600 ** (-2 * pair / 34)
        np.testing.assert_allclose(code[:, 2 * pair], np.sin(angles), atol=1e-5)
        np.testing.assert_allclose(code[:, 2 * pair + 1], np.cos(angles), atol=1e-5)
