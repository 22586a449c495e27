"""Recordings from XDF files, as LabRecorder writes them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from sjepa_online.amplifier import (
    AS_DECLARED,
    AmplifierProfile,
    Declaration,
    PickedChannels,
    advise_preferring,
    pick_channels,
)
from sjepa_online.data.events import absent_codes, code_events, named_events
from sjepa_online.data.reading import bids_entity, naming
from sjepa_online.data.recording import Recording
from sjepa_online.data.xdf_file import load_streams
from sjepa_online.errors import InputError
from sjepa_online.markers import DECISION_SOURCE, is_marker_stream, marker_text
from sjepa_online.signal.decimator import HIGHEST_SFREQ, Decimator
from sjepa_online.signal.montage import standard_names
from sjepa_online.signal.sampling import measured_rate

Stream = dict[str, Any]
Floats = npt.NDArray[np.float64]

#: A pause between samples from which on they count as missing, not as late.
GAP_SECONDS = 0.25
#: Largest deviation of the measured from the nominal rate; oscillators stay far below.
RATE_TOLERANCE = 0.01

_PIECE = 4096  # samples


def read_xdf_file(path: Path, profile: AmplifierProfile = AS_DECLARED) -> Recording:
    """Read the EEG stream of an XDF file, with its marker streams as events.

    Clocks are synchronised and timestamps smoothed by pyxdf. An event's onset is its place
    among the samples, so it stays exact however far the amplifier's clock drifts. Of a damaged
    file what is whole is read, and what is not is told.

    Parameters
    ----------
    path : Path
    profile : AmplifierProfile
        What is known beside what the file says: which stream, its channels, unit and events.

    Returns
    -------
    Recording

    Raises
    ------
    InputError
        The file holds no EEG, or several streams of it and none is named; the stream has no
        samples, no channel names, no unit, or a rate other than its header says.
    """
    streams, damage = load_streams(path, GAP_SECONDS)
    with naming(str(path)):
        eeg = _signal_stream(streams, profile)
        return _recording(path, eeg, streams, profile, damage)


def declaration_of(stream: Stream) -> Declaration:
    """Return what a stream of an XDF file says of itself.

    Parameters
    ----------
    stream : dict
        A stream as pyxdf gives it.

    Returns
    -------
    Declaration
        Name, type and rate, and the label, unit and type of each channel, as they are written.
    """
    headers = _channel_headers(stream)
    return Declaration.of(
        text_of(stream, "name"),
        _n_channels(stream),
        [header.get("label") or header.get("name") or "" for header in headers],
        [header.get("unit") or header.get("units") or "" for header in headers],
        [header.get("type", "") for header in headers],
        type=text_of(stream, "type"),
        source_id=text_of(stream, "source_id"),
        format=text_of(stream, "channel_format"),
        sfreq=_rate(stream),
    )


def text_of(stream: Stream, field: str) -> str:
    """Return a field of a stream's header; empty where it is not there.

    Parameters
    ----------
    stream : dict
        A stream as pyxdf gives it.
    field : str
        Name of the field, such as ``name``, ``type`` or ``source_id``.

    Returns
    -------
    str
    """
    return str((stream["info"].get(field) or [""])[0] or "")


def _recording(
    path: Path, eeg: Stream, streams: list[Stream], profile: AmplifierProfile, damage: list[str]
) -> Recording:
    shift = profile.clock_shift or _told_shift(eeg)
    times = np.asarray(eeg["time_stamps"], np.float64) + shift
    sfreq, regular = _sampling_rate(eeg, times)
    declaration = declaration_of(eeg)
    picked = pick_channels(declaration, profile)
    onsets, events, notes = _events(eeg, streams, times, sfreq, picked, profile)
    breaks = np.array([first / sfreq for first, _ in eeg["info"]["segments"][1:]], np.float64)
    if not regular:
        longest = max(GAP_SECONDS, 10 / sfreq)
        breaks = np.array(np.flatnonzero(np.diff(times) > longest) + 1, np.float64) / sfreq
    data = _microvolts(np.asarray(eeg["time_series"]), picked)
    if sfreq > HIGHEST_SFREQ:
        decimator = Decimator(len(data), sfreq)
        decimated, _ = decimator.update(data.astype(np.float64))
        data, sfreq = decimated.astype(np.float32), decimator.sfreq
    return Recording(
        name=str(path),
        data=data,
        unit="uV",
        sfreq=sfreq,
        ch_names=picked.ch_names,
        onsets=onsets,
        labels=named_events(events, profile),
        breaks=breaks,
        subject=bids_entity(path.name, "sub"),
        session=bids_entity(path.name, "ses"),
        run=bids_entity(path.name, "run"),
        simulated=_is_simulated(eeg),
        notes=(*damage, *picked.notes, *notes, *absent_codes(events, profile, str(path))),
        declared_unit=picked.unit,
    )


def _told_shift(stream: Stream) -> float:
    """Return what is added (s) to timestamps of another clock, as the recorder has measured it."""
    told = ((stream.get("footer") or {}).get("info") or {}).get("clock_shift") or ["0"]
    try:
        shift = float(told[0])
    except ValueError:
        return 0.0
    return shift if np.isfinite(shift) else 0.0


def _signal_stream(streams: list[Stream], profile: AmplifierProfile) -> Stream:
    """Choose the stream with the EEG: the one named, the one of type EEG, or the only one."""
    signals = [one for one in streams if not _is_markers(one) and _is_numeric(one)]
    with_samples = [one for one in signals if len(one["time_stamps"])]
    if profile.stream is not None:
        fitting = [one for one in signals if _is_named(one, profile.stream)]
        found = [one for one in fitting if len(one["time_stamps"])] or fitting
    else:
        found = [one for one in with_samples if text_of(one, "type").lower() == "eeg"]
        found = found or [one for one in with_samples if _holds_electrodes(one)]
        found = found or with_samples
        found = [one for one in found if text_of(one, "name") == profile.prefers] or found
    if len(found) == 1:
        return found[0]
    seen = "; ".join(_line(stream) for stream in streams) or "no stream"
    if not found:
        wanted = f" {profile.stream!r}" if profile.stream else ""
        raise InputError(
            f"The file holds no EEG stream{wanted}" + ("" if with_samples else " with samples"),
            value=f"the streams {seen}",
            remedy="Choose one by --stream NAME, or another file.",
        )
    names = [_selector(one, found) for one in found]
    raise InputError(
        f"The file holds {len(found)} streams that may be meant",
        value=seen,
        remedy=advise_preferring([declaration_of(one) for one in found])
        + f"Choose one: {' or '.join(f'--stream {name!r}' for name in names)}.",
    )


def _line(stream: Stream) -> str:
    n = len(stream["time_stamps"])
    return f"{text_of(stream, 'name')} ({text_of(stream, 'type')}, {n} samples)"


def _selector(stream: Stream, among: list[Stream]) -> str:
    name, source = text_of(stream, "name"), text_of(stream, "source_id")
    alike = [one for one in among if text_of(one, "name") == name]
    return name if len(alike) == 1 else f"{name}@{source}"


def _is_named(stream: Stream, selector: str) -> bool:
    name, source = text_of(stream, "name"), text_of(stream, "source_id")
    places = [f"{name}@{source}", f"{name}@{text_of(stream, 'hostname')}"]
    texts = [name, source, *places, *(f"{place}/{text_of(stream, 'type')}" for place in places)]
    return any(fnmatchcase(text, selector) or text == selector for text in texts if text)


def _holds_electrodes(stream: Stream) -> bool:
    return any(standard_names(declaration_of(stream).labels))


def _is_numeric(stream: Stream) -> bool:
    return text_of(stream, "channel_format") != "string"


def _rate(stream: Stream) -> float:
    try:
        return float(text_of(stream, "nominal_srate") or 0)
    except ValueError:
        return float("nan")


def _n_channels(stream: Stream) -> int:
    try:
        return max(0, int(text_of(stream, "channel_count") or 0))
    except ValueError:
        return 0


def _microvolts(samples: npt.NDArray[Any], picked: PickedChannels) -> npt.NDArray[np.float32]:
    """Turn samples by channels into channels by samples, a piece that fits the cache at a time."""
    rows, factors = picked.rows, picked.microvolts
    data = np.empty((len(rows), len(samples)), np.float32)
    for start in range(0, len(samples), _PIECE):
        stop = start + _PIECE
        # a damaged number may be too large: it becomes infinite, which counts as missing
        with np.errstate(over="ignore", invalid="ignore"):
            data[:, start:stop] = (samples[start:stop, rows] * factors).T
    return data


def _description(stream: Stream) -> dict[str, Any]:
    found = (stream["info"].get("desc") or [None])[0]
    return found if isinstance(found, dict) else {}


def _is_simulated(stream: Stream) -> bool:
    told = (_description(stream).get("simulated") or [""])[0]
    return told == "true" or "(simulated)" in text_of(stream, "name")


def _channel_headers(stream: Stream) -> list[dict[str, str]]:
    """Label, type and unit of each channel; pyxdf wraps every XML element in a list.

    None where not every channel is described: nothing tells which ones are.
    """
    described = (_description(stream).get("channels") or [None])[0]
    channels = described.get("channel") or [] if isinstance(described, dict) else []
    if len(channels) != _n_channels(stream):
        return []
    return [
        {key: str(value[0]).strip() for key, value in channel.items() if value and value[0]}
        if isinstance(channel, dict)
        else {}
        for channel in channels
    ]


def _sampling_rate(stream: Stream, times: Floats) -> tuple[float, bool]:
    """Return the rate, declared or measured, and whether it is declared.

    Raises
    ------
    InputError
        There are no samples, the measured rate is another than the declared one, or a stream
        without a declared rate is not regular enough.
    """
    name = text_of(stream, "name")
    if len(times) < 2:
        raise InputError(
            f"The stream {name} holds no samples", value="none", remedy="Choose another recording."
        )
    nominal = _rate(stream)
    if nominal == 0:
        return measured_rate(times, name), False
    effective = float(stream["info"]["effective_srate"])
    if not abs(effective - nominal) <= RATE_TOLERANCE * nominal:
        raise InputError(
            f"The stream {name} does not have the rate that it declares",
            value=f"{effective:.4g} Hz measured, {nominal:g} Hz declared",
            remedy="Set the rate in the amplifier's LSL program, and look for lost samples.",
        )
    return nominal, True


def _is_markers(stream: Stream) -> bool:
    return is_marker_stream(
        text_of(stream, "type"),
        text_of(stream, "channel_format"),
        _rate(stream),
        _n_channels(stream),
    )


def _events(
    eeg: Stream,
    streams: list[Stream],
    times: Floats,
    sfreq: float,
    picked: PickedChannels,
    profile: AmplifierProfile,
) -> tuple[Floats, list[str], list[str]]:
    """Return onsets (s), labels, and what was left out.

    Markers of all marker streams, or of the one named; where none comes, the codes in the
    channel of codes.
    """
    named = profile.marker_stream
    chosen = [
        one
        for one in streams
        if one is not eeg
        and (_is_markers(one) if named is None else _is_named(one, named))
        and not text_of(one, "source_id").startswith(DECISION_SOURCE)
    ]
    if named is not None and not chosen:
        raise InputError(
            f"The file holds no marker stream {named!r}",
            value="; ".join(_line(stream) for stream in streams),
            remedy="Choose one by --markers NAME, or a channel by --markers channel:NAME.",
        )
    onsets, labels, notes = _markers(chosen if profile.trigger is None else [], times, sfreq)
    if not labels and picked.trigger is not None:
        values = np.asarray(eeg["time_series"])[:, picked.trigger].astype(np.float64)
        sure = profile.trigger is not None
        onsets, labels = code_events(values, sfreq, profile, sure=sure)
    return onsets, labels, notes


def _markers(
    streams: list[Stream], times: Floats, sfreq: float
) -> tuple[Floats, list[str], list[str]]:
    """Return the markers that lie within the signal; tell of streams that have none there."""
    first, last = times[0] - 0.5 / sfreq, times[-1] + 0.5 / sfreq
    events: list[tuple[float, str]] = []
    notes = []
    for stream in streams:
        stamps = np.asarray(stream["time_stamps"], np.float64)
        inside = (stamps >= first) & (stamps <= last)
        if len(stamps) and not inside.any():
            notes.append(
                f"the {len(stamps)} markers of {text_of(stream, 'name')} are left out: their "
                f"times ({stamps[0]:.1f} s to {stamps[-1]:.1f} s) are none of the signal's "
                f"({times[0]:.1f} s to {times[-1]:.1f} s), as of another clock"
            )
        for index in np.flatnonzero(inside):
            texts = marker_texts(stream["time_series"][index])
            events += [(float(stamps[index]), text) for text in texts]
    events.sort(key=lambda event: event[0])
    position = np.interp([time for time, _ in events], times, np.arange(len(times)))
    return position / sfreq, [label for _, label in events], notes


def marker_texts(sample: Any) -> list[str]:
    """Return what a sample of a marker stream says: each text, or the first of its numbers.

    Parameters
    ----------
    sample : sequence of str or of numbers
        One value for each channel of the stream.

    Returns
    -------
    list of str
        Without empty texts.
    """
    values = list(sample)
    if values and not isinstance(values[0], str | bytes):
        values = values[:1]
    return [text for value in values if (text := marker_text(value))]
