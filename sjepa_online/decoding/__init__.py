"""Decoders: classifiers of epochs, and the files that keep them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sjepa_online.lazy import lazy_attributes

if TYPE_CHECKING:
    from sjepa_online.decoding.base import EpochClassifier
    from sjepa_online.decoding.catalog import (
        DEFAULT_DECODER,
        DecoderPlan,
        DecoderRequest,
        decoder_names,
    )
    from sjepa_online.decoding.classifiers.network import SJEPAClassifier
    from sjepa_online.decoding.decoder import CalibrationSummary, Decoder, load_decoder
    from sjepa_online.decoding.serialization import State

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

_HOMES = {
    "DEFAULT_DECODER": "catalog",
    "CalibrationSummary": "decoder",
    "Decoder": "decoder",
    "DecoderPlan": "catalog",
    "DecoderRequest": "catalog",
    "EpochClassifier": "base",
    "SJEPAClassifier": "classifiers.network",
    "State": "serialization",
    "decoder_names": "catalog",
    "load_decoder": "decoder",
}

__getattr__ = lazy_attributes(__name__, _HOMES)
