from __future__ import annotations

import numpy as np
import pytest

from sjepa_online.amplifier import CodeReader, events_of_codes

BIOSEMI_STATUS = 0x10000


@pytest.mark.parametrize(
    ("values", "idle", "codes"),
    [
        ([0, 7, 7, 0, 8, 0], None, ["7", "8"]),
        ([0, 1, 1, 2, 2, 1], None, ["1", "2", "1"]),  # held until the next one
        ([1, 2, 1, 2], None, ["2", "1", "2"]),
        ([255, 1, 255, 2, 255, 1, 255], None, ["1", "2", "1"]),
        ([-1, 5, -1, 6, -1], None, ["5", "6"]),
        ([3, 0, 3, 5, 3], 3, ["0", "5"]),
        ([BIOSEMI_STATUS, BIOSEMI_STATUS + 2, BIOSEMI_STATUS], None, ["2"]),
        ([0, np.nan, 4, np.inf, 0], None, ["4"]),
        ([], None, []),
    ],
)
def test_every_change_to_a_code_is_an_event(values, idle, codes):
    places, found = events_of_codes(np.array(values, float), idle)
    assert found == codes
    assert [str(int(values[place]) & 0xFFFF) for place in places] == codes


def test_how_codes_are_cut_into_chunks_does_not_matter():
    rng = np.random.default_rng(0)
    values = np.repeat(rng.integers(0, 5, 200), rng.integers(1, 9, 200)).astype(float)
    whole, codes = CodeReader(0).update(values)
    reader, places, pieces, start = CodeReader(0), [], [], 0
    while start < len(values):
        stop = start + int(rng.integers(0, 7))
        found, labels = reader.update(values[start:stop])
        places += [start + place for place in found]
        pieces += labels
        start = stop
    assert (places, pieces) == (whole.tolist(), codes)
