"""Receive decisions in another program, with mne-lsl.

sjepa-online decode --decoder decoder.safetensors --stream amplifier
python examples/receive_mne_lsl.py
"""

import argparse

from mne_lsl.lsl import StreamInlet, resolve_streams

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--name", default="sjepa-online-probabilities", help="stream to read")
parser.add_argument("--decisions", type=int, default=0, help="end after so many; 0: never")
arguments = parser.parse_args()

found = resolve_streams(timeout=30.0, name=arguments.name, minimum=1)
if len(found) != 1:
    raise SystemExit(f"{len(found)} streams are called {arguments.name}; start one decoder")
inlet = StreamInlet(found[0])
inlet.open_stream(timeout=10.0)
classes = inlet.get_sinfo(timeout=10.0).get_channel_names()
n_received = 0
while n_received < arguments.decisions or arguments.decisions == 0:
    # the timestamp is that of the last sample of EEG that decided
    probabilities, timestamp = inlet.pull_sample(timeout=1.0)
    if timestamp is None:
        continue
    n_received += 1
    best = int(probabilities.argmax())
    print(f"{timestamp:.3f} {classes[best]} {probabilities[best]:.2f}", flush=True)
