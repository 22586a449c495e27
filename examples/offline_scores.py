"""Calibrate on recordings and score the decoder on another one, as if it were live.

The recordings are those that ship with the project; name files of yours in their place.

    python examples/offline_scores.py
"""

import argparse

from sjepa_online import (
    Decision,
    DecoderRequest,
    PreprocessorConfig,
    calibrate,
    decode_recording,
    load_protocol,
    load_recording,
)

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--train", nargs="+", default=["sample:1", "sample:2"])
parser.add_argument("--test", default="sample:3")
parser.add_argument("--paradigm", default="ssvep-exo", help="name or file of the protocol")
parser.add_argument("--decoder", default="riemann", help="name of the method")
arguments = parser.parse_args()

protocol = load_protocol(arguments.paradigm)
calibration = calibrate(
    [load_recording(source) for source in arguments.train],
    protocol,
    PreprocessorConfig(),
    DecoderRequest(arguments.decoder),
)
scores = calibration.decoder.calibration.cross_validation[arguments.decoder]
print(f"cross-validated accuracy: {scores['accuracy']:.2f}")

# the same engine as live: causal, with bad channels found and left out
results = decode_recording(calibration.decoder, load_recording(arguments.test))
decisions = [result for result in results if isinstance(result, Decision)]
n_right = sum(decision.label == decision.truth for decision in decisions)
print(
    f"accuracy on {arguments.test}: {n_right / len(decisions):.2f} of {len(decisions)} trials, "
    f"chance {1 / len(protocol.classes):.2f}"
)
