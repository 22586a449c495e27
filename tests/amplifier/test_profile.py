from __future__ import annotations

import pytest

from sjepa_online.amplifier import (
    AmplifierProfile,
    describe,
    list_profiles,
    load_profile,
    save_profile,
)
from sjepa_online.errors import InputError


def test_channels_are_named_in_their_order_or_by_name():
    assert describe(channels="O1, Oz,-").channels == ("O1", "Oz", "-")
    assert describe(channels="Ch0=Fp1,a=b=-").channels == {"Ch0": "Fp1", "a=b": "-"}


@pytest.mark.parametrize(
    ("channels", "told"),
    [
        ("O1,Ch2=Oz", "only some have the form NAME"),
        ("O1,,Oz", "only some have the form NAME"),
        ("O1,Q7", "'Q7'"),
        ("T3,T7", "given twice: T7"),
        ("-,-", "every channel is left out"),
        ("aux=O1,aux=Oz", "names a channel twice: aux"),
        ("a=O1,b=O1", "given twice: O1"),
    ],
)
def test_channels_that_cannot_be_are_refused(channels, told):
    with pytest.raises(InputError, match=told):
        describe(channels=channels)


@pytest.mark.parametrize(
    "wrong",
    [{"unit": "bananas"}, {"scale": 0.0}, {"scale": float("inf")}, {"markers": "channel:"}]
    + [{"events": [text]} for text in ("769", "=left", "769=")],
)
def test_options_that_cannot_be_are_refused(wrong):
    with pytest.raises(InputError):
        describe(**wrong)


def test_single_options_win_over_a_profile():
    base = AmplifierProfile(channels=("O1", "O2"), unit="uV", events={"1": "left_hand"})
    changed = describe(base, unit="mV", events=["2=right_hand"])
    assert (changed.channels, changed.unit) == (("O1", "O2"), "mV")
    assert changed.events == {"1": "left_hand", "2": "right_hand"}
    assert describe(base) == base


@pytest.mark.parametrize(
    ("code", "label", "same"),
    [
        ("1", "S  1", True),
        ("S 1", "S  1", True),
        ("S1", "mk12=S  1", True),
        ("1", " 1 ", True),
        ("769", "769.0", True),
        ("1", "S 11", False),
        ("left", "left hand", False),
    ],
)
def test_codes_are_found_however_a_program_writes_them(code, label, same):
    assert (describe(events=[f"{code}=left_hand"]).event(label) == "left_hand") is same


def test_a_marker_channel_is_no_marker_stream():
    profile = describe(markers="channel:Trig1")
    assert (profile.trigger, profile.marker_stream) == ("Trig1", None)
    assert describe(markers="Trig1").marker_stream == "Trig1"


def test_a_profile_is_saved_and_found(tmp_path, monkeypatch):
    monkeypatch.setattr("sjepa_online.amplifier.library.user_folder", lambda _: tmp_path)
    profile = describe(channels='Ch "0"=Fp1', unit="nV", scale=0.5, events=["S  1=left_hand"])
    path = save_profile(profile, "my cap")
    assert list_profiles()["my cap"] == path
    assert load_profile("my cap") == profile.model_copy(update={"name": "my cap"})
    with pytest.raises(InputError, match="letters, digits"):
        save_profile(profile, "../outside")


def test_a_wrong_profile_is_told_with_its_line(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text('unit = "uV"\nchannels = ["Fp1", "Fp1"]\n')
    with pytest.raises(InputError, match=r"line 2.*given twice: Fp1"):
        load_profile(path)
    with pytest.raises(InputError, match="openbci-cyton"):
        load_profile("nosuch")
