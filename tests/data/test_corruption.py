"""Faults that are put into recordings: where, what, and the same for every cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import periodogram

from sjepa_online.data import Recording
from sjepa_online.data.corruption import (
    KINDS,
    Corruption,
    Fault,
    draw_faults,
    parse_faults,
)
from sjepa_online.errors import InputError

SFREQ = 256
NAMES = ("C3", "Cz", "C4", "A1-A2")


def make(seed: int = 0, unit: str = "uV") -> Recording:
    rng = np.random.default_rng(seed)
    data = 10 * rng.standard_normal((4, 20 * SFREQ)) + 1000 * np.arange(4)[:, np.newaxis]
    return Recording(
        name="simulated",
        data=(data * (1e-6 if unit == "V" else 1)).astype(np.float32),
        unit=unit,
        sfreq=SFREQ,
        ch_names=NAMES,
        onsets=np.empty(0),
        labels=(),
        breaks=np.empty(0),
        simulated=True,
    )


def spec_of(kind: str, channel: str = "Cz", times: str = "5-12.5") -> str:
    return f"{channel}:{kind}{'=C4' if kind == 'swap' else ''}@{times}"


def corrupted(spec: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The signal before and after."""
    recording = make()
    return recording.data, Corruption(parse_faults(spec), [recording], seed).apply(recording).data


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_channel_and_the_time_are_changed(kind: str) -> None:
    clean, damaged = corrupted(spec_of(kind))
    rows = [1, 2] if kind == "swap" else [1]
    during = slice(5 * SFREQ, 12 * SFREQ + SFREQ // 2)
    untouched = np.ones(clean.shape, dtype=bool)
    untouched[rows, during] = False
    np.testing.assert_array_equal(clean[untouched], damaged[untouched])
    # a wave may pass through zero
    assert np.mean(clean[1, during] != damaged[1, during]) > 0.9
    assert damaged.dtype == np.float32


@given(
    cuts=st.lists(st.integers(0, 20 * SFREQ), max_size=30),
    kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=4),
    start=st.floats(0, 15),
    length=st.floats(0.1, 10),
)
@settings(max_examples=40, deadline=None)
def test_chunks_do_not_matter(cuts: list[int], kinds: list, start: float, length: float) -> None:
    recording = make()
    faults = [
        Fault("C3", kind, start, start + length, "A1-A2" if kind == "swap" else "")
        for kind in kinds
    ]
    corruption = Corruption(faults, [recording], seed=3)
    whole = corruption.apply(recording).data
    edges = sorted({0, *cuts})
    parts = np.split(recording.data, edges[1:], axis=1)
    pieces = [corruption(part, edge) for part, edge in zip(parts, edges, strict=True)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), whole)


def test_what_the_faults_are() -> None:
    spec = "C3:flat@5-,Cz:dropped@5-,C4:rail@5-,A1-A2:gain=100@5-"
    clean, damaged = corrupted(spec)
    after = slice(5 * SFREQ, None)
    assert np.ptp(damaged[0, after]) == 0
    assert abs(damaged[0, -1] - np.median(clean[0])) < 1e-3
    assert np.isnan(damaged[1, after]).all()
    assert (damaged[2, after] == 187_500).all()
    centre = np.median(clean[3])
    np.testing.assert_allclose(
        damaged[3, after] - centre, 100 * (clean[3, after] - centre), rtol=1e-3, atol=0.1
    )


def test_swap_exchanges_the_channels() -> None:
    clean, damaged = corrupted("C3:swap=C4@2-")
    np.testing.assert_array_equal(damaged[0, 2 * SFREQ :], clean[2, 2 * SFREQ :])
    np.testing.assert_array_equal(damaged[2, 2 * SFREQ :], clean[0, 2 * SFREQ :])


def test_added_signals_have_their_size_and_frequency() -> None:
    clean, damaged = corrupted("C3:noise@0-,Cz:mains@0-,C4:drift@0-,A1-A2:pop@4-")
    added = damaged.astype(float) - clean
    assert added[0].std() == pytest.approx(50, rel=0.1)
    assert added[1].std() == pytest.approx(100, rel=0.1)
    frequencies, power = periodogram(added[1], SFREQ)
    assert frequencies[np.argmax(power)] == pytest.approx(50, abs=0.1)
    assert np.ptp(added[2]) > 500
    frequencies, power = periodogram(added[2], SFREQ)
    assert power[frequencies < 1].sum() > 0.99 * power.sum()
    jumps = np.abs(np.diff(added[3]))
    assert jumps[4 * SFREQ - 1] == pytest.approx(1000, rel=0.1)
    assert 8 <= np.count_nonzero(jumps > 300) <= 20


def test_seed_decides() -> None:
    first = corrupted("C3:noise@0-", seed=1)[1]
    np.testing.assert_array_equal(first, corrupted("C3:noise@0-", seed=1)[1])
    assert not np.array_equal(first, corrupted("C3:noise@0-", seed=2)[1])


@pytest.mark.parametrize("kind", ["noise", "rail", "pop"])
def test_unit_of_the_recording(kind: str) -> None:
    faults = parse_faults(spec_of(kind))
    damaged = [
        Corruption(faults, [recording]).apply(recording).data
        for recording in (make(), make(unit="V"))
    ]
    np.testing.assert_allclose(damaged[1] * 1e6, damaged[0], rtol=1e-4, atol=1e-2)


def test_input_is_left_alone() -> None:
    recording = make()
    before = recording.data.copy()
    Corruption(parse_faults("C3:gain@0-"), [recording])(recording.data, 0)
    np.testing.assert_array_equal(recording.data, before)


def test_channel_without_values() -> None:
    recording = make()
    recording.data[0] = np.nan
    damaged = Corruption(parse_faults("C3:flat@0-"), [recording]).apply(recording)
    assert (damaged.data[0] == 0).all()


def test_grammar() -> None:
    faults = parse_faults("C3:flat@10-20, Oz:noise@30-,Fc5.:gain=100@0.5-1.,O1:swap=O2@1-2")
    assert faults == (
        Fault("C3", "flat", 10, 20),
        Fault("Oz", "noise", 30),
        Fault("Fc5.", "gain", 0.5, 1, factor=100),
        Fault("O1", "swap", 1, 2, partner="O2"),
    )
    assert faults[3].channels == ("O1", "O2")


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "C3",
        "C3:flat",
        "C3:flat@10",
        "C3:flat@-10",
        "C3:flat@20-10",
        "C3:flat@5-5",
        "C3:burning@1-2",
        "C3:swap@1-2",
        "C3:swap=C3@1-2",
        "C3:flat=3@1-2",
        "C3:gain=loud@1-2",
        "C3:gain=nan@1-2",
        "C3:flat@1-2,",
        "C3:flat@1-2;C4:flat@1-2",
        ":flat@1-2",
    ],
)
def test_breach_of_grammar_is_told(spec: str) -> None:
    with pytest.raises(InputError, match="A SPEC is CHANNEL:KIND"):
        parse_faults(spec)


def test_unknown_channel_and_other_montage() -> None:
    recording = make()
    with pytest.raises(InputError, match="Choose from C3, Cz, C4"):
        Corruption(parse_faults("O1:flat@1-2"), [recording])
    with pytest.raises(InputError, match="Choose from C3, Cz, C4"):
        Corruption(parse_faults("C3:swap=O1@1-2"), [recording])
    with pytest.raises(InputError, match="SOURCE"):
        Corruption((), [])


@pytest.mark.parametrize("kind", KINDS)
def test_draws_have_the_number_of_wrong_channels(kind: str) -> None:
    faults = draw_faults(kind, NAMES, 3, np.random.default_rng(0))
    assert len({name for fault in faults for name in fault.channels}) == 3
    recording = make()
    damaged = Corruption(faults, [recording]).apply(recording).data
    assert np.count_nonzero((damaged != recording.data).any(axis=1)) == 3


def test_draws_that_cannot_be() -> None:
    for kind, n_channels in (("flat", 5), ("swap", 1)):
        with pytest.raises(InputError, match="channels"):
            draw_faults(kind, NAMES, n_channels, np.random.default_rng(0))
    assert draw_faults("flat", NAMES, 0, np.random.default_rng(0)) == ()
