"""The part of a recording that pretraining can use: its good channels, between its breaks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError
from sjepa_online.protocol import MODEL_SFREQ
from sjepa_online.signal.montage import pick_eeg_channels, resolve_channel_names
from sjepa_online.signal.preprocessor import (
    Preprocessor,
    PreprocessorConfig,
    preprocess_in_chunks,
)
from sjepa_online.signal.units import require_plausible_amplitude

#: Share of samples at a channel's largest or smallest value above which it is saturated.
_SATURATED_SHARE = 0.05
#: Share of samples that are not finite above which a channel is left out.
_MISSING_SHARE = 0.05
#: A channel this many times as strong as the median one is not EEG.
_LOOSE_FACTOR = 20.0


class UsableSignal(NamedTuple):
    """Preprocessed signal of the good channels.

    Attributes
    ----------
    data : array, shape (channels, samples), float32
        µV at 128 Hz.
    ch_names : tuple of str
        10-05 names.
    stretches : tuple of (int, int)
        First and past the last sample of each part without a break.
    notes : tuple of str
        What was left out.
    """

    data: NDArray[np.float32]
    ch_names: tuple[str, ...]
    stretches: tuple[tuple[int, int], ...]
    notes: tuple[str, ...]


def usable_signal(recording: Recording, config: PreprocessorConfig) -> UsableSignal:
    """Preprocess the good channels of a recording.

    Parameters
    ----------
    recording : Recording
    config : PreprocessorConfig

    Returns
    -------
    UsableSignal

    Raises
    ------
    InputError
        An electrode has no position, fewer than two channels carry signal, the amplitude
        contradicts the unit, or the recording ends before the filters have settled.
    """
    eeg = pick_eeg_channels(recording.ch_names).eeg
    data = recording.channels(eeg)
    reasons = _bad_channels(recording, eeg, data)
    good = tuple(name for name in eeg if name not in reasons)
    notes = tuple(f"{name} left out: {reason}" for name, reason in reasons.items())
    if len(good) < 2:
        raise InputError(
            "Fewer than two channels of the recording carry signal",
            value="; ".join(notes) or f"one channel, {', '.join(eeg)}",
            remedy="Leave the recording out, or mend its channels.",
        )
    require_plausible_amplitude(recording.channels(good), recording.unit, recording.sfreq)
    preprocessor = Preprocessor(good, recording.sfreq, recording.unit, config)
    signal = preprocess_in_chunks(recording.channels(good), preprocessor)
    stretches = _stretches(recording, preprocessor, signal.shape[1])
    if not stretches:
        raise InputError(
            f"The recording ends before its filters have settled, after "
            f"{preprocessor.settled_after:.1f} s",
            value=f"{recording.duration:.1f} s",
            remedy="Leave the recording out.",
        )
    return UsableSignal(signal, tuple(resolve_channel_names(good)), stretches, notes)


def _bad_channels(
    recording: Recording, names: tuple[str, ...], data: NDArray[np.float32]
) -> dict[str, str]:
    """Name the channels that carry no EEG, and why."""
    reasons = {name: "marked as bad" for name in names if name in recording.bad}
    spreads: dict[str, float] = {}
    for name, row in zip(names, data, strict=True):
        finite = row[np.isfinite(row)]
        if finite.size < (1 - _MISSING_SHARE) * row.size:
            reasons.setdefault(name, f"{1 - finite.size / row.size:.0%} of its samples are missing")
            continue
        low, high = finite.min(), finite.max()
        if low == high:
            reasons.setdefault(name, "constant")
            continue
        clipped = max(np.mean(finite == low), np.mean(finite == high))
        if clipped > _SATURATED_SHARE:
            reasons.setdefault(name, f"saturated, {clipped:.0%} of its samples at one extreme")
            continue
        spreads[name] = float(np.median(np.abs(np.diff(finite))))
    usual = float(np.median(list(spreads.values()))) if spreads else 0.0
    for name, spread in spreads.items():
        if spread > _LOOSE_FACTOR * usual:
            reasons.setdefault(name, f"{spread / usual:.0f} times as strong as the other channels")
    return reasons


def _stretches(
    recording: Recording, preprocessor: Preprocessor, n_samples: int
) -> tuple[tuple[int, int], ...]:
    """Cut at breaks; behind each, and at the start, the filters have to settle."""
    begins = [0.0, *recording.breaks]
    ends = [*recording.breaks, n_samples / MODEL_SFREQ]
    stretches = []
    for begin, end in zip(begins, ends, strict=True):
        first = int(np.ceil((begin + preprocessor.settled_after) * MODEL_SFREQ))
        last = min(int(end * MODEL_SFREQ), n_samples)
        if last > first:
            stretches.append((first, last))
    return tuple(stretches)
