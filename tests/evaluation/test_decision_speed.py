"""A decision of the network beside the paper's plain head; run with ``pytest --benchmark-only``."""

from __future__ import annotations

from time import perf_counter
from typing import Any

import numpy as np
import pytest
import torch

from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.latency import noise_decoder
from sjepa_online.model import PRETRAINING_CHANNELS, ModelConfig, PreLocalHead, SignalJEPA
from sjepa_online.protocol import load_protocol

N_ROUNDS = 200


@pytest.mark.parametrize("paradigm", ["ssvep", "erp", "mi"])
def test_a_decision_beside_the_forward_pass_of_the_plain_head(
    benchmark: Any, paradigm: str
) -> None:
    """The plain head has the layers of braindecode's ``SignalJEPA_PreLocal``, and its outputs."""
    protocol = load_protocol(paradigm)
    request = DecoderRequest("pre-local", "random", 0, "cpu", population="none")
    decoder = noise_decoder(protocol, request, PRETRAINING_CHANNELS, 250.0)
    network = SignalJEPA(ModelConfig.for_channels(PRETRAINING_CHANNELS))
    head = PreLocalHead(network, len(protocol.class_names), decoder.n_times).eval()
    window = 10 * np.random.default_rng(0).standard_normal((1, 62, decoder.n_times))
    samples = torch.from_numpy(window).float()
    plain: list[float] = []

    def forward() -> None:
        """Take turns, so that both meet the same load of the machine."""
        begun = perf_counter()
        with torch.no_grad():
            head(samples)
        plain.append(perf_counter() - begun)

    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as live decoding does
    try:
        benchmark.pedantic(
            decoder.predict_proba, (window,), setup=forward, rounds=N_ROUNDS, warmup_rounds=20
        )
    finally:
        torch.set_num_threads(threads)
    median = float(np.median(plain))
    benchmark.extra_info["plain head (ms)"] = 1e3 * median
    benchmark.extra_info["ratio"] = benchmark.stats["median"] / median
