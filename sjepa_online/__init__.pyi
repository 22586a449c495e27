from .decoding import Decoder, SJEPAClassifier, load_decoder
from .errors import InputError, OperationError
from .model import SignalJEPA, load_weights
from .protocol import Protocol, load_protocol
from .signal import Preprocessor, PreprocessorConfig

__all__ = [
    "Decoder",
    "InputError",
    "OperationError",
    "Preprocessor",
    "PreprocessorConfig",
    "Protocol",
    "SJEPAClassifier",
    "SignalJEPA",
    "__version__",
    "load_decoder",
    "load_protocol",
    "load_weights",
]

__version__: str
