from .catalog import DecoderRequest
from .classifiers.network import SJEPAClassifier
from .decoder import CalibrationSummary, Decoder, load_decoder
from .names import DEFAULT_DECODER, decoder_names
from .serialization import State, TrialClassifier

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
