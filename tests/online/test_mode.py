"""When windows are decoded, and after which markers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from sjepa_online.errors import InputError
from sjepa_online.online.events import Mode
from sjepa_online.online.mode import choose_mode, find_markers


@pytest.mark.parametrize(
    ("paradigm", "dynamic", "mode", "selector", "in_sight", "outcome"),
    [
        ("ssvep", True, None, None, True, "markers"),
        ("ssvep", True, None, "cues", True, "markers"),
        ("ssvep", True, None, None, False, "sliding"),
        ("ssvep", True, None, "cues", False, "refused"),
        ("ssvep", True, "markers", None, False, "refused"),
        ("ssvep", True, "sliding", None, True, "sliding"),
        ("ssvep", True, "sliding", "cues", True, "sliding"),
        ("ssvep", False, None, None, True, "sliding"),
        ("ssvep", False, None, "cues", True, "sliding"),
        ("ssvep", False, "markers", None, True, "markers"),
        ("erp", True, None, None, True, "markers"),
        ("erp", True, None, None, False, "refused"),
        ("erp", False, None, None, True, "markers"),
    ],
)
def test_dynamic_stopping_takes_the_markers_that_are_in_sight(
    monkeypatch: pytest.MonkeyPatch,
    paradigm: str,
    dynamic: bool,
    mode: Mode | None,
    selector: str | None,
    in_sight: bool,
    outcome: str,
) -> None:
    def resolve_stream(*_: object) -> str:
        if not in_sight:
            raise InputError("The marker stream is not in sight", value="none", remedy="Start it.")
        return "the markers"

    monkeypatch.setattr("sjepa_online.online.mode.resolve_stream", resolve_stream)
    decoder: Any = SimpleNamespace(
        protocol=SimpleNamespace(paradigm=paradigm),
        window_lengths=(128, 192, 256) if dynamic else (256,),
    )
    if outcome == "refused":
        with pytest.raises(InputError, match="is not in sight"):
            find_markers(decoder, mode, selector, 1.0)
        return
    found = find_markers(decoder, mode, selector, 1.0)
    assert found == ("the markers" if outcome == "markers" else None)
    assert choose_mode(decoder, mode, found is not None) == outcome
