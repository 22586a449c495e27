"""Recordings from XDF files, as LabRecorder writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyxdf

from sjepa_online.data.reading import UNREADABLE, bids_entity, naming, one_line
from sjepa_online.data.recording import Recording
from sjepa_online.errors import InputError
from sjepa_online.markers import DECISION_SOURCE, MARKER_FORMATS
from sjepa_online.signal.montage import pick_eeg_channels, resolve_channel_names
from sjepa_online.signal.units import microvolt_factor

#: A pause between samples from which on they count as missing, not as late.
GAP_SECONDS = 0.25
#: Largest deviation of the measured from the nominal rate; oscillators stay far below.
RATE_TOLERANCE = 0.01

_PIECE = 4096  # samples


def read_xdf_file(path: Path, unit: str | None = None) -> Recording:
    """Read the EEG stream of an XDF file, with its marker streams as events.

    Clocks are synchronised and timestamps smoothed by pyxdf. An event's onset is its place
    among the samples, so it stays exact however far the amplifier's clock drifts. A last
    chunk that was cut off, as by a crash of the recorder, is left out and logged by pyxdf.

    Parameters
    ----------
    path : Path
    unit : str, optional
        Unit of the EEG, where its stream declares none.

    Raises
    ------
    InputError
        The file is damaged, has no EEG stream or several, the stream has no samples, no
        channel names, no unit, or a rate other than its header says.
    """
    try:
        with path.open("rb") as file:
            streams, _ = pyxdf.load_xdf(
                file, jitter_break_threshold_seconds=GAP_SECONDS, jitter_break_threshold_samples=0
            )
    except UNREADABLE as error:
        raise InputError(
            "An .xdf file holds one whole recording",
            value=f"{path}: {one_line(error)}",
            remedy="Copy the file again.",
        ) from error
    with naming(str(path)):
        return _recording(path, _eeg_stream(streams), streams, unit)


def _recording(
    path: Path, eeg: dict[str, Any], streams: list[dict[str, Any]], unit: str | None
) -> Recording:
    sfreq = float(eeg["info"]["nominal_srate"][0])
    times = np.asarray(eeg["time_stamps"], np.float64)
    _check_rate(sfreq, float(eeg["info"]["effective_srate"]), len(times))
    headers = _channel_headers(eeg)
    labels = [header.get("label", "") for header in headers]
    typed_eeg = [
        header["label"]
        for header in headers
        if header.get("type", "").lower() in ("", "eeg") and header.get("label")
    ]
    picks = pick_eeg_channels(typed_eeg).eeg
    rows = [labels.index(pick) for pick in picks]
    units = [unit or headers[row].get("unit", "") for row in rows]
    factors = np.array([microvolt_factor(one) for one in units])
    onsets, events = _markers(streams, times, sfreq)
    segments = eeg["info"]["segments"]
    return Recording(
        name=str(path),
        data=_microvolts(eeg["time_series"], rows, factors),
        unit="uV",
        sfreq=sfreq,
        ch_names=tuple(resolve_channel_names(picks)),
        onsets=onsets,
        labels=events,
        breaks=np.array([first / sfreq for first, _ in segments[1:]], np.float64),
        subject=bids_entity(path.name, "sub"),
        session=bids_entity(path.name, "ses"),
        run=bids_entity(path.name, "run"),
        simulated=_is_simulated(eeg),
    )


def _eeg_stream(streams: list[dict[str, Any]]) -> dict[str, Any]:
    found = [
        stream
        for stream in streams
        if _text(stream, "type").lower() == "eeg" and float(_text(stream, "nominal_srate")) > 0
    ]
    if len(found) == 1:
        return found[0]
    seen = ", ".join(f"{_text(stream, 'name')} ({_text(stream, 'type')})" for stream in streams)
    raise InputError(
        "An .xdf file holds one stream of type EEG with a regular rate",
        value=f"{len(found)} such among the streams {seen or '(none)'}",
        remedy="Record one amplifier in a file, with its stream's type set to EEG.",
    )


def _text(stream: dict[str, Any], field: str) -> str:
    return str((stream["info"].get(field) or [""])[0] or "")


def _microvolts(
    samples: npt.NDArray[Any], rows: list[int], factors: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Turn samples by channels into channels by samples, a piece that fits the cache at a time."""
    data = np.empty((len(rows), len(samples)), np.float32)
    for start in range(0, len(samples), _PIECE):
        stop = start + _PIECE
        data[:, start:stop] = (samples[start:stop, rows] * factors).T
    return data


def _is_simulated(stream: dict[str, Any]) -> bool:
    description = (stream["info"].get("desc") or [None])[0] or {}
    told = (description.get("simulated") or [""])[0]
    return told == "true" or "(simulated)" in _text(stream, "name")


def _channel_headers(stream: dict[str, Any]) -> list[dict[str, str]]:
    """Label, type and unit of each channel; pyxdf wraps every XML element in a list."""
    n_channels = int(_text(stream, "channel_count"))
    description = (stream["info"].get("desc") or [None])[0] or {}
    channels = ((description.get("channels") or [None])[0] or {}).get("channel") or []
    if len(channels) != n_channels:
        raise InputError(
            "The header of an EEG stream describes each channel: label, type and unit",
            value=f"{len(channels)} descriptions for {n_channels} channels",
            remedy="Let the amplifier's LSL program write the channels' metadata.",
        )
    return [
        {key: str(value[0]) for key, value in channel.items() if value and value[0]}
        for channel in channels
    ]


def _check_rate(nominal: float, effective: float, n_samples: int) -> None:
    if not n_samples:
        raise InputError(
            "An EEG stream holds samples", value="none", remedy="Choose another recording."
        )
    if not abs(effective - nominal) <= RATE_TOLERANCE * nominal:
        raise InputError(
            f"The rate of an EEG stream is within {RATE_TOLERANCE:.0%} of the one it declares",
            value=f"{effective:.4g} Hz measured, {nominal:g} Hz declared",
            remedy="Set the rate in the amplifier's LSL program, and look for lost samples.",
        )


def _is_markers(stream: dict[str, Any]) -> bool:
    """Tell whether a stream holds markers: text, or whole numbers at no regular rate."""
    form = _text(stream, "channel_format")
    irregular = float(_text(stream, "nominal_srate")) == 0
    return form == "string" or (
        form in MARKER_FORMATS and irregular and _text(stream, "channel_count") == "1"
    )


def _markers(
    streams: list[dict[str, Any]], times: npt.NDArray[np.float64], sfreq: float
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Markers of all marker streams that lie within the recording.

    A decoder's decisions, recorded beside them, name classes that nobody was asked for.
    """
    events = [
        (float(time), str(sample[0]))
        for stream in streams
        if _is_markers(stream) and not _text(stream, "source_id").startswith(DECISION_SOURCE)
        for time, sample in zip(stream["time_stamps"], stream["time_series"], strict=True)
        if times[0] - 0.5 / sfreq <= time <= times[-1] + 0.5 / sfreq
    ]
    events.sort(key=lambda event: event[0])
    position = np.interp([time for time, _ in events], times, np.arange(len(times)))
    return position / sfreq, tuple(label for _, label in events)
