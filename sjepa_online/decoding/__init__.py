"""Decoders: classifiers of epochs, and the files that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sjepa_online.lazy import lazy_attributes

if TYPE_CHECKING:
    from sjepa_online.decoding.catalog import DecoderRequest
    from sjepa_online.decoding.classifiers.network import SJEPAClassifier
    from sjepa_online.decoding.decoder import CalibrationSummary, Decoder, load_decoder
    from sjepa_online.decoding.names import DEFAULT_DECODER, decoder_names
    from sjepa_online.decoding.serialization import State, TrialClassifier

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

_HOMES = {
    "DEFAULT_DECODER": "names",
    "CalibrationSummary": "decoder",
    "Decoder": "decoder",
    "DecoderRequest": "catalog",
    "SJEPAClassifier": "classifiers.network",
    "State": "serialization",
    "TrialClassifier": "serialization",
    "decoder_names": "names",
    "load_decoder": "decoder",
}

__getattr__ = lazy_attributes(__name__, _HOMES)
