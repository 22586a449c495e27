"""What `calibrate` prints of a decoder."""

from __future__ import annotations

import pytest

from sjepa_apps.cli.session.outputs import _without_notes

NOTES = ("the labels contradict it; exchanged?", "not sure: like nobody")


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (f"average: decides alone; {'; '.join(NOTES)}", "average: decides alone"),
        ("; ".join(NOTES), ""),
        ("average: first; second", "average: first; second"),
        ("", ""),
    ],
)
def test_what_is_told_as_a_warning_is_not_told_again(choice: str, told: str) -> None:
    assert _without_notes(choice, NOTES) == told
