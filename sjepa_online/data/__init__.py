"""Recordings and labelled trials from files, MOABB's data sets and the shipped sample."""

from sjepa_online.data.recording import Recording
from sjepa_online.data.source import (
    Source,
    expand_sources,
    iter_sources,
    load_source,
    load_sources,
)
from sjepa_online.data.trials import Trials, make_trials

__all__ = [
    "Recording",
    "Source",
    "Trials",
    "expand_sources",
    "iter_sources",
    "load_source",
    "load_sources",
    "make_trials",
]
