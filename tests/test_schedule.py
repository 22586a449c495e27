"""What a session shows follows from the protocol alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sjepa_online.errors import InputError
from sjepa_online.markers import StimulusMarker, parse_marker
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.schedule import flash_groups, make_schedule

PROTOCOLS = ["ssvep", "ssvep-exo", "mi", "erp"]


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_same_seed_gives_the_same_session_and_another_seed_another(name: str) -> None:
    protocol = load_protocol(name)
    assert make_schedule(protocol, 3) == make_schedule(protocol, 3)
    assert make_schedule(protocol, 3) != make_schedule(protocol, 4)


@pytest.mark.parametrize("name", ["ssvep", "ssvep-exo", "mi"])
def test_every_prefix_of_a_session_is_balanced(name: str) -> None:
    protocol = load_protocol(name)
    targets = [trial.target for trial in make_schedule(protocol, 0)]
    for stop in range(1, len(targets) + 1):
        counts = Counter(targets[:stop])
        assert max(counts.values()) - min(counts[c] for c in protocol.class_names) <= 1


@pytest.mark.parametrize("name", PROTOCOLS)
def test_recordings_of_a_session_hold_its_trials_and_no_practice(name: str) -> None:
    protocol = load_protocol(name)
    for practice in (False, True):
        markers = [
            phase.marker
            for trial in make_schedule(protocol, 0, practice=practice)
            for phase in trial.phases
            if phase.marker
        ]
        classes = [label for marker in markers if (label := protocol.class_of(marker))]
        assert bool(classes) is not practice
        assert all(parse_marker(marker).practice is practice for marker in markers)


def test_the_speller_flashes_as_in_lee2019() -> None:
    trials = make_schedule(load_protocol("erp"), 0)
    assert "".join(trial.target for trial in trials) == "NEURAL_NETWORKS_AND_DEEP_LEARNING"
    for trial in trials:
        flashes = [parse_marker(phase.marker) for phase in trial.phases if phase.kind == "flash"]
        assert len(flashes) == 60
        assert Counter(flash.word for flash in flashes) == {"Target": 10, "NonTarget": 50}
        assert all((trial.target in flash.about) == (flash.word == "Target") for flash in flashes)


@given(st.integers(0, 2**32), st.sampled_from(["random-set", "row-column"]))
def test_every_symbol_lights_up_twice_in_a_sequence(seed: int, flashes: str) -> None:
    speller = load_protocol("erp").speller
    assert speller is not None
    speller = speller.model_copy(update={"sequences": 3, "flashes": flashes})
    groups = list(flash_groups(speller, np.random.default_rng(seed)))
    for start in range(0, len(groups), 12):
        assert set(Counter("".join(groups[start : start + 12])).values()) == {2}
    lines = {*speller.rows, *map("".join, zip(*speller.rows, strict=True))}
    assert (set(groups) == lines) is (flashes == "row-column")


def test_imagery_rests_as_long_as_the_protocol_says() -> None:
    rests = [trial.phases[-1].duration for trial in make_schedule(load_protocol("mi"), 0)]
    assert 4.5 <= min(rests) < 5.2
    assert 6.8 < max(rests) <= 7.5


def test_a_protocol_for_recordings_only_has_no_schedule() -> None:
    protocol = load_protocol("mi").model_copy(update={"imagery": None})
    with pytest.raises(InputError, match="does not say what a session shows"):
        make_schedule(protocol, 0)


@given(
    st.text(st.characters(exclude_characters="/"), min_size=1).filter(lambda w: w != "practice"),
    st.text(),
    st.booleans(),
)
def test_a_marker_keeps_what_it_says(word: str, about: str, practice: bool) -> None:
    marker = StimulusMarker(word, about, practice)
    assert parse_marker(str(marker)) == marker


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imagery": load_protocol("mi").imagery}, "does not suit"),
        ({"speller": {"rows": ["AB", "CDE"]}}, "differ in length"),
        ({"speller": {"rows": ["AB", "CA"]}}, "stands in the matrix twice"),
        ({"speller": {"rows": ["AB", "CD"]}}, "lacks these symbols"),
    ],
)
def test_a_presentation_that_makes_no_sense_is_refused(
    change: dict[str, object], message: str
) -> None:
    name = "erp" if "speller" in change else "ssvep"
    content = load_protocol(name).model_dump()
    for field, value in change.items():
        content[field] = {**content[field], **value} if isinstance(value, dict) else value
    with pytest.raises(ValueError, match=message):
        Protocol.model_validate(content)


def test_rows_and_columns_are_named_by_their_number() -> None:
    protocol = load_protocol("erp-rowcol")
    assert protocol.speller is not None
    for trial in make_schedule(protocol, 0)[:2]:
        flashes = [phase for phase in trial.phases if phase.kind == "flash"]
        markers = [parse_marker(phase.marker) for phase in flashes]
        assert {one.about for one in markers} == {
            f"{kind}{number}" for kind in ("row", "col") for number in range(1, 7)
        }
        for phase, marker in zip(flashes, markers, strict=True):
            assert protocol.speller.lit(marker.about) == phase.lit
            assert (marker.word == "Target") == (trial.target in phase.lit)


def test_a_name_that_is_no_row_or_column_stands_for_its_symbols() -> None:
    rowcol, sets = (load_protocol(name).speller for name in ("erp-rowcol", "erp"))
    assert rowcol is not None
    assert sets is not None
    assert rowcol.lit("row3") == "MNOPQR"
    assert rowcol.lit("col6") == "FLRX4_"
    assert [rowcol.lit(one) for one in ("row7", "col0", "AB")] == ["row7", "col0", "AB"]
    assert sets.lit("row3") == "row3", "its flashes are sets of symbols"
