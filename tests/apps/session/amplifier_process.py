"""An amplifier in a process of its own: its first channel counts samples, at 1000 Hz.

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
    info = pylsl.StreamInfo(
        name, "EEG", len(CH_NAMES), SFREQ, pylsl.cf_float32, f"amplifier-{name}"
    )
    info.set_channel_labels(CH_NAMES)
    info.set_channel_types("EEG")
    info.set_channel_units("microvolts")
    outlet = pylsl.StreamOutlet(info)
    random = np.random.default_rng(0)
    origin = pylsl.local_clock()
    print(origin, flush=True)
    n_sent = 0
    while True:
        count = np.arange(n_sent, n_sent + CHUNK)
        time.sleep(max(0.0, origin + count[-1] / SFREQ - pylsl.local_clock()))
        noise = 10 * random.standard_normal((2, CHUNK))
        chunk = np.vstack([count, noise]).T.astype(np.float32)
        outlet.push_chunk(np.ascontiguousarray(chunk), (origin + count / SFREQ).tolist())
        n_sent += CHUNK
