"""Wrong arrays and choices end in one InputError that says what to do."""

from __future__ import annotations

import re

import numpy as np
import pytest

from sjepa_online.errors import InputError
from sjepa_online.validation import (
    check_choice,
    check_chunk,
    check_epochs,
    check_mask,
    check_microvolts,
    check_names,
    check_times,
)

EEG = 20 * np.random.default_rng(0).standard_normal((5, 8, 200))


@pytest.mark.parametrize(
    ("X", "told"),
    [
        (EEG * 1e-6, "multiply them by 1e6"),
        (EEG * 1e-3, "multiply them by 1e3"),
        (EEG.swapaxes(1, 2), "pass X.swapaxes(1, 2)"),
        (EEG[0], "their shape is (8, 200)"),
        (EEG[:, :7], "their shape is (5, 7, 200)"),
        (EEG[:, :, :-1], "their shape is (5, 8, 199)"),
        (EEG[:0], "no epochs"),
        (np.where(EEG > 60, np.nan, EEG), "not finite"),
        (np.where(EEG > 60, -np.inf, EEG), "not finite"),
        (EEG.astype(str), "real numbers"),
        (EEG + 0j, "real numbers"),
        ([[[1.0, 2.0], [1.0]]], "different lengths"),
    ],
)
def test_wrong_epochs(X: object, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        check_epochs(X, 8, (200,))


def test_swapped_axes_are_seen_without_the_number_of_channels() -> None:
    with pytest.raises(InputError, match="more channels than samples"):
        check_epochs(EEG.swapaxes(1, 2))


def test_right_epochs_pass_as_they_are() -> None:
    assert check_epochs(EEG, 8, (100, 200)) is EEG
    np.testing.assert_array_equal(check_epochs(EEG.tolist()), EEG)
    assert check_epochs(EEG.astype(np.float32)).dtype == np.float32


def test_a_signal_that_comes_to_rest_is_no_wrong_unit() -> None:
    """After a stream has gone silent, a filter's output fades over all orders of magnitude."""
    decay = np.exp(-np.arange(200) / 60) * np.ones((1, 8, 1))
    for size in (1.0, 1e-3, 1e-6, 1e-9, 0.0):
        check_microvolts(size * decay)


@pytest.mark.parametrize(
    ("chunk", "told"),
    [
        (EEG[0].T, "pass chunk.T"),
        (EEG[0, :3], "its shape is (3, 200)"),
        (EEG[0, 0], "its shape is (200,)"),
        ([["a"] * 8], "real numbers"),
        ([[1.0, 2.0], [1.0]], "different lengths"),
    ],
)
def test_wrong_chunks(chunk: object, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        check_chunk(chunk, 8)


def test_integers_are_samples_too() -> None:
    assert check_chunk(np.ones((8, 3), dtype=np.int16), 8).dtype == np.float64


@pytest.mark.parametrize(
    ("times", "told"),
    [
        ([0.0, 1.0], "shape (2,) for 3"),
        ([[0.0], [1.0], [2.0]], "shape (3, 1) for 3"),
        ([0.0, np.nan, 2.0], "1 of 3"),
        (["0", "1", "2"], "real numbers"),
    ],
)
def test_wrong_times(times: object, told: str) -> None:
    with pytest.raises(InputError, match=re.escape(told)):
        check_times(times, 3, "timestamps")


@pytest.mark.parametrize("mask", [[True, False], [1, 0, 1], [[True, False, True]]])
def test_wrong_masks(mask: object) -> None:
    with pytest.raises(InputError, match="bad is not a boolean mask of 3 entries"):
        check_mask(mask, 3, "bad")


def test_a_string_is_no_list_of_names() -> None:
    with pytest.raises(InputError, match=re.escape("Write bad=['Oz']")):
        check_names("bad", "Oz")
    assert check_names("bad", ["Oz", "Pz"]) == ("Oz", "Pz")
    assert check_names("bad", np.array(["Oz", "Pz"])) == ("Oz", "Pz")


def test_a_mask_is_no_list_of_names() -> None:
    with pytest.raises(InputError, match="bad does not hold names"):
        check_names("bad", np.array([True, False]))


def test_an_unknown_choice_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="Choose from markers, sliding"):
        check_choice("mode", "slide", ("markers", "sliding"))
