"""Dynamic stopping, on probabilities made for it and on simulated recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import Decoder, DecoderRequest, load_decoder
from sjepa_online.decoding.dynamic_stopping import (
    NEVER,
    choose_threshold,
    cross_validated_stopping_scores,
    prefix_lengths,
    stopping_prefixes,
    stopping_scores,
)
from sjepa_online.decoding.metrics import information_transfer_rate
from sjepa_online.errors import InputError
from sjepa_online.online import Decision, Engine, decode_recording
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training import calibrate

SECONDS = [1.0, 2.0, 3.0, 4.0]
CLASSES = ("slow", "fast", "rest")


@pytest.fixture
def protocol() -> Protocol:
    """Three classes, and a window that reaches to the next trial."""
    return Protocol.model_validate(
        {
            "name": "simulated",
            "paradigm": "ssvep",
            "window": {"start": 0.0, "length": 2.0},
            "classes": [
                {"name": "slow", "frequency": 9.0},
                {"name": "fast", "frequency": 13.0},
                {"name": "rest"},
            ],
        }
    )


@pytest.fixture
def decoder(
    protocol: Protocol,
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
) -> Decoder:
    classifier = DecoderRequest("riemann").make(
        protocol, ("C3", "Cz", "C4", "Pz"), dynamic_stopping=True
    )
    classifier.threshold = 0.8
    recording = simulated_recording("stimulus", n_trials=36, classes=CLASSES)
    return make_decoder(recording, protocol, classifier=classifier)


def _growing_evidence(n: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Return calibrated probabilities of two classes that get surer from prefix to prefix."""
    rng = np.random.default_rng(seed)
    targets = rng.integers(2, size=n)
    # the log odds of Gaussian evidence: mean and half of the variance are the same
    gain = 3.0
    steps = rng.normal(gain / 2, np.sqrt(gain), size=(n, len(SECONDS)))
    odds = np.cumsum(steps, axis=1) * np.where(targets == 1, 1, -1)[:, np.newaxis]
    positive = 1 / (1 + np.exp(-odds))
    return np.stack([1 - positive, positive], axis=2), targets


def test_prefixes_end_with_the_window() -> None:
    assert prefix_lengths(536) == (128, 192, 256, 320, 384, 448, 536)
    assert prefix_lengths(152) == (152,)
    for n_times in range(128, 1000, 7):
        lengths = prefix_lengths(n_times)
        assert lengths[-1] == n_times
        assert all(later - earlier >= 32 for earlier, later in zip(lengths, lengths[1:]))  # noqa: B905, RUF007


def test_the_first_prefix_that_is_sure_decides() -> None:
    sure = np.array([[0.6, 0.9, 0.5, 0.7], [0.5, 0.6, 0.7, 0.75], [0.95, 0.2, 0.2, 0.6]])
    probabilities = np.stack([sure, 1 - sure], axis=2)
    assert stopping_prefixes(probabilities, 0.85).tolist() == [1, 3, 0]
    assert stopping_prefixes(probabilities, NEVER).tolist() == [3, 3, 3]
    assert stopping_prefixes(probabilities, np.array([[0.6], [0.6], [0.99]])).tolist() == [0, 1, 3]


def test_scores_are_those_of_the_prefixes_that_decide() -> None:
    probabilities, targets = _growing_evidence(200)
    scores = stopping_scores(probabilities, targets, SECONDS, 0.9)
    right, seconds = [], []
    for trial, target in zip(probabilities, targets, strict=True):
        deciding = next((i for i in range(4) if trial[i].max() >= 0.9), 3)
        right.append(trial[deciding].argmax() == target)
        seconds.append(SECONDS[deciding])
    assert scores["accuracy"] == pytest.approx(np.mean(right))
    assert scores["decision_s"] == pytest.approx(np.mean(seconds))
    assert scores["itr_bits_per_min"] == pytest.approx(
        information_transfer_rate(float(np.mean(right)), 2, float(np.mean(seconds)))
    )


def test_the_threshold_buys_time_for_little_accuracy() -> None:
    probabilities, targets = _growing_evidence(400)
    threshold = choose_threshold(probabilities, targets, SECONDS)
    whole = stopping_scores(probabilities, targets, SECONDS, NEVER)
    chosen = stopping_scores(probabilities, targets, SECONDS, threshold)
    assert chosen["accuracy"] >= whole["accuracy"] - 0.02
    assert chosen["decision_s"] < 3.0
    assert chosen["itr_bits_per_min"] > 1.2 * whole["itr_bits_per_min"]
    # the same threshold holds for trials that did not choose it
    others, their_targets = _growing_evidence(400, seed=1)
    kept = stopping_scores(others, their_targets, SECONDS, threshold)["accuracy"]
    assert kept > stopping_scores(others, their_targets, SECONDS, NEVER)["accuracy"] - 0.05


def test_speed_does_not_buy_accuracy_that_waiting_gives() -> None:
    """A guess after the first prefix gives more bits a minute, but is wrong more often."""
    targets = np.arange(100) % 2
    truth = np.eye(2)[targets]

    def right_in(share: float, probability: float) -> np.ndarray:
        shown = np.where(np.arange(100)[:, np.newaxis] < 100 * share, truth, 1 - truth)
        return np.where(shown == 1, probability, 1 - probability)

    parts = [right_in(0.75, 0.6), right_in(0.75, 0.6), right_in(0.85, 0.8), right_in(0.75, 0.6)]
    probabilities = np.stack(parts, axis=1)
    threshold = choose_threshold(probabilities, targets, SECONDS)
    assert stopping_scores(probabilities, targets, SECONDS, threshold)["accuracy"] == 0.85


def test_what_is_decided_early_is_as_sure_as_waiting_is_right() -> None:
    """Prefixes little better than chance that say so: the first would give the most bits."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 4000)
    shares = np.array([0.69, 0.69, 0.69, 0.7])
    of_target = np.where(rng.random((4000, 4)) < shares, shares, 1 - shares)
    probabilities = np.stack([1 - of_target, of_target], axis=2)
    probabilities[targets == 0] = probabilities[targets == 0][..., ::-1]
    threshold = choose_threshold(probabilities, targets, SECONDS)
    first, waiting = (
        stopping_scores(probabilities, targets, SECONDS, one) for one in (0.6, threshold)
    )
    assert first["itr_bits_per_min"] > waiting["itr_bits_per_min"]
    assert first["accuracy"] > waiting["accuracy"] - 0.02
    assert threshold >= waiting["accuracy"]


def test_who_knows_nothing_is_not_asked_early() -> None:
    probabilities = np.full((40, 4, 2), 0.5) + np.array([0.01, -0.01])
    assert choose_threshold(probabilities, np.arange(40) % 2, SECONDS) == NEVER


def test_prefixes_that_know_nothing_never_decide() -> None:
    """Only the whole window is right, and the prefixes are just as sure."""
    targets = np.arange(100) % 2
    wrong = np.stack([np.full(100, 0.9), np.full(100, 0.1)], axis=1)
    right = np.where(np.eye(2)[targets] == 1, 0.9, 0.1)
    probabilities = np.stack([wrong, wrong, wrong, right], axis=1)
    threshold = choose_threshold(probabilities, targets, SECONDS)
    assert stopping_prefixes(probabilities, threshold).tolist() == [3] * 100


def test_cross_validated_scores_do_not_see_their_own_fold() -> None:
    probabilities, targets = _growing_evidence(200)
    folds = np.array_split(np.arange(200), 5)
    scores = cross_validated_stopping_scores(probabilities, targets, SECONDS, folds)
    right, seconds = [], []
    for fold in folds:
        others = np.setdiff1d(np.arange(200), fold)
        threshold = choose_threshold(probabilities[others], targets[others], SECONDS)
        one = stopping_scores(probabilities[fold], targets[fold], SECONDS, threshold)
        right.append(one["accuracy"])
        seconds.append(one["decision_s"])
    assert scores["accuracy"] == pytest.approx(np.mean(right))
    assert scores["decision_s"] == pytest.approx(np.mean(seconds))


def test_online_the_same_rule_runs(
    decoder: Decoder, protocol: Protocol, simulated_recording: Callable[..., Recording]
) -> None:
    """Whatever the chunks: the first sure prefix decides, when its last sample has come."""
    recording = simulated_recording("stimulus", n_trials=18, classes=CLASSES, seed=1)
    trials = make_trials([recording], protocol, PreprocessorConfig())
    classifier = decoder.classifier
    prefixes = np.stack(
        [decoder.predict_proba(trials.X[..., :length]) for length in decoder.window_lengths], axis=1
    )
    classifier.threshold = float(np.median(prefixes[:, 0].max(axis=1)))
    expected = stopping_prefixes(prefixes, classifier.threshold)
    assert len(set(expected.tolist())) > 1, "some decide early, some late"
    decisions = [one for one in decode_recording(decoder, recording) if isinstance(one, Decision)]
    # the last trial ends with the recording, so that only an early decision is possible
    assert len(decisions) >= len(expected) == 17
    for decision, index, probabilities in zip(decisions, expected, prefixes, strict=False):
        assert decision.window == decoder.window_lengths[index] / 128
        told = list(decision.probabilities.values())
        np.testing.assert_allclose(told, probabilities[index], atol=1e-4)
        assert decision.onset is not None
        # the causal filters' delay comes on top
        assert decision.window < decision.time - decision.onset < decision.window + 0.1


def test_a_sure_decision_does_not_wait_for_the_rest_of_the_window(
    decoder: Decoder, simulated_recording: Callable[..., Recording]
) -> None:
    recording = simulated_recording("stimulus", n_trials=18, classes=CLASSES, seed=1)
    whole = [one for one in decode_recording(decoder, recording) if isinstance(one, Decision)]
    engine = Engine(decoder, recording.ch_names, recording.sfreq, recording.unit, mode="markers")
    for label, onset in zip(recording.labels, recording.onsets, strict=True):
        engine.push_marker(label, float(onset))
    decisions = []
    times = np.arange(recording.data.shape[1]) / recording.sfreq
    for start in range(0, len(times), 10):
        part = slice(start, start + 10)
        for result in engine.push(recording.data[:, part].astype(float), times[part]):
            assert isinstance(result, Decision)
            assert result.time >= times[part][0] - 1 / 128, "it comes with its last sample"
            decisions.append(result)
    assert [one.window for one in decisions] == [one.window for one in whole]


def test_calibration_keeps_the_rule_and_its_scores(
    protocol: Protocol, simulated_recording: Callable[..., Recording], tmp_path: object
) -> None:
    recording = simulated_recording("stimulus", n_trials=30, classes=CLASSES)
    request = DecoderRequest("riemann")
    calibration = calibrate(
        [recording], protocol, PreprocessorConfig(), request, dynamic_stopping=True
    )
    told = calibration.decoder.calibration.dynamic_stopping
    assert told["accuracy"] > 0.8
    assert 1.0 <= told["decision_s"] < 2.0
    path = f"{tmp_path}/decoder.safetensors"
    calibration.decoder.save(path)
    loaded = load_decoder(path)
    assert loaded.window_lengths == (128, 192, 256)
    assert loaded.classifier.threshold == calibration.decoder.classifier.threshold
    X = calibration.trials.X[..., :192]
    np.testing.assert_array_equal(loaded.predict_proba(X), calibration.decoder.predict_proba(X))


def test_lengths_between_the_prefixes_are_refused(decoder: Decoder) -> None:
    with pytest.raises(InputError, match="128 or 192 or 256"):
        decoder.predict_proba(np.zeros((1, 4, 200)))


def test_a_window_of_one_token_has_no_prefix(protocol_of: Callable[[str], Protocol]) -> None:
    with pytest.raises(InputError, match="too short"):
        DecoderRequest("riemann").make(
            protocol_of("erp"), ("C3", "Cz", "C4", "Pz"), dynamic_stopping=True
        )


@pytest.mark.usefixtures("short_training")
@pytest.mark.parametrize(("name", "first"), [("new-post-local", 192), ("pre-local", 128)])
def test_networks_decide_early_and_do_without_channels(
    name: str,
    first: int,
    protocol: Protocol,
    simulated_recording: Callable[..., Recording],
    tiny_weights: str,
    tmp_path: Path,
) -> None:
    """Heads on tokens begin where there is one, and read estimates of bad channels, not zeros."""
    recording = simulated_recording("stimulus", n_trials=18, classes=CLASSES)
    request = DecoderRequest(name, weights=tiny_weights, device="cpu")
    calibration = calibrate(
        [recording], protocol, PreprocessorConfig(), request, n_folds=3, dynamic_stopping=True
    )
    calibration.decoder.save(tmp_path / "early.safetensors")
    decoder = load_decoder(tmp_path / "early.safetensors")
    assert decoder.window_lengths[0] == first
    X = calibration.trials.X[..., :first]
    zeros, broken = X.copy(), X.copy()
    zeros[:, 1], broken[:, 1] = 0, 300
    bad = [decoder.ch_names[1]]
    without = decoder.predict_proba(broken, bad)
    np.testing.assert_array_equal(without, decoder.predict_proba(X, bad))
    assert not np.allclose(without, decoder.predict_proba(zeros), atol=1e-6)
