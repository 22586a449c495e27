"""The engine against trials that were cut offline, and against itself in other chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sjepa_online.data import Recording, make_trials
from sjepa_online.decoding import Decoder
from sjepa_online.errors import InputError
from sjepa_online.online import Decision, Engine, EngineEvent, decode_recording
from sjepa_online.protocol import Protocol
from sjepa_online.signal import Preprocessor, PreprocessorConfig

Results = Sequence[Decision | EngineEvent]
REUSES_FIXTURES = settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def recording(simulated_recording: Callable[..., Recording]) -> Recording:
    """Other trials than those of the decoder's calibration."""
    return simulated_recording(n_trials=8, seed=1)


@pytest.fixture
def decoder(
    simulated_recording: Callable[..., Recording], make_decoder: Callable[..., Decoder]
) -> Decoder:
    return make_decoder(simulated_recording())


def _engine(
    decoder: Decoder, recording: Recording, mode: str = "markers", watch: bool = True
) -> Engine:
    """Make an engine that has the recording's markers already."""
    engine = Engine(
        decoder, recording.ch_names, recording.sfreq, recording.unit, mode=mode, watch=watch
    )
    for label, onset in zip(recording.labels, recording.onsets, strict=True):
        engine.push_marker(label, float(onset))
    return engine


def _push(
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


def _probabilities(results: Results) -> np.ndarray:
    return np.array([list(one.probabilities.values()) for one in results])


def _assert_same(results: Results, expected: Results) -> None:
    assert len(results) == len(expected)
    for one, other in zip(results, expected, strict=True):
        if isinstance(other, EngineEvent):
            assert one == other
        else:
            assert one == replace(other, time=one.time, probabilities=one.probabilities)
            assert one.time == pytest.approx(other.time, abs=1e-9)
            assert one.probabilities == pytest.approx(other.probabilities, abs=1e-6)


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("sfreq", [250.0, 512.0, 1000.0])
def test_marker_decisions_are_those_of_trials_cut_offline(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    protocol: Protocol,
    sfreq: float,
    reference: str,
) -> None:
    config = PreprocessorConfig(reference=reference)
    decoder = make_decoder(simulated_recording(sfreq=sfreq), config=config)
    recording = simulated_recording(sfreq=sfreq, n_trials=6, seed=1)
    # onsets between samples
    recording = replace(recording, onsets=recording.onsets + 0.3141 / sfreq)
    trials = make_trials([recording], protocol, config)
    expected = decoder.predict_proba(trials.X)
    decisions = decode_recording(decoder, recording)
    np.testing.assert_allclose(_probabilities(decisions), expected, atol=1e-5)
    np.testing.assert_allclose([one.onset for one in decisions], trials.onset, atol=1e-9)
    assert [one.truth for one in decisions] == trials.y.tolist()
    best = expected.argmax(axis=1)
    assert [one.label for one in decisions] == [decoder.classes[index] for index in best]
    assert np.mean([one.label == one.truth for one in decisions]) > 0.8, "and they are right"


def test_sliding_decisions_are_those_of_windows_of_the_preprocessed_signal(
    decoder: Decoder, recording: Recording
) -> None:
    signal = Preprocessor(recording.ch_names, recording.sfreq).update(recording.data)
    starts = range(0, signal.shape[1] - 152 + 1, 16)
    windows = np.stack([signal[:, start : start + 152] for start in starts])
    decisions = decode_recording(decoder, recording, mode="sliding")
    np.testing.assert_allclose(_probabilities(decisions), decoder.predict_proba(windows), atol=1e-9)
    assert {(one.onset, one.truth) for one in decisions} == {(None, None)}
    np.testing.assert_allclose(np.diff([one.time for one in decisions]), 0.125, atol=1 / 250)


def test_a_decision_comes_with_the_sample_that_completes_it(
    decoder: Decoder, recording: Recording
) -> None:
    engine = _engine(decoder, recording, "sliding")
    timestamps = np.arange(500) / recording.sfreq
    n_decisions = 0
    for index in range(500):
        for decision in engine.push(recording.data[:, [index]], timestamps[[index]]):
            assert decision.time == timestamps[index]
            n_decisions += 1
    # 2 s give 256 samples at 128 Hz: windows end at 152, 168, ... 248
    assert n_decisions == 7


@pytest.mark.parametrize("mode", ["markers", "sliding"])
@REUSES_FIXTURES
@given(cuts=st.lists(st.integers(0, 4250), max_size=25), with_breaks=st.booleans())
def test_chunks_have_no_influence(
    decoder: Decoder, recording: Recording, mode: str, cuts: list[int], with_breaks: bool
) -> None:
    breaks = [1100, 2501] if with_breaks else []
    expected = _push(_engine(decoder, recording, mode), recording, breaks=breaks)
    results = _push(_engine(decoder, recording, mode), recording, cuts, breaks=breaks)
    _assert_same(results, expected)
    assert sum(getattr(one, "event", "") == "gap" for one in expected) == len(breaks)


def test_one_sample_at_a_time_gives_the_same(decoder: Decoder, recording: Recording) -> None:
    short = replace(recording, data=recording.data[:, :1300])
    results = _push(_engine(decoder, short), short, range(1, 1300))
    assert len(results) == 2
    _assert_same(results, decode_recording(decoder, short))


def test_the_streams_clock_may_start_anywhere(decoder: Decoder, recording: Recording) -> None:
    t0 = 987_654.321
    moved = replace(recording, onsets=recording.onsets + t0)
    expected = decode_recording(decoder, recording)
    results = _push(_engine(decoder, moved), recording, [777], t0)
    np.testing.assert_allclose(_probabilities(results), _probabilities(expected), atol=1e-6)
    for field in ("onset", "time"):
        times = [getattr(one, field) - t0 for one in results]
        assert times == pytest.approx([getattr(one, field) for one in expected], abs=1e-6)


@pytest.mark.parametrize("delay", [0.1, 1.4, 30.0])
def test_a_marker_may_come_after_its_samples(
    decoder: Decoder, recording: Recording, delay: float
) -> None:
    """Late by a moment, by about the window's length, and by the whole recording."""
    engine = Engine(decoder, recording.ch_names, recording.sfreq, "uV", mode="markers")
    waiting = list(zip(recording.onsets, recording.labels, strict=True))
    timestamps = np.arange(recording.data.shape[1]) / recording.sfreq
    results: list[Decision | EngineEvent] = []
    for start in range(0, len(timestamps), 25):
        while waiting and waiting[0][0] + delay < timestamps[start]:
            onset, label = waiting.pop(0)
            engine.push_marker(label, float(onset))
        chunk = slice(start, start + 25)
        results += engine.push(recording.data[:, chunk], timestamps[chunk])
    for onset, label in waiting:
        engine.push_marker(label, float(onset))
    results += engine.push(recording.data[:, :1], timestamps[-1:] + 1 / recording.sfreq)
    _assert_same(results, decode_recording(decoder, recording))


def test_a_marker_far_ahead_keeps_no_trial_waiting(decoder: Decoder, recording: Recording) -> None:
    ahead = replace(
        recording,
        onsets=np.r_[1e9, recording.onsets],
        labels=("left", *recording.labels),
    )
    _assert_same(decode_recording(decoder, ahead), decode_recording(decoder, recording))


@REUSES_FIXTURES
@given(order=st.permutations(range(8)))
def test_markers_may_come_in_any_order(
    decoder: Decoder, recording: Recording, order: list[int]
) -> None:
    onsets, labels = recording.onsets[order], tuple(recording.labels[index] for index in order)
    results = decode_recording(decoder, replace(recording, onsets=onsets, labels=labels))
    _assert_same(results, decode_recording(decoder, recording))


def test_aliases_stand_for_their_class_and_other_labels_for_none(
    decoder: Decoder, recording: Recording
) -> None:
    labels = ("T2", "left", "blink", "right", "", "LEFT", "T2", "left")
    decisions = decode_recording(decoder, replace(recording, labels=labels))
    assert [one.truth for one in decisions] == ["right", "left", "right", "right", "left"]
    np.testing.assert_allclose([one.onset for one in decisions], recording.onsets[[0, 1, 3, 6, 7]])


def test_sliding_takes_no_notice_of_markers(decoder: Decoder, recording: Recording) -> None:
    without = replace(recording, onsets=np.empty(0), labels=())
    _assert_same(
        decode_recording(decoder, recording, mode="sliding"),
        decode_recording(decoder, without, mode="sliding"),
    )


def test_windows_before_the_first_sample_are_reported(
    make_decoder: Callable[..., Decoder], recording: Recording, protocol: Protocol
) -> None:
    window = protocol.window.model_copy(update={"start": -0.5})
    decoder = make_decoder(recording, protocol.model_copy(update={"window": window}))
    onsets = np.array([-3.0, 0.1, 5.0])
    early = replace(recording, onsets=onsets, labels=("left", "right", "left"))
    first, second, third = decode_recording(decoder, early)
    assert (first.event, first.time) == ("window-skipped", -3.0)
    assert (second.event, second.time) == ("window-skipped", 0.1)
    assert "first sample" in first.detail
    assert isinstance(third, Decision)
    assert third.onset == 5.0


@pytest.mark.parametrize("missing", [0.0, 0.5, 3.0])
def test_no_window_reaches_over_a_gap(
    decoder: Decoder, recording: Recording, missing: float
) -> None:
    """After sample 900 (3.6 s), within the trial at 3 s, samples are missing for a while."""
    engine = _engine(decoder, recording)
    timestamps = np.arange(recording.data.shape[1]) / 250
    keep = np.r_[0:900, 900 + round(missing * 250) : recording.data.shape[1]]
    results = engine.push(recording.data[:, keep], timestamps[keep], [900])
    gaps = [one.time for one in results if getattr(one, "event", "") == "gap"]
    assert gaps == pytest.approx([3.6 + missing])
    decided = [one.onset for one in results if isinstance(one, Decision)]
    skipped = [one.time for one in results if getattr(one, "event", "") == "window-skipped"]
    # trials stand at 1, 3, 5, ... 15 s, and 0.25 to 1.4375 s of each are decoded
    assert skipped == {0.0: [3.0], 0.5: [3.0], 3.0: [3.0, 5.0]}[missing]
    assert sorted(decided + skipped) == recording.onsets.tolist()


def test_sliding_starts_afresh_after_a_gap(decoder: Decoder, recording: Recording) -> None:
    results = _push(_engine(decoder, recording, "sliding"), recording, breaks=[1500])
    (gap,) = (index for index, one in enumerate(results) if isinstance(one, EngineEvent))
    fresh = replace(recording, data=recording.data[:, 1500:])
    expected = _push(_engine(decoder, recording, "sliding"), fresh, t0=6.0)
    _assert_same(results[gap + 1 :], expected)
    assert results[gap - 1].time < 6.0
    assert results[gap + 1].time > 6.0 + 1.17, "the first window after it is whole again"


def test_a_break_before_the_first_sample_is_no_gap(decoder: Decoder, recording: Recording) -> None:
    results = _push(_engine(decoder, recording, "sliding"), recording, breaks=[0])
    assert all(isinstance(one, Decision) for one in results)


def test_the_streams_channels_may_be_more_and_in_another_order(
    decoder: Decoder, recording: Recording
) -> None:
    noise = 1e4 * np.random.default_rng(3).standard_normal((3, recording.data.shape[1]))
    data = np.concatenate([noise, recording.data[::-1]]).astype(np.float32)
    names = ("EOG", "TRIG", "Fz", "pz", "EEG C4-Ref", "CZ.", "c3")
    other = replace(recording, data=data, ch_names=names)
    told, *results = decode_recording(decoder, other)
    assert isinstance(told, EngineEvent)
    assert told.detail.endswith("had none of them: Fz")
    _assert_same(results, decode_recording(decoder, recording))


def test_units_are_converted(decoder: Decoder, recording: Recording) -> None:
    volts = replace(recording, data=recording.data * np.float32(1e-6), unit="V")
    results = _probabilities(decode_recording(decoder, volts))
    # float32 volts round otherwise than float32 microvolts
    expected = _probabilities(decode_recording(decoder, recording))
    np.testing.assert_allclose(results, expected, atol=1e-5)


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_a_channel_that_the_stream_lacks_is_left_out_as_a_bad_one(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    recording: Recording,
    mode: str,
    reference: str,
) -> None:
    decoder = make_decoder(simulated_recording(), config=PreprocessorConfig(reference=reference))
    engine = _engine(decoder, recording, mode)
    engine.set_bad(["Cz"])
    expected = _push(engine, recording)
    rows = [3, 0, 2]
    other = replace(
        recording, data=recording.data[rows], ch_names=tuple(recording.ch_names[i] for i in rows)
    )
    told, *results = _push(_engine(decoder, other, mode), other)
    assert isinstance(told, EngineEvent)
    assert (told.event, told.detail) == (
        "channels-differ",
        "the stream lacks Cz (left out, as bad channels are)",
    )
    _assert_same(results, expected)
    assert {one.bad_channels for one in results if isinstance(one, Decision)} == {("Cz",)}


def test_too_few_channels_are_refused(decoder: Decoder) -> None:
    with pytest.raises(InputError, match="missing: C3, Cz, C4"):
        Engine(decoder, ("Pz", "Oz", "Fz"), 250.0, "uV")


@pytest.mark.parametrize(
    ("sfreq", "unit", "step"), [(50.0, "uV", 0.125), (250.0, "furlong", 0.125), (250.0, "uV", 0.0)]
)
def test_what_cannot_be_decoded_is_refused_before_any_sample(
    decoder: Decoder, recording: Recording, sfreq: float, unit: str, step: float
) -> None:
    with pytest.raises(InputError, match=r"rate|unit|step"):
        Engine(decoder, recording.ch_names, sfreq, unit, step=step)


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_a_bad_channel_at_100_times_its_amplitude_changes_no_decision(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    recording: Recording,
    mode: str,
    reference: str,
) -> None:
    decoder = make_decoder(simulated_recording(), config=PreprocessorConfig(reference=reference))
    loud, absent = recording.data.copy(), recording.data.copy()
    loud[1] *= 100
    absent[1] = np.nan
    results = []
    for data in (recording.data, loud, absent):
        engine = _engine(decoder, recording, mode)
        engine.set_bad(["CZ"])
        answers = _push(engine, replace(recording, data=data), [800, 801])
        results.append([one for one in answers if isinstance(one, Decision)])
    expected = results[0]
    _assert_same(results[1], expected)
    _assert_same(results[2], expected)
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
) -> None:
    config = PreprocessorConfig(reference=reference)
    decoder = make_decoder(_with_shared_background(simulated_recording()), config=config)
    recording = _with_shared_background(simulated_recording(n_trials=20, seed=1))
    large = recording.data.copy()
    large[1] *= 100
    breaks = [round(25 * recording.sfreq)]
    expected, found = (
        _push(_engine(decoder, one, mode), one, [800, 801, *breaks], breaks=breaks)
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
    differences = np.abs(_probabilities(before) - _probabilities(decisions))[used]
    assert len(differences) > 10, "before the gap and after it"
    assert differences.max() < 0.1


def test_bad_channels_hold_from_the_next_decision_on_and_over_gaps(
    decoder: Decoder, recording: Recording
) -> None:
    engine = _engine(decoder, recording, "sliding")
    timestamps = np.arange(recording.data.shape[1]) / 250
    parts = ((0, 1000, ()), (1000, 3000, ("C4",)), (3000, 4250, ()))
    for start, stop, bad in parts:
        engine.set_bad(bad)
        breaks = [500] if bad else []
        results = engine.push(recording.data[:, start:stop], timestamps[start:stop], breaks)
        assert {one.bad_channels for one in results if isinstance(one, Decision)} == {bad}


def test_an_unknown_bad_channel_changes_nothing(decoder: Decoder, recording: Recording) -> None:
    engine = _engine(decoder, recording)
    engine.set_bad(["Pz"])
    with pytest.raises(InputError, match="Oz"):
        engine.set_bad(["Oz"])
    assert engine.bad == ("Pz",)


@pytest.mark.parametrize("watch", [True, False])
def test_the_operators_choice_holds_whether_channels_are_watched_or_not(
    decoder: Decoder, recording: Recording, watch: bool
) -> None:
    engine = _engine(decoder, recording, "sliding", watch=watch)
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
    decoder: Decoder, recording: Recording
) -> None:
    data = recording.data.copy()
    data[0, 600:650] = np.nan
    data[2, 900] = np.inf
    decisions = decode_recording(decoder, replace(recording, data=data))
    assert len(decisions) == 8
    assert np.isfinite(_probabilities(decisions)).all()


@pytest.mark.parametrize("value", [37.5, np.nan])
def test_a_stream_without_any_signal_gives_no_decision(
    decoder: Decoder, recording: Recording, value: float
) -> None:
    """An amplifier that is not connected: nothing is decoded, and the operator hears of it."""
    silent = replace(recording, data=np.full_like(recording.data, value))
    watched = _push(_engine(decoder, recording), silent)
    assert watched
    assert all(isinstance(one, EngineEvent) for one in watched)
    unwatched = _push(_engine(decoder, recording, watch=False), silent)
    assert [getattr(one, "event", None) for one in unwatched] == ["no-signal"] * 8


@pytest.mark.parametrize("mode", ["markers", "sliding"])
@REUSES_FIXTURES
@given(cuts=st.lists(st.integers(0, 11000), max_size=25))
def test_without_a_good_channel_nothing_is_decided_until_one_is_good_again(
    simulated_recording: Callable[..., Recording], decoder: Decoder, mode: str, cuts: list[int]
) -> None:
    """All channels are flat from 12 to 24 s of 43."""
    recording = simulated_recording(n_trials=21, seed=1)
    data = recording.data.copy()
    data[:, 3000:6000] = 5.0
    broken = replace(recording, data=data)
    expected = _push(_engine(decoder, broken, mode), broken)
    _assert_same(_push(_engine(decoder, broken, mode), broken, cuts), expected)
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


@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_streams_longer_than_the_history_are_decoded_to_their_end(
    simulated_recording: Callable[..., Recording], decoder: Decoder, mode: str
) -> None:
    """Four minutes, more than twice the 90 s at hand, in one piece and in chunks of 7 s."""
    recording = simulated_recording(n_trials=120, sfreq=125.0, seed=2)
    rare = replace(recording, onsets=recording.onsets[::40], labels=recording.labels[::40])
    expected = decode_recording(decoder, rare, mode=mode, step=10.0)
    engine = Engine(decoder, rare.ch_names, rare.sfreq, "uV", mode=mode, step=10.0)
    for label, onset in zip(rare.labels, rare.onsets, strict=True):
        engine.push_marker(label, float(onset))
    _assert_same(_push(engine, rare, range(875, rare.data.shape[1], 875)), expected)
    assert len(expected) == {"markers": 3, "sliding": 24}[mode]
    assert all(isinstance(one, Decision) for one in expected)
    if mode == "markers":
        trials = make_trials([rare], decoder.protocol, decoder.preprocessing)
        offline = decoder.predict_proba(trials.X)
        np.testing.assert_allclose(_probabilities(expected), offline, atol=1e-5)


def test_a_marker_older_than_the_history_is_reported(
    simulated_recording: Callable[..., Recording], decoder: Decoder
) -> None:
    recording = simulated_recording(n_trials=60, sfreq=125.0)
    engine = Engine(decoder, recording.ch_names, 125.0, "uV", mode="markers")
    assert _push(engine, recording) == []
    engine.push_marker("left", 3.0)
    engine.push_marker("left", 115.0)
    end = recording.data.shape[1] / 125
    skipped, decision = engine.push(recording.data[:, :1], np.array([end]))
    assert (skipped.event, skipped.time) == ("window-skipped", 3.0)
    assert isinstance(decision, Decision)
    assert decision.onset == 115.0
