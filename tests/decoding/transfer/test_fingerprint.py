"""People are recognised by their signal."""

from __future__ import annotations

import numpy as np

from sjepa_online.decoding.transfer.fingerprint import fingerprints, matches

RNG = np.random.default_rng(0)
KNOWN = RNG.normal(size=(20, 3, 536)).cumsum(axis=-1)


def test_the_same_trials_are_found_in_another_unit_with_an_offset_and_noise() -> None:
    new = 1e-6 * KNOWN[5:8] + 3.0 + 1e-9 * RNG.normal(size=(3, 3, 536))
    found = matches(fingerprints(KNOWN), fingerprints(new))
    np.testing.assert_array_equal(found, [5, 6, 7])


def test_other_trials_are_not() -> None:
    others = RNG.normal(size=(200, 3, 536)).cumsum(axis=-1)
    assert not len(matches(fingerprints(KNOWN), fingerprints(others)))


def test_channels_that_move_together_do_not_make_others_alike() -> None:
    shared = RNG.normal(size=(300, 1, 536)).cumsum(axis=-1).repeat(3, axis=1)
    assert not len(matches(fingerprints(shared[:150]), fingerprints(shared[150:])))
