from __future__ import annotations

import mne
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.signal import welch
from scipy.stats import binomtest

from sjepa_online.data import load_source, make_trials
from sjepa_online.data.simulated import (
    RESPONSE_DELAY,
    simulate_recording,
    simulated_channels,
)
from sjepa_online.data.simulated.traits import Traits
from sjepa_online.decoding import DecoderRequest
from sjepa_online.errors import InputError
from sjepa_online.protocol import load_protocol
from sjepa_online.schedule import make_schedule
from sjepa_online.signal import PreprocessorConfig, require_plausible_amplitude

SFREQ = 250.0
SHOWN = {
    "ssvep": [(0.31, "cue/12.0"), (0.5, "12.0"), (2.2, "end"), (2.6, "6.67"), (3.3, "pause")],
    "mi": [(0.3, "left_hand"), (1.5, "end"), (2.1, "right_hand"), (2.9, "end")],
    "erp": [(0.2 + 0.215 * k, "Target/A" if k % 5 == 0 else "NonTarget/B") for k in range(15)],
}


def events(recording, protocol):
    """Classes and samples of the trials, for MNE."""
    classes = [protocol.class_of(label) for label in recording.labels]
    rows = [k for k, name in enumerate(classes) if name is not None]
    samples = np.round(recording.onsets[rows] * recording.sfreq).astype(int)
    return np.array([classes[k] for k in rows]), samples


def epochs(recording, protocol, tmin, tmax, l_freq, h_freq):
    """Cut the trials as an independent tool does, with zero-phase filters."""
    info = mne.create_info(list(recording.ch_names), recording.sfreq, "eeg", verbose="error")
    raw = mne.io.RawArray(1e-6 * recording.data.astype(float), info, verbose="error")
    raw.filter(l_freq, h_freq, verbose="error")
    names, samples = events(recording, protocol)
    ids = {name: number for number, name in enumerate(protocol.class_names, start=1)}
    table = np.column_stack([samples, np.zeros_like(samples), [ids[name] for name in names]])
    return mne.Epochs(raw, table, ids, tmin, tmax, baseline=None, preload=True, verbose="error")


@pytest.mark.parametrize("paradigm", SHOWN)
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_chunks_and_late_markers_change_no_sample(participant, paradigm, data):
    """Markers come up to the response delay late, and the signal in pieces of any length."""
    n = round(4 * SFREQ)
    whole = participant(paradigm)
    for time, text in SHOWN[paradigm]:
        whole.push_marker(text, time)
    expected = whole.generate(n)

    pieces = participant(paradigm)
    lateness = data.draw(st.floats(0.0, RESPONSE_DELAY))
    waiting = list(SHOWN[paradigm])
    parts = []
    while pieces.n_generated < n:
        length = min(data.draw(st.integers(1, 300)), n - pieces.n_generated)
        if waiting:  # never beyond the time at which the next marker has to be known
            due = int(np.floor((waiting[0][0] + lateness) * SFREQ)) + 1
            length = min(length, max(due - pieces.n_generated, 0))
        if length == 0:
            time, text = waiting.pop(0)
            pieces.push_marker(text, time)
            continue
        parts.append(pieces.generate(length))
    np.testing.assert_allclose(np.concatenate(parts, axis=1), expected, atol=1e-3)


def test_participants_differ_and_sessions_differ_in_noise(participant):
    first = participant("ssvep").generate(500)
    np.testing.assert_array_equal(participant("ssvep").generate(500), first)
    for fields in ({"seed": 1}, {"session": 2}):
        other = participant("ssvep", **fields).generate(500)
        assert abs(np.corrcoef(first[0], other[0])[0, 1]) < 0.9
    assert participant("ssvep", session=2).traits == participant("mi").traits
    assert len({Traits.draw(seed) for seed in range(20)}) == 20


@pytest.mark.parametrize("paradigm", ["ssvep", "erp"])
def test_the_answer_does_not_depend_on_montage_or_rate(answer, paradigm):
    marker = {0.5: "12.0" if paradigm == "ssvep" else "Target/A"}
    few = answer(paradigm, marker, 3.0, ch_names=("Oz",))
    many = answer(paradigm, marker, 3.0, ch_names=simulated_channels("ssvep", 64))
    np.testing.assert_allclose(few[0], many[0], atol=1e-3)
    fast = answer(paradigm, marker, 3.0, ch_names=("Oz",), sfreq=1000.0)
    np.testing.assert_allclose(few[0], fast[0, ::4], atol=1e-3)


@pytest.mark.parametrize("sfreq", [125.0, 1000.0])
def test_the_background_does_not_depend_on_the_rate(participant, sfreq):
    spectra = []
    for rate in (SFREQ, sfreq):
        signal = participant("ssvep", ("Oz", "Cz"), sfreq=rate).generate(round(200 * rate))
        frequencies, power = welch(signal, rate, nperseg=round(2 * rate))
        spectra.append(power[:, (frequencies >= 2) & (frequencies <= 40)])
    np.testing.assert_allclose(np.log(spectra[0]), np.log(spectra[1]), atol=0.6)
    assert np.abs(np.log(spectra[0] / spectra[1])).mean() < 0.15


def test_eeg_at_rest_has_alpha_at_the_back_blinks_in_front_and_mains(participant):
    names = ("Fp1", "Fz", "Cz", "Oz")
    shown = participant("ssvep", names, seed=4)
    signal = shown.generate(round(120 * SFREQ)).astype(float)
    assert require_plausible_amplitude(signal, "uV", SFREQ).verdict == "plausible"
    frequencies, power = welch(signal, SFREQ, nperseg=500)
    alpha = power[:, np.abs(frequencies - shown.traits.alpha_frequency) < 1].mean(axis=1)
    below = power[:, (frequencies > 5) & (frequencies < 7)].mean(axis=1)
    ratio = dict(zip(names, alpha / below, strict=True))
    assert ratio["Oz"] == max(ratio.values()) > 3
    assert np.abs(signal[0]).max() > 60 > np.abs(signal[3] - np.median(signal[3])).max() - 40
    hum = np.abs(frequencies - 50) < 0.3
    assert (
        power[:, hum].max(axis=1) > 5 * power[:, np.abs(frequencies - 45) < 2].mean(axis=1)
    ).all()


def test_a_rate_too_low_for_the_rhythms_is_refused(participant):
    with pytest.raises(InputError, match="below 100 Hz"):
        participant("ssvep", sfreq=64.0)


@pytest.mark.parametrize("paradigm", ["ssvep", "erp", "mi"])
def test_a_recording_holds_the_schedule_and_says_that_it_is_simulated(participant, paradigm):
    protocol = load_protocol(paradigm)
    schedule = make_schedule(protocol, 3)[:2]
    recording = simulate_recording(participant(paradigm), schedule)
    phases = [phase for trial in schedule for phase in trial.phases]
    assert recording.labels == tuple(phase.marker for phase in phases if phase.marker)
    starts = np.cumsum([0.0, *(phase.duration for phase in phases)])
    shown = [start for start, phase in zip(starts, phases, strict=False) if phase.marker]
    np.testing.assert_allclose(recording.onsets - recording.onsets[0], np.array(shown) - shown[0])
    assert recording.duration == pytest.approx(starts[-1] + 6.0, abs=0.01)
    assert (recording.unit, recording.simulated) == ("uV", True)
    trials = make_trials([recording], protocol, PreprocessorConfig())
    assert not trials.dropped


def test_mne_finds_the_desynchronisation_on_the_other_side(participant):
    protocol = load_protocol("mi")
    recording = simulate_recording(
        participant("mi", ("C3", "C4"), seed=4), make_schedule(protocol, 1)[:40]
    )
    cut = epochs(recording, protocol, -2.0, 4.0, 8.0, 30.0)
    power = cut.get_data() ** 2
    change = np.log(
        power[..., (cut.times > 1) & (cut.times < 4)].mean(axis=-1)
        / power[..., (cut.times > -2) & (cut.times < 0)].mean(axis=-1)
    )
    left = cut.events[:, 2] == cut.event_id["left_hand"]
    c3, c4 = change[:, 0], change[:, 1]
    assert c4[left].mean() < -0.1
    assert c3[~left].mean() < -0.1
    assert (c4 - c3)[left].mean() < (c4 - c3)[~left].mean() - 0.2


def test_mne_finds_the_p300_in_the_average(participant):
    protocol = load_protocol("erp")
    recording = simulate_recording(participant("erp", seed=1), make_schedule(protocol, 1)[:8])
    cut = epochs(recording, protocol, -0.1, 0.8, 0.5, 20.0)
    contrast = mne.combine_evoked(
        [cut["Target"].average(), cut["NonTarget"].average()], weights=[1, -1]
    )
    channel, latency = contrast.get_peak(mode="pos", tmin=0.25, tmax=0.6)
    assert channel in {"Pz", "P3", "P4", "Cz"}
    assert 0.28 < latency < 0.45


@pytest.mark.slow
def test_a_decoder_learns_from_one_session_and_reads_another():
    protocol = load_protocol("ssvep-exo")
    train, test = (
        make_trials(load_source(f"simulated:ssvep-exo:0:{session}"), protocol, PreprocessorConfig())
        for session in (1, 2)
    )
    decoder = DecoderRequest("riemann").make(protocol, train.ch_names).fit(train.X, train.y)
    classes = np.array(protocol.class_names)
    right = classes[decoder.predict_proba(test.X).argmax(axis=1)] == test.y
    assert binomtest(int(right.sum()), len(right), 0.25, alternative="greater").pvalue < 1e-3
    assert right.mean() < 1.0


@pytest.mark.parametrize(
    "text",
    ["simulated", "simulated:mi", "simulated:mi:x", "simulated:mi:1:0", "simulated:mi:1:1:1"],
)
def test_a_simulated_source_follows_the_grammar(text):
    with pytest.raises(InputError, match="simulated:PROTOCOL:SUBJECT"):
        load_source(text)


def test_simulated_sources_have_a_name_of_their_own_and_subjects_in_ranges():
    from sjepa_online.data import expand_sources

    sources = expand_sources(["simulated:mi:1-2:3", "simulated:ssvep:7"])
    names = [source.name for source in sources]
    assert names == ["simulated:mi:1:3", "simulated:mi:2:3", "simulated:ssvep:7:1"]
    (recording,) = sources[2].read()
    assert (recording.name, recording.subject, recording.session) == (names[2], "7", "1")
    assert recording.simulated
    assert isinstance(recording.data, np.ndarray)
    assert recording.data.dtype == np.float32
