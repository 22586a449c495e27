"""Sends a simulated participant in a process of its own; prints its start and its reports."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from sjepa_online.data.simulated import SimulatedParticipant, simulated_channels
from sjepa_online.protocol import load_protocol
from sjepa_online.stream import ParticipantStream


def make_participant(paradigm: str, sfreq: float) -> SimulatedParticipant:
    protocol = load_protocol(paradigm)
    return SimulatedParticipant(protocol, simulated_channels(protocol.paradigm, 8), sfreq, 2)


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    options = json.loads(sys.argv[1])
    participant = make_participant(options.pop("paradigm"), options.pop("sfreq"))
    stream = ParticipantStream(participant, report=lambda text: say(report=text), **options)
    thread = threading.Thread(target=stream.run, args=(60.0,), daemon=True)
    thread.start()
    while stream.started_at is None:
        thread.join(0.01)
    say(started_at=stream.started_at)
    thread.join()
