"""What a recording holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sjepa_apps.live.engine.recording import worth_recording
from sjepa_online.errors import InputError


def test_the_signal_as_it_is_in_sight_and_what_is_said_about_it(
    describe: Callable[..., Any],
) -> None:
    markers = describe("markers", type="Markers", sfreq=0.0, n_channels=1, format="string")
    classes = describe("classes", type="Probability", sfreq=8.0)
    other = describe("other amplifier", source_id="serial 8")
    restarted = describe(uid="another uid")
    in_sight = [markers, other, restarted, classes]
    assert worth_recording(describe(), in_sight) == [restarted, markers, classes]


@pytest.mark.parametrize(
    ("n_sources", "problem"), [(0, "is not in sight"), (2, "Several streams in sight")]
)
def test_a_signal_that_is_away_or_there_twice_is_refused(
    describe: Callable[..., Any], n_sources: int, problem: str
) -> None:
    in_sight = [describe(uid=f"uid {number}") for number in range(n_sources)]
    with pytest.raises(InputError, match=f"{problem}.*: amplifier@serial 7"):
        worth_recording(describe(), [*in_sight, describe("other amplifier", source_id="8")])
