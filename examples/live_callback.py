"""Decode in a thread while the main program does something else, here a loop at 20 Hz.

Run it as examples/live_loop.py, with the same two other terminals:

    python examples/live_callback.py decoder.safetensors amplifier
"""

import argparse
import threading
import time

from sjepa_online import LiveDecision, LiveDecoder

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("decoder", help="decoder file of `sjepa-online calibrate`")
parser.add_argument("stream", help="name of the EEG stream")
parser.add_argument("--seconds", type=float, default=10.0, help="end after so long")
arguments = parser.parse_args()

lock = threading.Lock()
smoothed: dict[str, float] = {}


def take(event: object) -> None:
    """Average the probabilities over about a second; called in the decoder's thread."""
    if isinstance(event, LiveDecision):
        with lock:
            for label, probability in event.probabilities.items():
                before = smoothed.get(label, probability)
                smoothed[label] = before + 0.125 * (probability - before)


with (
    LiveDecoder.open(arguments.decoder, arguments.stream, mode="sliding") as live,
    live.in_thread(take),
):
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        with lock:
            told = ", ".join(f"{label} {value:.2f}" for label, value in smoothed.items())
        print(told or "waiting for the first decision")
        time.sleep(0.05)
