"""What deciding without channels costs; run with ``pytest --benchmark-only``."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pytest

from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.missing import FilterWithoutChannels
from sjepa_online.evaluation.latency import noise_decoder
from sjepa_online.model import PRETRAINING_CHANNELS
from sjepa_online.protocol import load_protocol

N_ROUNDS = 100


@pytest.mark.parametrize("name", ["pre-local", "riemann"])
@pytest.mark.parametrize("every", [4, 2])
def test_deciding_without_channels_costs_at_most_a_fifth_more(
    benchmark: Any, name: str, every: int
) -> None:
    request = DecoderRequest(name, "random", 0, "cpu")
    decoder = noise_decoder(load_protocol("mi"), request, PRETRAINING_CHANNELS, 250.0)
    bad = decoder.ch_names[::every]
    rng = np.random.default_rng(0)
    window = 10 * rng.standard_normal((1, len(decoder.ch_names), decoder.n_times))
    whole: list[float] = []

    def decide_with_all() -> None:
        """Take turns, so that both meet the same load of the machine."""
        begun = perf_counter()
        decoder.predict_proba(window)
        whole.append(perf_counter() - begun)

    benchmark.pedantic(
        decoder.predict_proba,
        (window, bad),
        setup=decide_with_all,
        rounds=N_ROUNDS,
        warmup_rounds=5,
    )
    benchmark.extra_info["with all channels (s)"] = min(whole)
    # the quickest of many: others may be at work on the machine
    assert benchmark.stats["min"] < 1.2 * min(whole)


def test_another_mask_takes_less_than_a_millisecond_for_64_channels(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    mixing = rng.standard_normal((2, 64, 64))
    covariances = mixing @ mixing.swapaxes(1, 2)
    spatial_filter = FilterWithoutChannels(rng.standard_normal((4, 64)), covariances)
    masks = [rng.random(64) < 0.25 for _ in range(N_ROUNDS)]
    benchmark.pedantic(spatial_filter.without, setup=lambda: ((masks.pop(),), {}), rounds=N_ROUNDS)
    assert benchmark.stats["median"] < 1e-3
