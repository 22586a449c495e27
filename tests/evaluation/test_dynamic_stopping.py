from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.dynamic_stopping import evaluate_dynamic_stopping
from sjepa_online.protocol import Protocol, Window
from sjepa_online.signal import PreprocessorConfig


def test_uneven_classes_transfer_no_more_than_each_is_recognised(
    simulated_recording: Callable[..., Recording], protocol: Protocol
) -> None:
    """All trials look like one class; a decoder that says so all the time tells nothing."""
    long = protocol.model_copy(update={"window": Window(start=0.0, length=1.75)})
    train, test = (
        make_trials([simulated_recording(n_trials=24, seed=seed)], long, PreprocessorConfig())
        for seed in (0, 1)
    )
    left = np.flatnonzero(test.y == "left")
    y = test.y[left].copy()
    y[0] = "right"
    scores = evaluate_dynamic_stopping(
        train, replace(test, X=test.X[left], y=y), DecoderRequest("riemann")
    )
    assert scores["accuracy"] > 0.8
    assert scores["itr_bits_per_min"] == 0
