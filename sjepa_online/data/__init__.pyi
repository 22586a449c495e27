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
from .trials import Trials, electrodes_told, good_channels, make_trials, montage, not_shared

__all__ = [
    "Recording",
    "Source",
    "Trials",
    "electrodes_told",
    "expand_sources",
    "good_channels",
    "iter_sources",
    "load_recording",
    "load_source",
    "load_sources",
    "make_trials",
    "montage",
    "not_shared",
    "refuse_repetition",
]
