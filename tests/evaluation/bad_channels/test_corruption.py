"""Scores while channels are corrupted, on simulated recordings whose classes are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.data.corruption import FaultKind
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.evaluation.bad_channels.corruption import (
    CorruptionScores,
    CorruptionSettings,
    Side,
    evaluate_corruption,
    n_steps,
    to_json,
)
from sjepa_online.evaluation.bad_channels.interpolation import STRATEGIES
from sjepa_online.evaluation.plots import plot_corruption, to_svg
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig

Evaluate = Callable[..., CorruptionScores]


@pytest.fixture
def evaluate(simulated_recording: Callable[..., Recording], protocol: Protocol) -> Evaluate:
    """Evaluate ``riemann`` on recordings whose two classes differ at C3 and C4."""

    def run(
        settings: CorruptionSettings,
        n_seeds: int = 1,
        train: Recording | None = None,
        test: Recording | None = None,
    ) -> CorruptionScores:
        steps: list[None] = []
        train, test = train or simulated_recording(), test or simulated_recording(seed=1)
        preprocessing = PreprocessorConfig()
        scores = evaluate_corruption(
            Side([train], make_trials([train], protocol, preprocessing)),
            Side([test], make_trials([test], protocol, preprocessing)),
            preprocessing,
            DecoderRequest("riemann", random_state=0, device="cpu"),
            settings,
            n_seeds,
            lambda: steps.append(None),
        )
        assert len(steps) == n_seeds * n_steps(settings, len(train.ch_names))
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


@pytest.mark.slow
def test_draws_of_a_share_and_one_without_faults(evaluate: Evaluate) -> None:
    settings = CorruptionSettings("flat", (0.0, 0.5), n_draws=2, detection="known")
    scores = evaluate(settings)
    assert [len(draws) for draws in scores.oracle] == [1, 2]
    assert [len(draws) for draws in scores.strategies["spline"]] == [1, 2]
    again = evaluate(settings)
    assert again == scores, "the draws are seeded"
    more = evaluate(settings, n_seeds=2)
    assert [draws[: len(draws) // 2] for draws in more.oracle] == scores.oracle
    assert [(row["seed"], row["draw"]) for row in more.rows("riemann")[:6]] == [
        (0, 0), (1, 0), (0, 0), (0, 1), (1, 0), (1, 1)
    ]  # fmt: skip


@pytest.mark.parametrize(("gain", "is_harmless"), [(1.0, True), (1e4, False)])
def test_the_gain_is_that_of_the_fault(evaluate: Evaluate, gain: float, is_harmless: bool) -> None:
    settings = CorruptionSettings("gain", (0.25,), n_draws=1, gain=gain)
    [[score]] = evaluate(settings).strategies["none"]
    assert (score == 1.0) == is_harmless


def test_one_channel_cannot_be_swapped_by_itself(evaluate: Evaluate) -> None:
    with pytest.raises(InputError, match="only one to change"):
        evaluate(CorruptionSettings("swap", "each"))


@pytest.mark.parametrize(
    ("kind", "share", "n_channels", "told"),
    [
        ("noise", 0.05, 8, "0.05 of 8 channels with the fault noise: 0"),
        ("noise", 0.95, 8, "0.95 of 8 channels with the fault noise: 8"),
        ("swap", 0.5, 2, "fault swap: 2"),
        ("noise", "each", 1, "1 of 1 channels"),
    ],
)
def test_shares_that_corrupt_none_or_all_are_refused(
    kind: FaultKind, share: float | Literal["each"], n_channels: int, told: str
) -> None:
    fractions = share if share == "each" else (0.0, share)
    with pytest.raises(InputError, match=told):
        n_steps(CorruptionSettings(kind, fractions), n_channels)


def test_a_share_is_told_as_asked_and_as_realised(evaluate: Evaluate) -> None:
    scores = evaluate(CorruptionSettings("flat", (0.0, 0.2), n_draws=1))
    assert (scores.fractions, scores.realised) == ([0.0, 0.2], [0.0, 0.25])
    swapped = CorruptionSettings("swap", (0.125, 0.25))
    assert swapped.n_corrupted(8) == [2, 2], "one cannot be swapped by itself"


def test_only_trials_that_can_be_used_count(
    evaluate: Evaluate, simulated_recording: Callable[..., Recording]
) -> None:
    """Half of the trials are broken in the middle, and their labels are wrong."""
    test = simulated_recording(seed=1)
    labels = np.array(test.labels)
    labels[:8] = labels[1:9]
    broken = replace(test, labels=tuple(labels.tolist()), breaks=test.onsets[:8] + 0.8)
    settings = CorruptionSettings("flat", (0.0,))
    assert evaluate(settings, test=broken).strategies["none"] == [[1.0]]
    with pytest.raises(InputError, match="No trial"):
        evaluate(settings, test=replace(test, breaks=test.onsets + 0.8))


def test_training_needs_every_class(
    evaluate: Evaluate, simulated_recording: Callable[..., Recording]
) -> None:
    one_class = replace(simulated_recording(), labels=("right",) * 16)
    with pytest.raises(InputError, match="left: 0"):
        evaluate(CorruptionSettings("flat", (0.0,)), train=one_class)


def test_document_and_plot() -> None:
    rows = [[0.9], [0.7, 0.5]]
    scores = CorruptionScores(
        [0.0, 0.1], [0.0, 0.125], [0], dict.fromkeys(STRATEGIES, rows), [[0.9], [0.8, 0.8]]
    )
    settings = CorruptionSettings("gain", (0.0, 0.1), gain=100.0)
    document = to_json(settings, {"riemann": scores})
    assert (document["kind"], document["gain"], document["draws"]) == ("gain", 100.0, 2)
    assert document["fractions"] == [0.0, 0.1]
    assert document["realised_fractions"] == [0.0, 0.125]
    assert document["decoders"]["riemann"]["dynamic"] == pytest.approx([0.9, 0.6])
    assert document["std"]["riemann"]["zero"] == pytest.approx([0.0, 0.1])
    assert document["oracle"]["riemann"] == pytest.approx([0.9, 0.8])
    assert document["oracle_std"]["riemann"] == pytest.approx([0.0, 0.0])
    assert "gain" not in to_json(CorruptionSettings("flat", (0.0,)), {"riemann": scores})
    figure = plot_corruption({"riemann": scores.curves}, scores.realised, "accuracy", 0.25)
    assert to_svg(figure).startswith(b"<?xml")
    [panel] = figure.axes
    heights = {line.get_label(): line.lines[0].get_ydata().tolist() for line in panel.containers}
    assert heights == {
        **dict.fromkeys(STRATEGIES, pytest.approx([0.9, 0.6])),
        "oracle": pytest.approx([0.9, 0.8]),
    }
