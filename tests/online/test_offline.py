from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.online import Decision, EngineEvent, decode_recording


@pytest.fixture
def recording(simulated_recording: Callable[..., Recording]) -> Recording:
    return simulated_recording(n_trials=6)


@pytest.fixture
def decoder(recording: Recording, make_decoder: Callable[..., Decoder]) -> Decoder:
    return make_decoder(recording)


def test_breaks_of_a_recording_are_gaps(decoder: Decoder, recording: Recording) -> None:
    """One within the trial at 3 s, one between trials, and one after the last sample."""
    broken = replace(recording, breaks=np.array([3.6, 6.9, 13.0]))
    results = decode_recording(decoder, broken)
    events = [(one.event, one.time) for one in results if isinstance(one, EngineEvent)]
    assert events == [("gap", 3.6), ("window-skipped", 3.0), ("gap", pytest.approx(6.9))]
    assert [one.onset for one in results if isinstance(one, Decision)] == [1, 5, 7, 9, 11]


def test_trials_after_a_break_are_those_that_the_engine_decodes(
    decoder: Decoder, recording: Recording
) -> None:
    """A jump of the offset at the break leaves no transient: both filters start afresh."""
    data = recording.data.copy()
    data[:, round(6.9 * recording.sfreq) :] += 3000
    broken = replace(recording, data=data, breaks=np.array([6.9]))
    trials = make_trials([broken], decoder.protocol, decoder.preprocessing)
    decisions = [one for one in decode_recording(decoder, broken) if isinstance(one, Decision)]
    np.testing.assert_allclose([one.onset for one in decisions], trials.onset, atol=1e-9)
    found = np.array([list(one.probabilities.values()) for one in decisions])
    np.testing.assert_allclose(found, decoder.predict_proba(trials.X), atol=1e-5)


def test_a_recording_of_another_montage_is_refused(decoder: Decoder, recording: Recording) -> None:
    other = replace(recording, ch_names=("C3", "Fz", "O1", "Oz"))
    with pytest.raises(InputError, match="missing: Cz, C4, Pz"):
        decode_recording(decoder, other)


def test_the_recording_stays_as_it_was(decoder: Decoder, recording: Recording) -> None:
    before = recording.data.copy()
    decode_recording(decoder, recording, mode="sliding", step=0.5)
    np.testing.assert_array_equal(recording.data, before)


def test_bad_channels_are_found_or_told(decoder: Decoder, recording: Recording) -> None:
    """C3 is all but flat; with nobody watching it is used unless it is named."""
    data = recording.data.copy()
    data[0] *= 1e-3
    flat = replace(recording, data=data)

    def left_out(**options: Any) -> set[str]:
        results = decode_recording(decoder, flat, **options)
        return {name for one in results if isinstance(one, Decision) for name in one.bad_channels}

    assert left_out() == {"C3"}
    assert left_out(monitor=False) == set()
    assert left_out(monitor=False, bad=["cz"]) == {"Cz"}
