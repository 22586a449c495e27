"""Imagery without labels: the shipped population, aligned to simulated signal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import DecoderRequest, load_decoder
from sjepa_online.errors import InputError
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.artefacts import without_artefacts
from sjepa_online.training.without_labels import align, calibrate_without_labels

CONFIG = PreprocessorConfig()
PROTOCOL = load_protocol("mi")
Simulated = Callable[..., Recording]


@pytest.fixture
def recording(simulated_recording: Simulated) -> Recording:
    return simulated_recording("power", n_trials=24, classes=PROTOCOL.class_names)


def test_labels_have_no_influence(recording: Recording, tmp_path: Path) -> None:
    exchanged = replace(recording, labels=recording.labels[::-1])
    made = [
        calibrate_without_labels([one], PROTOCOL, CONFIG, DecoderRequest()).decoder
        for one in (recording, exchanged)
    ]
    assert made[0].name == "population"
    assert made[0].calibration.n_trials == 0
    assert "windows without labels" in made[0].calibration.choice
    X = make_trials([recording], PROTOCOL, CONFIG).X
    first, second = (one.predict_proba(X) for one in made)
    np.testing.assert_array_equal(first, second)
    made[0].save(tmp_path / "decoder.safetensors")
    restored = load_decoder(tmp_path / "decoder.safetensors")
    np.testing.assert_array_equal(
        restored.predict_proba(X, ["Cz"]), made[0].predict_proba(X, ["Cz"])
    )


def test_loud_windows_of_plain_signal_are_left_out_and_told(recording: Recording) -> None:
    plain = replace(recording, labels=(), onsets=np.empty(0))
    quiet = calibrate_without_labels([plain], PROTOCOL, CONFIG, DecoderRequest())
    assert not quiet.dropped
    data = plain.data.copy()
    data[:, 3000:3050] += 800
    loud = calibrate_without_labels(
        [replace(plain, data=data)], PROTOCOL, CONFIG, DecoderRequest("population")
    )
    assert "of 11 windows, whose amplitude" in loud.dropped[-1]


def test_a_window_in_which_the_person_moves_is_an_artefact() -> None:
    X = np.random.default_rng(0).normal(size=(8, 9, 100))
    picks = np.arange(1, 9)
    X[:, 0] *= 1e4
    assert without_artefacts(X, picks).all(), "the loud channel does not count"
    X[2, [1, 5], 50] = 100
    X[4, [1, 5], 50] = 6
    assert np.flatnonzero(~without_artefacts(X, picks)).tolist() == [2]


def test_an_electrode_that_becomes_noisy_is_learned_as_it_is() -> None:
    """It would be noisy in later windows, too; what is no EEG at all is an artefact."""
    X = np.random.default_rng(0).normal(size=(8, 9, 100))
    X[5:, 3] *= 20
    assert without_artefacts(X, np.arange(9)).all()
    X[6, 3, 50] = 1100
    assert np.flatnonzero(~without_artefacts(X, np.arange(9))).tolist() == [6]


def test_signal_full_of_artefacts_is_refused() -> None:
    X = np.random.default_rng(0).normal(size=(8, 3, 100))
    X[:5, 2] *= 1e4
    with pytest.raises(InputError, match="3 of 8 windows"):
        without_artefacts(X, np.array([0, 2]))


def test_a_person_like_nobody_is_told(recording: Recording) -> None:
    noise = np.random.default_rng(1).normal(size=recording.data.shape).astype(np.float32)
    made = calibrate_without_labels(
        [replace(recording, data=10 * noise)], PROTOCOL, CONFIG, DecoderRequest()
    )
    assert "not sure" in made.decoder.calibration.choice


def test_the_first_labels_refine_the_population(recording: Recording) -> None:
    request, names = DecoderRequest("population"), recording.ch_names
    half = tuple(reversed(recording.labels[12:]))
    mixed = replace(recording, labels=(*recording.labels[:12], *half))
    X = make_trials([recording], PROTOCOL, CONFIG).X
    found = [
        align([one], PROTOCOL, CONFIG, request, names, n)
        for one, n in ((recording, 0), (recording, 12), (mixed, 12))
    ]
    without, with_labels, others = (one[0].predict_proba(X) for one in found if one is not None)
    assert not np.allclose(without, with_labels)
    np.testing.assert_allclose(with_labels, others)
    none = replace(request, name="auto", population="none")
    assert align([recording], PROTOCOL, CONFIG, none, names) is None


def test_markers_of_another_protocol_are_told(recording: Recording) -> None:
    other = replace(
        recording, labels=tuple(f"{index % 8}" for index in range(len(recording.labels)))
    )
    made = calibrate_without_labels([other], PROTOCOL, CONFIG, DecoderRequest())
    (told,) = made.dropped
    assert told == "markers, of which none is a class of the protocol mi: 0, 1, 2, 3, 4, 5, ..."
