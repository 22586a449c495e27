"""What deciding without channels costs; run with ``pytest --benchmark-only``."""

from __future__ import annotations

from itertools import cycle
from time import perf_counter
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.decoding import Decoder, DecoderRequest
from sjepa_online.evaluation.latency import noise_decoder
from sjepa_online.model import PRETRAINING_CHANNELS
from sjepa_online.protocol import load_protocol

N_ROUNDS = 60
DECODERS = [
    ("ssvep", "auto"),
    ("erp", "auto"),
    ("mi", "auto"),
    ("ssvep", "pre-local"),
    ("erp", "pre-local"),
    ("mi", "pre-local"),
    ("mi", "riemann"),
]


def _decoder_and_window(paradigm: str, name: str) -> tuple[Decoder, NDArray[np.float64]]:
    request = DecoderRequest(name, "random", 0, "cpu")
    decoder = noise_decoder(load_protocol(paradigm), request, PRETRAINING_CHANNELS, 250.0)
    rng = np.random.default_rng(0)
    return decoder, 10 * rng.standard_normal((1, len(decoder.ch_names), decoder.n_times))


@pytest.mark.parametrize(("paradigm", "name"), DECODERS)
@pytest.mark.parametrize("every", [4, 2])
def test_deciding_without_channels_costs_at_most_a_fifth_more(
    benchmark: Any, paradigm: str, name: str, every: int
) -> None:
    decoder, window = _decoder_and_window(paradigm, name)
    whole: list[float] = []

    def decide_with_all() -> None:
        """Take turns, so that both meet the same load of the machine."""
        begun = perf_counter()
        decoder.predict_proba(window)
        whole.append(perf_counter() - begun)

    benchmark.pedantic(
        decoder.predict_proba,
        (window, decoder.ch_names[::every]),
        setup=decide_with_all,
        rounds=N_ROUNDS,
        warmup_rounds=5,
    )
    benchmark.extra_info["with all channels (s)"] = min(whole)
    # the quickest of many: others may be at work on the machine
    assert benchmark.stats["min"] < 1.2 * min(whole)


@pytest.mark.parametrize(("paradigm", "name"), DECODERS)
def test_another_mask_takes_less_than_a_millisecond_a_decoder(
    benchmark: Any, paradigm: str, name: str
) -> None:
    """The time of a decision with a new mask, less that of the same decision once more."""
    decoder, window = _decoder_and_window(paradigm, name)
    masks = cycle([decoder.ch_names[::4], decoder.ch_names[1::4]])
    again: list[float] = []
    mask = next(masks)

    def decide_once_more() -> tuple[tuple[Any, ...], dict[str, Any]]:
        nonlocal mask
        begun = perf_counter()
        decoder.predict_proba(window, mask)
        again.append(perf_counter() - begun)
        mask = next(masks)
        return (window, mask), {}

    benchmark.pedantic(
        decoder.predict_proba, setup=decide_once_more, rounds=N_ROUNDS, warmup_rounds=0
    )
    benchmark.extra_info["with the same mask (s)"] = min(again)
    # auto has the filters of all its members
    n_decoders = 3 if name == "auto" else 1
    assert benchmark.stats["min"] - min(again) < 1e-3 * n_decoders
