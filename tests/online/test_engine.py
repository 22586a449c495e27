"""The engine against trials that were cut offline, and against itself in other chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

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


@pytest.mark.parametrize("reference", ["none", "average"])
@pytest.mark.parametrize("sfreq", [250.0, 512.0, 1000.0])
def test_marker_decisions_are_those_of_trials_cut_offline(
    simulated_recording: Callable[..., Recording],
    make_decoder: Callable[..., Decoder],
    protocol: Protocol,
    sfreq: float,
    reference: str,
    probabilities_of: Callable[[Results], np.ndarray],
) -> None:
    config = PreprocessorConfig(reference=reference)
    decoder = make_decoder(simulated_recording(sfreq=sfreq), config=config)
    recording = simulated_recording(sfreq=sfreq, n_trials=6, seed=1)
    # onsets between samples
    recording = replace(recording, onsets=recording.onsets + 0.3141 / sfreq)
    trials = make_trials([recording], protocol, config)
    expected = decoder.predict_proba(trials.X)
    decisions = decode_recording(decoder, recording)
    np.testing.assert_allclose(probabilities_of(decisions), expected, atol=1e-5)
    np.testing.assert_allclose([one.onset for one in decisions], trials.onset, atol=1e-9)
    assert [one.truth for one in decisions] == trials.y.tolist()
    best = expected.argmax(axis=1)
    assert [one.label for one in decisions] == [decoder.classes[index] for index in best]
    assert np.mean([one.label == one.truth for one in decisions]) > 0.8, "and they are right"


def test_sliding_decisions_are_those_of_windows_of_the_preprocessed_signal(
    decoder: Decoder, recording: Recording, probabilities_of: Callable[[Results], np.ndarray]
) -> None:
    signal = Preprocessor(recording.ch_names, recording.sfreq).update(recording.data)
    starts = range(0, signal.shape[1] - 152 + 1, 16)
    windows = np.stack([signal[:, start : start + 152] for start in starts])
    decisions = decode_recording(decoder, recording, mode="sliding")
    np.testing.assert_allclose(
        probabilities_of(decisions), decoder.predict_proba(windows), atol=1e-9
    )
    assert {(one.onset, one.truth) for one in decisions} == {(None, None)}
    np.testing.assert_allclose(np.diff([one.time for one in decisions]), 0.125, atol=1 / 250)


def test_a_decision_comes_with_the_sample_that_completes_it(
    decoder: Decoder, recording: Recording, make_engine: Callable[..., Engine]
) -> None:
    engine = make_engine(decoder, recording, "sliding")
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
    decoder: Decoder,
    recording: Recording,
    mode: str,
    cuts: list[int],
    with_breaks: bool,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    assert_same: Callable[[Results, Results], None],
) -> None:
    breaks = [1100, 2501] if with_breaks else []
    expected = push(make_engine(decoder, recording, mode), recording, breaks=breaks)
    results = push(make_engine(decoder, recording, mode), recording, cuts, breaks=breaks)
    assert_same(results, expected)
    assert sum(getattr(one, "event", "") == "gap" for one in expected) == len(breaks)


def test_one_sample_at_a_time_gives_the_same(
    decoder: Decoder,
    recording: Recording,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    assert_same: Callable[[Results, Results], None],
) -> None:
    short = replace(recording, data=recording.data[:, :1300])
    results = push(make_engine(decoder, short), short, range(1, 1300))
    assert len(results) == 2
    assert_same(results, decode_recording(decoder, short))


def test_the_streams_clock_may_start_anywhere(
    decoder: Decoder,
    recording: Recording,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    probabilities_of: Callable[[Results], np.ndarray],
) -> None:
    t0 = 987_654.321
    moved = replace(recording, onsets=recording.onsets + t0)
    expected = decode_recording(decoder, recording)
    results = push(make_engine(decoder, moved), recording, [777], t0)
    np.testing.assert_allclose(probabilities_of(results), probabilities_of(expected), atol=1e-6)
    for field in ("onset", "time"):
        times = [getattr(one, field) - t0 for one in results]
        assert times == pytest.approx([getattr(one, field) for one in expected], abs=1e-6)


@pytest.mark.parametrize("delay", [0.1, 1.4, 30.0])
def test_a_marker_may_come_after_its_samples(
    decoder: Decoder,
    recording: Recording,
    delay: float,
    assert_same: Callable[[Results, Results], None],
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
    assert_same(results, decode_recording(decoder, recording))


def test_a_marker_far_ahead_keeps_no_trial_waiting(
    decoder: Decoder, recording: Recording, assert_same: Callable[[Results, Results], None]
) -> None:
    ahead = replace(
        recording,
        onsets=np.r_[1e9, recording.onsets],
        labels=("left", *recording.labels),
    )
    assert_same(decode_recording(decoder, ahead), decode_recording(decoder, recording))


@REUSES_FIXTURES
@given(order=st.permutations(range(8)))
def test_markers_may_come_in_any_order(
    decoder: Decoder,
    recording: Recording,
    order: list[int],
    assert_same: Callable[[Results, Results], None],
) -> None:
    onsets, labels = recording.onsets[order], tuple(recording.labels[index] for index in order)
    results = decode_recording(decoder, replace(recording, onsets=onsets, labels=labels))
    assert_same(results, decode_recording(decoder, recording))


def test_aliases_stand_for_their_class_and_other_labels_for_none(
    decoder: Decoder, recording: Recording
) -> None:
    labels = ("T2", "left", "blink", "right", "", "LEFT", "T2", "left")
    decisions = decode_recording(decoder, replace(recording, labels=labels))
    assert [one.truth for one in decisions] == ["right", "left", "right", "right", "left"]
    np.testing.assert_allclose([one.onset for one in decisions], recording.onsets[[0, 1, 3, 6, 7]])


def test_sliding_takes_no_notice_of_markers(
    decoder: Decoder, recording: Recording, assert_same: Callable[[Results, Results], None]
) -> None:
    without = replace(recording, onsets=np.empty(0), labels=())
    assert_same(
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
    decoder: Decoder, recording: Recording, missing: float, make_engine: Callable[..., Engine]
) -> None:
    """After sample 900 (3.6 s), within the trial at 3 s, samples are missing for a while."""
    engine = make_engine(decoder, recording)
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


def test_sliding_starts_afresh_after_a_gap(
    decoder: Decoder,
    recording: Recording,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
    assert_same: Callable[[Results, Results], None],
) -> None:
    results = push(make_engine(decoder, recording, "sliding"), recording, breaks=[1500])
    (gap,) = (index for index, one in enumerate(results) if isinstance(one, EngineEvent))
    fresh = replace(recording, data=recording.data[:, 1500:])
    expected = push(make_engine(decoder, recording, "sliding"), fresh, t0=6.0)
    assert_same(results[gap + 1 :], expected)
    assert results[gap - 1].time < 6.0
    assert results[gap + 1].time > 6.0 + 1.17, "the first window after it is whole again"


def test_a_break_before_the_first_sample_is_no_gap(
    decoder: Decoder,
    recording: Recording,
    make_engine: Callable[..., Engine],
    push: Callable[..., Results],
) -> None:
    results = push(make_engine(decoder, recording, "sliding"), recording, breaks=[0])
    assert all(isinstance(one, Decision) for one in results)


def test_units_are_converted(
    decoder: Decoder, recording: Recording, probabilities_of: Callable[[Results], np.ndarray]
) -> None:
    volts = replace(recording, data=recording.data * np.float32(1e-6), unit="V")
    results = probabilities_of(decode_recording(decoder, volts))
    # float32 volts round otherwise than float32 microvolts
    expected = probabilities_of(decode_recording(decoder, recording))
    np.testing.assert_allclose(results, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("sfreq", "unit", "step"), [(50.0, "uV", 0.125), (250.0, "furlong", 0.125), (250.0, "uV", 0.0)]
)
def test_what_cannot_be_decoded_is_refused_before_any_sample(
    decoder: Decoder, recording: Recording, sfreq: float, unit: str, step: float
) -> None:
    with pytest.raises(InputError, match=r"rate|unit|step"):
        Engine(decoder, recording.ch_names, sfreq, unit, step=step)


@pytest.mark.parametrize("mode", ["markers", "sliding"])
def test_streams_longer_than_the_history_are_decoded_to_their_end(
    simulated_recording: Callable[..., Recording],
    decoder: Decoder,
    mode: str,
    push: Callable[..., Results],
    probabilities_of: Callable[[Results], np.ndarray],
    assert_same: Callable[[Results, Results], None],
) -> None:
    """Four minutes, more than twice the 90 s at hand, in one piece and in chunks of 7 s."""
    recording = simulated_recording(n_trials=120, sfreq=125.0, seed=2)
    rare = replace(recording, onsets=recording.onsets[::40], labels=recording.labels[::40])
    expected = decode_recording(decoder, rare, mode=mode, step=10.0)
    engine = Engine(decoder, rare.ch_names, rare.sfreq, "uV", mode=mode, step=10.0)
    for label, onset in zip(rare.labels, rare.onsets, strict=True):
        engine.push_marker(label, float(onset))
    assert_same(push(engine, rare, range(875, rare.data.shape[1], 875)), expected)
    assert len(expected) == {"markers": 3, "sliding": 24}[mode]
    assert all(isinstance(one, Decision) for one in expected)
    if mode == "markers":
        trials = make_trials([rare], decoder.protocol, decoder.preprocessing)
        offline = decoder.predict_proba(trials.X)
        np.testing.assert_allclose(probabilities_of(expected), offline, atol=1e-5)


def test_a_marker_older_than_the_history_is_reported(
    simulated_recording: Callable[..., Recording], decoder: Decoder, push: Callable[..., Results]
) -> None:
    recording = simulated_recording(n_trials=60, sfreq=125.0)
    engine = Engine(decoder, recording.ch_names, 125.0, "uV", mode="markers")
    assert push(engine, recording) == []
    engine.push_marker("left", 3.0)
    engine.push_marker("left", 115.0)
    end = recording.data.shape[1] / 125
    skipped, decision = engine.push(recording.data[:, :1], np.array([end]))
    assert (skipped.event, skipped.time) == ("window-skipped", 3.0)
    assert isinstance(decision, Decision)
    assert decision.onset == 115.0


@pytest.mark.parametrize(
    ("data", "timestamps", "told"),
    [
        (np.zeros((4, 10)), np.arange(9.0), "as many timestamps"),
        (np.zeros((4, 10)), np.r_[np.arange(9.0), np.nan], "timestamps are not finite"),
        (np.zeros((10, 4)), np.arange(4.0), r"pass chunk\.T"),
        (np.zeros((3, 10)), np.arange(10.0), "one row for each channel"),
    ],
)
def test_chunks_and_times_that_do_not_fit_are_refused(
    decoder: Decoder,
    recording: Recording,
    make_engine: Callable[..., Engine],
    data: np.ndarray,
    timestamps: np.ndarray,
    told: str,
) -> None:
    engine = make_engine(decoder, recording, "markers")
    with pytest.raises(InputError, match=told):
        engine.push(data, timestamps)


def test_an_unknown_mode_names_the_known_ones(decoder: Decoder) -> None:
    with pytest.raises(InputError, match=r"Unknown mode: .slide."):
        Engine(decoder, decoder.ch_names, 250.0, "uV", mode="slide")
