from __future__ import annotations

import pytest
from pydantic import ValidationError

from sjepa_online.errors import InputError
from sjepa_online.model import PRETRAINING_CHANNELS, ModelConfig, SignalJEPA


def test_the_published_network_has_the_published_number_of_parameters() -> None:
    network = SignalJEPA(ModelConfig.for_channels())
    assert len(PRETRAINING_CHANNELS) == 62
    assert sum(p.numel() for p in network.parameters()) == 3_456_852
    assert sum(p.numel() for p in network.local_encoder.parameters()) == 13_840


@pytest.mark.parametrize(
    ("n_times", "n_tokens"), [(152, 1), (279, 1), (280, 2), (536, 4), (2072, 16)]
)
def test_token_counts_are_those_of_the_paper(n_times: int, n_tokens: int) -> None:
    assert ModelConfig.for_channels(["Cz"]).n_tokens(n_times) == n_tokens


def test_a_window_shorter_than_a_token_is_refused() -> None:
    with pytest.raises(InputError, match="at least 152 samples"):
        ModelConfig.for_channels(["Cz"]).n_tokens(151)


@pytest.mark.parametrize(
    "fields",
    [
        {"d_model": 32},
        {"d_spatial": 24},
        {"n_heads": 7},
        {"conv_layers": ()},
        {"dropout": 1.0},
        {"layers": 3},
    ],
)
def test_fields_that_do_not_fit_together_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ModelConfig.for_channels(["Cz"], **fields)


def test_electrodes_without_a_position_are_listed() -> None:
    with pytest.raises(InputError, match="X99"):
        ModelConfig.for_channels(["Cz", "X99"])
