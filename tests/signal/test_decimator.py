from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.errors import InputError
from sjepa_online.signal.decimator import Decimator, decimation_factor


@pytest.mark.parametrize(
    ("sfreq", "factor"), [(500, 1), (4000, 1), (4096, 2), (10_000, 4), (16_384, 8), (25_000, 8)]
)
def test_the_rate_becomes_whole_and_at_most_4_khz(sfreq, factor):
    assert decimation_factor(sfreq) == factor


@pytest.mark.parametrize("sfreq", [0.0, -5.0, 1e9, 1e308, float("nan")])
def test_what_is_no_rate_is_refused(sfreq):
    with pytest.raises(InputError, match="no sampling rate"):
        decimation_factor(sfreq)


def test_chunks_do_not_matter_and_aliases_are_gone():
    rng = np.random.default_rng(1)
    times = np.arange(10_000) / 10_000
    # 2510 Hz would appear at 10 Hz
    data = np.array([np.sin(2 * np.pi * 2510 * times), np.sin(2 * np.pi * 10 * times)]) + 5000.0
    whole, kept = Decimator(2, 10_000).update(data)
    assert np.abs(whole[0, 500:] - 5000).max() < 1e-3
    assert np.ptp(whole[1, 500:]) == pytest.approx(2.0, abs=0.01)
    pieces, places, start = Decimator(2, 10_000), [], 0
    parts = []
    while start < 10_000:
        stop = start + int(rng.integers(0, 300))
        part, where = pieces.update(data[:, start:stop])
        parts.append(part)
        places += (where + start).tolist()
        start = stop
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-9)
    assert places == kept.tolist()
