"""The engine without some of its channels: those that are bad, lacking, or silent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sjepa_online.data import Recording
from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.online import Decision, Engine, EngineEvent, decode_recording
from sjepa_online.signal import PreprocessorConfig

Results = Sequence[Decision | EngineEvent]
REUSES_FIXTURES = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_the_streams_channels_may_be_more_and_in_another_order(
    decoder: Decoder, recording: Recording, assert_same: Callable[[Results, Results], None]
) -> None:
    noise = 1e4 * np.random.default_rng(3).standard_normal((3, recording.data.shape[1]))
    data = np.concatenate([noise, recording.data[::-1]]).astype(np.float32)
    names = ("EOG", "TRIG", "Fz", "pz", "EEG C4-Ref", "CZ.", "c3")
    other = replace(recording, data=data, ch_names=names)
    told, *results = decode_recording(decoder, other)
    assert isinstance(told, EngineEvent)
    assert told.detail.endswith("had none of them: Fz")
    assert_same(results, decode_recording(decoder, recording))


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_a_channel_that_the_stream_lacks_is_left_out_as_a_bad_one(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    recording: Recording,
    mode: str,
    reference: str,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    assert_same: Callable[[Results, Results], None],
) -> None:
    decoder = make_decoder(simulated_recording(), config=PreprocessorConfig(reference=reference))
    engine = make_engine(decoder, recording, mode)
    engine.set_bad(["Cz"])
    expected = push(engine, recording)
    rows = [3, 0, 2]
    other = replace(
        recording, data=recording.data[rows], ch_names=tuple(recording.ch_names[i] for i in rows)
    )
    told, *results = push(make_engine(decoder, other, mode), other)
    assert isinstance(told, EngineEvent)
    assert (told.event, told.detail) == (
        "channels-differ",
        "the stream lacks Cz (left out, as bad channels are)",
    )
    assert_same(results, expected)
    assert {one.bad_channels for one in results if isinstance(one, Decision)} == {("Cz",)}


def test_too_few_channels_are_refused(decoder: Decoder) -> None:
    with pytest.raises(InputError, match="missing: C3, Cz, C4"):
        Engine(decoder, ("Pz", "Oz", "Fz"), 250.0, "uV")


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_a_bad_channel_at_100_times_its_amplitude_changes_no_decision(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    recording: Recording,
    mode: str,
    reference: str,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    assert_same: Callable[[Results, Results], None],
) -> None:
    decoder = make_decoder(simulated_recording(), config=PreprocessorConfig(reference=reference))
    loud, absent = recording.data.copy(), recording.data.copy()
    loud[1] *= 100
    absent[1] = np.nan
    results = []
    for data in (recording.data, loud, absent):
        engine = make_engine(decoder, recording, mode)
        engine.set_bad(["CZ"])
        answers = push(engine, replace(recording, data=data), [800, 801])
        results.append([one for one in answers if isinstance(one, Decision)])
    expected = results[0]
    assert_same(results[1], expected)
    assert_same(results[2], expected)
    assert {one.bad_channels for one in expected} == {("Cz",)}
    if mode == "markers":
        assert np.mean([one.label == one.truth for one in expected]) > 0.8, "and they are right"


def _with_shared_background(recording: Recording) -> Recording:
    """Let the channels say something of each other, as those of a head do."""
    shared = 30.0 * np.random.default_rng(recording.data.shape[1]).standard_normal(
        recording.data.shape[1]
    )
    return replace(recording, data=(recording.data + shared).astype(np.float32))


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_a_channel_that_is_only_too_large_is_used_at_its_own_size(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    mode: str,
    reference: str,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    probabilities_of: Callable[[Results], np.ndarray],
) -> None:
    config = PreprocessorConfig(reference=reference)
    decoder = make_decoder(_with_shared_background(simulated_recording()), config=config)
    recording = _with_shared_background(simulated_recording(n_trials=20, seed=1))
    large = recording.data.copy()
    large[1] *= 100
    breaks = [round(25 * recording.sfreq)]
    expected, found = (
        push(make_engine(decoder, one, mode), one, [800, 801, *breaks], breaks=breaks)
        for one in (recording, replace(recording, data=large))
    )
    events = [one for one in found if isinstance(one, EngineEvent) and "channel" in one.event]
    assert [one.event for one in events] == ["channel-bad", "channel-scaled"]
    assert "Cz is used again: scaled back from" in events[1].detail
    decisions = [one for one in found if isinstance(one, Decision)]
    used = [not one.bad_channels for one in decisions]
    since = events[1].time + decoder.n_times / 128
    assert used == [one.time > since for one in decisions]
    before = [one for one in expected if isinstance(one, Decision)]
    assert [one.time for one in before] == [one.time for one in decisions]
    differences = np.abs(probabilities_of(before) - probabilities_of(decisions))[used]
    assert len(differences) > 10, "before the gap and after it"
    assert differences.max() < 0.1


def test_bad_channels_hold_from_the_next_decision_on_and_over_gaps(
    decoder: Decoder, recording: Recording, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(decoder, recording, "sliding")
    timestamps = np.arange(recording.data.shape[1]) / 250
    parts = ((0, 1000, ()), (1000, 3000, ("C4",)), (3000, 4250, ()))
    for start, stop, bad in parts:
        engine.set_bad(bad)
        breaks = [500] if bad else []
        results = engine.push(recording.data[:, start:stop], timestamps[start:stop], breaks)
        assert {one.bad_channels for one in results if isinstance(one, Decision)} == {bad}


def test_an_unknown_bad_channel_changes_nothing(
    decoder: Decoder, recording: Recording, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(decoder, recording)
    engine.set_bad(["Pz"])
    with pytest.raises(InputError, match="Oz"):
        engine.set_bad(["Oz"])
    assert engine.bad == ("Pz",)


@pytest.mark.parametrize("monitor", [True, False])
def test_the_operators_choice_holds_whether_channels_are_watched_or_not(
    decoder: Decoder, recording: Recording, monitor: bool, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(decoder, recording, "sliding", monitor=monitor)
    timestamps = np.arange(recording.data.shape[1]) / 250
    n_before = 0
    for channel, choice, bad in (
        ("CZ", "bad", ("Cz",)),
        ("Pz", "bad", ("Cz", "Pz")),
        ("Cz", "automatic", ("Pz",)),
        ("Pz", "good", ()),
    ):
        engine.choose(channel, choice)
        assert engine.bad == bad
        part = slice(n_before, n_before + 1000)
        results = engine.push(recording.data[:, part], timestamps[part])
        assert {one.bad_channels for one in results if isinstance(one, Decision)} == {bad}
        n_before += 1000
    with pytest.raises(InputError, match="Oz"):
        engine.choose("Oz", "bad")
    assert engine.bad == ()


def test_samples_that_are_not_finite_give_finite_probabilities(
    decoder: Decoder, recording: Recording, probabilities_of: Callable[[Results], np.ndarray]
) -> None:
    data = recording.data.copy()
    data[0, 600:650] = np.nan
    data[2, 900] = np.inf
    decisions = decode_recording(decoder, replace(recording, data=data))
    assert len(decisions) == 8
    assert np.isfinite(probabilities_of(decisions)).all()


@pytest.mark.parametrize("value", [37.5, np.nan])
def test_a_stream_without_any_signal_gives_no_decision(
    decoder: Decoder,
    recording: Recording,
    value: float,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
) -> None:
    """An amplifier that is not connected: nothing is decoded, and the operator hears of it."""
    silent = replace(recording, data=np.full_like(recording.data, value))
    watched = push(make_engine(decoder, recording), silent)
    assert watched
    assert all(isinstance(one, EngineEvent) for one in watched)
    unwatched = push(make_engine(decoder, recording, monitor=False), silent)
    assert [getattr(one, "event", None) for one in unwatched] == ["no-signal"] * 8


@pytest.mark.parametrize("mode", ["markers", "sliding"])
@REUSES_FIXTURES
@given(cuts=st.lists(st.integers(0, 11000), max_size=25))
def test_without_a_good_channel_nothing_is_decided_until_one_is_good_again(
    simulated_recording: Callable[..., Recording],
    decoder: Decoder,
    mode: str,
    cuts: list[int],
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    assert_same: Callable[[Results, Results], None],
) -> None:
    """All channels are flat from 12 to 24 s of 43."""
    recording = simulated_recording(n_trials=21, seed=1)
    data = recording.data.copy()
    data[:, 3000:6000] = 5.0
    broken = replace(recording, data=data)
    expected = push(make_engine(decoder, broken, mode), broken)
    assert_same(push(make_engine(decoder, broken, mode), broken, cuts), expected)
    told = [one.time for one in expected if getattr(one, "event", "") == "no-good-channel"]
    assert len(told) == 1
    assert 12.0 < told[0] < 14.5
    decisions = [one for one in expected if isinstance(one, Decision)]
    assert not any(14.5 < one.time < 24.0 for one in decisions)
    again = [one for one in decisions if one.time > 30.0]
    assert again
    assert {one.bad_channels for one in again} == {()}, "recovered by itself"
    skipped = [one.time for one in expected if getattr(one, "event", "") == "window-skipped"]
    if mode == "markers":
        assert np.mean([one.label == one.truth for one in again]) > 0.8
        assert sorted([one.onset for one in decisions] + skipped) == recording.onsets.tolist()
        assert {15.0, 17.0, 19.0, 21.0} <= set(skipped)
    else:
        assert skipped == []
