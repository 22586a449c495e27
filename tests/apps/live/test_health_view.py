"""The figures of the engine; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sjepa_apps.live.messages import (
    Health,
)


def test_health_shows_what_the_engine_measures(opened: Any, say: Callable[..., None]) -> None:
    say(
        opened,
        Health(
            sfreq=249.9, received=900, missing=100, lost=False, clock_offset=0.0021, cpu=0.11,
            memory=321.0, gpu=None,
        ),
    )  # fmt: skip
    figures = {name: label.text() for name, label in opened.health.figures.items()}
    assert figures["rate"] == "249.90 Hz"
    assert figures["lost"] == "100 of 1000"
    assert figures["clock"] == "+2.10 ms"
    assert figures["cpu"].startswith("11 %")
    assert figures["device"] == "CPU"
