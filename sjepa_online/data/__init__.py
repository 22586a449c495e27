"""Recordings and labelled trials from files, MOABB's data sets and the shipped sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sjepa_online.lazy import lazy_attributes

if TYPE_CHECKING:
    from sjepa_online.data.recording import Recording
    from sjepa_online.data.source import (
        Source,
        expand_sources,
        iter_sources,
        load_recording,
        load_source,
        load_sources,
        refuse_repetition,
    )
    from sjepa_online.data.trials import Trials, good_channels, make_trials

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

_HOMES = {
    "Recording": "recording",
    "Source": "source",
    "Trials": "trials",
    "expand_sources": "source",
    "good_channels": "trials",
    "iter_sources": "source",
    "load_recording": "source",
    "load_source": "source",
    "load_sources": "source",
    "make_trials": "trials",
    "refuse_repetition": "source",
}

__getattr__ = lazy_attributes(__name__, _HOMES)
