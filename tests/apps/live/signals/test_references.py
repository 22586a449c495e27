"""References for the eye, against what each of them means."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from sjepa_apps.live.signals.references import available_references, reference_weights

NAMES = ("Cz", "FCz", "CPz", "C1", "C2", "Oz", "TP9", "TP10", "photo")


def test_the_common_average_leaves_bad_channels_out() -> None:
    values = np.arange(9.0) ** 2
    weights = reference_weights("common average", NAMES, 0, [name == "photo" for name in NAMES])
    assert weights is not None
    assert_allclose(weights @ values, values - values[:8].mean())


def test_mastoids_of_their_own_come_before_electrodes_near_them() -> None:
    values = np.arange(11.0)
    own = reference_weights("mastoids", NAMES, 2, [False] * 9)
    near = reference_weights("mastoids", NAMES, 0, [False] * 9)
    assert own is not None
    assert near is not None
    assert_allclose(own @ values, values[:9] - 9.5)
    assert_allclose(near @ values[:9], values[:9] - 6.5)


def test_the_laplacian_subtracts_the_nearest_good_electrodes() -> None:
    bad = [name == "C2" for name in NAMES]
    weights = reference_weights("Laplacian", NAMES, 0, bad)
    assert weights is not None
    row = dict(zip(NAMES, weights[0], strict=True))
    assert row["Cz"] == 1.0
    assert row["FCz"] == row["CPz"] == row["C1"] == -0.25
    assert row["C2"] == row["photo"] == 0.0
    assert_allclose(weights.sum(axis=1)[:8], 0.0, atol=1e-12)
    # what is no electrode stays as it is
    assert_allclose(weights[8], np.eye(9)[8])


def test_a_stream_is_offered_what_its_channels_allow() -> None:
    assert available_references(("Cz",), 0) == ("as recorded",)
    assert available_references(("Cz", "Pz"), 1) == ("as recorded", "common average", "mastoids")
    assert available_references(NAMES, 0)[-2:] == ("mastoids", "Laplacian")
    # two names of one electrode, and none
    assert available_references(("T3", "T7", "x", "y", "z"), 0) == ("as recorded", "common average")
