"""Records, in a process of its own, streams to a file, and tells the pid of the recorder.

With a third argument, ``full``, it also tells the first problem and what the file holds then.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyxdf

from sjepa_online.stream import Recorder, resolve_stream
from sjepa_online.stream.recording import recorder

if __name__ == "__main__":
    path, name, *task = json.loads(sys.argv[1])
    if task:
        recorder.FULL_BELOW = 1
    running = Recorder(Path(path), [resolve_stream(name).uid])
    running.start()
    print(running._process.pid, flush=True)
    if task:
        while not (problem := running.status().problem):
            time.sleep(0.1)
        running.stop()
        streams, _ = pyxdf.load_xdf(path)
        print(json.dumps([problem, len(streams[0]["time_stamps"])]), flush=True)
    time.sleep(60)
