"""Show stimuli in a program of your own: send a marker when each becomes visible.

The decoder needs only the marker stream: one irregular channel of text, each text with the LSL
time of the moment at which the stimulus became visible (docs/lsl.md lists the texts). Here a
simulated participant answers the markers; run each line in a terminal of its own:

    sjepa-online simulate --paradigm mi --markers my-stimulus --name amplifier
    python examples/stimulus_program.py left_hand right_hand
    sjepa-online record --stream "amplifier (simulated)" --markers my-stimulus --out session.xdf
"""

import argparse
import random
import time

import pylsl

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("classes", nargs="+", help="classes of the protocol")
parser.add_argument("--name", default="my-stimulus", help="name of the marker stream")
parser.add_argument("--trials", type=int, default=20, help="trials of each class")
parser.add_argument("--seconds", type=float, default=4.0, help="of each stimulus")
parser.add_argument("--rest", type=float, default=2.0, help="seconds after each stimulus")
arguments = parser.parse_args()

# with a source id the decoder finds the stream again after a restart
info = pylsl.StreamInfo(arguments.name, "Markers", 1, 0.0, "string", f"{arguments.name}-1")
outlet = pylsl.StreamOutlet(info)
print("Waiting for somebody who reads the markers")
while not outlet.wait_for_consumers(1.0):
    pass

trials = arguments.classes * arguments.trials
random.shuffle(trials)
for label in trials:
    print(f"Attend to {label}")
    outlet.push_sample([f"cue/{label}"], pylsl.local_clock())
    time.sleep(1.0)
    # draw the stimulus here; take the time after the frame has been shown
    outlet.push_sample([label], pylsl.local_clock())
    time.sleep(arguments.seconds)
    outlet.push_sample(["end"], pylsl.local_clock())
    time.sleep(arguments.rest)
