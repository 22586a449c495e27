"""Channel names and positions against MNE's montage."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mne.channels import make_standard_montage

from sjepa_online.errors import InputError
from sjepa_online.signal.montage import (
    MNE_MONTAGE,
    channel_positions,
    pick_eeg_channels,
    positions_in_metres,
    resolve_channel_names,
    standard_names,
)

SHARED_DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def mne_positions():
    return make_standard_montage(MNE_MONTAGE).get_positions()["ch_pos"]


@pytest.mark.parametrize(
    ("written", "standard"),
    [
        ("Fc5.", "FC5"),
        ("C5..", "C5"),
        ("T10.", "T10"),
        ("FP1", "Fp1"),
        ("fpz", "Fpz"),
        (" Cz ", "Cz"),
        ("EEG Fz-Ref", "Fz"),
        ("EEG FP1-LE", "Fp1"),
        ("EEG T3-REF", "T7"),
        ("EEG C3-A2", "C3"),
        ("EEG O1-A1A2", "O1"),
        ("EEG:Pz", "Pz"),
        ("POL F8", "F8"),
        ("POz-M1", "POz"),
        ("Oz_ref", "Oz"),
        ("T3", "T7"),
        ("T4", "T8"),
        ("T5", "P7"),
        ("t6..", "P8"),
        ("FTT9h", "FTT9h"),
        ("TPP10H", "TPP10h"),
        ("POO9h", "POO9h"),
        ("I1", "I1"),
    ],
)
def test_written_name_resolves(written, standard):
    assert resolve_channel_names([written]) == [standard]


def test_each_name_of_the_montage_resolves_to_its_own_position(mne_positions):
    for name, position in mne_positions.items():
        np.testing.assert_array_equal(positions_in_metres([name.upper()])[0], position)


def test_unknown_names_are_all_listed():
    with pytest.raises(InputError) as caught:
        resolve_channel_names(["Cz", "Q7", "C3-C4", "", "EEG 001"])
    for name in ("'Q7'", "'C3-C4'", "''", "'EEG 001'"):
        assert name in str(caught.value)
    assert "'Cz'" not in str(caught.value)


@pytest.mark.parametrize("names", [["Cz", "CZ"], ["T3", "Pz", "T7"], ["Oz", "Oz"]])
def test_electrode_that_occurs_twice_is_refused(names):
    with pytest.raises(InputError, match="same electrode") as caught:
        resolve_channel_names(names)
    assert names[-1] in str(caught.value)
    assert "Pz" not in str(caught.value)


def test_positions_are_about_one_head_radius_from_the_centre(mne_positions):
    scalp = [name for name in mne_positions if name not in ("T3", "T4", "T5", "T6")]
    scalp = [name for name in scalp if name not in ("A1", "A2", "M1", "M2")]
    distances = np.linalg.norm(channel_positions(scalp), axis=1)
    assert 0.85 < distances.min() < distances.max() < 1.1
    assert distances.mean() == pytest.approx(1.0, abs=0.01)


def test_position_does_not_depend_on_the_other_channels():
    names = ["Fp1", "Cz", "Oz", "T8"]
    together = channel_positions(names)
    for name, position in zip(names, together, strict=True):
        np.testing.assert_array_equal(channel_positions([name])[0], position)


def test_axes_point_to_the_right_the_front_and_up():
    right, front, up = channel_positions(["T8", "Fpz", "Cz"])
    assert right.argmax() == 0
    assert front.argmax() == 1
    assert up.argmax() == 2


def test_one_scale_for_all_axes(mne_positions):
    names = ["Fp1", "Cz", "Oz", "T8", "C3"]
    metres, radii = positions_in_metres(names), channel_positions(names)
    ratios = np.diff(metres, axis=0) / np.diff(radii, axis=0)
    np.testing.assert_allclose(ratios, ratios[0, 0])
    assert 0.08 < ratios[0, 0] < 0.11


def test_no_channels_have_no_positions():
    assert positions_in_metres([]).shape == (0, 3)


def test_other_channels_are_left_out():
    eeg = ["EEG Fz-Ref", "C3..", "T5"]
    others = [
        "HEOG", "EOG:ch01", "EMG1", "ECG", "EKG1-Ref", "EXG3", "A1", "EEG M2", "REF", "GND",
        "STI 014", "Status", "TRIG", "Trigger", "ACC_X", "accelerometer y", "Gyro 2", "AUX 1",
        "X1", "Battery", "Packet Counter", "EDF Annotations", "Timestamp", "PPG", "Resp",
    ]  # fmt: skip
    mixed = [eeg[0], *others[:9], eeg[1], *others[9:], eeg[2]]
    pick = pick_eeg_channels(mixed)
    assert pick.eeg == tuple(eeg)
    assert pick.others == tuple(others)


def test_channel_of_unknown_kind_is_told_apart():
    pick = pick_eeg_channels(["Cz", "Q7", "", "EOG"])
    assert (pick.eeg, pick.others, pick.unknown) == (("Cz",), ("EOG",), ("Q7", ""))


OTHERS = [
    "HEO",
    "VEO",
    "CB1",
    "TRG",
    "CM",
    "BIP1",
    "SpO2",
    "Interpolate",
    "Erg1",
    "Plet",
    "Ana1",
    "EX3",
    "MkIdx",
]


def test_channels_beside_the_electrodes_are_known():
    assert pick_eeg_channels(["Oz", *OTHERS, "Right AUX"]).others == (*OTHERS, "Right AUX")


@pytest.mark.parametrize("names", ["Fz-CPz C3-CPz", "EEG Fp1-CPz|EEG Cz-CPz|EOG", "O1-Fz O2-FZ"])
def test_an_electrode_that_all_channels_are_against_is_the_reference(names):
    names = names.split("|") if "|" in names else names.split()
    expected = [name.removeprefix("EEG ").partition("-")[0] for name in names]
    assert pick_eeg_channels(names).electrodes == tuple(expected[:2])


@pytest.mark.parametrize("names", [["C3-C4", "P3-C4", "C4"], ["C3-C4", "P3-P4"], ["C3-Cz"]])
def test_bipolar_channels_are_no_electrodes(names):
    assert not any(
        one for name, one in zip(names, standard_names(names), strict=True) if "-" in name
    )


@pytest.mark.parametrize("letters", ["AB", "ABCD", "ABCDEFGH"])
def test_rows_of_contacts_are_no_electrodes(letters):
    names = [f"{letter}{number}" for letter in letters for number in range(1, 33)]
    assert standard_names([*names, "EXG1"]) == [None] * (len(names) + 1)


def test_depth_electrodes_are_no_scalp_electrodes():
    names = [f"{letter}{number}" for letter in "ACFOP" for number in range(1, 13)]
    assert not any(standard_names(names))


def test_digital_inputs_beside_a_cap_take_nothing_from_it():
    cap = ["Fp1", "F3", "C3", "P3", "O1", "Fz", "Cz"]
    assert standard_names([*cap, *(f"D{n}" for n in range(1, 17))])[:7] == cap


def test_recording_without_eeg_is_refused():
    with pytest.raises(InputError, match="No channel has the name of an electrode"):
        pick_eeg_channels(["EOG", "STI 014"])


@pytest.mark.skipif(not SHARED_DATA.exists(), reason="the shared recordings are not here")
def test_edf_file_as_published_resolves_like_mne(mne_positions):
    import mne

    raw = mne.io.read_raw_edf(SHARED_DATA / "mi-eegmmidb" / "S001R01.edf", verbose="error")
    resolved = resolve_channel_names(raw.ch_names)
    mne.datasets.eegbci.standardize(raw)
    assert resolved == raw.ch_names
    assert pick_eeg_channels(raw.ch_names).others == ()


def test_import_does_not_load_mne():
    code = "import sys, sjepa_online.signal.montage; sys.exit('mne' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2]).returncode == 0
    )
