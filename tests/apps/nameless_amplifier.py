"""Send noise by LSL without a source id, until it is killed: NAME CHANNEL..."""

from __future__ import annotations

import sys
import time

import numpy as np
import pylsl

SFREQ = 256.0
CHUNK = 32

name, *ch_names = sys.argv[1:]
info = pylsl.StreamInfo(name, "EEG", len(ch_names), SFREQ, pylsl.cf_float32, "")
info.set_channel_labels(ch_names)
info.set_channel_units("microvolts")
outlet = pylsl.StreamOutlet(info)
rng = np.random.default_rng(0)
while True:
    outlet.push_chunk(10.0 * rng.standard_normal((CHUNK, len(ch_names))).astype(np.float32))
    time.sleep(CHUNK / SFREQ)
