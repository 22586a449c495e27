from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.amplifier import (
    Declaration,
    describe,
    fitting_profile,
    list_profiles,
    load_profile,
    pick_channels,
)
from sjepa_online.errors import InputError

OCCIPITAL = ["O1", "Oz", "O2"]


def declare(labels, unit="microvolts", types="EEG", n_channels=None, **more):
    n = n_channels or len(labels)
    units = [unit] * n if isinstance(unit, str) and unit else unit or ()
    kinds = [types] * n if isinstance(types, str) else types
    return Declaration.of(more.pop("name", "amp"), n, labels, units, kinds, **more)


def test_only_what_is_used_matters():
    labels = [*OCCIPITAL, "aux", "aux", "", "unknown1"]
    units = ["uV"] * 3 + ["", "counts", "", "bananas"]
    picked = pick_channels(declare(labels, units))
    assert (picked.ch_names, picked.unit, picked.scales) == (tuple(OCCIPITAL), "uV", None)
    assert picked.notes == ("amp: left out, no electrodes: unknown1",)


def test_channels_are_reordered_renamed_and_left_out():
    picked = pick_channels(declare(["a", "b", "c"]), describe(channels="O2,-,O1"))
    assert (picked.rows.tolist(), picked.ch_names) == ([0, 2], ("O2", "O1"))
    picked = pick_channels(declare(["a", "Oz", "c"]), describe(channels="c=O1,a=-"))
    assert (picked.rows.tolist(), picked.ch_names) == ([1, 2], ("Oz", "O1"))
    samples = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(picked.take(samples), [[1, 4], [2, 5]])


@pytest.mark.parametrize(
    ("channels", "told"),
    [("O1,O2", "has 3 channels, and 2 are named"), ("absent=O1", "of these names: absent")],
)
def test_a_description_of_other_channels_is_refused(channels, told):
    with pytest.raises(InputError, match=told):
        pick_channels(declare(["a", "b", "c"]), describe(channels=channels))


def test_an_electrode_twice_is_refused_with_the_option_that_helps():
    with pytest.raises(InputError, match=r"same electrode.*--channels"):
        pick_channels(declare(["T3", "T7", "Cz"]))


def test_units_are_joined_and_overridden():
    mixed = pick_channels(declare(OCCIPITAL, ["uV", "mV", "V"]), describe(scale=2))
    assert mixed.unit == "uV"
    np.testing.assert_allclose(mixed.microvolts, [2, 2e3, 2e6])
    other = pick_channels(declare(OCCIPITAL), describe(unit="nV"))
    assert (other.unit, other.notes) == ("nV", ("amp: read in nV, though it declares uV",))
    with pytest.raises(InputError, match=r"'counts'\. .*--unit uV"):
        pick_channels(declare(OCCIPITAL, "counts"))


def test_types_tell_where_they_are_given():
    assert pick_channels(declare(OCCIPITAL, types=["EEG", "AUX", ""])).ch_names == ("O1", "O2")
    assert pick_channels(declare(OCCIPITAL, types=["ExG", "EOG", "x"])).ch_names == ("O1", "O2")


@pytest.mark.parametrize(
    ("markers", "place"), [(None, 1), ("channel:TRG", 1), ("channel:O1", 0), ("channel:3", 2)]
)
def test_the_channel_of_codes(markers, place):
    declared = declare(["O1", "TRG", "Oz"])
    assert pick_channels(declared, describe(markers=markers)).trigger == place
    with pytest.raises(InputError, match="'nosuch'"):
        pick_channels(declared, describe(markers="channel:nosuch"))


def rows(letters):
    return [f"{letter}{number}" for letter in letters for number in range(1, 33)]


EMOTIV = ["Counter", "AF3", "F7", "F3", "FC5"]
EXPLORE = ["ch1", "ch2", "ch3", "ch4"]

#: What vendors' programs declare, the profile that fits, and some electrodes that it gives.
VENDORS = [
    ("openbci-cyton", {"name": "obci_eeg1", "source_id": "openbcigui"}, 8, [], ["Fp1", "O2"]),
    ("openbci-cyton-daisy", {"name": "obci_eeg1", "source_id": "openbcigui"}, 16, [], ["P4"]),
    ("openbci-ganglion", {"name": "obci_eeg1", "source_id": "openbcigui"}, 4, [], None),
    ("muse", {"name": "Muse-1E78 EEG"}, 5, ["TP9", "AF7", "AF8", "TP10", "Right AUX"], ["AF7"]),
    ("unicorn", {"name": "Unicorn", "type": "Data", "source_id": "UN-2019.05.51"}, 17, [], ["Oz"]),
    ("unicorn-eeg", {"name": "Unicorn", "source_id": "UN-2019.05.51"}, 8, [], ["Fz", "PO8"]),
    ("enobio", {"name": "LSLOutletStreamName-EEG"}, 20, [], None),
    ("biosemi-32", {"name": "BioSemi"}, 33, ["Trig1", *rows("A")], ["Fp1", "Cz"]),
    ("biosemi-64", {"name": "BioSemi"}, 66, ["Trig1", *rows("AB"), "EX1"], ["Iz", "O2"]),
    ("biosemi-128", {"name": "BioSemi"}, 128, rows("ABCD"), ["Cz", "C3", "C4", "Fp1", "T8"]),
    ("eego-32", {"name": "EE225"}, 33, [f"Ch{n}" for n in range(33)], ["Fpz", "O2"]),
    ("eego-64", {"name": "EE225"}, 66, [f"Ch{n}" for n in range(66)], ["Fpz", "AF7", "Oz"]),
    ("egi-128", {"name": "EGI NetAmp 0"}, 128, [], ["C3", "C4", "Pz", "Oz"]),
    ("egi-129", {"name": "EGI NetAmp 0"}, 129, [], ["Cz"]),
    ("g-nautilus-16", {"name": "g.Nautilus"}, 16, [], ["PO7", "Oz"]),
    ("g-nautilus-32", {"name": "gNautilus"}, 32, [], ["AF3", "Oz"]),
    ("dsi-24", {"name": "WS-default"}, 4, ["P3", "T3", "CM", "TRG"], ["P3", "T7"]),
    ("emotiv-epoc", {"name": "EmotivDataStream-EEG"}, 5, EMOTIV, ["AF3"]),
    ("explore", {"name": "Explore_8441_ExG", "type": "ExG"}, 4, EXPLORE, None),
    ("liveamp", {"name": "LiveAmpSN-1"}, 3, ["Fp1", "ACC_X", "SampleCounter"], ["Fp1"]),
    ("brainvision-rda", {"name": "BrainVision RDA"}, 2, ["Fp1", "MkIdx"], ["Fp1"]),
    ("openvibe", {"name": "openvibeSignal", "type": "signal"}, 2, ["C3", "C4"], ["C3"]),
    ("brainflow-cyton", {"name": "BrainFlow"}, 24, [], ["Fp1", "O2"]),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "core", "n", "labels", "some"), VENDORS)
def test_a_vendors_declaration_is_read_by_the_profile_that_fits(profile, core, n, labels, some):
    declared = declare(labels, unit=None, types=(), n_channels=n, **({"type": "EEG"} | core))
    assert fitting_profile(declared) == profile
    if some is None:
        with pytest.raises(InputError, match="--channels"):
            pick_channels(declared, load_profile(profile))
        chosen = ",".join(["O1", "Oz", "O2", "Pz", *(["-"] * (n - 4))])
        assert pick_channels(declared, describe(channels=chosen)).unit
        return
    unit = {"unit": "uV"} if load_profile(profile).unit is None else {}
    picked = pick_channels(declared, describe(load_profile(profile), **unit))
    assert set(some) <= set(picked.ch_names)


def test_where_nothing_names_the_channels_the_fitting_profile_is_proposed():
    declared = declare([], None, (), 8, name="obci_eeg1", type="EEG", source_id="openbcigui")
    with pytest.raises(InputError, match=r"Say --amplifier openbci-cyton, which fits"):
        pick_channels(declared)
    # the unit is a fact of the program, told beside
    picked = pick_channels(declared, describe(channels="O1,Oz,O2,-,-,-,-,-"))
    assert picked.unit == "uV"
    assert "as the profile openbci-cyton says" in picked.notes[0]


def test_steps_of_an_amplifier_are_refused_with_the_profile_that_scales_them():
    raw = declare(OCCIPITAL, name="BrainAmpSeries-0", type="EEG", format="int16")
    with pytest.raises(InputError, match=r"Say --amplifier brainamp-unscaled; or --scale"):
        pick_channels(raw)
    np.testing.assert_allclose(
        pick_channels(raw, load_profile("brainamp-unscaled")).microvolts, 0.1
    )
    np.testing.assert_allclose(pick_channels(raw, describe(scale=0.5)).microvolts, 0.5)
    np.testing.assert_allclose(pick_channels(raw, describe(unit="uV")).microvolts, 1)
    scaled = declare(OCCIPITAL, name="BrainAmpSeries-0", type="EEG", format="float32")
    np.testing.assert_allclose(pick_channels(scaled).microvolts, 1)


def test_every_shipped_profile_is_valid():
    profiles = {name: load_profile(path) for name, path in list_profiles().items()}
    assert len(profiles) > 25
    assert all(profile.description for profile in profiles.values())
