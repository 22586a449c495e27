"""What the forehead explains, on simulated signals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.evaluation.forehead import (
    ForeheadCheck,
    check_calibration,
    forehead_electrodes,
    score_sides,
)
from sjepa_online.evaluation.significance import judge
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training.cross_validation import DECISION, cross_validate

CH_NAMES = ("Fp1", "Fp2", "C3", "Cz", "C4")
PROTOCOL = load_protocol("mi")
CONFIG = PreprocessorConfig()


def _recording(source: str, seed: int = 0) -> Recording:
    """Simulate trials in which one electrode is stronger for one class."""
    rng = np.random.default_rng(seed)
    onsets = 2.0 + 4.5 * np.arange(40)
    data = rng.normal(scale=10, size=(5, round((onsets[-1] + 6) * 128)))
    labels = tuple(PROTOCOL.class_names[index % 2] for index in range(40))
    for label, onset in zip(labels, onsets, strict=True):
        if label == "left_hand":
            first = round(onset * 128)
            data[CH_NAMES.index(source), first : first + 536] *= 1.5
    return Recording(
        name=f"simulated {source} {seed}", data=data.astype(np.float32), unit="uV", sfreq=128.0,
        ch_names=CH_NAMES, onsets=onsets, labels=labels, breaks=np.empty(0), simulated=True,
    )  # fmt: skip


def _check(source: str, electrodes: str = "all") -> ForeheadCheck | None:
    recording = _recording(source)
    trials = make_trials([recording], PROTOCOL.reading(electrodes), CONFIG)
    classifier = DecoderRequest("riemann").make(PROTOCOL, trials.ch_names)
    decoded = cross_validate(classifier, classifier.features(trials.X), trials.y)[DECISION]
    return check_calibration([recording], trials, CONFIG, decoded)


def test_what_the_eyes_show_is_told() -> None:
    check = _check("Fp1")
    assert check is not None
    assert check.explains
    assert "eye movements may explain" in str(check)


def test_what_the_cortex_shows_is_not_explained() -> None:
    check = _check("C3")
    assert check is not None
    assert check.decoder.above_chance
    assert not check.explains
    assert "eye" not in str(check)


def test_a_montage_without_electrodes_near_the_eyes_has_no_forehead() -> None:
    assert forehead_electrodes(("Fz", "C3", "C4")) == ()
    assert forehead_electrodes(("F8", "Fz", "C3")) == ("F8", "Fz")


def test_a_decoder_of_the_cortex_does_not_see_the_eyes() -> None:
    check = _check("Fp1", "cortex")
    assert check is not None
    assert check.ch_names == ("Fp1", "Fp2")
    assert check.forehead.above_chance
    assert not check.decoder.above_chance


def test_flat_electrodes_are_no_forehead() -> None:
    recording = _recording("C3")
    data = recording.data.copy()
    data[:2] = 0.0
    flat = replace(recording, data=data)
    trials = make_trials([flat], PROTOCOL, CONFIG)
    assert check_calibration([flat], trials, CONFIG, np.full((40, 2), 0.5)) is None


def test_the_forehead_of_one_recording_is_tested_on_another() -> None:
    train, test = _recording("Fp1"), _recording("Fp1", seed=1)
    found = score_sides([train], [test], PROTOCOL, CONFIG)
    assert found is not None
    names, score = found
    assert names == ("Fp1", "Fp2")
    assert score.value > 0.9
    y = make_trials([test], PROTOCOL, CONFIG).y
    right = np.array([[1.0, 0.0] if one == "left_hand" else [0.0, 1.0] for one in y])
    check = ForeheadCheck(names, score, judge(PROTOCOL, right, y))
    assert check.to_json()["explains"]
