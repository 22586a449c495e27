"""Windows whose amplitude says that they hold an artefact, among those that align a decoder."""

from __future__ import annotations

import numpy as np

from sjepa_online.errors import InputError
from sjepa_online.typing import BoolMask, FloatArray, Indices

#: A window holds an artefact where the peak-to-peak amplitude of a quarter of the electrodes is so
#: many times their median: the person moves. A single electrode that becomes noisy is to be learned
#: as it is, as it will not be quiet in later windows either;
TIMES_MEDIAN = 5.0
SHARE_OF_ELECTRODES = 0.25
#: unless it is above this (µV), which is no EEG at all.
LOUDEST = 1000.0
#: So few windows without artefacts align no decoder.
LEAST_WINDOWS = 4


def without_artefacts(X: FloatArray, picks: Indices) -> BoolMask:
    """Tell which windows hold no artefact.

    Parameters
    ----------
    X : ndarray, shape (n, channels, samples)
        Windows in µV.
    picks : ndarray of int
        Channels that count.

    Returns
    -------
    clean : ndarray of bool, shape (n,)

    Raises
    ------
    InputError
        Fewer than 4 windows, or less than half of them, hold none.
    """
    amplitude = np.ptp(X[:, picks], axis=-1)
    unusual = np.mean(amplitude > TIMES_MEDIAN * np.median(amplitude, axis=0), axis=1)
    loudest = amplitude.max(axis=1)
    clean: BoolMask = (unusual < SHARE_OF_ELECTRODES) & (loudest <= LOUDEST)
    if clean.sum() < max(LEAST_WINDOWS, len(X) / 2):
        raise InputError(
            "The signal that aligns the decoder is full of artefacts, or too short",
            value=f"{int(clean.sum())} of {len(X)} windows are without",
            remedy="Let the participant sit still for a minute, mark loose electrodes as bad, and "
            "record again.",
        )
    return clean
