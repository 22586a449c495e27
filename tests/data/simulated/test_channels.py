from __future__ import annotations

import pytest

from sjepa_online.data.simulated import simulated_channels
from sjepa_online.errors import InputError
from sjepa_online.signal.montage import channel_positions, resolve_channel_names

PARADIGMS = ("ssvep", "erp", "mi")


@pytest.mark.parametrize("paradigm", PARADIGMS)
def test_more_channels_keep_the_first(paradigm):
    most = simulated_channels(paradigm, 128)
    assert resolve_channel_names(most) == list(most)  # known, and each once
    for n in (1, 3, 8, 16, 64):
        assert simulated_channels(paradigm, n) == most[:n]


def test_what_matters_comes_first():
    assert {"Oz", "O1", "O2", "PO7", "PO8"} <= set(simulated_channels("ssvep", 8))
    assert {"C3", "C4", "Cz"} == set(simulated_channels("mi", 3))
    assert {"Pz", "Cz", "PO7", "PO8", "Oz"} <= set(simulated_channels("erp", 8))


@pytest.mark.parametrize("paradigm", PARADIGMS)
def test_sixteen_channels_reach_over_the_head(paradigm):
    positions = channel_positions(simulated_channels(paradigm, 16))
    assert (positions.max(axis=0) > 0.7).all()
    assert (positions.min(axis=0)[:2] < -0.7).all()


@pytest.mark.parametrize("n", [0, -1, 129])
def test_an_impossible_number_is_refused(n):
    with pytest.raises(InputError, match=str(n)):
        simulated_channels("ssvep", n)
