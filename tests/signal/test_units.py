"""Units, and amplitudes that contradict them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sjepa_online.errors import InputError
from sjepa_online.signal.units import (
    check_amplitude,
    microvolt_factor,
    normalise_unit,
    require_plausible_amplitude,
)

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"
PER_MICROVOLT = {"V": 1e-6, "mV": 1e-3, "uV": 1.0, "nV": 1e3}


def eeg_like(microvolts, n_channels=8, sfreq=250, n_seconds=10, seed=0):
    """White noise on offsets of mV and a drift of 300 µV."""
    rng = np.random.default_rng(seed)
    n_samples = sfreq * n_seconds
    return (
        rng.normal(0, microvolts, (n_channels, n_samples))
        + rng.normal(0, 5000, (n_channels, 1))
        + np.linspace(0, 300, n_samples)
    )


@pytest.mark.parametrize(
    ("spelling", "unit"),
    [
        ("V", "V"), ("volts", "V"), ("0", "V"), ("mV", "mV"), ("millivolt", "mV"),
        ("uV", "uV"), ("\N{MICRO SIGN}V", "uV"), ("\N{GREEK SMALL LETTER MU}V", "uV"),
        ("microvolts", "uV"), ("Microvolt", "uV"), (" uv ", "uV"), ("-6", "uV"),
        ("nV", "nV"), ("nanovolts", "nV"),
    ],
)  # fmt: skip
def test_spellings(spelling, unit):
    assert normalise_unit(spelling) == unit
    assert microvolt_factor(spelling) == pytest.approx(1 / PER_MICROVOLT[unit])


@pytest.mark.parametrize("unit", ["", "n/a", "pT", "counts", "Volt per metre"])
def test_unknown_unit_is_refused(unit):
    with pytest.raises(InputError, match="unit"):
        microvolt_factor(unit)


@given(
    microvolts=st.floats(2.0, 80.0),
    real=st.sampled_from(list(PER_MICROVOLT)),
    declared=st.sampled_from(list(PER_MICROVOLT)),
)
def test_only_the_right_unit_is_plausible(microvolts, real, declared):
    data = eeg_like(microvolts, n_channels=3, n_seconds=3) * PER_MICROVOLT[real]
    finding = check_amplitude(data, declared, 250)
    seen = microvolts * PER_MICROVOLT[real] / PER_MICROVOLT[declared]
    assert finding.amplitude == pytest.approx(seen, rel=0.2)
    assert finding.suggested_unit == real
    if real == declared:
        assert finding.verdict == "plausible"
    else:
        assert finding.verdict == ("too small" if seen < microvolts else "too large")


def test_volts_sent_as_microvolts_are_refused_with_the_right_unit():
    with pytest.raises(InputError, match="too small for EEG") as caught:
        require_plausible_amplitude(eeg_like(20) * 1e-6, "uV", 250)
    assert "would suit V:" in caught.value.remedy
    assert "uV" in str(caught.value.value)


def test_microvolts_sent_as_volts_are_refused():
    with pytest.raises(InputError, match="would suit uV"):
        require_plausible_amplitude(eeg_like(20), "volts", 250)


def test_plausible_signal_passes():
    assert require_plausible_amplitude(eeg_like(20), "uV", 250).verdict == "plausible"


def test_few_bad_channels_do_not_decide():
    data = eeg_like(20)
    data[0] *= 1e6
    data[1] = np.nan
    data[2] = 4000.0
    data[3, ::7] = np.inf
    finding = check_amplitude(data, "uV", 250)
    assert finding.amplitude == pytest.approx(20, rel=0.1)


@pytest.mark.parametrize(
    "data", [np.zeros((3, 500)), np.full((3, 500), 0.1), np.full((2, 9), np.nan)]
)
def test_flat_signal_says_nothing(data):
    finding = check_amplitude(data, "V", 250)
    assert finding.verdict == "flat"
    assert finding.suggested_unit == "V"


def test_empty_signal_says_nothing():
    assert check_amplitude(np.zeros((3, 0)), "V", 250).verdict == "flat"


def test_signal_without_channels_axis_is_refused():
    with pytest.raises(InputError, match="shape"):
        check_amplitude(np.zeros(10), "V", 250)


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="the shared recordings are not here")
@pytest.mark.parametrize(
    "path",
    [
        "ssvep-exo/*_raw.fif",
        "p300-gtec/*_raw.fif",
        "mi-gel/*_raw.fif",
        "mi-eegmmidb/S001R04.edf",
        "mi-bciciv2b/*_epo.fif",
    ],
)
def test_real_recordings(path):
    import mne

    first = min(SHARED_DATA.glob(path))
    if path.endswith("_epo.fif"):
        epochs = mne.read_epochs(first, verbose="error")
        data, sfreq = epochs.get_data(verbose="error")[0], epochs.info["sfreq"]
    else:
        raw = mne.io.read_raw(first, verbose="error")
        sfreq = raw.info["sfreq"]
        data = raw.get_data()[:, : round(30 * sfreq)]
    assert check_amplitude(data, "V", sfreq).verdict == "plausible"
    assert check_amplitude(data, "uV", sfreq).suggested_unit == "V"
    assert check_amplitude(data * 1e6, "V", sfreq).suggested_unit == "uV"
