"""Online brain-computer-interface decoding on Signal-JEPA."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sjepa_online.lazy import lazy_attributes

if TYPE_CHECKING:
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

_HOMES = {
    "Decoder": "decoding",
    "InputError": "errors",
    "OperationError": "errors",
    "Preprocessor": "signal",
    "PreprocessorConfig": "signal",
    "Protocol": "protocol",
    "SJEPAClassifier": "decoding",
    "SignalJEPA": "model",
    "load_decoder": "decoding",
    "load_protocol": "protocol",
    "load_weights": "model",
}

__getattr__ = lazy_attributes(__name__, _HOMES)
