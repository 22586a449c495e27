"""Recordings from what MNE-Python reads, and from its ``Raw`` objects."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
import numpy.typing as npt

from sjepa_online.data.bids import bids_annotations, bids_bad_channels
from sjepa_online.data.reading import SIMULATED, UNREADABLE, bids_entity, naming, one_line
from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError
from sjepa_online.signal.montage import pick_eeg_channels, resolve_channel_names

logger = logging.getLogger(__name__)

_READERS: dict[str, Callable[..., Any]] = {
    ".fif": mne.io.read_raw_fif,
    ".edf": mne.io.read_raw_edf,
    ".bdf": mne.io.read_raw_bdf,
    ".gdf": mne.io.read_raw_gdf,
    ".vhdr": mne.io.read_raw_brainvision,
    ".set": mne.io.read_raw_eeglab,
}

#: Annotations that mark where parts were joined (MNE, EEGLAB, BrainVision).
_BREAK = re.compile(r"(?i)^(bad|edge)[ _]boundary|^boundary$|^new segment/")
_NOT_EVENT = re.compile(r"(?i)^(bad|edge)")
_STIM_BITS = 0xFFFF  # BioSemi keeps its own status in the bits above


def read_mne_file(path: Path) -> Recording:
    """Read a ``.fif .edf .bdf .gdf .vhdr .set`` file.

    Raises
    ------
    InputError
        The file is damaged, truncated, not continuous, or holds no EEG.
    """
    suffix = path.suffix.lower()
    # EDF+ labels name the type (`EEG Fz`, `EOG left`); MNE reads it on request
    options = {"infer_types": True} if suffix in (".edf", ".bdf") else {}
    try:
        # MNE logs to standard output, which belongs to results
        with mne.utils.catch_logging(), warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            raw = _READERS[suffix](path, preload=True, verbose="warning", **options)
    except UNREADABLE as error:
        raise InputError(
            f"A {suffix} file holds one whole continuous recording",
            value=f"{path}: {one_line(error)}",
            remedy="Copy the file again, or export the continuous recording, not cut epochs.",
        ) from error
    for warning in seen:
        message = one_line(warning.message)
        if "does not match the file size" in message or "truncated" in message:
            raise InputError(
                f"A {suffix} file is as long as its header says",
                value=f"{path}: {message}",
                remedy="Copy the file again, or repair its header.",
            )
        logger.warning("%s: %s", path, message)
    if suffix == ".vhdr":
        _strip_marker_types(raw.annotations)
    _take_bids_events(raw, path)
    _take_bids_bad_channels(raw, path)
    subject, session, run = (bids_entity(path.name, key) for key in ("sub", "ses", "run"))
    recording = recording_from_raw(raw, name=str(path), subject=subject, session=session, run=run)
    return replace(
        recording,
        simulated=bids_entity(path.name, "acq") == SIMULATED,
        parts=tuple(str(name) for name in raw.filenames[1:]) if suffix == ".fif" else (),
    )


def recording_from_raw(
    raw: Any, *, name: str, subject: str = "", session: str = "", run: str = ""
) -> Recording:
    """Take the EEG channels and the events of an ``mne.io.Raw``.

    Events are its annotations; without any, the values of its stimulus channel. Annotations
    that start with ``BAD`` or ``EDGE`` are none.

    Raises
    ------
    InputError
        There is no EEG channel, one whose name is no electrode's, or no sample.
    """
    types = raw.get_channel_types()
    typed_eeg = [ch for ch, kind in zip(raw.ch_names, types, strict=True) if kind == "eeg"]
    with naming(name):
        picks = pick_eeg_channels(typed_eeg).eeg
        standard = dict(zip(picks, resolve_channel_names(picks), strict=True))
    onsets, labels = _events(raw, "stim" in types)
    return Recording(
        name=name,
        data=_microvolts(raw, picks),
        unit="uV",
        sfreq=float(raw.info["sfreq"]),
        ch_names=tuple(standard.values()),
        onsets=onsets,
        labels=labels,
        breaks=_breaks(raw),
        bad=tuple(standard[channel] for channel in picks if channel in raw.info["bads"]),
        subject=subject,
        session=session,
        run=run,
    )


def _take_bids_events(raw: Any, path: Path) -> None:
    """Take the events from the table beside a recording of a BIDS data set, if there is one."""
    events = bids_annotations(path)
    if events is None:
        return
    if path.suffix.lower() == ".vhdr":
        _strip_marker_types(events)
    onsets = _break_times(raw)
    # only the recording itself is sure to know where its parts were joined
    raw.set_annotations(events + mne.Annotations(onsets, 0.0, ["BAD boundary"] * len(onsets)))


def _take_bids_bad_channels(raw: Any, path: Path) -> None:
    """Mark the channels that the table beside a recording of a BIDS data set calls bad."""
    marked = bids_bad_channels(path)
    # MNE takes the type from an EDF label: `EEG Fz` is Fz
    bad = [name if name in raw.ch_names else name.partition(" ")[2] for name in marked]
    unknown = [name for name, own in zip(marked, bad, strict=True) if own not in raw.ch_names]
    if unknown:
        raise InputError(
            "The channels that a channels.tsv marks as bad are in the recording",
            value=f"{path}: {', '.join(unknown)}; there are {', '.join(raw.ch_names)}",
            remedy="Correct the names in its channels.tsv.",
        )
    raw.info["bads"] = sorted({*raw.info["bads"], *bad})


def _strip_marker_types(annotations: Any) -> None:
    """Give BrainVision's markers the label that was sent: MNE puts their type before it."""
    annotations.description = np.array(
        [re.sub("^(Comment|Stimulus)/", "", label) for label in annotations.description],
        dtype=str,
    )


def _microvolts(raw: Any, picks: Sequence[str]) -> npt.NDArray[np.float32]:
    data = np.empty((len(picks), raw.n_times), np.float32)
    for row, pick in enumerate(picks):  # one by one: MNE's float64 copy of the whole is enough
        data[row] = raw.get_data(picks=[pick])[0] * 1e6
    return data


def _annotation_onsets(raw: Any) -> npt.NDArray[np.float64]:
    """Onsets (s) after the first sample: MNE counts from the measurement's start."""
    onsets: npt.NDArray[np.float64] = raw.annotations.onset - raw.first_time
    return onsets


def _events(raw: Any, has_stim: bool) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    onsets = _annotation_onsets(raw)
    descriptions = [str(description) for description in raw.annotations.description]
    keep = [
        index
        for index, description in enumerate(descriptions)
        if not _NOT_EVENT.match(description) and not _BREAK.match(description)
    ]
    if keep or not has_stim:
        keep.sort(key=lambda index: onsets[index])
        return onsets[keep], tuple(descriptions[index] for index in keep)
    events = mne.find_events(
        raw, shortest_event=1, mask=_STIM_BITS, mask_type="and", verbose="error"
    )
    samples = events[:, 0] - raw.first_samp
    return samples / float(raw.info["sfreq"]), tuple(str(code) for code in events[:, 2])


def _break_times(raw: Any) -> list[float]:
    """Return the times (s) after the first sample at which an annotation marks a joint."""
    return [
        onset
        for onset, description in zip(
            _annotation_onsets(raw), raw.annotations.description, strict=True
        )
        if _BREAK.match(str(description)) and onset > 0
    ]


def _breaks(raw: Any) -> npt.NDArray[np.float64]:
    """Return when parts were joined, on the sample: two annotations may differ by a rounding."""
    sfreq = float(raw.info["sfreq"])
    return np.unique(np.round(np.array(_break_times(raw)) * sfreq)) / sfreq
