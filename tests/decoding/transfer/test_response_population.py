"""Other people's response to a target as a start for spellers, on simulated flashes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import DecoderRequest
from sjepa_online.decoding.catalog import classifier_from_state, make_umm
from sjepa_online.decoding.transfer.response_population import (
    ResponsePopulation,
    fit_response_population,
    load_response_population,
)
from sjepa_online.errors import InputError
from sjepa_online.evaluation.spelling import evaluate_spelling, spelling_data
from sjepa_online.protocol import load_protocol
from sjepa_online.signal import PreprocessorConfig

Spelling = Callable[..., Recording]
CH_NAMES = ("C3", "Cz", "C4", "Pz")
PROTOCOL = load_protocol("erp-rowcol")


@pytest.fixture
def population(simulated_spelling: Spelling) -> ResponsePopulation:
    people = [simulated_spelling("LUKAS", 6, seed=seed) for seed in (10, 11, 12)]
    cut = [make_trials([one], PROTOCOL, PreprocessorConfig()) for one in people]
    return fit_response_population(
        [(trials.X, trials.y) for trials in cut],
        PROTOCOL,
        CH_NAMES,
        sources=[one.name for one in people],
        simulated=True,
    )


def test_of_each_recording_200_flashes_are_kept_at_most(population: ResponsePopulation) -> None:
    n_flashes = population.config.n_trials // 3
    assert n_flashes > 200
    kept = np.bincount(population.known.person)
    np.testing.assert_array_equal(kept, 3 * [(n_flashes + 1) // 2])


def test_letters_are_right_after_fewer_flashes(
    population: ResponsePopulation, simulated_spelling: Spelling, tmp_path: Path
) -> None:
    path = tmp_path / "others.safetensors"
    population.save(path)
    recording = simulated_spelling("WATER_BCDF", 2, response=4.5)
    trials = make_trials([recording], PROTOCOL, PreprocessorConfig())
    data = spelling_data(None, [], trials, [recording])
    shares = {}
    for name in ("none", str(path)):
        request = DecoderRequest("umm", population=name)
        [shares[name]] = evaluate_spelling(data, [request], 0, [2])["umm"] or [None]
    assert shares["none"] + 0.2 <= shares[str(path)]


def test_the_response_is_found_again_and_fades_with_the_distance(
    population: ResponsePopulation, tmp_path: Path
) -> None:
    population.save(tmp_path / "others.safetensors")
    loaded = load_response_population(tmp_path / "others.safetensors")
    prior = loaded.prior(PROTOCOL, ["Pz", "Cz", "CPz", "O1"])
    np.testing.assert_array_equal(prior[:2], population.response[[3, 1]])
    peak = np.abs(prior).max(axis=1)
    assert peak[2] > 0.4 * peak[1], "CPz lies beside Cz and Pz"
    assert peak[3] < peak[2]
    # the simulated response is at 0.3 s, a multiple of 1, 0.8, 0.5 and 0.3 at these electrodes
    assert np.argmax(population.response[1]) == pytest.approx(0.3 * 32, abs=1)
    assert np.argsort(population.response.max(axis=1)).tolist() == [0, 2, 3, 1]


def test_a_classifier_keeps_its_population(
    population: ResponsePopulation, simulated_spelling: Spelling
) -> None:
    classifier = make_umm(PROTOCOL, population.prior(PROTOCOL, CH_NAMES))
    X = make_trials([simulated_spelling("A", 4)], PROTOCOL, PreprocessorConfig()).X
    classifier.fit_noise(X)
    restored = classifier_from_state(classifier.to_state())
    probabilities = classifier.predict_proba(X)
    np.testing.assert_array_equal(restored.predict_proba(X), probabilities)
    assert np.ptp(probabilities[:, 0]) > 0.1, "flashes differ before the first letter"


def test_what_does_not_suit_is_refused(
    population: ResponsePopulation, simulated_spelling: Spelling, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="less than half of its electrodes"):
        population.prior(PROTOCOL, ["Cz", "O1", "O2"])
    with pytest.raises(InputError, match="these recordings too: simulated spelling 11"):
        population.prior(PROTOCOL, CH_NAMES, ["simulated spelling 11"])
    own = make_trials([simulated_spelling("LUKAS", 6, seed=11)], PROTOCOL, PreprocessorConfig())
    with pytest.raises(InputError, match="very trials: those of simulated spelling 11"):
        population.prior(PROTOCOL, CH_NAMES, ["renamed"], [own.X])
    window = PROTOCOL.window.model_copy(update={"length": 2.0})
    with pytest.raises(InputError, match="another one"):
        population.prior(PROTOCOL.model_copy(update={"window": window}), CH_NAMES)
    trials = make_trials([simulated_spelling("A", 2)], PROTOCOL, PreprocessorConfig())
    others = replace(trials, y=np.full(len(trials.y), "NonTarget"))
    with pytest.raises(InputError, match="0 targets of 24"):
        fit_response_population(
            [(others.X, others.y)], PROTOCOL, CH_NAMES, sources=["a"], simulated=True
        )
    path = str(tmp_path / "others.safetensors")
    population.save(tmp_path / "others.safetensors")
    with pytest.raises(InputError, match="very trials: those of simulated spelling 11"):
        load_response_population(path).prior(PROTOCOL, CH_NAMES, ["renamed"], [own.X[-40:]])
    request = DecoderRequest("riemann", population=path)
    with pytest.raises(InputError, match="riemann cannot start"):
        request.make(PROTOCOL, CH_NAMES)
