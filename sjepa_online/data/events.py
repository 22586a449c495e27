"""Events of a recording from its markers and its channel of codes: one rule for all formats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from sjepa_online.amplifier import AmplifierProfile, events_of_codes
from sjepa_online.markers import same_marker

Floats = npt.NDArray[np.float64]

#: A code this near (s) to a marker tells the same event.
SAME_EVENT = 0.02
#: More events a second than any paradigm has are no codes.
MOST_EVENTS = 50.0


def code_events(
    values: Floats, sfreq: float, profile: AmplifierProfile, *, sure: bool
) -> tuple[Floats, list[str]]:
    """Return onsets (s) and codes of a channel of codes.

    Parameters
    ----------
    values : array, shape (n_samples,)
    sfreq : float
    profile : AmplifierProfile
        Tells the idle code, where it is known.
    sure : bool
        Whether the channel was named, or has the type of such a channel. One that is known only
        by its label is read when it holds few changes between whole numbers.

    Returns
    -------
    onsets : array, shape (n_events,)
        Seconds after the first sample.
    codes : list of str, length n_events
        Both are empty where the channel holds no codes.
    """
    if not sure and not _are_codes(values, sfreq):
        return np.empty(0), []
    places, codes = events_of_codes(values, profile.idle)
    return places / sfreq, codes


def _are_codes(values: Floats, sfreq: float) -> bool:
    finite = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    whole = np.abs(finite - np.round(finite)) < 1e-3
    n_changes = np.count_nonzero(np.diff(np.round(finite)))
    return bool(whole.mean() > 0.99 and n_changes <= MOST_EVENTS * len(values) / sfreq)


def merge_events(
    onsets: Floats, labels: Sequence[str], code_onsets: Floats, codes: Sequence[str]
) -> tuple[Floats, list[str]]:
    """Join markers and codes in the order of time; a code at a marker's time says it again.

    Parameters
    ----------
    onsets : array, shape (n_markers,)
        Of the markers, in seconds.
    labels : sequence of str, length n_markers
        Of the markers.
    code_onsets : array, shape (n_codes,)
        Of the codes, in seconds.
    codes : sequence of str, length n_codes
        Of the codes.

    Returns
    -------
    onsets : array, shape (n_events,)
        Seconds, ascending. A code within ``SAME_EVENT`` of a marker is left out.
    labels : list of str, length n_events
    """
    apart = [
        index
        for index, onset in enumerate(code_onsets)
        if not len(onsets) or np.min(np.abs(onsets - onset)) > SAME_EVENT
    ]
    every = np.concatenate([onsets, code_onsets[apart]])
    names = [*labels, *(codes[index] for index in apart)]
    order = np.argsort(every, kind="stable")
    return every[order], [names[index] for index in order]


def named_events(labels: Sequence[str], profile: AmplifierProfile) -> tuple[str, ...]:
    """Return the classes that a profile gives to events, and all other labels as they are.

    Parameters
    ----------
    labels : sequence of str
        Markers or codes as they were recorded.
    profile : AmplifierProfile
        Its events name classes.

    Returns
    -------
    tuple of str
        One for each label, in the same order.
    """
    if not profile.events:
        return tuple(labels)
    names = {label: profile.event(label) for label in set(labels)}
    return tuple(names[label] for label in labels)


def absent_codes(labels: Sequence[str], profile: AmplifierProfile, name: str) -> list[str]:
    """Tell of codes that a profile names and that never come.

    Parameters
    ----------
    labels : sequence of str
        Markers or codes as they were recorded.
    profile : AmplifierProfile
        Its events name codes.
    name : str
        Of the recording, for the sentence.

    Returns
    -------
    list of str
        One sentence, or none where every code comes.
    """
    seen = set(labels)
    absent = [
        code for code in profile.events if not any(same_marker(code, label) for label in seen)
    ]
    return [f"{name}: these codes never come: {', '.join(absent)}"] if absent else []
