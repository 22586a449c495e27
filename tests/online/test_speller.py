"""Flashes become symbols in the engine, whatever the chunks are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import (
    CalibrationSummary,
    Decoder,
    DecoderRequest,
    EpochClassifier,
    State,
)
from sjepa_online.decoding.bad_channels.interpolation import ChannelInterpolation
from sjepa_online.decoding.base import EPOCHS, Features
from sjepa_online.decoding.catalog import classifier_from_state
from sjepa_online.decoding.classifiers.auto import AutoClassifier
from sjepa_online.decoding.speller import FlashEvidence
from sjepa_online.online import Decision, Engine, EngineEvent, SymbolDecision
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.schedule import ScheduledTrial, make_schedule
from sjepa_online.signal import PreprocessorConfig
from sjepa_online.signal.channel_quality.baseline import Baseline
from sjepa_online.training import calibrate
from sjepa_online.training.without_labels import calibrate_without_labels

SFREQ = 256.0
CH_NAMES = ("Pz", "Oz")
RESPONSE = 20.0


class PeakReader(EpochClassifier):
    """Reads the amplitude 0.3 s after a flash: about 0 µV, or that of the response."""

    kind = "peak"

    def __init__(self) -> None:
        super().__init__(["Target", "NonTarget"])

    def features(self, X: NDArray[np.floating[Any]]) -> Features:
        return {EPOCHS: X}

    def predict_features(self, features: Features) -> NDArray[np.float64]:
        peak = features[EPOCHS][:, 0, 34:44].mean(axis=-1)
        target = 1 / (1 + np.exp(-(peak - RESPONSE / 2) / 4))
        return np.column_stack([target, 1 - target])

    def to_state(self) -> State:
        raise NotImplementedError

    @classmethod
    def from_state(cls, state: State, restore: object) -> Self:
        raise NotImplementedError

    def _fit_targets(self, features: Features, targets: object, channel_dropout: bool) -> None:
        raise NotImplementedError


@pytest.fixture
def speller_protocol() -> Protocol:
    content = load_protocol("erp").model_dump()
    content["speller"] |= {"text": "HI", "sequences": 3, "cue": 1.0, "rest": 1.5}
    return Protocol.model_validate(content)


@pytest.fixture
def speller_decoder(speller_protocol: Protocol) -> Decoder:
    noise = np.random.default_rng(0).normal(size=(2, 5000))
    return Decoder(
        "peak",
        PeakReader(),
        speller_protocol,
        CH_NAMES,
        PreprocessorConfig(),
        ChannelInterpolation(CH_NAMES, np.eye(2)),
        Baseline.fit([noise], CH_NAMES, SFREQ, "uV"),
        CalibrationSummary(
            n_trials=100,
            sfreq=SFREQ,
            sources=("test",),
            simulated=True,
            amplitude=1.0,
            flash_evidence=FlashEvidence(slope=0.5, intercept=0.0),
        ),
    )


def _spelled(
    trials: Sequence[ScheduledTrial],
) -> tuple[NDArray[np.float64], list[tuple[str, float]]]:
    """Simulate who attends to the targets; the response to each flash lasts 0.1 s."""
    markers, responses, time = [], [], 1.0
    for trial in trials:
        for phase in trial.phases:
            if phase.marker:
                markers.append((phase.marker, time))
            if phase.kind == "flash" and trial.target in phase.lit:
                responses.append(time)
            time += phase.duration
    data = np.random.default_rng(1).normal(size=(2, round((time + 2.0) * SFREQ)))
    for onset in responses:
        first = round((onset + 0.25) * SFREQ)
        data[0, first : first + round(0.1 * SFREQ)] += RESPONSE
    return data, markers


def _run(
    decoder: Decoder,
    data: NDArray[np.float64],
    markers: Sequence[tuple[str, float]],
    chunk: int = 10**9,
) -> list[Decision | SymbolDecision | EngineEvent]:
    engine = Engine(decoder, CH_NAMES, SFREQ, "uV", mode="markers", monitor=False)
    waiting = list(markers)
    results: list[Decision | SymbolDecision | EngineEvent] = []
    edges = [*range(0, data.shape[1], chunk), data.shape[1]]
    for start, stop in pairwise(edges):
        while waiting and waiting[0][1] <= stop / SFREQ:
            engine.push_marker(*waiting.pop(0))
        results += engine.push(data[:, start:stop], np.arange(start, stop) / SFREQ)
    return results


def _symbols(results: Sequence[object]) -> list[SymbolDecision]:
    return [one for one in results if isinstance(one, SymbolDecision)]


def test_a_text_is_spelled(speller_decoder: Decoder, speller_protocol: Protocol) -> None:
    data, markers = _spelled(make_schedule(speller_protocol, 0))
    symbols = _symbols(_run(speller_decoder, data, markers))
    assert [one.symbol for one in symbols] == ["H", "I"]
    assert [one.truth for one in symbols] == ["H", "I"]
    for one in symbols:
        assert one.probability >= 0.95
        assert one.n_flashes < 36, "sure before the last flash"
        assert sum(one.probabilities.values()) == pytest.approx(1.0)


def test_chunks_change_nothing(speller_decoder: Decoder, speller_protocol: Protocol) -> None:
    data, markers = _spelled(make_schedule(speller_protocol, 1))
    whole = _run(speller_decoder, data, markers)
    for chunk in (5, 77):
        for one, other in zip(_run(speller_decoder, data, markers, chunk), whole, strict=True):
            assert type(one) is type(other)
            assert one.time == pytest.approx(other.time, abs=1e-9)
            if isinstance(one, SymbolDecision) and isinstance(other, SymbolDecision):
                assert (one.symbol, one.n_flashes) == (other.symbol, other.n_flashes)
                assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_free_spelling_needs_no_cue(speller_decoder: Decoder, speller_protocol: Protocol) -> None:
    data, markers = _spelled(make_schedule(speller_protocol, 2))
    free = [
        (
            "flash/" + marker.split("/")[1]
            if marker.startswith(("Target", "NonTarget"))
            else marker,
            at,
        )
        for marker, at in markers
        if not marker.startswith("cue")
    ]
    symbols = _symbols(_run(speller_decoder, data, free))
    assert [(one.symbol, one.truth) for one in symbols] == [("H", None), ("I", None)]


def test_the_end_of_the_flashes_decides_however_unsure(
    speller_decoder: Decoder, speller_protocol: Protocol
) -> None:
    trial = make_schedule(speller_protocol, 0)[0]
    data, markers = _spelled([trial])
    quiet = np.random.default_rng(3).normal(size=data.shape)
    (symbol,) = _symbols(_run(speller_decoder, quiet, markers))
    assert symbol.n_flashes == 36
    assert symbol.probability < 0.95
    flashes = [at for marker, at in markers if "Target" in marker]
    assert symbol.time >= flashes[-1] + 1.1875, "it waits for the window of the last flash"


def test_a_pause_forgets_the_flashes_before_it(
    speller_decoder: Decoder, speller_protocol: Protocol
) -> None:
    trial = make_schedule(speller_protocol, 0)[0]
    data, markers = _spelled([trial])
    stopped = [*markers[:4], ("pause", markers[4][1])]
    assert not _symbols(_run(speller_decoder, data, [*stopped, ("end", markers[-1][1])]))


def test_symbols_of_another_matrix_are_reported_and_count_for_nothing(
    speller_decoder: Decoder,
) -> None:
    markers = [("flash/AÄ", 1.0), ("end", 3.0)]
    results = _run(speller_decoder, np.random.default_rng(0).normal(size=(2, 1500)), markers)
    assert [one.event for one in results if isinstance(one, EngineEvent)] == ["unknown-symbols"]
    assert not _symbols(results)


def _rowcol_engine(decoder: Decoder) -> Engine:
    return Engine(decoder, decoder.ch_names, 128.0, "uV", mode="markers", monitor=False)


def _decode_text(
    decoder: Decoder, recording: Recording, chunk: int
) -> list[Decision | SymbolDecision | EngineEvent]:
    engine = _rowcol_engine(decoder)
    waiting = list(zip(recording.labels, recording.onsets.tolist(), strict=True))
    results: list[Decision | SymbolDecision | EngineEvent] = []
    for start in range(0, recording.data.shape[1], chunk):
        data = recording.data[:, start : start + chunk].astype(float)
        times = (start + np.arange(data.shape[1])) / 128.0
        while waiting and waiting[0][1] <= times[-1]:
            engine.push_marker(*waiting.pop(0))
        results += engine.push(data, times)
    return results


@pytest.mark.parametrize("labelled", [True, False])
def test_letters_are_spelled_live_without_a_labelled_trial(
    labelled: bool, simulated_spelling: Callable[..., Recording]
) -> None:
    protocol = load_protocol("erp-rowcol")
    noise = replace(simulated_spelling("AB", 4), labels=(), onsets=np.empty(0))
    decoder = calibrate_without_labels(
        [noise], protocol, PreprocessorConfig(), DecoderRequest()
    ).decoder
    recording = simulated_spelling("WATER", 10, seed=1, labelled=labelled)
    whole = _symbols(_decode_text(decoder, recording, 10**6))
    assert "".join(one.symbol for one in whole) == "WATER"
    assert [one.truth for one in whole] == (list("WATER") if labelled else [None] * 5)
    assert [one.n_flashes for one in whole] == [120] * 5
    for chunk in (16, 77):
        others = _symbols(_decode_text(decoder, recording, chunk))
        assert [one.symbol for one in others] == [one.symbol for one in whole]
        for one, other in zip(others, whole, strict=True):
            assert one.time == pytest.approx(other.time)
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


def test_auto_goes_on_learning_from_the_letters_that_it_spells(
    simulated_spelling: Callable[..., Recording],
) -> None:
    protocol = load_protocol("erp-rowcol")
    trained = simulated_spelling("LU", 4, response=4.5)
    trials = make_trials([trained], protocol, PreprocessorConfig())
    base = calibrate_without_labels(
        [trained], protocol, PreprocessorConfig(), DecoderRequest()
    ).decoder
    made = DecoderRequest("auto", "random", device="cpu").make(protocol, trials.ch_names)
    assert isinstance(made, AutoClassifier)
    # without the network, which trains for seconds
    auto = AutoClassifier(made.filter_bank, made.riemann, umm=made.umm).fit(trials.X, trials.y)
    evidence = FlashEvidence.fit(auto.out_of_fold_[:, 0], trials.y == "Target")
    both, alone = (
        _with_classifier(base, state, evidence) for state in (auto.to_state(), _without_umm(auto))
    )
    recording = simulated_spelling("WAT", 8, seed=1, response=4.5)
    whole, chunked, flashes = (
        _symbols(_decode_text(decoder, recording, chunk))
        for decoder, chunk in ((both, 10**6), (both, 77), (alone, 10**6))
    )
    assert "".join(one.symbol for one in whole) == "WAT"
    for one, other in zip(whole, chunked, strict=True):
        assert (one.symbol, one.n_flashes) == (other.symbol, other.n_flashes)
        assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)
    assert any(
        one.probabilities != pytest.approx(other.probabilities, abs=1e-3)
        for one, other in zip(whole, flashes, strict=True)
    )


def _without_umm(auto: AutoClassifier) -> State:
    state = auto.to_state()
    members = {name: one for name, one in state.config["members"].items() if name != "umm"}
    return State({**state.config, "members": members}, state.arrays)


def _with_classifier(decoder: Decoder, state: State, evidence: FlashEvidence) -> Decoder:
    other = copy(decoder)
    other.classifier = classifier_from_state(state)
    other.calibration = decoder.calibration.model_copy(update={"flash_evidence": evidence})
    return other


def test_rows_and_columns_light_up_their_symbols(
    simulated_spelling: Callable[..., Recording],
) -> None:
    """A calibrated decoder reads them as well, and begins anew after a gap."""
    protocol = load_protocol("erp-rowcol")
    calibration = calibrate(
        [simulated_spelling("LUKAS", 6)], protocol, PreprocessorConfig(), DecoderRequest("riemann")
    )
    assert calibration.decoder.calibration.dynamic_stopping["accuracy"] == 1.0
    results = _decode_text(calibration.decoder, simulated_spelling("WATER", 10, seed=1), 10**6)
    assert "".join(one.symbol for one in _symbols(results)) == "WATER"
    assert {len(one.lit) for one in results if isinstance(one, Decision)} == {6}
