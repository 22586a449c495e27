"""Recursive filters over chunks against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import butter, cheby2, sosfilt

from sjepa_online.signal.recursive import BLOCK, LONG_CHUNK, SCIPY_CHANNELS, RecursiveFilter

FILTERS = {
    "slow high-pass": butter(2, 0.1, "highpass", fs=4000.0, output="sos"),
    "steep low-pass": cheby2(10, 52.0, 50.0, fs=1000.0, output="sos"),
    "one section": butter(1, 40.0, fs=250.0, output="sos"),
}


@pytest.mark.parametrize("name", FILTERS)
@settings(deadline=None, max_examples=30)
@given(
    sizes=st.lists(
        st.integers(0, 3 * BLOCK + 1) | st.integers(LONG_CHUNK - 1, LONG_CHUNK + 1),
        min_size=1,
        max_size=12,
    ),
    n_channels=st.sampled_from([5, SCIPY_CHANNELS + 1]),
    seed=st.integers(0),
)
def test_any_chunks_give_what_scipy_gives(
    name: str, sizes: list[int], n_channels: int, seed: int
) -> None:
    sections = FILTERS[name]
    sizes = [1, *sizes]
    values = 100 * np.random.default_rng(seed).standard_normal((n_channels, sum(sizes)))
    expected = sosfilt(sections, values, axis=1)
    recursive = RecursiveFilter(sections, n_channels)
    chunks = np.split(values, np.cumsum(sizes)[:-1], axis=1)
    result = np.concatenate([recursive.filter(chunk) for chunk in chunks], axis=1)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-8)


def test_errors_do_not_grow_over_an_hour() -> None:
    sections = FILTERS["slow high-pass"]
    values = np.random.default_rng(0).standard_normal((1, 3_600_000)) + 1000.0
    recursive = RecursiveFilter(sections, 1)
    chunks = np.array_split(values, values.shape[1] // (LONG_CHUNK - 1) + 1, axis=1)
    result = np.concatenate([recursive.filter(chunk) for chunk in chunks], axis=1)
    np.testing.assert_allclose(result, sosfilt(sections, values, axis=1), rtol=0, atol=1e-5)
