"""The spatial patterns of a decoder: where the sources lie that it reads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from sjepa_online.decoding import Decoder
from sjepa_online.decoding.features.tangent_space import shrink
from sjepa_online.evaluation.report.patterns import SHRINKAGE, haufe_patterns
from sjepa_online.online.events import Pattern

Floats = NDArray[np.float64]

#: Patterns of decoders whose sources have no name.
N_SOURCES = 3


def decoder_patterns(decoder: Decoder) -> tuple[Pattern, ...]:
    """Return the patterns of the sources that a decoder reads (Haufe et al. 2014).

    - ERP: those of its xDAWN filters;
    - SSVEP: for each stimulus frequency the source whose response stands out the most;
    - MI: the sources whose rhythms stand out the most from the rest of the signal.

    A decoder that keeps no spatial filter has none.
    """
    arrays = decoder.classifier.to_state().arrays
    prefixes = [
        name.removesuffix("channel_covariances")
        for name in arrays
        if name.endswith("channel_covariances")
    ]
    if not prefixes:
        return ()
    filters = np.asarray(arrays[f"{prefixes[0]}spatial"], dtype=np.float64)
    blocks = np.asarray(arrays[f"{prefixes[0]}channel_covariances"], dtype=np.float64)
    kernel = np.asarray(decoder.interpolation.kernel, dtype=np.float64)
    match decoder.protocol.paradigm:
        case "erp":
            found = haufe_patterns(filters[:N_SOURCES], shrink(kernel, SHRINKAGE))
            titles = _titles("response", found, decoder.ch_names)
        case "ssvep":
            frequencies = decoder.protocol.frequencies
            found = np.concatenate(
                [_strongest(block, kernel, 1) for block in blocks[: len(frequencies)]]
            )
            titles = [f"response to {frequency:.4g} Hz" for frequency in frequencies]
        case "mi":
            found = _strongest(blocks.sum(axis=0), kernel, N_SOURCES)
            titles = _titles("rhythm", found, decoder.ch_names)
    return tuple(
        Pattern(title=title, values=tuple(_scaled(values).tolist()))
        for title, values in zip(titles, found, strict=True)
    )


def _titles(what: str, patterns: Floats, ch_names: Sequence[str]) -> list[str]:
    """Name patterns by their order and the electrode at which each is the largest."""
    places = [ch_names[int(np.argmax(np.abs(pattern)))] for pattern in patterns]
    return [
        f"{order} {what}, at {place}"
        for order, place in zip(("strongest", "second", "third"), places, strict=False)
    ]


def _strongest(wanted: Floats, everything: Floats, n_sources: int) -> Floats:
    """Return the patterns ``(sources, channels)`` with the largest share of ``wanted``."""
    _, vectors = eigh(wanted, shrink(everything, SHRINKAGE))
    filters = vectors[:, ::-1][:, : min(n_sources, len(everything))].T
    return haufe_patterns(filters, shrink(everything, SHRINKAGE))


def _scaled(pattern: Floats) -> Floats:
    largest = pattern[np.argmax(np.abs(pattern))]
    return np.asarray(pattern / largest)
