"""Participants whose answer to a marker can be seen without noise.

Two participants of the same seed and session have the same noise. Where one is shown a marker and
the other is not, the difference of their signals is the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sjepa_online.data.simulated import SimulatedParticipant, simulated_channels
from sjepa_online.protocol import load_protocol

Answer = Callable[..., NDArray[np.float64]]
SFREQ = 250.0


@pytest.fixture
def participant() -> Callable[..., SimulatedParticipant]:
    """Make a participant of a shipped protocol."""

    def make(
        paradigm: str,
        ch_names: Sequence[str] | None = None,
        sfreq: float = SFREQ,
        seed: int = 0,
        session: int = 1,
    ) -> SimulatedParticipant:
        protocol = load_protocol(paradigm)
        names = simulated_channels(protocol.paradigm, 16) if ch_names is None else ch_names
        return SimulatedParticipant(protocol, names, sfreq, seed, session=session)

    return make


@pytest.fixture
def answer(participant: Callable[..., SimulatedParticipant]) -> Answer:
    """Give what markers, a mapping of times (s) to texts, change in so many seconds of EEG."""

    def difference(
        paradigm: str, markers: dict[float, str], seconds: float, **fields: object
    ) -> NDArray[np.float64]:
        shown, idle = participant(paradigm, **fields), participant(paradigm, **fields)
        for time, text in markers.items():
            shown.push_marker(text, time)
        n = round(seconds * shown.sfreq)
        return shown.generate(n).astype(float) - idle.generate(n)

    return difference
