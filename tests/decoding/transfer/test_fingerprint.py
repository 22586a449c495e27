"""People are recognised by their signal."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.decoding.transfer.fingerprint import KnownTrials, fingerprints, matches

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


NAMES = ("C3", "Cz", "C4", "Pz", "O1", "O2", "P3", "P4")


def test_signs_that_short_trials_lack_do_not_make_others_alike() -> None:
    rng = np.random.default_rng(1)
    shared = rng.normal(size=(200, 1, 152)).cumsum(axis=-1).repeat(8, axis=1)
    known = KnownTrials.of([shared[:100]], NAMES)
    assert known.among(shared[100:], NAMES) == []
    assert known.among(shared[99:], NAMES) == [0]


def test_the_signs_that_both_have_are_compared() -> None:
    known = KnownTrials.of([KNOWN[:10], KNOWN[10:]], NAMES[:3])
    assert known.among(KNOWN[15:, :, :360], NAMES[:3]) == [1]
    longer = np.concatenate([KNOWN, RNG.normal(size=(20, 3, 100))], axis=-1)
    assert KnownTrials.of([KNOWN[:, :, :360]], NAMES[:3]).among(longer, NAMES[:3]) == [0]


def test_trials_from_the_beginning_to_the_end_are_kept() -> None:
    known = KnownTrials.of([KNOWN, KNOWN[:3]], NAMES[:3], most=4)
    np.testing.assert_array_equal(known.person, [0, 0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(known.prints[:4], fingerprints(KNOWN[::5]))
    few = KnownTrials.of([KNOWN[:7]], NAMES[:3], most=4)
    np.testing.assert_array_equal(few.prints, fingerprints(KNOWN[:7:2]))


@pytest.mark.parametrize("n_times", [0, 8, 60])
def test_too_little_signal_recognises_nobody(n_times: int) -> None:
    known = KnownTrials.of([KNOWN[..., :n_times]], NAMES[:3])
    assert known.among(KNOWN[..., :n_times], NAMES[:3]) == []


def test_short_trials_of_many_electrodes_recognise_nobody() -> None:
    rng = np.random.default_rng(2)
    shared = rng.normal(size=(300, 1, 17 * 8)).cumsum(axis=-1).repeat(21, axis=1)
    for n_signs in (7, 15):
        known = fingerprints(shared[:150, :, : (n_signs + 1) * 8])
        assert not len(matches(known, known, n_signs))
    assert len(matches(fingerprints(shared[:5]), fingerprints(shared[:5]), 16)) == 5


def test_a_twentieth_of_the_signs_may_differ() -> None:
    rng = np.random.default_rng(3)
    known = rng.integers(0, 256, (1, 5, 8), dtype=np.uint8)
    for n_wrong, found in ((16, [0]), (17, [])):
        bits = np.unpackbits(known, axis=-1)
        bits[0, :, 0] ^= 1
        bits[0, 0, 1 : n_wrong - 4] ^= 1
        assert matches(known, np.packbits(bits, axis=-1)).tolist() == found


def test_a_trial_is_found_among_thousands() -> None:
    rng = np.random.default_rng(4)
    known = rng.integers(0, 256, (3, 4, 8), dtype=np.uint8)
    new = rng.integers(0, 256, (5000, 4, 8), dtype=np.uint8)
    new[[0, 1023, 4999]] = known[[2, 1, 0]]
    assert matches(known, new).tolist() == [0, 1, 2]
    assert matches(known, new[:1023]).tolist() == [2]
