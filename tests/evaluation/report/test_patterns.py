from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.data import make_trials
from sjepa_online.evaluation.report.patterns import haufe_patterns, source_patterns
from sjepa_online.signal import PreprocessorConfig


def test_the_pattern_of_the_best_filter_is_the_mixing_and_the_filter_is_not():
    """Haufe et al. 2014, example 1: a distractor is seen by both channels, the source by one."""
    rng = np.random.default_rng(0)
    source, distractor = rng.standard_normal((2, 200_000))
    mixing = np.array([[1.0, 1.0], [0.0, 1.0]])
    signal = mixing @ np.stack([source, distractor])
    best = np.linalg.inv(mixing)[:1]
    assert abs(best[0, 1]) == 1.0  # the filter weighs the channel that does not see the source
    pattern = haufe_patterns(best, np.cov(signal))[0]
    np.testing.assert_allclose(pattern, mixing[:, 0], atol=0.01)


def test_patterns_of_all_filters_are_the_inverse_of_the_filters():
    rng = np.random.default_rng(1)
    filters = rng.standard_normal((5, 5))
    root = rng.standard_normal((5, 5))
    patterns = haufe_patterns(filters, root @ root.T)
    np.testing.assert_allclose(patterns.T, np.linalg.inv(filters), rtol=1e-6)


@pytest.mark.parametrize(
    ("paradigm", "expected"),
    [
        ("mi", {"strongest during left_hand": 0, "strongest during right_hand": 1}),
        ("erp", {"Target, component 1": 0}),
        ("ssvep", {"response to 9 Hz": 4, "response to 13 Hz": 4}),
    ],
)
def test_patterns_point_at_the_electrode_that_sees_the_source(
    scalp_recording, protocol_of, paradigm, expected
):
    trials = make_trials([scalp_recording(paradigm)], protocol_of(paradigm), PreprocessorConfig())
    patterns = {pattern.title: pattern.values for pattern in source_patterns(trials)}
    assert set(expected) <= set(patterns)
    for title, electrode in expected.items():
        values = patterns[title]
        assert values[electrode] == pytest.approx(1.0)  # and positive
        assert np.abs(np.delete(values, electrode)).max() < 0.5
