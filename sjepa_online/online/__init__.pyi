from .engine import STEP, Engine
from .events import Decision, EngineEvent, LiveDecision, LiveEvent, Mode, SymbolDecision
from .live import LiveDecoder, use_one_thread
from .offline import decode_recording
from .publication import DECISIONS, PROBABILITIES, Publication
from .service import LiveService

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
