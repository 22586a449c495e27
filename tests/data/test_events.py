"""Events of a channel of codes."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.amplifier import AS_DECLARED
from sjepa_online.data.events import MOST_EVENTS, code_events

SFREQ = 250.0


def _codes(rate: float, seconds: int = 4) -> np.ndarray:
    """A channel that holds 1 for one sample, so many times a second."""
    values = np.zeros(round(seconds * SFREQ))
    values[(np.arange(round(seconds * rate)) * SFREQ / rate).astype(int)] = 1.0
    return values


@pytest.mark.parametrize(
    "values",
    [np.random.default_rng(0).integers(-50, 50, 1000).astype(float), _codes(MOST_EVENTS + 10)],
    ids=["EEG in whole numbers", "too many"],
)
def test_whole_numbers_that_change_all_the_time_are_no_codes(values: np.ndarray) -> None:
    onsets, codes = code_events(values, SFREQ, AS_DECLARED, sure=False)
    assert (len(onsets), codes) == (0, [])
    assert code_events(values, SFREQ, AS_DECLARED, sure=True)[1]


def test_few_whole_numbers_are_codes_and_fractions_are_none() -> None:
    values = _codes(2.0)
    onsets, codes = code_events(values, SFREQ, AS_DECLARED, sure=False)
    assert set(codes) == {"1"}
    # a code that stands there from the start has no onset
    np.testing.assert_allclose(onsets, [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5])
    assert code_events(values + 0.5, SFREQ, AS_DECLARED, sure=False)[1] == []
