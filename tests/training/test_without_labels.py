"""Decoders without labelled trials: no label is read, and what there is gets saved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.data.source import load_recording
from sjepa_online.decoding import DecoderRequest, load_decoder
from sjepa_online.decoding.transfer.population import fit_population
from sjepa_online.errors import InputError
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.without_labels import (
    FEW_LABELS,
    align,
    calibrate_without_labels,
    require_possible,
)

Spelling = Callable[..., Recording]
CONFIG = PreprocessorConfig()


def _with_other_targets(recording: Recording) -> Recording:
    """Exchange targets and others at random, which no decoder without labels may notice."""
    rng = np.random.default_rng(0)
    words = rng.choice(["Target", "NonTarget"], len(recording.labels))
    labels = (
        f"{word}/{old.split('/')[1]}" for word, old in zip(words, recording.labels, strict=True)
    )
    return replace(recording, labels=tuple(labels))


def test_labels_have_no_influence(simulated_spelling: Spelling) -> None:
    protocol = load_protocol("erp-rowcol")
    recording = simulated_spelling("WATER", 6)
    made = [
        calibrate_without_labels([one], protocol, CONFIG, DecoderRequest())
        for one in (recording, simulated_spelling("WATER", 6, labelled=False))
    ]
    trials = make_trials([recording], protocol, CONFIG)
    first, second = (one.decoder.predict_proba(trials.X) for one in made)
    np.testing.assert_array_equal(first, second)


def test_a_decoder_without_labels_is_saved_and_restored(
    simulated_spelling: Spelling, tmp_path: Path
) -> None:
    protocol = load_protocol("erp-rowcol")
    recording = simulated_spelling("WATER", 6)
    made = calibrate_without_labels([recording], protocol, CONFIG, DecoderRequest("umm"))
    assert made.decoder.calibration.n_trials == 0
    assert "5 letters" in made.decoder.calibration.choice
    made.decoder.save(tmp_path / "decoder.safetensors")
    restored = load_decoder(tmp_path / "decoder.safetensors")
    X = make_trials([recording], protocol, CONFIG).X[:20]
    for bad in (None, ["Cz"]):
        np.testing.assert_array_equal(
            restored.predict_proba(X, bad), made.decoder.predict_proba(X, bad)
        )
    loud = X.copy()
    loud[:, 1] *= 100
    np.testing.assert_array_equal(
        restored.predict_proba(loud, ["Cz"]), restored.predict_proba(X, ["Cz"])
    )


def test_plain_signal_aligns_too(simulated_spelling: Spelling) -> None:
    recording = replace(simulated_spelling("WA", 6), labels=(), onsets=np.empty(0))
    for name, decoder in (("erp-rowcol", "umm"), ("ssvep", "fbcca")):
        made = calibrate_without_labels(
            [recording], load_protocol(name), CONFIG, DecoderRequest()
        ).decoder
        assert made.name == decoder
        probabilities = made.predict_proba(
            np.random.default_rng(0).normal(size=(3, 4, made.n_times))
        )
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_other_people_decode_flicker_without_a_label() -> None:
    """The person of the sample is not among those of the population."""
    protocol = load_protocol("ssvep-exo")
    aligned_by, test = (load_recording(f"sample:{index}") for index in (1, 3))
    trials = make_trials([test], protocol, CONFIG)
    scores = {}
    for name in ("auto", "fbcca"):
        decoder = calibrate_without_labels(
            [aligned_by], protocol, CONFIG, DecoderRequest(name)
        ).decoder
        best = decoder.predict_proba(trials.X).argmax(axis=1)
        scores[decoder.name] = np.mean(np.array(protocol.class_names)[best] == trials.y)
    assert scores["population"] >= scores["fbcca"] > 0.85
    shuffled = replace(aligned_by, labels=aligned_by.labels[::-1])
    again = calibrate_without_labels([shuffled], protocol, CONFIG, DecoderRequest()).decoder
    first = calibrate_without_labels([aligned_by], protocol, CONFIG, DecoderRequest()).decoder
    np.testing.assert_array_equal(again.predict_proba(trials.X), first.predict_proba(trials.X))


def test_nobody_is_aligned_to_themselves_under_another_name(tmp_path: Path) -> None:
    protocol, path = load_protocol("ssvep-exo"), tmp_path / "self.safetensors"
    own = load_recording("sample:1")
    trials = make_trials([own], protocol, CONFIG)
    kernels = np.random.default_rng(0).normal(size=(8, 32))
    fit_population(
        [(trials.X, trials.y)],
        protocol,
        trials.ch_names,
        kernels,
        weights="random",
        sources=["me"],
        simulated=False,
    ).save(path)
    request = DecoderRequest(population=str(path))
    with pytest.raises(InputError, match="these very trials: those of me"):
        calibrate_without_labels([own], protocol, CONFIG, request)


@pytest.mark.parametrize(
    ("protocol", "name", "told"),
    [("erp-rowcol", "riemann", "needs labelled trials"), ("ssvep", "umm", "needs labelled trials")],
)
def test_decoders_that_need_labels_are_refused(
    protocol: str, name: str, told: str, simulated_spelling: Spelling
) -> None:
    with pytest.raises(InputError, match=told):
        calibrate_without_labels(
            [simulated_spelling("WA", 6)], load_protocol(protocol), CONFIG, DecoderRequest(name)
        )


@pytest.mark.parametrize(
    ("protocol", "request_", "told"),
    [
        ("ssvep", DecoderRequest("riemann"), "needs labelled trials"),
        ("mi", DecoderRequest(population="none"), "other people"),
        ("mi", DecoderRequest(), "fewer than 3 electrodes"),
        ("ssvep-exo", DecoderRequest(population="population-ssvep"), "less than half"),
    ],
)
def test_it_is_known_beforehand_what_cannot_be_made(
    protocol: str, request_: DecoderRequest, told: str
) -> None:
    with pytest.raises(InputError, match=told):
        require_possible(load_protocol(protocol), request_, ("Oz", "O1"))
    require_possible(load_protocol("ssvep"), DecoderRequest(), ("Oz", "O1"))


def test_too_little_signal_is_refused(simulated_recording: Callable[..., Recording]) -> None:
    with pytest.raises(InputError, match="too little signal"):
        calibrate_without_labels(
            [simulated_recording(n_trials=2)], load_protocol("ssvep"), CONFIG, DecoderRequest()
        )


def test_the_first_labels_are_used_and_no_others(simulated_spelling: Spelling) -> None:
    protocol: Protocol = load_protocol("erp-rowcol")
    recording = simulated_spelling("WATER", 6)
    flipped = _with_other_targets(recording)
    n = 144  # the flashes of two letters
    mixed = replace(recording, labels=(*recording.labels[:n], *flipped.labels[n:]))
    X = make_trials([recording], protocol, CONFIG).X
    predicted = []
    for one, n_labelled in ((recording, n), (mixed, n), (flipped, n), (recording, 0)):
        aligned = align(
            [one], protocol, CONFIG, DecoderRequest("umm"), recording.ch_names, n_labelled
        )
        assert aligned is not None
        predicted.append(aligned[0].predict_proba(X))
    assert not np.allclose(predicted[0], predicted[2])
    assert not np.allclose(predicted[0], predicted[3])
    np.testing.assert_allclose(predicted[0], predicted[1])


def test_auto_with_few_labelled_flashes_reads_the_signal_of_the_others(
    simulated_spelling: Spelling,
) -> None:
    protocol, recording = load_protocol("erp-rowcol"), simulated_spelling("WATER", 6)
    X = make_trials([recording], protocol, CONFIG).X
    few = [
        align([recording], protocol, CONFIG, DecoderRequest(name), recording.ch_names, 48)
        for name in ("auto", "umm")
    ]
    assert few[0] is not None
    assert few[1] is not None
    np.testing.assert_array_equal(few[0][0].predict_proba(X), few[1][0].predict_proba(X))
    many = FEW_LABELS["erp"]
    made = align([recording], protocol, CONFIG, DecoderRequest(), recording.ch_names, many)
    assert made is None
