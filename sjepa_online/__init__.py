"""Online brain-computer-interface decoding on Signal-JEPA."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

_HOME = {
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


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: a stream needs no torch (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
