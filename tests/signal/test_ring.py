"""The ring buffer against a plain array that keeps everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sjepa_online.errors import InputError
from sjepa_online.signal.ring import RingBuffer


@given(
    capacity=st.integers(1, 20), lengths=st.lists(st.integers(0, 45), max_size=12), data=st.data()
)
def test_holds_the_last_samples_of_everything_sent(capacity, lengths, data):
    ring = RingBuffer(2, capacity)
    everything = np.arange(2 * sum(lengths), dtype=float).reshape(2, -1)
    sent = 0
    for length in lengths:
        ring.append(everything[:, sent : sent + length])
        sent += length
        assert ring.stop == sent
        assert ring.start == max(sent - capacity, 0)
        start = data.draw(st.integers(ring.start, ring.stop))
        stop = data.draw(st.integers(start, ring.stop))
        np.testing.assert_array_equal(ring.get(start, stop), everything[:, start:stop])


def test_window_is_a_read_only_view():
    ring = RingBuffer(3, 10)
    ring.append(np.ones((3, 14)))
    window = ring.get(6, 13)
    assert window.base is not None
    with pytest.raises(ValueError, match="read-only"):
        window[0, 0] = 5.0
    ring.append(np.zeros((3, 10)))
    np.testing.assert_array_equal(window, 0.0)


@pytest.mark.parametrize(("start", "stop"), [(3, 8), (0, 1), (10, 13), (12, 13), (9, 8), (-1, 5)])
def test_samples_that_are_not_held_are_refused(start, stop):
    ring = RingBuffer(1, 8)
    ring.append(np.zeros((1, 12)))
    with pytest.raises(InputError, match="it holds 4 to 12"):
        ring.get(start, stop)


@pytest.mark.parametrize("shape", [(2, 5), (3,), (3, 5, 1)])
def test_chunk_of_another_shape_is_refused(shape):
    ring = RingBuffer(3, 10)
    with pytest.raises(InputError, match="shape"):
        ring.append(np.zeros(shape))
    assert ring.stop == 0


@pytest.mark.parametrize(("n_channels", "capacity"), [(0, 5), (5, 0), (-1, 5)])
def test_size_without_samples_is_refused(n_channels, capacity):
    with pytest.raises(InputError, match="no channels or no samples"):
        RingBuffer(n_channels, capacity)


def test_append_costs_microseconds(benchmark):
    ring = RingBuffer(64, 30 * 128)
    benchmark(ring.append, np.ones((64, 5)))
    assert benchmark.stats["median"] < 50e-6
