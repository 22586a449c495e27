"""The figures of engine and window; the engine's messages are made up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sjepa_online.online.events import Health
from sjepa_online.stream import Chunk, Gap

MEASURED = Health(
    sfreq=249.9, received=900, lost=False, clock_offset=0.0021, cpu=0.11, memory=321.0, gpu=None
)


def figures_of(window: Any) -> dict[str, str]:
    return {name: label.text() for name, label in window.health.figures.items()}


def test_health_shows_what_the_engine_measures(opened: Any, say: Callable[..., None]) -> None:
    say(opened, MEASURED)
    figures = figures_of(opened)
    assert figures["rate"] == "249.90 Hz"
    assert figures["clock"] == "+2.10 ms"
    assert figures["cpu"].startswith("11 %")
    assert figures["device"] == "CPU"


def test_after_a_crash_of_the_engine_only_the_window_s_own_figures_are_left(
    opened: Any,
    say: Callable[..., None],
    decided: Callable[..., Any],
    wait_for: Callable[..., None],
) -> None:
    say(opened, decided(1000.0))
    say(opened, MEASURED)
    opened.show_view("Health")
    wait_for(lambda: figures_of(opened)["decision"] == "4.0 / 4.0 ms")
    wait_for(lambda: opened.status.latency.text() != "")
    gap = Gap(time=1000.0, detail="100 samples are missing", index=0, missing=100)
    times = 1000.4 + np.arange(900) / 250
    opened.session._reader.chunks.append(Chunk(np.zeros((3, 900)), times, (gap,)))
    opened.session.engine.ended.emit("signal 9")
    wait_for(lambda: opened.status.latency.text() == "")
    wait_for(lambda: figures_of(opened)["lost"] == "100 of 1000")
    figures = figures_of(opened)
    assert figures.pop("gaps") == "1"
    assert opened.status.lost.text() == "100 samples lost"
    del figures["lost"], figures["frames"]
    assert set(figures.values()) == {"–"}
