"""Decode a live stream in a program of your own.

Run each line in a terminal of its own; the second one stands in for an amplifier:

    sjepa-online calibrate --paradigm ssvep-exo --from sample:1 sample:2 --out decoder.safetensors
    sjepa-online replay sample:3 --name amplifier --loop
    python examples/live_loop.py decoder.safetensors amplifier
"""

import argparse

from sjepa_online import LiveDecision, LiveDecoder, SymbolDecision

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("decoder", help="decoder file of `sjepa-online calibrate`")
parser.add_argument("stream", help="name of the EEG stream")
parser.add_argument("--markers", help="name of the marker stream, to decode after markers")
parser.add_argument("--seconds", type=float, default=float("inf"), help="end after so long")
arguments = parser.parse_args()

mode = "sliding" if arguments.markers is None else "markers"
with LiveDecoder.open(arguments.decoder, arguments.stream, arguments.markers, mode=mode) as live:
    for event in live.events(arguments.seconds):
        match event:
            case LiveDecision():
                probability = event.probabilities[event.label]
                print(f"{event.label}: p = {probability:.2f}, {1000 * event.latency:.1f} ms")
            case SymbolDecision():
                print(f"symbol {event.symbol}: p = {event.probability:.2f}")
            case _:
                # an electrode that fails, a gap, a stream that is lost: nothing is silent
                print(f"{event.event}: {event.detail}")
