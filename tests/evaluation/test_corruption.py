"""Scores while channels are corrupted, on simulated recordings whose classes are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.corruption import (
    STRATEGIES,
    CorruptionScores,
    CorruptionSettings,
    evaluate_corruption,
    n_steps,
    plot_corruption,
    to_json,
)
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig

Evaluate = Callable[[CorruptionSettings], CorruptionScores]


@pytest.fixture
def evaluate(simulated_recording: Callable[..., Recording], protocol: Protocol) -> Evaluate:
    """Evaluate ``riemann`` on recordings whose two classes differ at C3 and C4."""

    def run(settings: CorruptionSettings) -> CorruptionScores:
        steps: list[None] = []
        train, test = simulated_recording(), simulated_recording(seed=1)
        scores = evaluate_corruption(
            [train],
            [test],
            protocol,
            PreprocessorConfig(),
            DecoderRequest("riemann", random_state=0, device="cpu"),
            settings,
            lambda: steps.append(None),
        )
        assert len(steps) == n_steps(settings, len(train.ch_names))
        return scores

    return run


def test_each_channel_by_itself(evaluate: Evaluate) -> None:
    scores = evaluate(CorruptionSettings("noise", "each", detection="known"))
    assert scores.fractions == [0.0, 0.25]
    for name in STRATEGIES:
        [clean], alone = scores.strategies[name]
        assert clean == 1.0
        assert len(alone) == 4
    dynamic, none = scores.strategies["dynamic"][1], scores.strategies["none"][1]
    # Cz and Pz say nothing of the classes
    assert dynamic[1] == dynamic[3] == 1.0
    assert np.mean(none) < np.mean(dynamic)
    assert scores.oracle[1][1] == 1.0


def test_draws_of_a_share_and_one_without_faults(evaluate: Evaluate) -> None:
    settings = CorruptionSettings("flat", (0.0, 0.5), n_draws=2, detection="known")
    scores = evaluate(settings)
    assert [len(draws) for draws in scores.oracle] == [1, 2]
    assert [len(draws) for draws in scores.strategies["spline"]] == [1, 2]
    again = evaluate(settings)
    assert again == scores, "the draws are seeded"


@pytest.mark.parametrize(("gain", "is_harmless"), [(1.0, True), (1e4, False)])
def test_the_gain_is_that_of_the_fault(evaluate: Evaluate, gain: float, is_harmless: bool) -> None:
    settings = CorruptionSettings("gain", (0.25,), n_draws=1, gain=gain)
    [[score]] = evaluate(settings).strategies["none"]
    assert (score == 1.0) == is_harmless


def test_one_channel_cannot_be_swapped_by_itself(evaluate: Evaluate) -> None:
    with pytest.raises(InputError, match="at least two"):
        evaluate(CorruptionSettings("swap", "each"))


def test_document_and_plot(tmp_path: Path) -> None:
    rows = [[0.9], [0.7, 0.5]]
    scores = CorruptionScores([0.0, 0.125], dict.fromkeys(STRATEGIES, rows), [[0.9], [0.8, 0.8]])
    settings = CorruptionSettings("gain", "each", gain=100.0)
    document = to_json(settings, {"riemann": scores})
    assert (document["kind"], document["gain"], document["draws"]) == ("gain", 100.0, 2)
    assert document["fractions"] == [0.0, 0.125]
    assert document["decoders"]["riemann"]["dynamic"] == pytest.approx([0.9, 0.6])
    assert document["std"]["riemann"]["zero"] == pytest.approx([0.0, 0.1])
    assert document["oracle"]["riemann"] == pytest.approx([0.9, 0.8])
    assert document["oracle_std"]["riemann"] == pytest.approx([0.0, 0.0])
    assert "gain" not in to_json(CorruptionSettings("flat", (0.0,)), {"riemann": scores})
    plot_corruption(tmp_path / "plot.svg", settings, {"riemann": scores})
    assert (tmp_path / "plot.svg").read_text().startswith("<?xml")
