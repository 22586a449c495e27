"""From simulated recordings to a decoder file that decodes others of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import DecoderRequest, load_decoder
from sjepa_online.errors import InputError
from sjepa_online.online import decode_recording
from sjepa_online.protocol import Protocol
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.training import Calibration, calibrate

AVERAGE = PreprocessorConfig(reference="average")


@pytest.fixture
def recordings(simulated_recording: Callable[..., Recording]) -> list[Recording]:
    """Two runs, whose trials are named by the class and by its alias."""
    first = simulated_recording(n_trials=12, name="first", sfreq=200.0)
    second = simulated_recording(n_trials=12, name="second", sfreq=200.0, seed=1)
    labels = tuple("T2" if label == "right" else label for label in second.labels)
    return [first, replace(second, labels=labels)]


def _calibrate(
    recordings: list[Recording], protocol: Protocol, name: str = "riemann"
) -> Calibration:
    request = DecoderRequest(name, weights="random", device="cpu")
    return calibrate(recordings, protocol, PreprocessorConfig(), request, n_folds=4)


@pytest.mark.parametrize("name", ["riemann", "pre-local"])
def test_a_calibration_decodes_another_recording(
    name: str,
    recordings: list[Recording],
    simulated_recording: Callable[..., Recording],
    protocol: Protocol,
    tmp_path: Path,
) -> None:
    calibration = _calibrate(recordings, protocol, name)
    calibration.decoder.save(tmp_path / "decoder.safetensors")
    decoder = load_decoder(tmp_path / "decoder.safetensors")
    # another amplifier: its rate, its unit, its channels
    fresh = simulated_recording(n_trials=10, seed=2, sfreq=500.0)
    volts = replace(fresh, data=fresh.data[::-1] / 1e6, unit="V", ch_names=fresh.ch_names[::-1])
    decisions = decode_recording(decoder, volts)
    assert len(decisions) == 10
    assert np.mean([one.label == one.truth for one in decisions]) >= 0.8


def test_what_is_said_of_a_calibration(recordings: list[Recording], protocol: Protocol) -> None:
    steps: list[int] = []
    calibration = calibrate(
        recordings,
        protocol,
        AVERAGE,
        DecoderRequest("riemann", device="cpu"),
        n_folds=3,
        progress=lambda: steps.append(1),
    )
    assert len(steps) == 3 + 1
    trials = make_trials(recordings, protocol, AVERAGE)
    np.testing.assert_array_equal(calibration.trials.X, trials.X)
    decoder, summary = calibration.decoder, calibration.decoder.calibration
    assert (decoder.name, decoder.preprocessing, decoder.protocol) == ("riemann", AVERAGE, protocol)
    assert decoder.classes == ("right", "left")
    assert (summary.n_trials, summary.sfreq, summary.simulated) == (24, 200.0, True)
    assert summary.sources == ("first", "second")
    # white noise of 9 to 10 µV and, in one channel of four, a rhythm of 25 µV
    assert 4 < summary.amplitude < 15
    assert calibration.fit_seconds > 0


def test_the_score_is_that_of_the_out_of_fold_probabilities(
    recordings: list[Recording], protocol: Protocol
) -> None:
    calibration = _calibrate(recordings, protocol)
    scores = calibration.decoder.calibration.cross_validation
    best = np.array(["right", "left"])[calibration.out_of_fold.argmax(axis=1)]
    assert scores["riemann"]["accuracy"] == np.mean(best == calibration.trials.y)
    assert scores["riemann"]["accuracy"] > 0.8
    assert 0.8 < scores["riemann"]["roc_auc"] <= 1.0


def test_one_recorded_person_makes_it_no_simulation(
    recordings: list[Recording], protocol: Protocol
) -> None:
    none_simulated = [replace(recording, simulated=False) for recording in recordings]
    assert not _calibrate(none_simulated, protocol).decoder.calibration.simulated
    mixed = [recordings[0], none_simulated[1]]
    assert _calibrate(mixed, protocol).decoder.calibration.simulated


def test_a_flat_channel_does_not_stop_a_calibration(
    recordings: list[Recording], protocol: Protocol
) -> None:
    for recording in recordings:
        recording.data[3] = 12.5
    calibration = _calibrate(recordings, protocol)
    assert np.isfinite(calibration.out_of_fold).all()
    assert calibration.decoder.calibration.cross_validation["riemann"]["accuracy"] > 0.8


def test_mostly_flat_channels_do_not_stop_it_either(
    recordings: list[Recording], protocol: Protocol
) -> None:
    for recording in recordings:
        recording.data[[1, 2, 3]] = 12.5
    assert _calibrate(recordings, protocol).decoder.calibration.amplitude > 1


def test_too_few_trials_and_absent_classes_are_refused(
    recordings: list[Recording], protocol: Protocol
) -> None:
    short = replace(recordings[0], onsets=recordings[0].onsets[:7], labels=recordings[0].labels[:7])
    with pytest.raises(InputError, match="right: 4, left: 3"):
        _calibrate([short], protocol)
    one_class = replace(recordings[0], labels=("left",) * 12)
    with pytest.raises(InputError, match="right: 0, left: 12"):
        _calibrate([one_class], protocol)
    foreign = replace(recordings[0], labels=("blink",) * 12)
    with pytest.raises(InputError, match=r"labels blink \(12\)"):
        _calibrate([foreign], protocol)


def test_volts_called_microvolts_are_refused(
    recordings: list[Recording], protocol: Protocol
) -> None:
    volts = replace(recordings[0], data=recordings[0].data * np.float32(1e-6))
    with pytest.raises(InputError, match="suit V"):
        _calibrate([volts], protocol)
