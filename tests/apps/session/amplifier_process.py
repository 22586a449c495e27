"""An amplifier in a process of its own, at 1000 Hz: its first channel counts samples.

With a second argument all of them hold a sine of this frequency (Hz) instead, with a third one it
declares no unit.

It tells the time (s, LSL clock) of its first sample.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pylsl

SFREQ = 1000
CHUNK = 20
CH_NAMES = ["Oz", "O1", "O2"]

if __name__ == "__main__":
    name = sys.argv[1]
    frequency = float(sys.argv[2]) if len(sys.argv) > 2 else 0.0
    info = pylsl.StreamInfo(
        name, "EEG", len(CH_NAMES), SFREQ, pylsl.cf_float32, f"amplifier-{name}"
    )
    info.set_channel_labels(CH_NAMES)
    info.set_channel_types("EEG")
    if len(sys.argv) < 4:
        info.set_channel_units("microvolts")
    outlet = pylsl.StreamOutlet(info)
    random = np.random.default_rng(0)
    origin = pylsl.local_clock()
    print(origin, flush=True)
    n_sent = 0
    while True:
        count = np.arange(n_sent, n_sent + CHUNK)
        time.sleep(max(0.0, origin + count[-1] / SFREQ - pylsl.local_clock()))
        chunk = 10 * random.standard_normal((CHUNK, len(CH_NAMES)))
        chunk += 20 * np.sin(2 * np.pi * frequency * count / SFREQ)[:, np.newaxis]
        if not frequency:
            chunk[:, 0] = count
        outlet.push_chunk(chunk.astype(np.float32), (origin + count / SFREQ).tolist())
        n_sent += CHUNK
