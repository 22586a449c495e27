from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sjepa_apps.ui.discovery import markers_among, signals_among, suitable_markers
from sjepa_apps.ui.stream_check import check_stream, worst
from sjepa_online.amplifier import describe as profile


@pytest.mark.parametrize(
    ("fields", "state", "words"),
    [
        ({}, "good", "all 3 channels"),
        ({"ch_names": ("oz", "EEG O1-Ref", "O2.")}, "good", "all 3 channels"),
        ({"ch_names": ("Oz", "O1", "Cz")}, "warning", "O2"),
        ({"ch_names": ("C3", "Cz", "C4")}, "bad", "Oz, O1, O2"),
        ({"ch_names": ()}, "bad", "does not name"),
        ({"sfreq": 0.0, "type": "Gaze"}, "bad", "no regular rate"),
        ({"sfreq": 0.0}, "warning", "it is measured"),
        ({"sfreq": 10000.0}, "warning", "decimated"),
        ({"sfreq": 64.0}, "bad", "100 to 4000 Hz"),
        ({"sfreq": 500.0}, "warning", "250 Hz"),
        ({"units": ()}, "bad", "no unit"),
        ({"units": ("siemens",) * 3}, "bad", "siemens"),
    ],
)
def test_what_does_not_fit_is_told(
    describe: Callable[..., Any], ready: Any, fields: dict[str, Any], state: str, words: str
) -> None:
    findings = check_stream(describe(**fields), ready)
    assert worst(findings) == state
    assert words in " ".join(finding.text for finding in findings)


def test_a_unit_that_is_given_replaces_the_declared_one(
    describe: Callable[..., Any], ready: Any
) -> None:
    assert worst(check_stream(describe(units=()), ready, profile(unit="uV"))) == "good"


def test_markers_go_with_a_signal_by_name_or_for_want_of_others(
    describe: Callable[..., Any],
) -> None:
    marker = {"type": "Markers", "n_channels": 1, "sfreq": 0.0, "format": "string"}
    signal = describe("amplifier")
    mine = describe("amplifier-markers", **marker)
    other = describe("stimulus", **marker)
    own = describe("decisions", source_id="sjepa-online-decisions:x", **marker)
    assert suitable_markers(signal, [signal, other, own]) == other
    assert suitable_markers(signal, [signal, other, mine, own]) == mine
    assert suitable_markers(signal, [signal, own]) is None
    assert markers_among([signal, other, own]) == [other]
    probabilities = describe("probabilities", type="Probability")
    assert signals_among([signal, other, own, probabilities]) == [signal]
