"""Patterns on the scalp of the sources that differ between classes; not spatial filters.

A filter also cancels what disturbs, so its weights say nothing of where a source is seen; the
pattern, covariance times filter, does (Haufe et al. 2014, NeuroImage 87, 96-110).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pyriemann.spatialfilters import Xdawn
from scipy.linalg import eigh
from scipy.signal import butter, sosfiltfilt

from sjepa_online.data import Trials
from sjepa_online.decoding.features.spectral import cross_spectra
from sjepa_online.decoding.features.tangent_space import channel_covariances, shrink
from sjepa_online.protocol import MODEL_SFREQ

Floats = NDArray[np.float64]

#: Band (Hz) of the rhythms that imagery changes.
RHYTHMS = (8.0, 30.0)
#: Shrinkage of covariances, which keeps their inverse from amplifying noise.
SHRINKAGE = 0.05
N_RESPONSES = 2


@dataclass(frozen=True)
class SourcePattern:
    """A source as the electrodes see it.

    Attributes
    ----------
    title : str
    values : ndarray, shape (channels,)
        The largest is 1 in absolute value.
    """

    title: str
    values: Floats


def haufe_patterns(filters: Floats, covariance: Floats) -> Floats:
    """Return the patterns of filters.

    Parameters
    ----------
    filters : ndarray, shape (sources, channels)
    covariance : ndarray, shape (channels, channels)
        Of the signal that the filters are applied to.

    Returns
    -------
    patterns : ndarray, shape (sources, channels)
        Covariance times filters, times the inverse covariance of the sources (eq. 6).
    """
    sources = filters @ covariance @ filters.T
    return np.asarray(np.linalg.solve(sources, filters @ covariance))


def source_patterns(trials: Trials) -> list[SourcePattern]:
    """Return the patterns of the sources that differ between the classes of a paradigm.

    - ``erp``: the xDAWN components of the rarer class, the target (Rivet et al. 2009);
    - ``mi``: for each class the common spatial pattern of the source whose rhythm from 8 to
      30 Hz is the strongest compared with the other classes (Koles 1991);
    - ``ssvep``: for each stimulus frequency the source whose response stands out the most from
      everything else (Cohen and Gulbinaite 2017).

    Parameters
    ----------
    trials : Trials

    Returns
    -------
    list of SourcePattern
    """
    X = trials.X.astype(np.float64)
    if trials.protocol.paradigm == "erp":
        return _responses(X, trials)
    if trials.protocol.paradigm == "mi":
        return _rhythms(X, trials)
    return _flicker(X, trials)


def _responses(X: Floats, trials: Trials) -> list[SourcePattern]:
    target = rarest_class(trials)
    n_sources = min(N_RESPONSES, X.shape[1])
    xdawn = Xdawn(n_sources, classes=[target], estimator="lwf").fit(X, trials.y)
    filters = xdawn.filters_[:n_sources]
    patterns = haufe_patterns(filters, _mean_covariance(X))
    evoked = X[trials.y == target].mean(axis=0) - X[trials.y != target].mean(axis=0)
    sources = filters @ evoked
    peaks = sources[np.arange(n_sources), np.argmax(np.abs(sources), axis=1)]
    return [
        SourcePattern(f"{target}, component {index + 1}", _scaled(pattern * np.sign(peak)))
        for index, (pattern, peak) in enumerate(zip(patterns, peaks, strict=True))
    ]


def _rhythms(X: Floats, trials: Trials) -> list[SourcePattern]:
    sections = butter(4, RHYTHMS, "bandpass", fs=MODEL_SFREQ, output="sos")
    covariances = channel_covariances(sosfiltfilt(sections, X, axis=-1))
    covariances /= np.trace(covariances, axis1=1, axis2=2)[:, np.newaxis, np.newaxis]
    everything = covariances.mean(axis=0)
    return [
        _strongest(f"strongest during {name}", covariances[trials.y == name].mean(0), everything)
        for name in trials.protocol.class_names
    ]


def _flicker(X: Floats, trials: Trials) -> list[SourcePattern]:
    everything = _mean_covariance(X)
    return [
        _strongest(
            f"response to {spec.frequency:g} Hz",
            cross_spectra(X[trials.y == spec.name], [spec.frequency])[:, 0].mean(axis=0),
            everything,
        )
        for spec in trials.protocol.classes
        if spec.frequency is not None
    ]


def _strongest(title: str, wanted: Floats, everything: Floats) -> SourcePattern:
    """Return the pattern of the source with the largest share of ``wanted``."""
    _, vectors = eigh(wanted, shrink(everything, SHRINKAGE))
    pattern = haufe_patterns(vectors[:, -1:].T, everything)[0]
    return SourcePattern(title, _scaled(pattern * np.sign(pattern[np.argmax(np.abs(pattern))])))


def _mean_covariance(X: Floats) -> Floats:
    mean: Floats = channel_covariances(X).mean(axis=0)
    return mean


def _scaled(pattern: Floats) -> Floats:
    return np.asarray(pattern / np.abs(pattern).max())


def rarest_class(trials: Trials) -> str:
    """Return the class with the fewest trials: the target among flashes.

    Parameters
    ----------
    trials : Trials

    Returns
    -------
    str
    """
    return min(trials.protocol.class_names, key=lambda name: int(np.sum(trials.y == name)))
