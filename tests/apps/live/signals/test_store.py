from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sjepa_apps.live.signals.display_filter import DisplaySettings
from sjepa_apps.live.signals.reader import shown_channels
from sjepa_apps.live.signals.store import SignalStore
from sjepa_online.amplifier import describe as profile
from sjepa_online.stream import Chunk, Gap

FILTERED, RAW = DisplaySettings(), DisplaySettings(band=(None, None))


def chunk(data: np.ndarray, start: float, sfreq: float = 250.0, **fields: Any) -> Chunk:
    times = start + np.arange(data.shape[1]) / sfreq
    return Chunk(data, times, **fields)


def test_samples_become_microvolts_and_a_gap_leaves_a_hole(describe: Callable[..., Any]) -> None:
    stream = describe(units=("volts",) * 3)
    store = SignalStore(shown_channels(stream), 250.0, RAW)
    data = np.arange(3 * 20, dtype=float).reshape(3, 20)
    gap = Gap(time=0.0, detail="", missing=7, index=12)
    store.append(chunk(1e-6 * data, 5.0, events=(gap,)))
    assert store.shown.stop == 27
    shown = store.shown.get(0, 27)
    assert_allclose(shown[:, :12], data[:, :12], rtol=1e-6)
    assert np.isnan(shown[:, 12:19]).all()
    assert_allclose(shown[:, 19:], data[:, 12:], rtol=1e-6)


def test_times_and_places_follow_the_newest_sample(describe: Callable[..., Any]) -> None:
    store = SignalStore(shown_channels(describe()), 250.0, RAW)
    store.append(chunk(np.zeros((3, 500)), 100.0))
    assert store.position(101.0) == pytest.approx(250.0)
    assert store.time_at(250.0) == pytest.approx(101.0)


def test_another_filter_shows_everything_anew(describe: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    data = 20 * rng.standard_normal((3, 3000)) + 4000.0
    whole = SignalStore(shown_channels(describe()), 250.0, FILTERED)
    changed = SignalStore(shown_channels(describe()), 250.0, RAW)
    for store in (whole, changed):
        store.append(chunk(data[:, :2000], 0.0))
        store.append(chunk(data[:, 2000:], 8.0))
    assert changed.centres() == pytest.approx(np.full(3, 4000.0), abs=60)
    changed.set_display(FILTERED)
    assert_allclose(changed.shown.get(0, 3000), whole.shown.get(0, 3000), atol=1e-2)


def test_channels_without_usable_names_or_unit_are_shown_all_the_same(
    describe: Callable[..., Any],
) -> None:
    nameless = shown_channels(describe(ch_names=(), units=()))
    assert nameless.names == ("1", "2", "3")
    assert nameless.unit == "units"
    mixed = shown_channels(
        describe(ch_names=("Oz", "TRIGGER", "O2"), units=("microvolts", "none", "microvolts"))
    )
    assert mixed.names == ("Oz", "O2")
    assert mixed.unit == "µV"
    given = shown_channels(describe(units=()), profile(unit="mV"))
    assert_allclose(given.factors, 1e3)
