"""The preprocessor against scipy, analytic signals and random chunkings."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal.preprocessor import (
    LIMIT_MICROVOLTS,
    Preprocessor,
    PreprocessorConfig,
)

RATES = (100, 125, 128, 160, 250, 256, 500, 512, 1000, 1024, 2000, 2048, 4000)
AVERAGE = PreprocessorConfig(reference="average")
SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"


def channel_names(n_channels):
    return [f"channel {i}" for i in range(n_channels)]


def noise(n_channels, n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 20, (n_channels, n_samples))


def answer_to_sines(sfreq, frequencies, n_seconds=14.0, settled=6.0):
    """Send one sine of amplitude 1 µV through each channel, give times and settled output."""
    frequencies = np.asarray(frequencies)
    preprocessor = Preprocessor(channel_names(len(frequencies)), sfreq)
    time = np.arange(round(n_seconds * sfreq)) / sfreq
    output = preprocessor.update(np.sin(2 * np.pi * frequencies[:, np.newaxis] * time))
    k = np.arange(output.shape[1])
    keep = k / MODEL_SFREQ > settled
    return k[keep] / MODEL_SFREQ, output[:, keep]


def split_sine(time, values, frequency):
    """Amplitude of the sine of this frequency in the values, and what is left without it."""
    phase = 2 * np.pi * frequency * time
    basis = np.column_stack([np.sin(phase), np.cos(phase)])
    weights = np.linalg.lstsq(basis, values)[0]
    return np.hypot(*weights), values - basis @ weights


@pytest.mark.parametrize("sfreq", RATES)
def test_passband_is_flat_within_1_db(sfreq):
    frequencies = np.concatenate([[1.0, 1.5, 2.0], np.arange(3.0, 36.0, 2.0)])
    time, output = answer_to_sines(sfreq, frequencies)
    amplitudes = [
        split_sine(time, row, frequency)[0]
        for row, frequency in zip(output, frequencies, strict=True)
    ]
    assert np.abs(20 * np.log10(amplitudes)).max() < 1.0


@pytest.mark.parametrize("sfreq", [rate for rate in RATES if rate > MODEL_SFREQ])
def test_what_would_alias_is_40_db_down(sfreq):
    frequencies = np.linspace(MODEL_SFREQ / 2, sfreq / 2 - 0.3, 41)
    _, output = answer_to_sines(sfreq, frequencies)
    assert 20 * np.log10(output.std(axis=1).max() / np.sqrt(0.5)) < -40


@pytest.mark.parametrize("sfreq", RATES)
def test_images_are_40_db_down(sfreq):
    frequencies = np.linspace(1.0, min(sfreq / 2, MODEL_SFREQ / 2) - 1, 33)
    time, output = answer_to_sines(sfreq, frequencies)
    left = [
        split_sine(time, row, frequency)[1].std()
        for row, frequency in zip(output, frequencies, strict=True)
    ]
    assert 20 * np.log10(max(left) / np.sqrt(0.5)) < -40


@pytest.mark.parametrize("frequency", [0.02, 50.0, 60.0])
def test_drift_and_mains_are_removed(frequency):
    _, output = answer_to_sines(500, [frequency])
    assert np.abs(output).max() < 0.01


@pytest.mark.parametrize("sfreq", RATES)
def test_burst_comes_out_at_its_place(sfreq):
    frequencies = np.array([5.0, 8.0, 13.0, 21.0, 28.0])
    place, width = 4.0, 0.3
    time = np.arange(round(8 * sfreq)) / sfreq
    bursts = np.exp(-0.5 * ((time - place) / width) ** 2) * np.sin(
        2 * np.pi * frequencies[:, np.newaxis] * time
    )
    preprocessor = Preprocessor(channel_names(len(frequencies)), sfreq)
    output = preprocessor.update(bursts)
    energy = np.abs(signal.hilbert(output, axis=1)) ** 2
    seen = energy @ preprocessor.output_time(np.arange(output.shape[1])) / energy.sum(axis=1)
    assert np.abs(seen - place).max() < 2 / MODEL_SFREQ
    delays = np.array([preprocessor.delay_at(frequency) for frequency in frequencies])
    np.testing.assert_allclose(seen + preprocessor.delay - place, delays, atol=0.5e-3)


@pytest.mark.parametrize("sfreq", RATES)
def test_delay_is_short_and_alike_at_every_rate(sfreq):
    assert 0.018 < Preprocessor(["Cz"], sfreq).delay < 0.023


def test_rate_that_is_no_whole_number_keeps_the_frequency():
    sfreq, frequency = 249.87, 10.0
    time, output = answer_to_sines(sfreq, [frequency], n_seconds=120.0)
    assert len(time) + round(6 * MODEL_SFREQ) + 1 == np.ceil(
        round(120 * sfreq) * MODEL_SFREQ / sfreq
    )
    assert split_sine(time, output[0], frequency)[1].std() < 0.01


def test_equals_scipy_with_the_steady_state_of_the_first_sample():
    sfreq = 2048
    values = noise(3, 10 * sfreq) + np.array([[4000.0], [-250.0], [0.0]])
    expected = values
    for sos in (
        signal.butter(2, 0.5, "highpass", fs=sfreq, output="sos"),
        signal.cheby2(10, 52, 50, fs=sfreq, output="sos"),
    ):
        state = signal.sosfilt_zi(sos)[:, np.newaxis] * expected[:, :1]
        expected, _ = signal.sosfilt(sos, expected, axis=1, zi=state)
    output = Preprocessor(channel_names(3), sfreq).update(values)
    np.testing.assert_allclose(output, expected[:, :: sfreq // MODEL_SFREQ], atol=1e-6)


@st.composite
def chunkings(draw):
    n_samples = draw(st.integers(50, 900))
    cuts = draw(st.lists(st.integers(0, n_samples), max_size=25))
    single = draw(st.integers(0, n_samples - 5))
    return sorted([0, n_samples, *cuts, *range(single, single + 5)])


@settings(deadline=None, max_examples=60)
@given(
    edges=chunkings(),
    sfreq=st.sampled_from([100, 128, 160, 249.87, 250, 500, 512, 1000, 4000]),
    config=st.sampled_from([PreprocessorConfig(), AVERAGE]),
    late=st.integers(0, 900),
    seed=st.integers(0, 2**32 - 1),
)
def test_output_does_not_depend_on_the_chunks(edges, sfreq, config, late, seed):
    rng = np.random.default_rng(seed)
    values = noise(5, edges[-1], seed) + rng.normal(0, 1e4, (5, 1))
    values[1, rng.random(edges[-1]) < 0.2] = np.nan
    values[2, :late] = np.inf
    values[3, rng.random(edges[-1]) < 0.01] = 1e30
    names = channel_names(5)
    whole = Preprocessor(names, sfreq, config=config, bad=names[4:])
    pieces = Preprocessor(names, sfreq, config=config, bad=names[4:])
    expected = whole.update(values)
    outputs = []
    for begin, end in pairwise(edges):
        outputs.append(pieces.update(values[:, begin:end]))
        assert sum(output.shape[1] for output in outputs) == pieces.n_output(end)
    np.testing.assert_allclose(np.concatenate(outputs, axis=1), expected, rtol=0, atol=1e-6)
    assert np.isfinite(expected).all()


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e30])
def test_broken_channel_leaves_the_others_bit_identical(broken):
    values = noise(4, 1000)
    spoilt = values.copy()
    spoilt[2, 100:600] = broken
    expected = Preprocessor(channel_names(4), 250).update(values)
    output = Preprocessor(channel_names(4), 250).update(spoilt)
    np.testing.assert_array_equal(output[[0, 1, 3]], expected[[0, 1, 3]])
    assert np.isfinite(output).all()


def test_missing_values_hold_the_last_good_one():
    values = noise(1, 1000)
    held = values.copy()
    held[0, 300:320] = held[0, 299]
    values[0, 300:320] = np.nan
    expected = Preprocessor(["Cz"], 250).update(held)
    np.testing.assert_array_equal(Preprocessor(["Cz"], 250).update(values), expected)


def test_channel_that_was_never_finite_gives_zero_and_does_not_enter_the_mean():
    values = noise(4, 1000)
    values[3] = np.nan
    output = Preprocessor(channel_names(4), 250, config=AVERAGE).update(values)
    expected = Preprocessor(channel_names(3), 250, config=AVERAGE).update(values[:3])
    np.testing.assert_allclose(output[:3], expected, atol=1e-9)
    unreferenced = Preprocessor(channel_names(4), 250).update(values)
    np.testing.assert_array_equal(unreferenced[3], 0.0)


@pytest.mark.parametrize("offset", [5e3, -3e5])
def test_offset_causes_no_transient_even_when_the_channel_starts_late(offset):
    values = np.full((2, 2000), offset)
    values[1, :777] = np.nan
    output = Preprocessor(channel_names(2), 500).update(values)
    np.testing.assert_array_equal(output, 0.0)


def test_values_that_no_electrode_can_show_are_clipped():
    values = noise(1, 1000)
    clipped = values.copy()
    values[0, 500], clipped[0, 500] = 1e300, LIMIT_MICROVOLTS
    expected = Preprocessor(["Cz"], 250).update(clipped)
    np.testing.assert_array_equal(Preprocessor(["Cz"], 250).update(values), expected)


def test_bad_channel_at_100_times_its_amplitude_changes_no_other():
    values = noise(4, 2000)
    louder = values * np.array([[1.0], [100.0], [1.0], [1.0]])
    names = channel_names(4)
    expected = Preprocessor(names, 250, config=AVERAGE, bad=[names[1]]).update(values)
    output = Preprocessor(names, 250, config=AVERAGE, bad=[names[1]]).update(louder)
    np.testing.assert_array_equal(output[[0, 2, 3]], expected[[0, 2, 3]])
    undeclared = Preprocessor(names, 250, config=AVERAGE).update(louder)
    assert np.abs(undeclared[0] - expected[0]).max() > 100


def test_average_reference_commutes_with_the_filters():
    values = noise(6, 3000)
    referenced = values - values[[0, 1, 2, 4]].mean(axis=0)
    names = channel_names(6)
    expected = Preprocessor(names, 1000).update(referenced)
    output = Preprocessor(names, 1000, config=AVERAGE, bad=[names[3], names[5]]).update(values)
    np.testing.assert_allclose(output, expected, atol=1e-9)


def test_bad_channels_change_from_the_next_chunk_on_without_a_transient():
    values = noise(4, 2000) + np.array([[0.0], [9e4], [0.0], [0.0]])
    names = channel_names(4)
    changing = Preprocessor(names, 250, config=AVERAGE)
    before = Preprocessor(names, 250, config=AVERAGE)
    after = Preprocessor(names, 250, config=AVERAGE, bad=[names[1]])
    parts = values[:, :900], values[:, 900:]
    np.testing.assert_array_equal(changing.update(parts[0]), before.update(parts[0]))
    after.update(parts[0])
    changing.set_bad([names[1]])
    assert changing.bad == (names[1],)
    np.testing.assert_array_equal(changing.update(parts[1]), after.update(parts[1]))


@pytest.mark.parametrize("config", [PreprocessorConfig(), AVERAGE])
def test_scales_divide_from_the_next_chunk_on_before_the_reference(config):
    values = noise(4, 2000) + np.array([[0.0], [500.0], [0.0], [0.0]])
    names = channel_names(4)
    amplified = values * np.array([[1.0], [100.0], [1.0], [0.5]])
    plain = Preprocessor(names, 250, config=config)
    unscaled = Preprocessor(names, 250, config=config)
    scaled = Preprocessor(names, 250, config=config)
    for part in (slice(0, 900), slice(900, None)):
        expected, wrong = plain.update(values[:, part]), unscaled.update(amplified[:, part])
        output = scaled.update(amplified[:, part])
        np.testing.assert_allclose(output, expected if part.start else wrong, atol=1e-9)
        scaled.set_scales({names[1]: 100.0, names[3]: 0.5})
    scaled.set_scales({})
    np.testing.assert_array_equal(
        scaled.update(amplified[:, :50]), unscaled.update(amplified[:, :50])
    )


@pytest.mark.parametrize("scales", [{"Oz": 2.0}, {"Cz": 0.0}, {"Cz": np.nan}, {"Cz": np.inf}])
def test_refused_scales_leave_the_old_ones(scales):
    preprocessor = Preprocessor(["Cz", "Pz"], 250)
    preprocessor.set_scales({"Cz": 4.0})
    with pytest.raises(InputError, match=r"Choose from Cz|as bad"):
        preprocessor.set_scales(scales)
    expected = Preprocessor(["Cz", "Pz"], 250).update(noise(2, 500)) / np.array([[4.0], [1.0]])
    np.testing.assert_array_equal(preprocessor.update(noise(2, 500)), expected)


def test_average_of_no_good_channel_subtracts_nothing():
    values, names = noise(3, 1000), channel_names(3)
    output = Preprocessor(names, 250, config=AVERAGE, bad=names).update(values)
    np.testing.assert_array_equal(output, Preprocessor(names, 250).update(values))


@pytest.mark.parametrize(("unit", "factor"), [("V", 1e-6), ("mV", 1e-3), ("nV", 1e3)])
def test_unit_does_not_matter(unit, factor):
    values = noise(2, 1000)
    expected = Preprocessor(channel_names(2), 250).update(values)
    output = Preprocessor(channel_names(2), 250, unit).update(values * factor)
    np.testing.assert_allclose(output, expected, atol=1e-6)


def test_reset_starts_afresh_and_keeps_the_bad_channels():
    values, names = noise(3, 1000), channel_names(3)
    preprocessor = Preprocessor(names, 160, config=AVERAGE, bad=[names[0]])
    expected = preprocessor.update(values)
    preprocessor.reset()
    np.testing.assert_array_equal(preprocessor.update(values), expected)


def test_input_stays_as_it_was():
    values = noise(2, 500)
    values[0, 3] = np.nan
    copy = values.copy()
    Preprocessor(channel_names(2), 250).update(values)
    np.testing.assert_array_equal(values, copy)


def test_integers_are_accepted():
    values = np.round(noise(2, 500)).astype(np.int16)
    expected = Preprocessor(channel_names(2), 250).update(values.astype(float))
    np.testing.assert_array_equal(Preprocessor(channel_names(2), 250).update(values), expected)


def test_step_has_decayed_when_settled():
    sfreq = 500
    preprocessor = Preprocessor(["Cz"], sfreq)
    values = np.ones((1, 10 * sfreq))
    values[0, 0] = 0.0
    output = preprocessor.update(values)
    settled = np.arange(output.shape[1]) / MODEL_SFREQ > preprocessor.settled_after
    assert np.abs(output[0, settled]).max() < 0.01
    assert np.abs(output[0, ~settled]).max() > 0.9


def test_output_time_counts_from_the_first_input_sample():
    preprocessor = Preprocessor(["Cz"], 250)
    np.testing.assert_allclose(
        preprocessor.output_time([0, 128]), [-preprocessor.delay, 1 - preprocessor.delay]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sfreq": 99.0}, "between 100 and 4000"),
        ({"sfreq": 4001.0}, "4001"),
        ({"sfreq": float("nan")}, "nan"),
        ({"unit": "pT"}, "pT"),
        ({"bad": ["Fz"]}, "Fz"),
        ({"ch_names": []}, "no channel"),
        ({"ch_names": ["Cz", "Cz"]}, "a name occurs twice"),
        ({"ch_names": "Cz"}, "Write ch_names="),
        ({"bad": "Cz"}, "Write bad="),
        ({"ch_names": ["Cz"], "config": AVERAGE}, "fewer than 2"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    valid = {"ch_names": ["Cz", "Pz"], "sfreq": 250.0}
    with pytest.raises(InputError, match=message):
        Preprocessor(**(valid | arguments))


@pytest.mark.parametrize("shape", [(3, 10), (10,), (2, 5, 1)])
def test_chunk_of_another_shape_is_refused(shape):
    with pytest.raises(InputError, match="shape"):
        Preprocessor(["Cz", "Pz"], 250).update(np.zeros(shape))


def test_refused_bad_channels_leave_the_old_ones():
    preprocessor = Preprocessor(["Cz", "Pz"], 250, bad=["Cz"])
    with pytest.raises(InputError, match="'Oz'"):
        preprocessor.set_bad(["Pz", "Oz"])
    assert preprocessor.bad == ("Cz",)


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="the shared recordings are not here")
def test_offsets_of_a_real_recording_cause_no_transient():
    import mne

    path = SHARED_DATA / "mi-gel" / "sub-04_ses-offline1_run-1_task-mi_raw.fif"
    raw = mne.io.read_raw_fif(path, verbose="error")
    values = raw.get_data()[:, : round(20 * raw.info["sfreq"])]
    assert np.abs(values[:, 0]).max() > 1e-3
    output = Preprocessor(raw.ch_names, raw.info["sfreq"], "V").update(values)
    assert np.abs(output[:, :MODEL_SFREQ]).max() < 500


@pytest.mark.parametrize("n_samples", [20, 40])
def test_64_channels_at_1000_hz_cost_less_than_5_percent_of_a_core(benchmark, n_samples):
    preprocessor = Preprocessor(channel_names(64), 1000, config=AVERAGE)
    chunk = noise(64, n_samples)
    benchmark(preprocessor.update, chunk)
    assert benchmark.stats["median"] < 0.05 * n_samples / 1000
