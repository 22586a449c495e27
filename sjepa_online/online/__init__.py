"""Live decoding: chunks in, decisions out, the same live and offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sjepa_online.lazy import lazy_attributes

if TYPE_CHECKING:
    from sjepa_online.online.engine import STEP, Engine
    from sjepa_online.online.events import (
        Decision,
        EngineEvent,
        LiveDecision,
        LiveEvent,
        Mode,
        SymbolDecision,
    )
    from sjepa_online.online.live import LiveDecoder, use_one_thread
    from sjepa_online.online.offline import decode_recording
    from sjepa_online.online.publication import DECISIONS, PROBABILITIES, Publication
    from sjepa_online.online.service import LiveService

__all__ = [
    "DECISIONS",
    "PROBABILITIES",
    "STEP",
    "Decision",
    "Engine",
    "EngineEvent",
    "LiveDecision",
    "LiveDecoder",
    "LiveEvent",
    "LiveService",
    "Mode",
    "Publication",
    "SymbolDecision",
    "decode_recording",
    "use_one_thread",
]

_HOMES = {
    "DECISIONS": "publication",
    "PROBABILITIES": "publication",
    "STEP": "engine",
    "Decision": "events",
    "Engine": "engine",
    "EngineEvent": "events",
    "LiveDecision": "events",
    "LiveDecoder": "live",
    "LiveEvent": "events",
    "LiveService": "service",
    "Mode": "events",
    "Publication": "publication",
    "SymbolDecision": "events",
    "decode_recording": "offline",
    "use_one_thread": "live",
}

__getattr__ = lazy_attributes(__name__, _HOMES)
