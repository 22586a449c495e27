from .recording import Recording
from .source import (
    Source,
    expand_sources,
    iter_sources,
    load_recording,
    load_source,
    load_sources,
    refuse_repetition,
)
from .trials import Trials, good_channels, make_trials

__all__ = [
    "Recording",
    "Source",
    "Trials",
    "expand_sources",
    "good_channels",
    "iter_sources",
    "load_recording",
    "load_source",
    "load_sources",
    "make_trials",
    "refuse_repetition",
]
