"""Online brain-computer-interface decoding on Signal-JEPA."""

from sjepa_online.decoding import Decoder, SJEPAClassifier, load_decoder
from sjepa_online.errors import InputError, OperationError
from sjepa_online.model import SignalJEPA, load_weights
from sjepa_online.protocol import Protocol, load_protocol
from sjepa_online.signal import Preprocessor, PreprocessorConfig

__all__ = [
    "Decoder",
    "InputError",
    "OperationError",
    "Preprocessor",
    "PreprocessorConfig",
    "Protocol",
    "SJEPAClassifier",
    "SignalJEPA",
    "load_decoder",
    "load_protocol",
    "load_weights",
]
