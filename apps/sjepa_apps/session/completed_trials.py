"""Find the trials and windows of a session that its recording holds completely."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sjepa_online.data import Recording
from sjepa_online.markers import END, PAUSE, parse_marker
from sjepa_online.protocol import Protocol
from sjepa_online.schedule import ScheduledTrial

# beyond the window, for the delay of the filters (s)
_MARGIN = 0.25


def remaining_trials(
    planned: Sequence[ScheduledTrial], recordings: Sequence[Recording], protocol: Protocol
) -> list[ScheduledTrial]:
    """Return the planned trials that no recording holds, in their order.

    A recorded trial is known by its markers, so two trials of one class stand for each other.

    Parameters
    ----------
    planned : sequence of ScheduledTrial
    recordings : sequence of Recording
        The parts of the session.
    protocol : Protocol
        Its window has to be in the recording, without a break.

    Returns
    -------
    trials : list of ScheduledTrial
    """
    remaining = list(planned)
    for recording in recordings:
        for markers in _whole_trials(recording, protocol):
            same = (trial for trial in remaining if _markers(trial) == markers)
            if found := next(same, None):
                remaining.remove(found)
    return remaining


def whole_windows(recording: Recording, protocol: Protocol) -> Iterator[str]:
    """Yield the class of each marker whose window is in the recording without a break or a pause.

    Of a trial that was interrupted, as one of a speller, some windows may be whole.

    Parameters
    ----------
    recording : Recording
    protocol : Protocol

    Yields
    ------
    label : str
    """
    interruptions = _interruptions(recording)
    for onset, label in zip(recording.onsets, recording.labels, strict=True):
        name = protocol.class_of(label)
        start = onset + protocol.window.start
        stop = start + protocol.window.length + _MARGIN
        inside = start >= 0 and stop <= recording.duration
        whole = not np.any((interruptions > start) & (interruptions < stop))
        if name is not None and inside and whole:
            yield name


def _interruptions(recording: Recording) -> NDArray[np.float64]:
    """Return when samples are missing, and when the participant paused (s)."""
    pauses = [
        onset
        for onset, label in zip(recording.onsets, recording.labels, strict=True)
        if parse_marker(label).word == PAUSE
    ]
    return np.array([*recording.breaks, *pauses])


def _markers(trial: ScheduledTrial) -> tuple[str, ...]:
    return tuple(phase.marker for phase in trial.phases if phase.marker)


def _whole_trials(recording: Recording, protocol: Protocol) -> Iterator[tuple[str, ...]]:
    """Yield the markers of each trial that ended without a pause or a break."""
    interruptions = _interruptions(recording)
    labels: list[str] = []
    begin = last = 0.0
    for onset, label in zip(recording.onsets, recording.labels, strict=True):
        marker = parse_marker(label)
        if marker.practice or marker.word == PAUSE:
            labels = []
            continue
        if not labels:
            begin = last = float(onset)
        labels.append(label)
        if protocol.class_of(label) is not None:
            last = float(onset)
        if marker.word == END:
            stop = last + protocol.window.start + protocol.window.length + _MARGIN
            broken = np.any((interruptions > begin) & (interruptions < stop))
            if stop <= recording.duration and not broken:
                yield tuple(labels)
            labels = []
