"""The electrodes that profiles name lie where the caps' makers place them."""

from __future__ import annotations

import re

import mne
import numpy as np
import pytest
from scipy.interpolate import RBFInterpolator

from sjepa_online.amplifier import load_profile
from sjepa_online.signal.montage import MNE_MONTAGE

Directions = dict[str, np.ndarray]


def directions(montage: str) -> Directions:
    """Directions of electrodes from the centre of the head; x to the right ear, y to the nose."""
    told = mne.channels.make_standard_montage(montage).get_positions()
    points = np.array(list(told["ch_pos"].values()))
    design = np.c_[2 * points, np.ones(len(points))]
    centre = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0][:3]
    right = told["rpa"] - told["lpa"]
    right /= np.linalg.norm(right)
    front = told["nasion"] - told["lpa"]
    front -= right * (front @ right)
    front /= np.linalg.norm(front)
    frame = np.array([right, front, np.cross(right, front)])
    offsets = (points - centre) @ frame.T
    return dict(
        zip(told["ch_pos"], offsets / np.linalg.norm(offsets, axis=1)[:, np.newaxis], strict=True)
    )


@pytest.fixture(scope="module")
def ten_five() -> Directions:
    return directions(MNE_MONTAGE)


def degrees(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.degrees(np.arccos(np.clip((a * b).sum(axis=-1), -1, 1)))


def electrodes(profile: str, labels: Directions) -> dict[str, str]:
    """Electrodes of a profile by the labels of a montage, without those that are left out."""
    channels = load_profile(profile).channels
    assert channels is not None
    if not isinstance(channels, dict):
        channels = dict(zip(labels, channels, strict=True))
    return {label: name for label, name in channels.items() if name != "-"}


def mirrored(name: str) -> str:
    """Return the electrode on the other side: C3h and C4h; one of the midline is its own."""
    letters, number, half = re.fullmatch(r"([A-Za-z]+?)(\d*)(h?)", name).groups()
    if not number:
        return name
    return f"{letters}{int(number) + (1 if int(number) % 2 else -1)}{half}"


def assert_symmetric(named: dict[str, str], at: Directions) -> None:
    labels = list(named)
    points = np.array([at[label] for label in labels])
    for label, name in named.items():
        other = labels[int(np.argmax(points @ (at[label] * [-1, 1, 1])))]
        assert named[other] == mirrored(name), (label, other)


def test_the_electrodes_of_biosemi_128_lie_where_biosemi_places_those_of_its_named_caps(ten_five):
    cap, named_cap = directions("biosemi128"), directions("biosemi64")
    named = electrodes("biosemi-128", cap)
    assert len(set(named.values())) == 128
    assert_symmetric(named, cap)
    # the same makers place electrodes of both caps on one sphere, a third at the same places
    shared = {
        label: name
        for label, at in cap.items()
        for name, place in named_cap.items()
        if degrees(at, place) < 0.5
    }
    assert len(shared) == 34
    assert {label: named[label] for label in shared} == shared
    # the sphere bent on the head of the 10-05 system, where the named cap has its electrodes
    names = list(named_cap)
    bent = RBFInterpolator(
        np.array([named_cap[name] for name in names]), np.array([ten_five[name] for name in names])
    )(np.array([cap[label] for label in named]))
    bent /= np.linalg.norm(bent, axis=1)[:, np.newaxis]
    off = degrees(bent, np.array([ten_five[name] for name in named.values()]))
    assert np.median(off) < 3
    assert off.max() < 8


@pytest.mark.parametrize("profile", ["biosemi-32", "biosemi-64"])
def test_biosemi_32_and_64_follow_the_order_of_the_makers_caps(profile):
    cap = directions(profile.replace("-", ""))
    assert list(electrodes(profile, {}).values()) == list(cap)


def test_the_electrodes_of_egi_128_lie_near_their_names(ten_five):
    cap = directions("GSN-HydroCel-128")
    named = electrodes("egi-128", cap)
    assert_symmetric(named, cap)
    off = degrees(
        np.array([cap[label] for label in named]),
        np.array([ten_five[name] for name in named.values()]),
    )
    assert np.median(off) < 5
    # by the maker's own table, T7, T8 and Fz stand for electrodes further away
    assert off.max() < 16
    assert electrodes("egi-129", {**cap, "Cz": ten_five["Cz"]}) == named | {"Cz": "Cz"}
