from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sjepa_online.protocol import Protocol, load_protocol


@dataclass
class Markers:
    """Stands in for the marker outlet."""

    sent: list[tuple[str, float]] = field(default_factory=list)

    def push(self, marker: str, time: float) -> None:
        self.sent.append((marker, time))

    @property
    def texts(self) -> list[str]:
        return [marker for marker, _ in self.sent]


@dataclass
class Frames:
    """Stands in for the outlet of frame times."""

    times: list[float] = field(default_factory=list)
    late: list[int] = field(default_factory=list)

    def push(self, times: list[float], late: list[int]) -> None:
        self.times += times
        self.late += late


@pytest.fixture(autouse=True)
def checked_for_leaks(no_leaks: None) -> None:
    """Check every test here for what it leaves behind."""


@pytest.fixture
def short_protocol() -> Callable[..., Protocol]:
    """A shipped protocol with short trials."""

    def make(name: str, **changes: Any) -> Protocol:
        fields = load_protocol(name).model_dump()
        table = {"ssvep": "flicker", "ssvep-exo": "flicker", "mi": "imagery", "erp": "speller"}[
            name
        ]
        short: dict[str, dict[str, Any]] = {
            "flicker": {"cue": 0.1, "stimulation": 0.3, "rest": 0.1},
            "imagery": {"fixation": 0.1, "imagery": 0.3, "rest": 0.1, "rest_jitter": 0.0},
            "speller": {"cue": 0.1, "rest": 0.1, "sequences": 1},
        }
        fields[table] |= short[table] | changes
        return Protocol.model_validate(fields)

    return make


@pytest.fixture
def open_window(
    qapp: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Any, Markers, Frames]]]:
    """Open stimulus windows that last as long as the test, connected to lists."""
    from sjepa_apps.stimulus import window as module
    from sjepa_apps.stimulus.display import DisplayOptions

    monkeypatch.setattr(module, "MEASURED_FRAMES", 25)
    monkeypatch.setattr(module, "SETTLING_FRAMES", 2)
    windows = []

    def make(protocol: Protocol, **display_options: Any) -> tuple[Any, Markers, Frames]:
        window = module.StimulusWindow(protocol, DisplayOptions(**display_options))
        windows.append(window)
        window.open()
        markers, frames = Markers(), Frames()
        window.connect(markers, frames)
        return window, markers, frames

    yield make
    for window in windows:
        window.close()
    qapp.processEvents()
