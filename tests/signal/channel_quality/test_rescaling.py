"""The scale of a channel from its regression on the prediction."""

from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.signal.channel_quality.rescaling import LEAST_BLOCKS, ScaleEstimator

LOG_EXPECTED = np.log(np.full(3, 0.3))


def _after(n_blocks: int, slope: float, correlation: float) -> np.ndarray:
    """Scales after some blocks of which the second channel is too large."""
    estimator = ScaleEstimator()
    too_large = np.array([False, True, False])
    for _ in range(n_blocks):
        scales = estimator.update(
            np.full(3, slope), np.full(3, correlation), LOG_EXPECTED, too_large
        )
    return scales


def test_a_channel_that_agrees_has_the_slope_as_its_scale() -> None:
    np.testing.assert_array_equal(_after(LEAST_BLOCKS, 20.0, 0.98), [np.nan, 20.0, np.nan])


@pytest.mark.parametrize(
    ("n_blocks", "slope", "correlation"),
    [(LEAST_BLOCKS - 1, 20.0, 0.98), (LEAST_BLOCKS, 20.0, 0.5), (LEAST_BLOCKS, -20.0, -0.98)],
)
def test_too_few_blocks_noise_and_an_inverted_channel_have_none(
    n_blocks: int, slope: float, correlation: float
) -> None:
    assert np.isnan(_after(n_blocks, slope, correlation)).all()
