from .base import EpochClassifier
from .catalog import DEFAULT_DECODER, DecoderPlan, DecoderRequest, decoder_names
from .classifiers.network import SJEPAClassifier
from .decoder import CalibrationSummary, Decoder, load_decoder
from .serialization import State

__all__ = [
    "DEFAULT_DECODER",
    "CalibrationSummary",
    "Decoder",
    "DecoderPlan",
    "DecoderRequest",
    "EpochClassifier",
    "SJEPAClassifier",
    "State",
    "decoder_names",
    "load_decoder",
]
