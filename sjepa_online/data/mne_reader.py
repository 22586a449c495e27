"""Recordings from what MNE-Python reads, and from its ``Raw`` objects."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
import numpy.typing as npt

from sjepa_online.amplifier import (
    AS_DECLARED,
    AmplifierProfile,
    Declaration,
    PickedChannels,
    pick_channels,
    trigger_channel,
)
from sjepa_online.data.bids import bids_annotations, bids_channels
from sjepa_online.data.edf_header import EdfHeader, read_edf_header
from sjepa_online.data.events import absent_codes, code_events, merge_events, named_events
from sjepa_online.data.reading import BREAK, SIMULATED, UNREADABLE, bids_entity, one_line
from sjepa_online.data.recording import Recording, Rejected
from sjepa_online.errors import InputError
from sjepa_online.signal.decimator import HIGHEST_SFREQ, Decimator

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
#: Marks of MNE that are no events, whatever a protocol calls its classes.
_NOT_EVENT = re.compile(r"^(BAD|EDGE)(?![a-z])")
_BAD = re.compile(r"(?i)^bad")
_SKIPPED = re.compile(r"(?i)^bad[ _]acq[ _]skip")
_EDF = (".edf", ".bdf")
#: How MNE scales the units of EDF that it knows; it takes any other for volts.
_MNE_SCALES = {"uV": 1e-6, "µV": 1e-6, "μV": 1e-6, "mV": 1e-3}
#: Channels of codes by the names that MNE looks for first.
_STIM_NAMES = ("STI101", "STI 014", "STI014")
_INTERRUPTED = "Number of records from the header does not match the file size"


def read_mne_file(path: Path, profile: AmplifierProfile = AS_DECLARED) -> Recording:
    """Read a ``.fif .edf .bdf .gdf .vhdr .set`` file.

    An EDF or BDF file that was interrupted is read as far as it goes, and its pauses are breaks.

    Parameters
    ----------
    path : Path
    profile : AmplifierProfile
        What is known of its channels, unit and events beside what the file says.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        The file is damaged, truncated, not continuous, or holds no EEG.
    """
    suffix = path.suffix.lower()
    raw, notes = _read_raw(path)
    header = _edf_header(path) if suffix in _EDF else None
    if header is not None and header.record_onsets is not None:
        _resume_after_pauses(raw, path, header)
    if suffix == ".vhdr":
        _strip_marker_types(raw.annotations)
    _take_bids_events(raw, path)
    kinds = _take_bids_channels(raw, path)
    subject, session, run = (bids_entity(path.name, key) for key in ("sub", "ses", "run"))
    recording = recording_from_raw(
        raw,
        name=str(path),
        subject=subject,
        session=session,
        run=run,
        profile=profile,
        units=_edf_units(raw, header, path),
        kinds=kinds,
    )
    return replace(
        recording,
        simulated=bids_entity(path.name, "acq") == SIMULATED,
        parts=tuple(str(name) for name in raw.filenames[1:]) if suffix == ".fif" else (),
        notes=(*notes, *recording.notes),
    )


def _read_raw(path: Path) -> tuple[Any, list[str]]:
    """Read a file by MNE; return it with what MNE warns of, but for what is mended here."""
    suffix = path.suffix.lower()
    # EDF+ labels name the type (`EEG Fz`, `EOG left`); MNE reads it on request
    options: dict[str, Any] = {"infer_types": True} if suffix in _EDF else {}
    try:
        raw, seen = _call(_READERS[suffix], path, options)
    except UNREADABLE as error:
        if suffix not in _EDF or "latin1" not in str(error):
            raise _unreadable(path, error) from error
        try:
            raw, seen = _call(_READERS[suffix], path, options | {"encoding": "latin1"})
        except UNREADABLE as again:
            raise _unreadable(path, again) from again
    notes = []
    for message in seen:
        if suffix in _EDF and _INTERRUPTED in message:
            notes.append(f"{path}: it was not ended properly, and is read as far as it goes")
        elif "does not match the file size" in message or "truncated" in message:
            raise InputError(
                f"The {suffix} file is shorter than its header says",
                value=f"{path}: {message}",
                remedy="Copy the file again, or repair its header.",
            )
        elif "outside data range" not in message:
            notes.append(f"{path}: {message}")
    return raw, notes


def _call(reader: Callable[..., Any], path: Path, options: dict[str, Any]) -> tuple[Any, list[str]]:
    # MNE logs to standard output, which belongs to results
    with mne.utils.catch_logging(), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        raw = reader(path, preload=True, verbose="warning", **options)
    return raw, [one_line(warning.message) for warning in seen]


def _unreadable(path: Path, error: BaseException) -> InputError:
    return InputError(
        f"This {path.suffix.lower()} file cannot be read as one whole continuous recording",
        value=f"{path}: {one_line(error)}",
        remedy="Copy the file again, or export the continuous recording, not cut epochs.",
    )


def _edf_header(path: Path) -> EdfHeader:
    try:
        return read_edf_header(path)
    except UNREADABLE as error:
        raise _unreadable(path, error) from error


def _resume_after_pauses(raw: Any, path: Path, header: EdfHeader) -> None:
    """Put the events of a file with pauses where they lie in the samples, and mark the pauses."""
    try:
        read = mne.read_annotations(path)
    except UNREADABLE:
        read = mne.read_annotations(path, encoding="latin1")
    kept = [(place, index) for index, at in enumerate(read.onset) if (place := header.place(at))]
    pauses = header.pauses
    # two annotations tell a joint to MNE: where it is, and that no filter may span it
    raw.set_annotations(
        mne.Annotations(
            [*(place for place, _ in kept), *pauses],
            [*(float(read.duration[index]) for _, index in kept), *([0.0] * len(pauses))],
            [*(str(read.description[index]) for _, index in kept), *([BREAK] * len(pauses))],
        ),
        verbose="error",
    )


def _edf_units(raw: Any, header: EdfHeader | None, path: Path) -> list[tuple[str, float]] | None:
    """Return the declared unit of each channel, and how MNE has scaled it; None but for EDF."""
    if header is None or not raw.ch_names:
        return None
    if len(header.units) != len(raw.ch_names):
        return None
    told = {name: unit for name, _, unit, _ in bids_channels(path)}
    # MNE leaves codes as they are
    stim = [kind == "stim" for kind in raw.get_channel_types()]
    return [
        (unit or told.get(label, ""), 1.0 if codes else _MNE_SCALES.get(unit, 1.0))
        for label, unit, codes in zip(header.labels, header.units, stim, strict=True)
    ]


def recording_from_raw(
    raw: Any,
    *,
    name: str,
    subject: str = "",
    session: str = "",
    run: str = "",
    profile: AmplifierProfile = AS_DECLARED,
    units: Sequence[tuple[str, float]] | None = None,
    kinds: Sequence[str] | None = None,
) -> Recording:
    """Take the EEG channels and the events of an ``mne.io.Raw``.

    Events are its annotations and the codes of its stimulus channel. Segments that an annotation
    marks as ``BAD`` are rejected.

    Parameters
    ----------
    raw : mne.io.Raw
    name, subject, session, run : str
        As in :class:`Recording`.
    profile : AmplifierProfile
        What is known beside what ``raw`` says.
    units : sequence of (str, float), length n_channels, optional
        The declared unit of each channel, and the factor by which its values were multiplied;
        volts by default.
    kinds : sequence of str, length n_channels, optional
        Types of the channels; MNE's by default.

    Returns
    -------
    Recording
        In µV; a rate above 4 kHz is reduced.

    Raises
    ------
    InputError
        There is no EEG channel, none whose name is an electrode's, or no sample.
    """
    if not raw.ch_names:
        raise InputError(
            "The recording holds no signals, only annotations",
            value=name,
            remedy="Choose the file that holds the signals.",
        )
    scaled = list(units) if units is not None else [("V", 1.0)] * len(raw.ch_names)
    declaration = Declaration.of(
        name,
        len(raw.ch_names),
        raw.ch_names,
        [unit for unit, _ in scaled],
        list(kinds) if kinds is not None else raw.get_channel_types(),
    )
    picked = pick_channels(declaration, profile)
    onsets, labels = _events(raw, declaration, profile, [scale for _, scale in scaled])
    data, sfreq = _microvolts(raw, picked, [scale for _, scale in scaled])
    bads = set(raw.info["bads"])
    return Recording(
        name=name,
        data=data,
        unit="uV",
        sfreq=sfreq,
        ch_names=picked.ch_names,
        onsets=onsets,
        labels=named_events(labels, profile),
        breaks=_breaks(raw),
        bad=tuple(
            electrode
            for row, electrode in zip(picked.rows, picked.ch_names, strict=True)
            if raw.ch_names[row] in bads
        ),
        subject=subject,
        session=session,
        run=run,
        rejected=_rejected(raw),
        notes=(*picked.notes, *absent_codes(labels, profile, name)),
        declared_unit=picked.unit,
    )


def _take_bids_events(raw: Any, path: Path) -> None:
    """Take the events from the table beside a recording of a BIDS data set, if there is one."""
    own = any(not _BREAK.match(str(label)) for label in raw.annotations.description)
    events = bids_annotations(path, values=not own)
    if events is None:
        return
    if path.suffix.lower() == ".vhdr":
        _strip_marker_types(events)
    onsets = _break_times(raw)
    bad = [segment for segment in _rejected(raw) if not _BREAK.match(segment.label)]
    # only the recording itself is sure to know where its parts were joined, and what is bad
    kept = mne.Annotations(
        [*onsets, *(one.start for one in bad)],
        [*([0.0] * len(onsets)), *(one.stop - one.start for one in bad)],
        [*([BREAK] * len(onsets)), *(one.label for one in bad)],
    )
    raw.set_annotations(events + kept, verbose="error")


def _take_bids_channels(raw: Any, path: Path) -> list[str] | None:
    """Mark the channels that the table of a BIDS data set calls bad; return the types it gives."""
    rows = bids_channels(path)
    # MNE takes the type from an EDF label: `EEG Fz` is Fz
    named = {
        own: (kind, status)
        for name, kind, _, status in rows
        if (own := name if name in raw.ch_names else name.partition(" ")[2]) in raw.ch_names
    }
    known = {name for name, *_ in rows if name in named or name.partition(" ")[2] in named}
    unknown = [name for name, _, _, status in rows if status == "bad" and name not in known]
    if unknown:
        raise InputError(
            "The channels.tsv marks channels as bad that are not in the recording",
            value=f"{path}: {', '.join(unknown)}; there are {', '.join(raw.ch_names)}",
            remedy="Correct the names in its channels.tsv.",
        )
    bad = {name for name, (_, status) in named.items() if status == "bad"}
    raw.info["bads"] = sorted({*raw.info["bads"], *bad})
    if not rows:
        return None
    types = zip(raw.ch_names, raw.get_channel_types(), strict=True)
    return [named[name][0] or kind if name in named else kind for name, kind in types]


def _strip_marker_types(annotations: Any) -> None:
    """Give BrainVision's markers the label that was sent: MNE puts their type before it."""
    annotations.description = np.array(
        [re.sub("^(Comment|Stimulus)/", "", label) for label in annotations.description],
        dtype=str,
    )


def _microvolts(
    raw: Any, picked: PickedChannels, scales: Sequence[float]
) -> tuple[npt.NDArray[np.float32], float]:
    """Return the picked channels in µV, and their rate, below 4 kHz."""
    sfreq = float(raw.info["sfreq"])
    rows = []
    # one by one: MNE's float64 copy of the whole is enough
    for row, factor in zip(picked.rows, picked.microvolts, strict=True):
        values = raw.get_data(picks=[int(row)]) * (factor / scales[row])
        if sfreq > HIGHEST_SFREQ:
            decimator = Decimator(1, sfreq)
            values, _ = decimator.update(values)
        rows.append(values[0].astype(np.float32))
    rate = Decimator(1, sfreq).sfreq if sfreq > HIGHEST_SFREQ else sfreq
    return np.array(rows), rate


def _annotation_onsets(raw: Any) -> npt.NDArray[np.float64]:
    """Onsets (s) after the first sample: MNE counts from the measurement's start."""
    onsets: npt.NDArray[np.float64] = raw.annotations.onset - raw.first_time
    return onsets


def _events(
    raw: Any, declaration: Declaration, profile: AmplifierProfile, scales: Sequence[float]
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Return the events of the annotations and of the channel of codes, in their order."""
    onsets = _annotation_onsets(raw)
    descriptions = [str(description) for description in raw.annotations.description]
    keep = [
        index
        for index, description in enumerate(descriptions)
        if not _NOT_EVENT.match(description) and not _BREAK.match(description)
    ]
    labels = [descriptions[index] for index in keep]
    place = _code_channel(raw, declaration, profile)
    code_onsets = np.empty(0)
    codes: list[str] = []
    if place is not None:
        values = raw.get_data(picks=[place])[0] / scales[place]
        sure = profile.trigger is not None or declaration.types[place] in ("stim", "trig")
        code_onsets, codes = code_events(values, float(raw.info["sfreq"]), profile, sure=sure)
    if profile.trigger is not None:
        return code_onsets, codes
    return merge_events(onsets[keep], labels, code_onsets, codes)


def _code_channel(raw: Any, declaration: Declaration, profile: AmplifierProfile) -> int | None:
    place = trigger_channel(declaration, profile)
    stim = [index for index, kind in enumerate(declaration.types) if kind in ("stim", "trig")]
    if place is not None or not stim:
        return place
    usual = [raw.ch_names.index(name) for name in _STIM_NAMES if name in raw.ch_names]
    return usual[0] if usual else stim[0]


def _rejected(raw: Any) -> tuple[Rejected, ...]:
    """Return the segments that annotations mark as bad."""
    marks = zip(
        _annotation_onsets(raw), raw.annotations.duration, raw.annotations.description, strict=True
    )
    found = (
        Rejected(float(onset), float(onset + duration), str(label))
        for onset, duration, label in marks
        if duration > 0 and _BAD.match(str(label)) and not _BREAK.match(str(label))
    )
    return tuple(dict.fromkeys(found))


def _break_times(raw: Any) -> list[float]:
    """Return the times (s) after the first sample at which an annotation marks a joint."""
    times = []
    for onset, duration, label in zip(
        _annotation_onsets(raw), raw.annotations.duration, raw.annotations.description, strict=True
    ):
        if _BREAK.match(str(label)) and onset > 0:
            times.append(float(onset))
        elif _SKIPPED.match(str(label)):
            times += [float(onset), float(onset + duration)]
    return times


def _breaks(raw: Any) -> npt.NDArray[np.float64]:
    """Return when parts were joined, on the sample: two annotations may differ by a rounding."""
    sfreq = float(raw.info["sfreq"])
    return np.unique(np.round(np.array(_break_times(raw)) * sfreq)) / sfreq
