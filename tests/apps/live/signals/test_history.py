from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from sjepa_apps.live.signals.store import History


@given(st.lists(st.integers(0, 25), max_size=12), st.integers(-5, 80), st.integers(0, 30))
def test_the_last_samples_are_those_that_came_last(lengths: list[int], start: int, n: int) -> None:
    history = History(2, 16)
    everything = np.arange(2 * sum(lengths), dtype=np.float32).reshape(2, -1)
    at = 0
    for length in lengths:
        history.append(everything[:, at : at + length])
        at += length
    kept = everything.copy()
    kept[:, : max(at - 16, 0)] = np.nan
    # at most 300 samples come, and at most 80 + 30 are asked for
    padded = np.full((2, 400), np.nan, dtype=np.float32)
    padded[:, 40 : 40 + at] = kept
    assert_array_equal(history.get(start, start + n), padded[:, 40 + start : 40 + start + n])
