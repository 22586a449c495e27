from .data import Recording, Trials, load_recording, make_trials
from .decoding import Decoder, DecoderRequest, SJEPAClassifier, load_decoder
from .errors import InputError, OperationError
from .model import SignalJEPA, load_weights
from .online import (
    Decision,
    EngineEvent,
    LiveDecision,
    LiveDecoder,
    SymbolDecision,
    decode_recording,
)
from .protocol import Protocol, load_protocol
from .signal import Preprocessor, PreprocessorConfig
from .stream import MarkerInlet, SignalInlet, find_streams, resolve_stream
from .training import Calibration, calibrate

__all__ = [
    "Calibration",
    "Decision",
    "Decoder",
    "DecoderRequest",
    "EngineEvent",
    "InputError",
    "LiveDecision",
    "LiveDecoder",
    "MarkerInlet",
    "OperationError",
    "Preprocessor",
    "PreprocessorConfig",
    "Protocol",
    "Recording",
    "SJEPAClassifier",
    "SignalInlet",
    "SignalJEPA",
    "SymbolDecision",
    "Trials",
    "__version__",
    "calibrate",
    "decode_recording",
    "find_streams",
    "load_decoder",
    "load_protocol",
    "load_recording",
    "load_weights",
    "make_trials",
    "resolve_stream",
]

__version__: str
