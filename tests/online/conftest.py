from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder
from sjepa_online.online import Decision, Engine, EngineEvent

Results = Sequence[Decision | EngineEvent]


@pytest.fixture
def recording(simulated_recording: Callable[..., Recording]) -> Recording:
    """Other trials than those of the decoder's calibration."""
    return simulated_recording(n_trials=8, seed=1)


@pytest.fixture
def decoder(
    simulated_recording: Callable[..., Recording], make_decoder: Callable[..., Decoder]
) -> Decoder:
    return make_decoder(simulated_recording())


@pytest.fixture
def make_engine() -> Callable[..., Engine]:
    def make(
        decoder: Decoder, recording: Recording, mode: str = "markers", monitor: bool = True
    ) -> Engine:
        """Make an engine that has the recording's markers already."""
        engine = Engine(
            decoder, recording.ch_names, recording.sfreq, recording.unit, mode=mode, monitor=monitor
        )
        for label, onset in zip(recording.labels, recording.onsets, strict=True):
            engine.push_marker(label, float(onset))
        return engine

    return make


@pytest.fixture
def push() -> Callable[..., Results]:
    def function(
        engine: Engine,
        recording: Recording,
        cuts: Sequence[int] = (),
        t0: float = 0.0,
        breaks: Sequence[int] = (),
    ) -> Results:
        """Push a recording in chunks that end at ``cuts``; ``t0`` is its first timestamp."""
        timestamps = t0 + np.arange(recording.data.shape[1]) / recording.sfreq
        results: list[Decision | EngineEvent] = []
        for start, stop in pairwise([0, *sorted(cuts), recording.data.shape[1]]):
            inside = [index - start for index in breaks if start <= index < stop]
            results += engine.push(recording.data[:, start:stop], timestamps[start:stop], inside)
        return results

    return function


@pytest.fixture
def probabilities_of() -> Callable[[Results], np.ndarray]:
    def function(results: Results) -> np.ndarray:
        return np.array([list(one.probabilities.values()) for one in results])

    return function


@pytest.fixture
def assert_same() -> Callable[[Results, Results], None]:
    def function(results: Results, expected: Results) -> None:
        assert len(results) == len(expected)
        for one, other in zip(results, expected, strict=True):
            if isinstance(other, EngineEvent):
                assert one == other
            else:
                assert one == replace(other, time=one.time, probabilities=one.probabilities)
                assert one.time == pytest.approx(other.time, abs=1e-9)
                assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)

    return function
