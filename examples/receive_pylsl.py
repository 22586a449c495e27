"""Receive decisions in another program, with nothing but pylsl.

sjepa-online decode --decoder decoder.safetensors --stream amplifier
python examples/receive_pylsl.py
"""

import argparse

import pylsl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--name", default="sjepa-online-probabilities", help="stream to read")
parser.add_argument("--decisions", type=int, default=0, help="end after so many; 0: never")
arguments = parser.parse_args()

found = pylsl.resolve_byprop("name", arguments.name, timeout=30.0)
if len(found) != 1:
    raise SystemExit(f"{len(found)} streams are called {arguments.name}; start one decoder")
inlet = pylsl.StreamInlet(found[0])
classes = inlet.info(timeout=10.0).get_channel_labels()
n_received = 0
while n_received < arguments.decisions or arguments.decisions == 0:
    # the timestamp is that of the last sample of EEG that decided
    probabilities, timestamp = inlet.pull_sample(timeout=1.0)
    if timestamp is None:
        continue
    n_received += 1
    best = max(range(len(classes)), key=probabilities.__getitem__)
    print(f"{timestamp:.3f} {classes[best]} {probabilities[best]:.2f}", flush=True)
