"""Labelled trials: windows of preprocessed recordings, cut as a protocol says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sjepa_online.data.reading import naming
from sjepa_online.data.recording import Recording, electrode
from sjepa_online.errors import InputError
from sjepa_online.markers import PAUSE, parse_marker
from sjepa_online.protocol import Protocol
from sjepa_online.signal.cortex import cortex_among
from sjepa_online.signal.preprocessor import (
    Preprocessor,
    PreprocessorConfig,
    preprocess_in_chunks,
)
from sjepa_online.signal.units import require_plausible_amplitude
from sjepa_online.signal.windows import cut_windows, window_start
from sjepa_online.validation import check_names, check_type

_CHECKED_SECONDS = 60


@dataclass(frozen=True, eq=False)
class Trials:
    """Labelled trials of one protocol.

    Parameters
    ----------
    X : array, shape (n_trials, n_channels, n_times), float32
        µV at 128 Hz, causally filtered.
    y : array of str, shape (n_trials,)
        Class names of the protocol.
    recording : array of int, shape (n_trials,)
        Index of the recording that each trial is from.
    onset : array, shape (n_trials,)
        Onset (s) after the recording's first sample.
    ch_names : tuple of str, length n_channels
        Electrodes.
    protocol : Protocol
        How the trials were cut.
    dropped : tuple of str
        Which trials and channels were left out, and why.
    """

    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.str_]
    recording: npt.NDArray[np.int64]
    onset: npt.NDArray[np.float64]
    ch_names: tuple[str, ...]
    protocol: Protocol
    dropped: tuple[str, ...]


def check_recordings(recordings: Sequence[Recording]) -> None:
    """Refuse one recording in the place of a list, and names in the place of recordings.

    Parameters
    ----------
    recordings : sequence of Recording

    Raises
    ------
    InputError
        It is no sequence of recordings.
    """
    if isinstance(recordings, Recording):
        raise InputError(
            "recordings is one recording, not a list",
            value=recordings.name,
            remedy="Write [recording].",
        )
    for recording in recordings:  # the letters of a string too
        check_type("A recording", recording, Recording, "Read it: load_recording(SOURCE).")


def make_trials(
    recordings: Sequence[Recording],
    protocol: Protocol,
    config: PreprocessorConfig,
    ch_names: Sequence[str] | None = None,
) -> Trials:
    """Preprocess recordings as the live path does, and cut their trials.

    Parameters
    ----------
    recordings : sequence of Recording
        Each gets a preprocessor of its own.
    protocol : Protocol
        Its classes name the events, its window says which part is cut.
    config : PreprocessorConfig
        Reference and passband.
    ch_names : sequence of str, optional
        Electrodes to take, in this order; :func:`montage` by default. Channels beyond
        them have no part in anything.

    Returns
    -------
    Trials
        In the order of the recordings. Trials that reach beyond their recording, span a
        break in it or a pause of the participant, hold samples that are not finite in a
        channel that is not marked as bad, or no change in any such channel, are left out and
        listed in ``dropped``, as are channels that a recording marks as bad.

    Raises
    ------
    InputError
        There is no recording, one lacks a channel or all of the protocol's classes, is
        constant, has an amplitude that contradicts its unit, or no trial is left.
    """
    check_recordings(recordings)
    check_type("protocol", protocol, Protocol, "Read it: load_protocol(name).")
    check_type("config", config, PreprocessorConfig, "Pass PreprocessorConfig().")
    if not recordings:
        raise InputError(
            "There is no recording to cut trials from",
            value="none",
            remedy="Give a SOURCE with recordings.",
        )
    names = montage(recordings, protocol) if ch_names is None else check_names("ch_names", ch_names)
    parts = [_cut(recording, protocol, config, names) for recording in recordings]
    if ch_names is None:
        marked = [*_marked_as_bad(recordings, good_channels(recordings)), *not_shared(recordings)]
    else:
        marked = _marked_as_bad(recordings, names)
    dropped = (*marked, *(reason for part in parts for reason in part.dropped))
    counts = [len(part.y) for part in parts]
    if not sum(counts):
        raise InputError(
            "No trial can be used",
            value="; ".join(dropped),
            remedy="Choose recordings with whole trials, and mark channels without signal as bad: "
            "in a .fif file, or in the channels.tsv of a BIDS data set (`export` makes one).",
        )
    return Trials(
        X=np.concatenate([part.X for part in parts]),
        y=np.concatenate([part.y for part in parts]),
        recording=np.repeat(np.arange(len(parts)), counts),
        onset=np.concatenate([part.onset for part in parts]),
        ch_names=names,
        protocol=protocol,
        dropped=dropped,
    )


def montage(recordings: Sequence[Recording], protocol: Protocol) -> tuple[str, ...]:
    """Return the electrodes that are read for a protocol.

    Parameters
    ----------
    recordings : sequence of Recording
        All that are to be read together.
    protocol : Protocol

    Returns
    -------
    tuple of str
        The good electrodes of :func:`good_channels`; where the protocol reads the cortex, those
        over it, unless there are too few.

    Raises
    ------
    InputError
        No electrode is left.
    """
    good = good_channels(recordings)
    if protocol.reads == "all":
        return good
    cortex = cortex_among([electrode(name) for name in good])
    return tuple(name for name in good if electrode(name) in cortex) or good


def electrodes_told(recordings: Sequence[Recording], protocol: Protocol) -> str:
    """Return which electrodes are read and which are not, in a sentence.

    Parameters
    ----------
    recordings : sequence of Recording
    protocol : Protocol

    Returns
    -------
    str
        Empty where every good electrode is read.
    """
    read = montage(recordings, protocol)
    others = [name for name in good_channels(recordings) if name not in read]
    if not others:
        return ""
    return (
        f"Read are the electrodes over the sensorimotor cortex, {', '.join(read)}, and not "
        f"{', '.join(others)}, where eyes and muscles are stronger"
    )


def good_channels(recordings: Sequence[Recording]) -> tuple[str, ...]:
    """Return the electrodes that all recordings share and none marks as bad.

    They have the names and the order of the first recording; the others may write them in
    another spelling and another order.

    Parameters
    ----------
    recordings : sequence of Recording
        At least one.

    Returns
    -------
    tuple of str

    Raises
    ------
    InputError
        None is left.
    """
    marked = {electrode(name) for recording in recordings for name in recording.bad}
    shared = set.intersection(*({electrode(name) for name in one.ch_names} for one in recordings))
    good = tuple(name for name in recordings[0].ch_names if electrode(name) in shared - marked)
    if good:
        return good
    if not shared:
        raise InputError(
            "The recordings have no electrode in common",
            value="; ".join(f"{one.name}: {', '.join(one.ch_names[:8])}" for one in recordings),
            remedy="Choose recordings of the same cap, or name their channels alike.",
        )
    raise InputError(
        "Every channel is marked as bad",
        value=f"bad in {', '.join(one.name for one in recordings)}: {', '.join(sorted(marked))}",
        remedy="Mark only those without signal, or leave out the recording that marks all.",
    )


def _marked_as_bad(recordings: Sequence[Recording], names: tuple[str, ...]) -> list[str]:
    """Tell which channels that nobody has asked for are marked as bad."""
    left_out = {one.name: [name for name in one.bad if name not in names] for one in recordings}
    return [f"{name}: {', '.join(bad)}, marked as bad" for name, bad in left_out.items() if bad]


def not_shared(recordings: Sequence[Recording]) -> list[str]:
    """Tell which channels are left out because a recording lacks them.

    Parameters
    ----------
    recordings : sequence of Recording
        At least one.

    Returns
    -------
    list of str
        A line for each recording that has such channels.
    """
    read = {electrode(name) for name in good_channels(recordings)}
    marked = {electrode(name) for one in recordings for name in one.bad}
    left_out = {
        one.name: [name for name in one.ch_names if electrode(name) not in read | marked]
        for one in recordings
    }
    return [
        f"{name}: {', '.join(alone)}, not in every recording"
        for name, alone in left_out.items()
        if alone
    ]


@dataclass(frozen=True)
class _Part:
    X: npt.NDArray[np.float32]
    y: npt.NDArray[np.str_]
    onset: npt.NDArray[np.float64]
    dropped: list[str]


def _cut(
    recording: Recording, protocol: Protocol, config: PreprocessorConfig, names: tuple[str, ...]
) -> _Part:
    onset, y = _labelled_events(recording, protocol)
    data = recording.channels(names)
    with naming(recording.name):
        _check_signal(data, recording)
        marked = {electrode(name) for name in recording.bad}
        bad = [name for name in names if electrode(name) in marked]
        preprocessor = Preprocessor(names, recording.sfreq, recording.unit, config, bad)
    X, reasons = _windows(data, recording, onset, protocol, preprocessor)
    from_s = onset + protocol.window.start
    to_s = from_s + protocol.window.length
    good = data[[name not in bad for name in names]]
    pauses = [parse_marker(label).word == PAUSE for label in recording.labels]
    paused = recording.onsets[np.array(pauses, dtype=bool)]
    # a class of the protocol may be called Bad_...
    rejected = [one for one in recording.rejected if protocol.class_of(one.label) is None]
    for row in np.flatnonzero(reasons == ""):
        if np.any((paused > from_s[row]) & (paused < to_s[row])):
            reasons[row] = "into a pause of the participant"
            continue
        if any(one.start < to_s[row] and one.stop > from_s[row] for one in rejected):
            reasons[row] = "into a segment that is marked as bad"
            continue
        piece = good[:, max(round(from_s[row] * recording.sfreq), 0) :]
        piece = piece[:, : round(protocol.window.length * recording.sfreq)]
        if not np.isfinite(piece).all():
            reasons[row] = "over samples that are not finite"
        elif not np.ptp(piece, axis=1).any():
            reasons[row] = "over samples that do not change in any good channel"
    kept = reasons == ""
    return _Part(X[kept], y[kept], onset[kept], _summary(recording, onset, reasons))


def _windows(
    data: npt.NDArray[np.float32],
    recording: Recording,
    onset: npt.NDArray[np.float64],
    protocol: Protocol,
    preprocessor: Preprocessor,
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.object_]]:
    """Cut a window for each onset, and say why where there is none.

    The preprocessor starts afresh after a break, as it does in a live stream.
    """
    X = np.zeros((len(onset), len(data), protocol.n_times), dtype=np.float32)
    reasons = np.full(len(onset), "", dtype=object)
    segments = recording.segments
    begins = np.array([first / recording.sfreq for first, _ in segments])
    segment_of = np.maximum(np.searchsorted(begins, onset + 1e-9, side="right") - 1, 0)
    for index, (first, stop) in enumerate(segments):
        rows = np.flatnonzero(segment_of == index)
        if not len(rows):
            continue
        preprocessor.reset()
        signal = preprocess_in_chunks(data[:, first:stop], preprocessor)
        start, delay = protocol.window.start, preprocessor.delay
        starts = window_start(onset[rows] - begins[index], start, delay)
        windows = cut_windows(signal, starts, protocol.n_times)
        X[rows[windows.kept]] = windows.data
        reasons[rows[windows.before_start]] = (
            "before the recording's start" if index == 0 else "across a break in the recording"
        )
        reasons[rows[windows.past_end]] = (
            "past the recording's end"
            if index == len(segments) - 1
            else "across a break in the recording"
        )
    return X, reasons


def _labelled_events(
    recording: Recording, protocol: Protocol
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.str_]]:
    classes = [protocol.class_of(label) for label in recording.labels]
    of_protocol = np.array([name is not None for name in classes], dtype=bool)
    if not of_protocol.any():
        seen = ", ".join(f"{label} ({n})" for label, n in Counter(recording.labels).items())
        told = "".join(f"; {note}" for note in recording.notes if "markers" in note)
        raise InputError(
            f"The recording holds no trial of the protocol {protocol.name!r}",
            value=f"{recording.name}: labels {seen or '(none)'}{told}",
            remedy=f"Its classes are {', '.join(protocol.class_names)}: say which label is which, "
            f"--event LABEL={protocol.class_names[0]}, or choose another marker stream by "
            "--markers NAME, or a channel of codes by --markers channel:NAME.",
        )
    y = np.array([name for name in classes if name is not None], dtype=np.str_)
    return recording.onsets[of_protocol], y


def _check_signal(data: npt.NDArray[np.float32], recording: Recording) -> None:
    """Refuse a constant signal, and one that contradicts its unit."""
    n_second = round(recording.sfreq)
    n_seconds = data.shape[1] // n_second
    checked = np.unique(np.linspace(0, max(n_seconds - 1, 0), _CHECKED_SECONDS).astype(int))
    pieces = [data[:, second * n_second : (second + 1) * n_second] for second in checked]
    finding = require_plausible_amplitude(
        np.concatenate(pieces, axis=1),
        recording.unit,
        recording.sfreq,
        recording.declared_unit or None,
    )
    if finding.verdict == "flat" and not np.any(np.abs(np.diff(data, axis=1)) > 0):
        raise InputError(
            "The recording holds no signal",
            value="every channel is constant",
            remedy="Choose a recording with signal.",
        )


def _summary(
    recording: Recording, onset: npt.NDArray[np.float64], reasons: npt.NDArray[np.object_]
) -> list[str]:
    summary = []
    for reason in sorted({reason for reason in reasons if reason}):
        times = onset[reasons == reason]
        listed = ", ".join(f"{time:.1f}" for time in times[:5]) + (" ..." if len(times) > 5 else "")
        summary.append(
            f"{recording.name}: {len(times)} of {len(onset)} trials reach {reason} ({listed} s)"
        )
    return summary
