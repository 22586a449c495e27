"""The online engine: chunks in, decisions out, the same live and offline."""

from sjepa_online.online.engine import STEP, Engine, Mode
from sjepa_online.online.events import Decision, EngineEvent, SymbolDecision
from sjepa_online.online.offline import decode_recording

__all__ = [
    "STEP",
    "Decision",
    "Engine",
    "EngineEvent",
    "Mode",
    "SymbolDecision",
    "decode_recording",
]
