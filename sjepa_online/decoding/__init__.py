"""Decoders: classifiers of epochs, and the files that keep them."""

from sjepa_online.decoding.decoder import CalibrationSummary, Decoder, load_decoder
from sjepa_online.decoding.registry import DEFAULT_DECODER, DecoderRequest, decoder_names
from sjepa_online.decoding.sjepa import SJEPAClassifier
from sjepa_online.decoding.state import State, TrialClassifier

__all__ = [
    "DEFAULT_DECODER",
    "CalibrationSummary",
    "Decoder",
    "DecoderRequest",
    "SJEPAClassifier",
    "State",
    "TrialClassifier",
    "decoder_names",
    "load_decoder",
]
