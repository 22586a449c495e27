"""An amplifier in a process of its own: its first channel counts samples, at 1000 Hz.

It tells the time (s, LSL clock) of its first sample.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from sjepa_online.data import Recording
from sjepa_online.stream import Replay, configure

SFREQ = 1000.0
N_SAMPLES = 120_000

if __name__ == "__main__":
    configure("machine")
    data = 10 * np.random.default_rng(0).standard_normal((3, N_SAMPLES)).astype(np.float32)
    data[0] = np.arange(N_SAMPLES)
    recording = Recording(
        name="counting",
        data=data,
        unit="uV",
        sfreq=SFREQ,
        ch_names=("Oz", "O1", "O2"),
        onsets=np.empty(0),
        labels=(),
        breaks=np.empty(0),
    )
    with Replay([recording], name=sys.argv[1], chunk=0.02) as replay:
        while replay.started_at is None:
            time.sleep(0.01)
        print(replay.started_at, flush=True)
        replay.wait()
